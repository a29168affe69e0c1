"""Events dated in the future: they go to quarantine and move no clock, and state that one of them has closed opens again."""

import json
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from flink_masking.dp.partials import read_partial
from flink_masking.ipc import from_ipc
from flink_masking.keys.sealer import Sealer

NOW, MINUTE = 1_710_498_600_000, 60_000
POLICY = """\
version: 1
stream: events
subject: id
event_time: {field: at, max_out_of_orderness: 1s}
fields:
  id: {class: identifier, optional: false}
  at: {class: plain, type: datetime, optional: false}
segments:
  plain: {view: masked, rules: {at: keep, "*": drop}}
  counts:
    view: aggregated
    window: {tumbling: 1min}
    group_by: []
    metrics: {n: count}
    privacy: {epsilon: 1000000000, delta: 0.1, max_groups_per_subject: 1, max_records_per_group: 1}
"""


def at(milliseconds):
    """A time of processing or of an event as text."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def records(time, count=20, first=0):
    """One record of each of `count` people."""
    return [json.dumps({"id": f"p{first + n}", "at": time}).encode() for n in range(count)]


@pytest.mark.parametrize("future", [at(NOW + 5 * MINUTE + 1), "2030-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_record_from_the_future_is_quarantined_and_moves_no_clock(run, future):
    """Beyond five minutes after processing time a record is in no view, and the clock is that of the others."""
    done = run(POLICY, [*records(at(NOW)), *records(future, 1, 90)])
    assert {20: ("future_event_time", "at")} == done.reasons
    assert done.view("plain")[20] is None
    assert [piece.event_times for piece in done.pieces] == [{0: NOW}]
    assert [20] == [json.loads(line)["n"] for line in done.released["counts"]]
    assert {"future_event_time": 1} == done.audit[0]["quarantined"]


def test_an_event_a_little_ahead_is_taken(run):
    """Up to max_ahead an event may be dated after processing time: clocks of producers differ."""
    assert {} == run(POLICY, records(at(NOW + 5 * MINUTE))).reasons


def test_how_far_ahead_is_the_policys_to_say(run):
    """`max_ahead: 1h` takes an event of an hour from now, and none of a millisecond later."""
    text = POLICY.replace("max_out_of_orderness: 1s", "max_out_of_orderness: 1s, max_ahead: 1h")
    done = run(text, [*records(at(NOW + 60 * MINUTE), 1), *records(at(NOW + 60 * MINUTE + 1), 1, 1)])
    assert {1: ("future_event_time", "at")} == done.reasons


def packed(done):
    """The columns of the only packet of a run."""
    (sealed,) = done.pieces[0].packed["counts"]
    return from_ipc(Sealer(done.plan.ring, "packed", "counts", (done.plan.policy.stream, "counts")).open(sealed.blob))


def test_state_closed_by_an_event_from_the_future_heals(run, planned):
    """After a restore of state whose windows are closed until 9999, new records count, save those that may have been published before."""
    plan, later = planned(POLICY), NOW + 60 * MINUTE
    partial, final = plan.segment("counts").stages
    states = []
    for stage in (partial, final):
        logic = stage.logic()
        batch = packed(run(POLICY, records(at(NOW))))
        if stage is final:
            [blob] = states[0][1]
            batch = read_partial(blob, plan.segment("counts").spec)
        taken = logic.on_batch(batch, NOW)
        states.append((logic, taken.outputs + logic.on_watermark(253_402_300_799_000).outputs))
    restored = []
    for stage, (before, _) in zip((partial, final), states, strict=True):
        twin = stage.logic()
        twin.restore(before.snapshot())
        restored.append(twin)
    fresh = packed(run(POLICY, records(at(NOW))))
    column = fresh.schema.get_field_index("time")
    dated = [fresh.set_column(column, "time", pa.array([later + shift] * 20, pa.int64())) for shift in (-1, 10 * MINUTE)]
    first, second = restored
    assert {"late": 20} == first.on_batch(dated[0], later).counts
    effects = first.on_batch(dated[1], later)
    assert {} == effects.counts
    [blob] = first.on_watermark(later + 20 * MINUTE).outputs
    assert {} == second.on_batch(read_partial(blob, plan.segment("counts").spec), later).counts
    [line] = second.on_watermark(later + 20 * MINUTE).outputs
    assert 20 == json.loads(line)["n"]
    twin = partial.logic()
    twin.restore(first.snapshot())
    assert twin.snapshot() == first.snapshot()


def test_what_heals_is_written_to_the_state(run, planned):
    """The state entry is written by the same call that opens the windows, and stays as it is afterwards."""
    plan = planned(POLICY)
    logic = plan.segment("counts").stages[0].logic()
    logic.restore({"closed": b"closed.1 253402300740000"})
    effects = logic.on_batch(packed(run(POLICY, records(at(NOW)))), NOW)
    assert effects.writes["closed"] == f"closed.1 {(NOW + 5 * MINUTE) // MINUTE * MINUTE}".encode()
    assert "closed" not in logic.on_batch(packed(run(POLICY, records(at(NOW)))), NOW).writes
