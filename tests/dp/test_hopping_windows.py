"""Hopping windows: every window bounds anew, records are kept once, restarts and order change nothing."""

from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.dp import windows
from flink_masking.dp.contribution import contributions
from flink_masking.dp.final import FinalLogic
from flink_masking.dp.partial import PartialLogic
from flink_masking.dp.partials import read_partial
from flink_masking.dp.spec import AggregateSpec, Measure, Metric
from flink_masking.errors import InputError

SPEC = AggregateSpec(300, 2, 2, 1e9, 0.5, (Metric("n", "count"), Metric("a", "variance", 0), Metric("h", "histogram", 0, (0, 5, 20))),
                     (Measure("a", 0, 20, 0, False),), every_ms=100)
ONCE = replace(SPEC, every_ms=0)
RECORDS = st.lists(st.tuples(st.integers(-400, 700), st.integers(0, 4), st.sampled_from(['"z":1', '"z":2', '"z":3']), st.integers(-3, 25)),
                   max_size=40)


@pytest.fixture(autouse=True, scope="module")
def compact_early():
    """Buffers are compacted from a few rows on, so that small examples go through it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "COMPACT_FROM", 5)
        yield


def batch_of(records, spec=SPEC):
    """Records (time, subject, group, a) as a batch."""
    time, subject, group, a = zip(*records, strict=True) if records else ((),) * 4
    return contributions(spec, np.array(time, np.int64), np.array(subject, np.uint64), pa.array(group, pa.string()),
                         [np.array(a, np.int64)])


def sums(blobs, spec=SPEC):
    """Rows of partial aggregates by window start and group."""
    return {(row.pop("window_start"), row.pop("group")): row for blob in blobs for row in read_partial(blob, spec).to_pylist()}


def keep(stored, effects):
    """Apply the writes of a call."""
    for key, entry in effects.writes.items():
        stored.pop(key, None)
        if entry is not None:
            stored[key] = entry
    return effects


@settings(max_examples=80, deadline=None)
@given(RECORDS)
def test_a_window_is_what_a_tumbling_one_over_its_records_would_be(records):
    """Each hopping window has the sums of a tumbling window over its own records alone, bounded there anew."""
    logic = PartialLogic(SPEC)
    logic.on_batch(batch_of(records), 0)
    effects = logic.on_end()
    expected = {}
    for start in range(-700, 800, 100):
        shifted = [(time - start, *rest) for time, *rest in records if start <= time < start + 300]
        if shifted:
            alone = PartialLogic(ONCE)
            alone.on_batch(batch_of(shifted, ONCE), 0)
            for (_, group), row in sums(alone.on_end().outputs, replace(ONCE)).items():
                expected[start, group] = row
    # ranks among equal candidates depend on time, so that only what bounding leaves open may differ: counts and distinct subjects do not
    found = sums(effects.outputs)
    assert {key: (row["records"], row["subjects"]) for key, row in found.items()} == {
        key: (row["records"], row["subjects"]) for key, row in expected.items()}
    assert effects.counts.get("counted", 0) + effects.counts.get("bounded", 0) == 3 * len(records)


@settings(max_examples=80, deadline=None)
@given(RECORDS, st.lists(st.tuples(st.integers(0, 40), st.integers(-600, 900)), max_size=5), st.data())
def test_slicing_and_restarts_change_nothing(records, closings, data):
    """Whatever batches and restarts, the same watermarks at the same records give the same blobs, and each record counts three times."""
    steps = sorted((min(at, len(records)), watermark) for at, watermark in closings)

    def run(restarts):
        logic, stored, blobs, counts, at = PartialLogic(SPEC), {}, [], Counter(), 0
        for end, watermark in [*steps, (len(records), None)]:
            cut = data.draw(st.integers(at, end)) if restarts else end
            for a, b in ((at, cut), (cut, end)):
                counts.update(keep(stored, logic.on_batch(batch_of(records[a:b]), 0)).counts)
                assert stored == logic.snapshot()
                if restarts and data.draw(st.booleans()):
                    logic = PartialLogic(SPEC)
                    logic.restore(stored)
            effects = keep(stored, logic.on_end() if watermark is None else logic.on_watermark(watermark))
            counts.update(effects.counts)
            blobs += effects.outputs
            at = end
        return blobs, counts, stored

    blobs, counts, _ = run(False)
    again, counted, stored = run(True)
    assert again == blobs and counted == counts
    assert counts.total() == 3 * len(records)
    assert set(stored) <= {"closed"}


def test_records_are_kept_once_and_counted_in_each_window():
    """One record is one row of state; it leaves in three windows, and its entry with the last."""
    logic, stored = PartialLogic(SPEC), {}
    keep(stored, logic.on_batch(batch_of([(250, 1, '"z":1', 7)]), 0))
    assert list(stored) == ["w:200:0"] and logic.next_watermark() == 300
    assert logic.on_batch(batch_of([]), 0).figures == {"windows_open": 3, "records_open": 1}
    starts = []
    for watermark in (300, 400, 500):
        assert "w:200:0" in stored
        starts += [start for start, _ in sums(keep(stored, logic.on_watermark(watermark)).outputs)]
    assert starts == [0, 100, 200] and set(stored) == {"closed"}


def test_a_late_record_counts_in_the_windows_that_are_open():
    """It is late for the closed windows only; those stay closed."""
    logic = PartialLogic(SPEC)
    logic.on_batch(batch_of([(250, 1, '"z":1', 7)]), 0)
    logic.on_watermark(300)
    late = logic.on_batch(batch_of([(250, 2, '"z":1', 7), (50, 3, '"z":1', 7)]), 0)  # in windows 0, 100, 200, and -200, -100, 0
    assert late.counts == {"late": 1 + 3}
    assert {start: row["records"] for (start, _), row in sums(logic.on_end().outputs).items()} == {100: 2, 200: 2}


def test_the_second_stage_closes_each_window_at_its_end():
    """Overlapping windows are published one by one, with their own bounds."""
    logic, final, published = PartialLogic(SPEC), FinalLogic(SPEC), []
    logic.on_batch(batch_of([(250, k, '"z":1', 7) for k in range(9)]), 0)
    for watermark in (300, 400, 500):
        for blob in logic.on_watermark(watermark).outputs:
            final.on_batch(read_partial(blob, SPEC), 0)
        assert final.next_watermark() == watermark
        published += final.on_watermark(watermark).outputs
    assert [chunk[17:41] for chunk in published] == [b"1970-01-01T00:00:00.000Z", b"1970-01-01T00:00:00.100Z", b"1970-01-01T00:00:00.200Z"]


def test_a_state_of_other_windows_is_refused():
    """Panes of one hop never become those of another."""
    logic = PartialLogic(SPEC)
    logic.on_batch(batch_of([(0, 1, '"z":1', 1)]), 0)
    for spec in (ONCE, replace(SPEC, every_ms=150)):
        with pytest.raises(InputError, match="configuration"):
            PartialLogic(spec).restore(logic.snapshot())


def test_every_window_of_a_subject_is_bounded_by_itself():
    """A subject with many records in each pane has no more than its share in any window."""
    logic = PartialLogic(SPEC)
    logic.on_batch(batch_of([(time, 1, group, 1) for time in range(0, 600, 10) for group in ('"z":1', '"z":2', '"z":3')]), 0)
    by_window = defaultdict(list)
    for (start, _), row in sums(logic.on_end().outputs).items():
        by_window[start].append(row["records"])
    assert all(len(groups) == 2 and max(groups) <= 2 for groups in by_window.values()) and len(by_window) == 8
