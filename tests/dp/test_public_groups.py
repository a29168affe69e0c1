"""Groups from a public list: all of them in every window, zeros too, and nothing else."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.dp import final as final_module
from flink_masking.dp.contribution import contributions
from flink_masking.dp.final import FinalLogic
from flink_masking.dp.partial import PartialLogic
from flink_masking.dp.partials import read_partial
from flink_masking.dp.spec import AggregateSpec, Metric

SPEC = AggregateSpec(1000, 1, 5, 1.0, 1e-6, (Metric("n", "count"),), groups=(b'"z":"b"', b'"z":"a"', b'"z":null'))


def silent(scale, n, stream):
    """No noise."""
    return np.zeros(n, np.int64)


def batch_of(records):
    """Records (second, subject, group) as a batch."""
    time, subject, group = zip(*records, strict=True) if records else ((), (), ())
    return contributions(SPEC, np.array(time, np.int64) * 1000, np.array(subject, np.uint64),
                         pa.array([f'"z":{json.dumps(g)}' for g in group], pa.string()))


def run(records, spec=SPEC, sampler=silent, split=(), restart=False):
    """Rows and counts of both stages, with watermarks at the seconds of `split`."""
    logic, final, rows, counts = PartialLogic(spec), FinalLogic(spec, sampler), [], Counter()
    for watermark in (*split, None):
        end = 10**6 if watermark is None else watermark
        effects = [logic.on_batch(batch_of([r for r in records if r[0] < end]), 0)]
        records = [r for r in records if r[0] >= end]
        effects.append(logic.on_end() if watermark is None else logic.on_watermark(watermark * 1000))
        effects += [final.on_batch(read_partial(blob, spec), 0) for blob in effects[-1].outputs]
        if restart:
            state, final = final.snapshot(), FinalLogic(spec, sampler)
            final.restore(state)
        last = final.on_end() if watermark is None else final.on_watermark(watermark * 1000)
        rows += [json.loads(line) for chunk in last.outputs for line in chunk.split(b"\n")]
        for effect in (*effects, last):
            counts.update(effect.counts)
    return rows, counts


def test_all_groups_are_published_zeros_too():
    """One person in one group: every listed group has its row, and nothing tells that most are empty."""
    rows, counts = run([(0, 1, "a")])
    assert {row["z"]: row["n"] for row in rows} == {"a": 1, "b": 0, None: 0}
    assert counts == {"counted": 1, "released": 1, "rows": 3}


def test_other_groups_are_left_out_and_counted():
    """A group that is not in the list never shows, uses up nobody's groups, and is counted as suppressed."""
    rows, counts = run([(0, 1, "x"), (0, 1, "a"), (0, 1, "y")])
    assert {row["z"]: row["n"] for row in rows} == {"a": 1, "b": 0, None: 0}
    assert counts["suppressed"] == 2 and counts["counted"] == 1


@pytest.mark.parametrize("window", [{}, {"every_ms": 500}])
@pytest.mark.parametrize("restart", [False, True])
def test_one_persons_record_does_not_decide_whether_windows_are_published(window, restart):
    """Where all others are in groups that are not listed, the same rows show with and without a person."""
    spec = replace(SPEC, **window)
    others = [(second, 2 + second, "x") for second in (0, 3, 4)]
    (shown, _), (without, _) = (run(records, spec, split=(2, 4), restart=restart) for records in ([*others, (3, 1, "a")], others))
    places = [[(row["window_start"], row["z"]) for row in rows] for rows in (shown, without)]
    assert places[0] == places[1] and len(places[0]) == (3 * 5 if not window else 3 * 11 - 3)
    assert {row["n"] for row in without} == {0} and any(row["n"] for row in shown)


def test_a_window_of_people_without_budget_is_published():
    """Whoever has used up the lifetime budget counts nowhere, but does not make windows vanish."""
    spec = replace(SPEC, lifetime_epsilon=1.0)
    logic, blobs = PartialLogic(spec), []
    for second in (0, 1):
        logic.on_batch(batch_of([(second, 1, "a")]), 0)
        blobs += logic.on_watermark(1000 * second + 1000).outputs
    assert [read_partial(blob, spec).column("records").to_pylist() for blob in blobs] == [[1], [0]]


def test_there_is_no_threshold_and_no_delta_with_laplace_noise():
    """All of epsilon goes to the metrics that are asked for; distinct subjects are not drawn behind the scenes."""
    assert (SPEC.threshold, SPEC.threshold_delta, SPEC.noise_delta) == (1, 0, 0)
    assert [q.kind for q in SPEC.quantities] == ["records"]


def test_noise_is_on_the_zeros():
    """Empty groups and empty windows are drawn like all others."""
    rows, _ = run([(0, 1, "a"), (400, 1, "a")], sampler=None)
    assert len(rows) == 3 * 401
    zeros = np.array([row["n"] for row in rows if row["z"] == "b"])
    assert 0.1 < (zeros > 0).mean() < 0.6


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3), st.sampled_from(["a", "b", None, "other"])), min_size=1, max_size=12),
       st.lists(st.integers(0, 40), max_size=4).map(sorted), st.booleans())
def test_which_windows_show_depends_on_the_first_and_last_alone(records, split, restart):
    """Every window from the first to the last that anyone is in is published once, with all groups, whatever watermarks and restarts."""
    rows, counts = run(records, split=split, restart=restart)
    seen = [second for second, _, _ in records]
    assert counts.total() == len(records) + counts["counted"] + counts["rows"]
    shown = Counter(row["window_start"] for row in rows)
    seconds = sorted(int(start[17:19]) for start in shown)
    end = max([s for s in split if s > min(seen)] + [max(seen) + 1])
    assert seconds == list(range(min(seen), end)) and set(shown.values()) == {3}


def test_empty_windows_do_not_wait_for_the_next_person():
    """The second stage asks for the end of every window, so that an empty one is published when its time is over."""
    final, logic = FinalLogic(SPEC, silent), PartialLogic(SPEC)
    logic.on_batch(batch_of([(5, 1, "a")]), 0)
    for blob in logic.on_end().outputs:
        final.on_batch(read_partial(blob, SPEC), 0)
    ends = []
    for _ in range(4):
        ends.append(final.next_watermark())
        assert len(final.on_watermark(ends[-1]).outputs) == 1
    assert ends == [6000, 7000, 8000, 9000]


def test_a_jump_of_the_clock_does_not_publish_without_end(monkeypatch):
    """A stream without anyone for longer than the limit is taken to stand still: after a jump of a hundred years it goes on."""
    monkeypatch.setattr(final_module, "MOST_EMPTY", 7)
    rows, _ = run([(0, 1, "a"), (20, 1, "a")])
    assert [int(row["window_start"][17:19]) for row in rows if row["z"] == "a"] == [*range(8), 20]
    assert FinalLogic(SPEC, silent).next_watermark() is None
    final, logic = FinalLogic(SPEC, silent), PartialLogic(SPEC)
    for second in (0, 3 * 10**9):
        logic.on_batch(batch_of([(second, 1, "a")]), 0)
    for blob in logic.on_end().outputs:
        final.on_batch(read_partial(blob, SPEC), 0)
    assert len(final.on_end().outputs) == 2 + 7


def test_a_changed_list_takes_effect_at_once():
    """Groups that left the list are not published any more, also in windows that are open; new ones show zeros."""
    logic, final = PartialLogic(SPEC), FinalLogic(SPEC, silent)
    logic.on_batch(batch_of([(0, 1, "a"), (0, 2, "b")]), 0)
    for blob in logic.on_end().outputs:
        final.on_batch(read_partial(blob, SPEC), 0)
    other = FinalLogic(replace(SPEC, groups=(b'"z":"b"', b'"z":"new"')), silent)
    other.restore(final.snapshot())
    effects = other.on_end()
    assert {json.loads(line)["z"]: json.loads(line)["n"] for line in effects.outputs[0].split(b"\n")} == {"b": 1, "new": 0}
    assert effects.counts == {"rows": 2, "released": 1, "suppressed": 1}
