"""The limit on the records of a person that are released within a time."""

import itertools
import json
from collections import Counter, defaultdict

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.anonymity.dimensions import NumberDimension
from flink_masking.anonymity.logic import KAnonymityLogic, pack
from flink_masking.anonymity.models import Models
from flink_masking.anonymity.releases import ReleaseLimit
from flink_masking.anonymity.slide_grow import SlideGrow
from flink_masking.anonymity.space import Space
from flink_masking.anonymity.zero_delay import ZeroDelayLogic, schema
from flink_masking.errors import InputError

SPACE, PER, DELAY = Space({"age": NumberDimension(0, 120)}), 3200, 50


def logic(count=2, per=PER, shards=1, k=2):
    """A segment of ages with groups of two people, and a limit."""
    return KAnonymityLogic(SPACE, Models(), lambda: SlideGrow(SPACE, k, Models(), 20, DELAY), DELAY, np.random.default_rng(1), (),
                           ReleaseLimit(per, count, DELAY, shards))


def batch(people, first=0):
    """One record of each person, whose number is released."""
    subjects = np.array(people, np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    release = pa.array([b'"n":%d' % (first + i) for i in range(len(people))], pa.binary())
    return pack(SPACE, [np.array([20 + p % 50 for p in people], np.uint16)], subjects, [], release)


def kept(state, effects):
    """A state with the writes of a call."""
    for name, entry in effects.writes.items():
        state.pop(name, None)
        if entry is not None:
            state[name] = entry
    return state


STEPS = st.lists(st.tuples(st.lists(st.integers(0, 5), max_size=8), st.integers(0, 1200), st.booleans()), max_size=25)


@settings(max_examples=150, deadline=None)
@given(STEPS, st.integers(1, 3))
def test_nobody_is_released_more_often_within_any_span_of_time(steps, count):
    """In any span of `per` at most `count` records of a person leave, whatever comes when; every record is accounted for once.

    A restart between two calls changes nothing, and the state is the sum of its writes.
    """
    shard, now, people, state, times, counts = logic(count), 1_000_000, [], {}, defaultdict(list), Counter()

    def note(effects):
        counts.update(effects.counts)
        kept(state, effects)
        for chunk in effects.outputs:
            for line in chunk.split(b"\n"):
                times[people[json.loads(line)["n"]]].append(now)

    for some, later, restart in steps:
        due = shard.next_timer()
        if due is not None and due <= now + later:
            now, later = max(now, due), now + later - max(now, due)
            note(shard.on_timer(now))
        now += later
        people += some
        note(shard.on_batch(batch(some, len(people) - len(some)), now))
        assert shard.snapshot() == state
        if restart:
            shard = logic(count)
            shard.restore(state)
            assert shard.snapshot() == state
    note(shard.on_end())
    assert shard.snapshot() == state
    assert counts["released"] + counts["suppressed"] == len(people)
    assert counts["suppressed"] == counts["suppressed_people"] + counts["suppressed_max_releases"]
    assert all(late - early >= PER for person in times.values() for early, late in zip(person, person[count:], strict=False))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=40), st.lists(st.integers(1, 39), max_size=4))
def test_batches_make_no_difference(people, cuts):
    """Records of one moment are admitted alike, however they are cut into batches."""
    whole, pieces, edges = ReleaseLimit(PER, 2, 0), ReleaseLimit(PER, 2, 0), [0, *sorted(c for c in cuts if c < len(people)), len(people)]
    subjects = np.array(people, np.uint64)
    parts = [pieces.admit(subjects[a:b], 5, {}) for a, b in itertools.pairwise(edges)]
    assert np.concatenate(parts).tolist() == whole.admit(subjects, 5, {}).tolist()
    assert whole.admit(np.arange(5, dtype=np.uint64), 5, {}).tolist() == [Counter(people)[p] < 2 for p in range(5)]


def test_the_rest_is_suppressed_with_a_reason_of_its_own():
    """Of five records of two people two each are released, and the others are counted."""
    shard = logic(count=2)
    effects = [shard.on_batch(batch([1, 2] * 5), 1000), shard.on_end()]
    total = sum((Counter(e.counts) for e in effects), Counter())
    assert (total["released"], total["suppressed"], total["suppressed_max_releases"]) == (4, 6, 6)


def test_what_found_no_group_does_not_count():
    """A record that is suppressed for lack of people leaves the person all releases, also where the buffer was restored in between."""
    shard = logic(count=1)
    state = kept({}, shard.on_batch(batch([7]), 1000))
    shard = logic(count=1)
    shard.restore(state)
    assert kept(state, shard.on_timer(1000 + DELAY)) == shard.snapshot()
    assert not [name for name in state if name.startswith("releases:")]
    effects = shard.on_batch(batch([7, 8, 7]), 1200)
    assert effects.counts["suppressed_max_releases"] == 1
    assert shard.on_timer(1200 + DELAY).counts["released"] == 2


def test_the_limit_outlives_the_end_of_the_input():
    """A job that was drained and started again goes on counting."""
    shard = logic(count=1)
    state = kept({}, shard.on_batch(batch([1, 2]), 1000))
    state = kept(state, shard.on_end())
    assert state == shard.snapshot() and list(state) == ["releases:0"]
    again = logic(count=1)
    again.restore(state)
    assert again.on_batch(batch([1, 2]), 2000).counts["suppressed_max_releases"] == 2


def test_state_stays_small_and_is_forgotten():
    """A thousand batches make a few entries of 12 bytes a person and 32nd of the time; all of them go when the time is over."""
    limit, state, people = ReleaseLimit(32_000_000, 1000, 0), {}, np.arange(500, dtype=np.uint64)
    for i in range(1000):
        writes = {}
        limit.admit(people[i % 5 :: 5].copy(), i, writes)
        for name, entry in writes.items():
            state.pop(name, None)
            if entry is not None:
                state[name] = entry
    assert state == limit.snapshot()
    assert len(state) <= 12 and sum(map(len, state.values())) < 3 * 12 * 500
    writes = {}
    assert limit.admit(people, 33_000_000, writes).all()
    assert set(state) <= set(writes) and len(limit.snapshot()) == 1


def test_memory_holds_those_who_count_only():
    """People of long ago make room: the table grows with those of the last `per`, not with everybody who ever came."""
    limit = ReleaseLimit(3200, 1, 0)
    for i in range(200):
        assert limit.admit(np.arange(1000 * i, 1000 * i + 1000, dtype=np.uint64), 1000 * i, {}).all()
    assert len(limit._people) <= 1 << 16


def test_values_without_delay_are_limited_too():
    """Mode zero_delay releases no more of a person either; a record over the limit still counts among those who showed a value."""
    limited = ZeroDelayLogic(SPACE, (), 2, 1000, 100, np.random.default_rng(1), ReleaseLimit(PER, 2, 0))
    people = np.array([1, 1, 1, 2], np.uint64)
    packed = pa.RecordBatch.from_arrays([pa.array(np.full(4, 30, np.uint16)), pa.array(people)], schema=schema(SPACE, 0))
    effects = limited.on_batch(packed, 10)
    assert effects.counts == {"released": 3, "suppressed": 1, "suppressed_max_releases": 1, "values_withheld": 0}
    assert sorted(effects.outputs[0].split(b"\n")) == [b'{"age":"*"}', b'{"age":"*"}', b'{"age":"30"}']
    again = ZeroDelayLogic(SPACE, (), 2, 1000, 100, np.random.default_rng(1), ReleaseLimit(PER, 2, 0))
    again.restore(limited.snapshot())
    assert again.on_batch(packed, 11).counts["released"] == 1
    assert again.on_batch(packed.slice(0, 2), 12).outputs == []


@pytest.mark.parametrize(("entry", "error"), [
    (b"releases.9\n", "newer version"), (b"releases.1\n", "damaged"), (b"releases.1\n" + bytes(20), "damaged"), (b"x", "damaged"),
    (b"releases.1\n" + bytes(8) + b"\2\0\0\0" + bytes(12), "another number of shards"),
])
def test_entries_that_cannot_be_used_are_refused(entry, error):
    """A later release, damage, and another number of shards are told apart."""
    with pytest.raises(InputError, match=f"{error}.*Hint"):
        logic().restore({"releases:0": entry})


def test_an_entry_of_another_name_is_refused():
    """The name of an entry ends in its number."""
    shard = logic()
    shard.on_batch(batch([1]), 1000)
    with pytest.raises(InputError, match=r"damaged.*Hint"):
        logic().restore({"releases:x": shard.snapshot()["releases:0"]})


def test_a_state_without_a_limit_goes_on_with_one():
    """A state of before the limit was set is taken over; what was released before does not count."""
    older = KAnonymityLogic(SPACE, Models(), lambda: SlideGrow(SPACE, 2, Models(), 20, DELAY), DELAY, np.random.default_rng(1))
    older.on_batch(batch([1]), 1000)
    shard = logic(count=1)
    shard.restore(older.snapshot())
    shard.on_batch(batch([1, 2], 1), 1010)
    assert shard.on_end().counts["released"] == 3
