"""State that this release cannot read is refused in words, whatever the segment: never ignored, never misread."""

import os

import pyarrow as pa
import pytest

from flink_masking.engine.protect import Protect
from flink_masking.errors import InputError
from flink_masking.keys.sealer import Sealer
from flink_masking.records.column import binary_column

NOW = 1_710_498_600_000
POLICY = """\
version: 1
stream: events
subject: id
event_time: {field: at, max_out_of_orderness: 1s}
fields:
  id:  {class: identifier, optional: false}
  age: {class: quasi, domain: [0, 120]}
  zip: {class: quasi, prefix: 5}
  at:  {class: plain, type: datetime}
segments:
  partners: {view: anonymized, k: 3, quasi_identifiers: [age, zip], max_delay: 1h, max_releases: {per: 1d, count: 2}}
  dashboard:
    view: aggregated
    window: {tumbling: 1min}
    group_by: [{zip: {generalize: 1}}]
    metrics: {orders: count}
    privacy: {epsilon: 10.0, delta: 1.0e-6, max_groups_per_subject: 1, max_records_per_group: 3}
"""
RECORDS = [b'{"id":"p%d","age":%d,"zip":"94110","at":"2024-03-15T10:0%d:00Z"}' % (n, 20 + n, n % 3) for n in range(30)]


def states(planned):
    """Segment, stage and state of every logic that holds something after a batch: its fresh twin, and its entries."""
    plan = planned(POLICY)
    found = {}
    for protected in Protect(plan, os.urandom, lambda: NOW)(binary_column(RECORDS)):
        for segment in plan.stateful:
            blob = Sealer(plan.ring, "packed", segment.name, ("events", segment.name)).open(protected.packed[segment.name][0].blob)
            for stage in segment.stages:
                logic = stage.logic()
                effects = logic.on_batch(stage.read(blob), NOW)
                found[segment.name, stage.name] = stage.logic, logic.snapshot()
                if stage.name in ("anonymize", "final"):
                    break
                end = 1_710_496_920_000  # 10:02: two windows close, one stays open
                late = logic.on_watermark(end)
                found[segment.name, stage.name] = stage.logic, logic.snapshot()
                blob = (effects.outputs + late.outputs)[0]
    return found


def newer(blob: bytes) -> bytes:
    """The same state entry, said to be of a format yet to come."""
    if not blob.startswith(b"\xff\xff\xff\xff"):
        return blob.replace(b".1", b".9", 1)
    with pa.ipc.open_stream(blob) as stream:
        batch = stream.read_next_batch()
    facts = dict(batch.schema.metadata)
    facts[b"format"] = facts[b"format"][:-1] + b"9"
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema.with_metadata(facts)) as writer:
        writer.write_batch(batch.replace_schema_metadata(facts))
    return sink.getvalue().to_pybytes()


def test_state_of_this_release_is_restored(planned):
    """What a logic wrote, its twin takes over, entry by entry."""
    found = states(planned)
    assert set(found) == {("partners", "anonymize"), ("dashboard", "partial"), ("dashboard", "final")}
    for make, entries in found.values():
        assert entries
        twin = make()
        twin.restore(entries)
        assert twin.snapshot().keys() == entries.keys()


def test_every_entry_of_a_newer_format_is_refused(planned):
    """Each single entry that a later release would have written ends in one line that says what to restore with."""
    for make, entries in states(planned).values():
        for name, blob in entries.items():
            assert newer(blob) != blob
            with pytest.raises(InputError, match=r"(?s)version.*Hint: ") as raised:
                make().restore({**entries, name: newer(blob)})
            assert "\n" not in str(raised.value)


@pytest.mark.parametrize("stage", ["partial", "final"])
def test_entries_that_nobody_knows_are_refused(planned, stage):
    """A state with an entry of another kind is of another release: it is not left behind in silence."""
    make, entries = states(planned)["dashboard", stage]
    with pytest.raises(InputError, match="of another version"):
        make().restore({**entries, "sketch:1": b"sketch.1"})
