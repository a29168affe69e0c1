"""Adding up shards, drawing once, and the published rows."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.dp import windows
from flink_masking.dp.contribution import contributions
from flink_masking.dp.final import FinalLogic
from flink_masking.dp.metric_texts import decimal
from flink_masking.dp.partial import PartialLogic
from flink_masking.dp.partials import partial_schema, read_partial
from flink_masking.dp.spec import AggregateSpec, Measure, Metric
from flink_masking.errors import InputError, JobError

METRICS = (Metric("orders", "count"), Metric("customers", "count_distinct_subjects"), Metric("spend", "sum", 0),
           Metric("mean_spend", "mean", 0), Metric("mean_note", "mean", 1))
SPEC = AggregateSpec(60_000, 2, 3, 1.0, 1e-9, METRICS, (Measure("amount", -1000, 100_000, 2, False), Measure("note", 0, 5, 0, True)))
MINUTE = 1_710_498_600_000  # 2024-03-15T10:30:00Z
LOOSE = replace(SPEC, epsilon=1e6, delta=0.5)  # threshold 1 or 2: nearly every group is published


@pytest.fixture(autouse=True, scope="module")
def compact_early():
    """Buffers are compacted from a few rows on, so that small examples go through it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "COMPACT_FROM", 5)
        yield


def no_noise(scale, n, stream):
    """A sampler for tests of exactness: adds nothing."""
    return np.zeros(n, np.int64)


def partial(*rows, spec=SPEC):
    """Partial aggregates from rows (start, group, records, subjects, sums and counts…)."""
    schema = partial_schema(spec)
    return pa.RecordBatch.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema)


def row(start=MINUTE, group=b'"zip":"941**"', records=1000, subjects=900, total=123_450, notes=(7, 3)):
    """A row for `partial`: 1,000 orders of 900 people by default."""
    return (start, group, records, subjects, total, records, *notes)


def published(logic, *batches, watermark=None):
    """The rows that the batches lead to."""
    for batch in batches:
        logic.on_batch(batch, 0)
    effects = logic.on_end() if watermark is None else logic.on_watermark(watermark)
    return [json.loads(line) for chunk in effects.outputs for line in chunk.split(b"\n")], effects


def test_a_row_reads_as_documented():
    """Members in the documented order; counts whole, sums with the measure's decimals, means with two more."""
    logic = FinalLogic(SPEC, no_noise)
    logic.on_batch(partial(row()), 0)
    assert logic.on_end().outputs == [b'{"window_start":"2024-03-15T10:30:00Z","window_end":"2024-03-15T10:31:00Z","zip":"941**",'
                                      b'"orders":1000,"customers":900,"spend":1234.50,"mean_spend":1.2345,"mean_note":2.33,"epsilon":1.0}']


def test_without_a_group_the_row_has_none():
    """An empty group adds no member; windows shorter than a second show milliseconds."""
    rows, effects = published(FinalLogic(replace(SPEC, window_ms=500), no_noise), partial(row(-500, b"")))
    assert list(rows[0]) == ["window_start", "window_end", *(m.name for m in METRICS), "epsilon"]
    assert rows[0]["window_start"] == "1969-12-31T23:59:59.500Z"
    assert effects.outputs[0].startswith(b"{") and effects.outputs[0].endswith(b"}")


def test_names_are_escaped():
    """A metric may have any name."""
    rows, _ = published(FinalLogic(replace(SPEC, metrics=(Metric('a "b" é', "count"),)), no_noise), partial(row()))
    assert rows[0]['a "b" é'] == 1000


@pytest.mark.parametrize(("units", "scale", "text"), [(0, 2, "0.00"), (-5, 2, "-0.05"), (5, 0, "5"), (-12345, 3, "-12.345"),
                                                      (2**62, 1, "461168601842738790.4")])
def test_decimals_are_exact(units, scale, text):
    """Fixed-point text comes from whole numbers, never from floats."""
    assert decimal(units, scale) == text


@pytest.mark.parametrize(("shift", "expected"), [(-(10**7), {"orders": 0, "spend": -98_765.50, "mean_spend": None, "mean_note": None}),
                                                 (10**7, {"orders": 10_001_000, "spend": 101_234.50, "mean_spend": 0.0101,
                                                           "mean_note": 1.0})])
def test_post_processing_keeps_numbers_plausible(shift, expected):
    """With clip counts are at least 0; means lie within the bounds and are null where the noisy count is below 1."""
    def sampler(scale, n, stream):
        return np.full(n, 0 if scale == SPEC.scale(SPEC.quantities[0]) else shift)

    rows, _ = published(FinalLogic(replace(SPEC, clip=True), sampler), partial(row()))
    assert {name: rows[0][name] for name in expected} == {**expected, **{k: pytest.approx(v, rel=0.01) for k, v in expected.items() if v}}


def test_means_are_clamped_to_the_bounds():
    """A mean beyond the public bounds is cut to them."""
    for total, mean in ((10**12, 1000), (-(10**12), -10)):
        assert published(FinalLogic(SPEC, no_noise), partial(row(total=total)))[0][0]["mean_spend"] == mean


def test_groups_below_the_threshold_are_suppressed():
    """A group is published from the threshold on; what is left out is counted."""
    tau = SPEC.threshold
    rows, effects = published(FinalLogic(SPEC, no_noise),
                              partial(row(subjects=tau, group=b'"z":1'), row(subjects=tau - 1, group=b'"z":2', records=777)))
    assert [r["z"] for r in rows] == [1]
    assert effects.counts == {"rows": 1, "released": 1000, "suppressed": 777, "groups_suppressed": 1}


def test_noise_is_drawn_for_all_groups_published_or_not():
    """Each quantity is one vector call per window, of all groups: what is published moves no draw."""
    calls = []

    def sampler(scale, n, stream):
        calls.append((scale, n))
        return np.zeros(n, np.int64)

    spec = replace(SPEC, metrics=METRICS[:3])
    published(FinalLogic(spec, sampler), partial(row(group=b'"z":1'), row(group=b'"z":2', subjects=1)))
    assert calls == [(spec.scale(spec.quantities[0]), 2), (spec.scale(spec.quantities[1]), 2), (spec.scale(spec.quantities[2]), 2)]


def test_a_window_without_a_published_group_closes_once():
    """It sends nothing, keeps nothing, and what comes after its end is late."""
    logic = FinalLogic(SPEC, no_noise)
    logic.on_batch(partial(row(subjects=1)), 0)
    effects = logic.on_watermark(MINUTE + 60_000)
    assert effects.outputs == [] and effects.counts == {"suppressed": 1000, "groups_suppressed": 1}
    assert [key for key in logic.snapshot() if not key.startswith("seed:")] == ["closed"]
    assert logic.on_batch(partial(row()), 0).counts == {"late": 1000}
    assert logic.on_end().outputs == []


def test_a_closed_window_stays_closed():
    """A late partial aggregate is counted and never published, also after a restart; other windows of its batch are."""
    logic = FinalLogic(SPEC, no_noise)
    logic.on_batch(partial(row()), 0)
    assert logic.on_watermark(MINUTE + 59_999).outputs == []
    assert len(logic.on_watermark(MINUTE + 60_000).outputs) == 1
    again = FinalLogic(SPEC, no_noise)
    again.restore(logic.snapshot())
    assert again.on_batch(partial(row(), row(MINUTE + 60_000)), 0).counts == {"late": 1000}
    rows, _ = published(again)
    assert [r["window_start"] for r in rows] == ["2024-03-15T10:31:00Z"]


def test_drawn_rows_are_stored_with_their_emission_and_never_redrawn():
    """After a restart from the writes of the drawing call the same bytes can be sent again, and the window draws no more."""
    logic, stored = FinalLogic(SPEC), {}

    def keep(effects):
        for key, entry in effects.writes.items():
            stored.pop(key, None)
            if entry is not None:
                stored[key] = entry
        return effects

    keep(logic.on_batch(partial(row(), row(MINUTE + 60_000)), 0))
    sent = keep(logic.on_watermark(MINUTE + 60_000)).outputs
    assert stored == logic.snapshot()
    again = FinalLogic(SPEC)
    again.restore(stored)
    assert again.last_drawn() == sent == logic.last_drawn()
    assert keep(again.on_watermark(MINUTE + 60_001)).outputs == []
    assert again.last_drawn() == sent
    second = keep(again.on_end()).outputs
    assert again.last_drawn() == second != sent
    assert stored == again.snapshot()
    day = MINUTE // 86_400_000
    assert sorted(stored) == ["closed", f"drawn:{MINUTE + 60_000}", f"seed:{day}", f"seed:{day + 1}"]


def test_two_runs_draw_other_noise():
    """The same input published twice differs, and rows stay near the truth."""
    runs = [published(FinalLogic(SPEC), partial(*(row(group=b'"z":%d' % i) for i in range(20))))[0] for _ in range(2)]
    assert [r["orders"] for r in runs[0]] != [r["orders"] for r in runs[1]]
    assert all(abs(r["orders"] - 1000) < 30 * 40 for r in runs[0])


RECORDS = st.lists(st.tuples(st.integers(0, 3 * 60_000 - 1), st.integers(0, 9), st.sampled_from(["", '"z":"1"', '"z":"2"', '"z":null']),
                             st.integers(-2000, 200_000), st.integers(-1, 7), st.booleans()), max_size=50)


def batch_of(records):
    """Records (time, subject, group, amount, note, whether there is a note) as a batch."""
    time, subject, group, amount, note, has = (np.array(x) for x in zip(*records, strict=True))
    return contributions(LOOSE, MINUTE + time.astype(np.int64), subject.astype(np.uint64), pa.array(group.tolist()),
                         [amount.astype(np.int64), note.astype(np.int64)], [np.ones(len(time), bool), has])


@settings(max_examples=80, deadline=None)
@given(RECORDS, st.integers(1, 4), st.data())
def test_sharding_and_restarts_change_nothing(records, shards, data):
    """Without noise, any number of shards, order of partial aggregates and restarts give the same rows; every record is counted once."""
    straight, alone = PartialLogic(LOOSE), FinalLogic(LOOSE, no_noise)
    if records:
        straight.on_batch(batch_of(records), 0)
    whole = straight.on_end()
    for blob in whole.outputs:
        alone.on_batch(read_partial(blob, LOOSE), 0)
    expected = alone.on_end()

    counts, blobs = Counter(), []
    for shard in range(shards):
        mine = [record for record in records if record[1] % shards == shard]
        logic = PartialLogic(LOOSE)
        if mine:
            logic.on_batch(batch_of(mine), 0)
        effects = logic.on_end()
        counts.update(effects.counts)
        blobs += effects.outputs
    final = FinalLogic(LOOSE, no_noise)
    for blob in data.draw(st.permutations(blobs)):
        final.on_batch(read_partial(blob, LOOSE), 0)
        if data.draw(st.booleans()):
            state, final = final.snapshot(), FinalLogic(LOOSE, no_noise)
            final.restore(state)
    effects = final.on_end()
    assert effects.outputs == expected.outputs
    assert effects.counts == expected.counts
    assert counts == Counter(whole.counts)
    assert counts["counted"] + counts["bounded"] == len(records)
    assert effects.counts.get("released", 0) + effects.counts.get("suppressed", 0) == counts["counted"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3), st.sampled_from([b"", b'"z":1', b'"z":2']), st.integers(1, 5)), max_size=40),
       st.integers(-3, 4))
def test_state_is_the_sum_of_its_writes(rows, closing):
    """Writes and snapshot agree through buffering, compaction, closing and late partial aggregates, and records are counted once."""
    logic, stored, counts = FinalLogic(LOOSE, no_noise), {}, Counter()
    for i, (minute, group, n) in enumerate(rows):
        steps = [logic.on_batch(partial(row(60_000 * minute, group, n, n, n)), 0)]
        if i == len(rows) // 2:
            steps.append(logic.on_watermark(60_000 * closing))
        for effects in steps:
            counts.update(effects.counts)
            for key, entry in effects.writes.items():
                stored.pop(key, None)
                if entry is not None:
                    stored[key] = entry
        assert stored == logic.snapshot()
    counts.update(logic.on_end().counts)
    assert counts["released"] + counts["suppressed"] + counts["late"] == sum(n for _, _, n in rows)


def test_a_sum_beyond_64_bits_stops_the_job():
    """Sums never wrap round."""
    logic = FinalLogic(replace(SPEC, measures=(Measure("a", 0, 2**47, 0, False), SPEC.measures[1])), no_noise)
    logic.on_batch(partial(row(records=2**15)), 0)
    with pytest.raises(JobError, match="64 bits"):
        logic.on_end()


def test_empty_input_publishes_nothing():
    """An empty batch and an end without partial aggregates have no effects."""
    logic = FinalLogic(SPEC)
    for effects in (logic.on_batch(partial(), 0), logic.on_timer(0), logic.on_end()):
        assert (effects.outputs, effects.counts, effects.writes) == ([], {}, {})
    assert (logic.next_timer(), logic.next_watermark(), logic.last_drawn(), logic.snapshot()) == (None, None, [], {})


def test_a_partial_aggregate_of_another_view_is_refused():
    """Partial aggregates bounded under other limits, or damaged, are an error."""
    logic = PartialLogic(LOOSE)
    logic.on_batch(batch_of([(0, 1, "", 1, 1, True)]), 0)
    blob = logic.on_end().outputs[0]
    for bad, spec in ((blob, replace(LOOSE, max_records_per_group=9)), (blob[:40], LOOSE), (b"", LOOSE)):
        with pytest.raises(InputError, match="Hint"):
            read_partial(bad, spec)


def test_stored_rows_of_another_version_are_refused():
    """Unknown bytes are an error, never sent."""
    for entries in ({"drawn:0": b"rows"}, {"drawn:x": b"drawn.1\nrows"}):
        with pytest.raises(InputError, match="version"):
            FinalLogic(SPEC, no_noise).restore(entries)
