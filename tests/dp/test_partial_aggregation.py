"""Bounding and partial aggregation against a slow oracle in plain Python."""

from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.dp import windows
from flink_masking.dp.contribution import bound, contributions, input_schema, prepare
from flink_masking.dp.partial import PartialLogic
from flink_masking.dp.partials import read_partial
from flink_masking.dp.spec import AggregateSpec, Measure, Metric
from flink_masking.errors import InputError

MASK = 2**64 - 1
SPEC = AggregateSpec(100, 2, 3, 1.0, 1e-6, (Metric("n", "count"), Metric("a", "mean", 0), Metric("b", "sum", 1)),
                     (Measure("a", -5, 20, 0, True), Measure("b", 0, 1000, 2, False)))
GROUPS = st.sampled_from(["", '"z":"1"', '"z":"é"', '"z":null'])
RECORDS = st.lists(st.tuples(st.integers(-250, 250), st.sampled_from([0, 1, 2, 7, MASK]), GROUPS,
                             st.one_of(st.none(), st.integers(-30, 30)), st.integers(-5, 1100)), max_size=60)


@pytest.fixture(autouse=True, scope="module")
def compact_early():
    """Buffers are compacted from a few rows on, so that small examples go through it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "COMPACT_FROM", 5)
        yield


def batch_of(records, spec=SPEC):
    """Records (time, subject, group, a or None, b) as a batch."""
    time, subject, group, a, b = zip(*records, strict=True) if records else ((),) * 5
    values = [np.array([x or 0 for x in a], np.int64), np.array(b, np.int64)][:len(spec.measures)]
    valid = [np.array([x is not None for x in a], bool), np.ones(len(b), bool)][:len(spec.measures)]
    return contributions(spec, np.array(time, np.int64), np.array(subject, np.uint64), pa.array(group, pa.string()), values, valid)


def mix(x):
    """SplitMix64 in plain Python."""
    x = (x + 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def pair_hash(subject, group):
    """The hash that chooses a subject's groups."""
    h = 0xCBF29CE484222325
    for byte in group.encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    return mix(mix(subject) ^ mix(h))


def clip(record):
    """The record's measures within their bounds."""
    _, _, _, a, b = record
    return (None if a is None else min(max(a, -5), 20)), min(max(b, 0), 1000)


def rank(record):
    """The hash that chooses among a subject's records of a group."""
    time, subject = record[:2]
    h = mix(mix(subject) ^ (time & MASK))
    for value in clip(record):
        h = (mix(h ^ ((value or 0) & MASK)) + (value is not None)) & MASK
    return h


def oracle(records, c=2, r=3):
    """Expected sums: {window start: {group: [records, subjects, sum a, values a, sum b, values b]}}."""
    people = defaultdict(lambda: defaultdict(list))
    for record in records:
        people[record[0] // 100 * 100, record[1]][record[2]].append(record)
    out = defaultdict(dict)
    for (start, subject), groups in people.items():
        for group in sorted(groups, key=lambda g, s=subject: pair_hash(s, g))[:c]:
            sums = out[start].setdefault(group, [0] * 6)
            kept = [clip(record) for record in sorted(groups[group], key=rank)[:r]]
            new = [len(kept), 1, sum(a or 0 for a, _ in kept), sum(a is not None for a, _ in kept), sum(b for _, b in kept), len(kept)]
            sums[:] = [x + y for x, y in zip(sums, new, strict=True)]
    return out


def sums_of(blobs):
    """The same form, read from partial aggregates."""
    out = defaultdict(dict)
    for blob in blobs:
        for row in read_partial(blob, SPEC).to_pylist():
            start, group, *sums = row.values()
            assert group.decode() not in out[start]
            out[start][group.decode()] = sums
    return out


@settings(max_examples=150, deadline=None)
@given(RECORDS, st.data())
def test_slicing_order_and_restarts_change_nothing(records, data):
    """Any order, any batches and any restarts give the oracle's sums and byte-identical blobs."""
    straight = PartialLogic(SPEC)
    straight.on_batch(batch_of(records), 0)
    expected = straight.on_end()
    assert sums_of(expected.outputs) == oracle(records)

    mixed = data.draw(st.permutations(records))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(records)), max_size=6)))
    logic, stored = PartialLogic(SPEC), {}
    for a, b in zip([0, *cuts], [*cuts, len(mixed)], strict=True):
        for key, entry in logic.on_batch(batch_of(mixed[a:b]), 0).writes.items():
            stored.pop(key, None)
            if entry is not None:
                stored[key] = entry
        assert stored == logic.snapshot()
        if data.draw(st.booleans()):
            logic = PartialLogic(SPEC)
            logic.restore(stored)
    end = logic.on_end()
    assert end.outputs == expected.outputs
    assert end.counts == expected.counts
    assert {key for key, entry in end.writes.items() if entry is None} == set(stored)
    assert logic.next_watermark() is None


@settings(max_examples=100, deadline=None)
@given(RECORDS, st.integers(1, 3), st.integers(1, 3))
def test_no_subject_exceeds_the_bounds(records, c, r):
    """A subject keeps min(c, its groups) groups and min(r, its records) in each, all of them its own clipped records."""
    spec = replace(SPEC, max_groups_per_subject=c, max_records_per_group=r)
    records = [record for record in records if 0 <= record[0] < 100]
    if not records:
        return
    prepared = prepare(batch_of(records), spec)
    kept = bound(prepared, spec)
    rows, before = Counter(map(str, kept.to_pylist())), Counter(map(str, prepared.to_pylist()))
    assert rows <= before
    had, has = defaultdict(Counter), defaultdict(Counter)
    for counters, batch in ((had, prepared), (has, kept)):
        for row in batch.to_pylist():
            counters[row["subject"]][row["group"]] += 1
    for subject, groups in had.items():
        assert len(has[subject]) == min(c, len(groups))
        assert all(n == min(r, groups[group]) for group, n in has[subject].items())
    assert bound(kept, spec).equals(kept)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(RECORDS, st.integers(-300, 300)), max_size=4))
def test_every_record_is_counted_once(steps):
    """Input = counted + bounded + late, whatever the watermarks; a window leaves once."""
    logic, counts, starts = PartialLogic(SPEC), Counter(), []
    for records, watermark in steps:
        for effects in (logic.on_batch(batch_of(records), 0), logic.on_watermark(watermark)):
            counts.update(effects.counts)
            starts += [read_partial(blob, SPEC).column("window_start")[0].as_py() for blob in effects.outputs]
    last = logic.on_end()
    counts.update(last.counts)
    starts += [read_partial(blob, SPEC).column("window_start")[0].as_py() for blob in last.outputs]
    assert counts.total() == sum(len(records) for records, _ in steps)
    assert len(starts) == len(set(starts))


def test_a_window_holds_its_start_but_not_its_end():
    """Times at the edges, negative ones too, fall into [start, end)."""
    logic = PartialLogic(SPEC)
    logic.on_batch(batch_of([(t, i, "", 1, 1) for i, t in enumerate([-101, -100, -1, 0, 99, 100])]), 0)
    assert logic.next_watermark() == -100
    outputs = logic.on_end().outputs
    assert {start: groups[""][0] for start, groups in sums_of(outputs).items()} == {-200: 1, -100: 2, 0: 2, 100: 1}


def test_a_window_closes_when_the_watermark_reaches_its_end():
    """One millisecond before the end nothing leaves; at the end the window does, and records after it are late, even after a restart."""
    logic = PartialLogic(SPEC)
    logic.on_batch(batch_of([(0, 1, "", 1, 1), (150, 1, "", 1, 1)]), 0)
    assert logic.on_watermark(99).outputs == []
    closing = logic.on_watermark(100)
    assert sums_of(closing.outputs) == oracle([(0, 1, "", 1, 1)])
    assert closing.counts == {"counted": 1}
    again = PartialLogic(SPEC)
    again.restore(logic.snapshot())
    assert again.next_watermark() == 200
    assert again.on_batch(batch_of([(99, 2, "", 1, 1), (100, 2, "", 1, 1)]), 0).counts == {"late": 1}
    assert sums_of(again.on_end().outputs) == oracle([(150, 1, "", 1, 1), (100, 2, "", 1, 1)])


@pytest.mark.parametrize("watermark", [-(2**63), 2**63 - 1])
def test_watermarks_at_the_ends_of_time_are_taken(watermark):
    """Flink's first and last watermark close nothing and everything."""
    logic = PartialLogic(SPEC)
    logic.on_batch(batch_of([(0, 1, "", 1, 1)]), 0)
    assert len(logic.on_watermark(watermark).outputs) == (watermark > 0)
    again = PartialLogic(SPEC)
    again.restore(logic.snapshot())
    assert again.on_batch(batch_of([(0, 1, "", 1, 1)]), 0).counts == ({"late": 1} if watermark > 0 else {})


def test_empty_input_leaves_nothing():
    """An empty batch and an end without records have no effects."""
    logic = PartialLogic(SPEC)
    for effects in (logic.on_batch(batch_of([]), 0), logic.on_timer(0), logic.on_end()):
        assert (effects.outputs, effects.counts, effects.writes) == ([], {}, {})
    assert logic.snapshot() == {}
    assert logic.next_timer() is None


def test_buffers_shrink_to_what_the_bounds_allow():
    """A subject that sends without end holds no more than twice its bounded share in state, plus the compaction floor."""
    logic, stored = PartialLogic(SPEC), {}
    for i in range(50):
        stored.update(logic.on_batch(batch_of([(i, 1, '"z":"1"', i, i), (i, 1, '"z":"2"', i, i)]), 0).writes)
    rows = sum(pa.ipc.open_stream(entry).read_all().num_rows for entry in stored.values() if entry is not None)
    assert rows <= 2 * 6 + 2


def test_a_slice_of_a_batch_counts_as_its_rows():
    """Arrow slices, with their offsets into larger buffers, are taken as they are."""
    records = [(i, i % 7, f'"z":"{i % 3}"', None if i % 5 == 0 else i, i) for i in range(40)]
    logic = PartialLogic(SPEC)
    logic.on_batch(batch_of(records).slice(3, 21), 0)
    assert sums_of(logic.on_end().outputs) == oracle(records[3:24])


def test_a_very_active_subject_does_not_cost_quadratic_time():
    """Three hundred thousand records of one subject are bounded like any others."""
    n = 300_000
    batch = contributions(replace(SPEC, measures=(), metrics=(Metric("n", "count"),)), np.arange(n) % 100, np.full(n, 9, np.uint64),
                          pa.array([f'"z":"{i % 1000}"' for i in range(n)]))
    spec = replace(SPEC, measures=(), metrics=(Metric("n", "count"),))
    assert bound(prepare(batch, spec), spec).num_rows == 6


@pytest.mark.parametrize("change", [{"window_ms": 50}, {"max_groups_per_subject": 1}, {"max_records_per_group": 4},
                                    {"measures": SPEC.measures[::-1]}])
def test_a_state_of_another_configuration_is_refused(change):
    """Contributions bounded under other limits never mix with new ones."""
    logic = PartialLogic(SPEC)
    logic.on_batch(batch_of([(0, 1, "", 1, 1)]), 0)
    with pytest.raises(InputError, match="configuration"):
        PartialLogic(replace(SPEC, **change)).restore(logic.snapshot())


@pytest.mark.parametrize("entries", [{"w:0:0": b"rubbish"}, {"w:0:0": b""},
                                     {"closed": b"closed.9 0"}, {"closed": b"closed.1 x"}, {"w:x:0": b""}])
def test_a_damaged_state_is_refused(entries):
    """What cannot be read is an error, never an empty state."""
    with pytest.raises(InputError, match="Hint"):
        PartialLogic(SPEC).restore(entries)


def test_changing_epsilon_keeps_the_state():
    """The budget plays no part before the noise, so open windows live on under a new one."""
    logic = PartialLogic(SPEC)
    logic.on_batch(batch_of([(0, 1, "", 1, 1)]), 0)
    again = PartialLogic(replace(SPEC, epsilon=0.1, delta=1e-9))
    again.restore(logic.snapshot())
    assert again.on_end().outputs == logic.on_end().outputs


def test_a_time_out_of_range_is_refused():
    """Event times that would leave 64 bits are an error."""
    with pytest.raises(InputError, match="event time"):
        PartialLogic(SPEC).on_batch(batch_of([(2**60, 1, "", 1, 1)]), 0)


def test_batches_have_the_declared_columns():
    """The builder gives exactly the input schema, with all values present when no flags are given."""
    batch = contributions(SPEC, np.zeros(2, np.int64), np.ones(2, np.uint64), pa.array(["a", "b"]), [np.zeros(2, np.int64)] * 2)
    assert batch.schema.equals(input_schema(SPEC))
    assert batch.column("v1").to_pylist() == [True, True]
