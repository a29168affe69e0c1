"""The ledger: what a person may spend over all windows, whatever restarts, and what is left out after that."""

from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.dp import ledger
from flink_masking.dp.contribution import contributions
from flink_masking.dp.ledger import Ledger
from flink_masking.dp.partial import PartialLogic
from flink_masking.dp.partials import read_partial
from flink_masking.dp.spec import AggregateSpec, Metric
from flink_masking.errors import InputError

SPEC = AggregateSpec(100, 1, 5, 0.1, 1e-6, (Metric("n", "count"),), lifetime_epsilon=0.3)
HUGE = 2**64 - 1


@pytest.fixture(autouse=True, scope="module")
def compact_early():
    """Entries are written anew from a few rows on, so that small examples go through it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger, "COMPACT_FROM", 4)
        yield


def batch_of(records):
    """Records (time, subject) as a batch."""
    time, subject = zip(*records, strict=True) if records else ((), ())
    return contributions(SPEC, np.array(time, np.int64), np.array(subject, np.uint64), pa.array([""] * len(records), pa.string()))


def keep(stored, effects):
    """Apply the writes of a call."""
    for key, entry in effects.writes.items():
        stored.pop(key, None)
        if entry is not None:
            stored[key] = entry
    return effects


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 999), st.sampled_from([0, 1, 2, 3, 5, HUGE])), max_size=80), st.data())
def test_nobody_counts_in_more_windows_than_the_budget_pays_for(records, data):
    """Everyone counts in their first three windows and in no other, whatever batches and restarts; every record is counted once."""
    windows = defaultdict(set)
    for time, subject in records:
        windows[subject].add(time // 100)
    paid = {(subject, w) for subject, all_of in windows.items() for w in sorted(all_of)[:3]}
    expected = Counter(w * 100 for _, w in paid)

    logic, stored, counts, found = PartialLogic(SPEC), {}, Counter(), Counter()
    for w in range(10):
        mine = data.draw(st.permutations([r for r in records if r[0] // 100 == w]))
        cut = data.draw(st.integers(0, len(mine)))
        both = logic.on_batch(batch_of(mine[:cut]), 0), logic.on_batch(batch_of(mine[cut:]), 0)
        for effects in (*both, logic.on_watermark(w * 100 + 100)):
            counts.update(keep(stored, effects).counts)
            for blob in effects.outputs:
                (row,) = read_partial(blob, SPEC).to_pylist()
                found[row["window_start"]] += row["subjects"]
        assert stored == logic.snapshot()
        if data.draw(st.booleans()):
            logic = PartialLogic(SPEC)
            logic.restore(stored)
    assert found == expected
    assert counts["people_exhausted"] == sum(max(0, len(all_of) - 3) for all_of in windows.values())
    assert counts["counted"] + counts["bounded"] + counts["suppressed"] == len(records)


def test_what_is_left_is_told():
    """The reading is the smallest share of a lifetime that anyone has left."""
    logic = PartialLogic(SPEC)
    figures = [logic.on_batch(batch_of([(0, 1), (0, 2)]), 0).figures]
    figures += [logic.on_watermark(100).figures]
    logic.on_batch(batch_of([(100, 1)]), 0)
    figures += [logic.on_end().figures]
    assert [f["lifetime_epsilon_left_millionths"] for f in figures] == [1_000_000, 666_666, 333_333]


def test_state_holds_hashes_and_amounts_only_and_stays_small():
    """Sixteen bytes a person and entry, and never more than twice the people in all, plus the floor."""
    spent, stored, writes = Ledger(replace(SPEC, lifetime_epsilon=1e6)), {}, {}
    people = np.arange(50, dtype=np.uint64) * 2**56
    for _ in range(100):
        writes.clear()
        assert spent.charge(people, writes).all()
        for key, entry in writes.items():
            stored.pop(key, None)
            if entry is not None:
                stored[key] = entry
    assert stored == spent.snapshot()
    assert sum(map(len, stored.values())) <= 16 * (2 * 50 + 4 + 50) + len(stored) * 13
    again = Ledger(replace(SPEC, lifetime_epsilon=1e6))
    again.restore(stored)
    assert again.left() == spent.left() == 999_990


def test_a_changed_epsilon_counts_what_was_spent():
    """The ledger is in epsilon, not in windows: a policy with cheaper windows goes on with what is left."""
    logic = PartialLogic(SPEC)
    for w in range(2):
        logic.on_batch(batch_of([(100 * w, 1)]), 0)
        logic.on_watermark(100 * w + 100)
    cheaper = PartialLogic(replace(SPEC, epsilon=0.05))
    cheaper.restore(logic.snapshot())
    counted = 0
    for w in range(2, 9):
        cheaper.on_batch(batch_of([(100 * w, 1)]), 0)
        counted += cheaper.on_watermark(100 * w + 100).counts.get("counted", 0)
    assert counted == 2


def test_people_of_another_shard_are_not_forgotten_silently():
    """A ledger kept for another number of shards is refused: people would be looked for where they are not."""
    logic = PartialLogic(SPEC)
    logic.on_batch(batch_of([(0, 1)]), 0)
    logic.on_watermark(100)
    with pytest.raises(InputError, match="number of shards"):
        PartialLogic(replace(SPEC, shards=2)).restore(logic.snapshot())


@pytest.mark.parametrize(("entries", "match"), [({"ledger:0": b"ledger.2\n1234"}, "newer"), ({"ledger:0": b"ledger.1\n123"}, "damaged"),
                                                ({"ledger:x": b"ledger.1\n\1\0\0\0"}, "damaged"), ({"account:0": b""}, "damaged")])
def test_a_newer_or_damaged_ledger_is_refused(entries, match):
    """What cannot be read is an error: nobody starts anew by it."""
    with pytest.raises(InputError, match=match):
        PartialLogic(SPEC).restore(entries)


def test_a_hop_costs_each_of_its_windows():
    """With hopping windows a record costs its person once for each window that it lies in."""
    spec = replace(SPEC, window_ms=300, every_ms=100)
    logic = PartialLogic(spec)
    logic.on_batch(batch_of([(250, 1)]), 0)
    logic.on_watermark(10_000)
    logic.on_batch(batch_of([(20_050, 1)]), 0)
    assert logic.on_end().counts == {"suppressed": 3, "people_exhausted": 3}
