"""The slide-grow kernel against a plain model of the algorithm, and its promises on data of all sorts."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.anonymity.dimensions import DateDimension, Grid, HierarchyDimension, NumberDimension, PrefixDimension
from flink_masking.anonymity.models import DistinctL, Models
from flink_masking.anonymity.slide_grow import Groups, Preference, Records, SlideGrow
from flink_masking.anonymity.space import ONE, Space
from flink_masking.errors import PolicyError
from flink_masking.hierarchy import Hierarchy

WORK = Hierarchy([(f"job {i}", f"trade {i // 3}", f"sector {i // 6}", "*") for i in range(11)], "work")
ZIPS = ["94110", "94117", "94", "10001", "10002", "60606", ""]
SPACE = Space({"zip": PrefixDimension(5), "age": NumberDimension(0, 99), "work": HierarchyDimension(WORK),
               "day": DateDimension("1700-01-01", "2100-01-01"), "hash": PrefixDimension(8)})
WORDS, OK = SPACE.dimensions[0].encode(pa.array(ZIPS), np.zeros(len(ZIPS), np.int32))

Row = tuple[tuple[int, ...], int, int]
"""Codes, person, sensitive value of a record."""

cells = (st.integers(0, 99), st.integers(0, 10), st.integers(0, 48_000))
words = st.sampled_from(WORDS.tolist()), st.sampled_from([0, 1 << 40, 2 << 40, 3 << 16])
rows = st.lists(st.tuples(st.tuples(words[0], *cells, words[1]), st.integers(0, 6), st.integers(0, 2)), max_size=40)


def records(some: list[Row], first: int = 0, arrival: int = 0, columns: int = 0) -> Records:
    """Rows as columns, numbered from first."""
    codes = [np.array([row[0][a] for row in some], dimension.dtype) for a, dimension in enumerate(SPACE.dimensions)]
    people, sensitive = (np.array([row[i] for row in some], np.uint64) for i in (1, 2))
    return Records(codes, people, sensitive[None][:columns], np.arange(first, first + len(some)), np.full(len(some), arrival))


def diverse(l: int) -> Models:  # noqa: E741
    """At least l distinct values of the one sensitive attribute."""
    return Models([DistinctL(0, l)] if l > 1 else [])


def integer_loss(low: list[int], high: list[int]) -> int:
    """The loss of a box in the kernel's integers."""
    total = 0
    for dimension, a, b in zip(SPACE.dimensions, low, high, strict=True):
        if isinstance(dimension, Grid):
            total += ((b - a) * -(-(ONE << 10) // dimension.top)) >> 10
        else:
            total += round(ONE * dimension.loss(a, b))
    return total


def labels(low: list[int], high: list[int]) -> tuple[str, ...]:
    """What is released for a box."""
    return tuple(dimension.label(int(a), int(b)) for dimension, a, b in zip(SPACE.dimensions, low, high, strict=True))


def with_row(box: tuple[list[int], list[int]], row: Row) -> tuple[list[int], list[int]]:
    """The smallest box around a box and a record."""
    return [min(a, code) for a, code in zip(box[0], row[0], strict=True)], [max(b, code) for b, code in zip(box[1], row[0], strict=True)]


def model_group(some: list[Row], held: list[int], k: int, l: int) -> list[int]:  # noqa: E741
    """The group of the oldest held record, step by step; empty when it cannot be formed."""
    chosen, box = [held[0]], (list(some[held[0]][0]), list(some[held[0]][0]))
    while len(chosen) < k or len({some[i][2] for i in chosen}) < l:
        people, kinds = {some[i][1] for i in chosen}, {some[i][2] for i in chosen}
        must_differ = 0 < l - len(kinds) >= k - len(chosen)
        left = [i for i in held if some[i][1] not in people and not (must_differ and some[i][2] in kinds)]
        if not left:
            return []
        best = min(left, key=lambda i: (integer_loss(*with_row(box, some[i])), i))
        chosen, box = [*chosen, best], with_row(box, some[best])
    people = {some[i][1] for i in chosen}
    return chosen + [i for i in held if i not in chosen and some[i][1] in people and labels(*with_row(box, some[i])) == labels(*box)]


def model(some: list[Row], k: int, l: int, max_buffer: int) -> tuple[list[list[int]], list[int]]:  # noqa: E741
    """Groups and suppressed records of a whole stream."""
    held: list[int] = []
    groups, suppressed = [], []
    for i in range(len(some) + 1):
        if i < len(some):
            held.append(i)
        while held and (len(held) > max_buffer or i == len(some)):
            group = model_group(some, held, k, l)
            groups += [sorted(group)] if group else []
            suppressed += [] if group else held[:1]
            held = [j for j in held if j not in (group or held[:1])]
    return groups, suppressed


def members(calls: list[Groups]) -> list[list[int]]:
    """Members of all groups in order."""
    return [sorted(group.tolist()) for call in calls for group in np.split(call.seq, call.end)[:-1]]


@settings(max_examples=60)
@given(some=rows, k=st.integers(2, 4), l=st.integers(1, 3), spare=st.integers(0, 20))
def test_groups_are_those_of_the_algorithm(some: list[Row], k: int, l: int, spare: int):  # noqa: E741
    """The kernel's running costs lead to the same groups as looking at every candidate's box anew."""
    grow = SlideGrow(SPACE, k, diverse(l), max(k, l) + spare)
    calls = [grow.push(records(some, columns=int(l > 1)), 0), grow.flush()]
    groups, suppressed = model(some, k, l, max(k, l) + spare)
    assert groups == members(calls)
    assert suppressed == [seq for call in calls for seq in call.suppressed.tolist()]


@settings(max_examples=60)
@given(some=rows, k=st.integers(2, 4), l=st.integers(1, 2), spare=st.integers(0, 20), cuts=st.lists(st.integers(0, 40), max_size=6))
def test_batches_and_snapshots_change_nothing(some: list[Row], k: int, l: int, spare: int, cuts: list[int]):  # noqa: E741
    """The same records in other batches, moved to a fresh buffer after each, give the same groups, with a preference for rare ones too."""
    preference = Preference(0.4, 0.2) if spare % 2 else Preference()
    whole = SlideGrow(SPACE, k, diverse(l), max(k, l) + spare, None, preference)
    calls = [whole.push(records(some, columns=int(l > 1)), 0), whole.flush()]
    edges = sorted({0, len(some), *(cut for cut in cuts if cut < len(some))})
    pieces, moved = [], SlideGrow(SPACE, k, diverse(l), max(k, l) + spare, None, preference)
    for a, b in pairwise(edges):
        pieces.append(moved.push(records(some[a:b], a, columns=int(l > 1)), 0))
        held, memory = moved.held(), moved.memory()
        moved = SlideGrow(SPACE, k, diverse(l), max(k, l) + spare, None, preference)
        moved.load(held, memory, b - 1)
    pieces.append(moved.flush())
    assert members(calls) == members(pieces)
    for column in ("low", "high", "at"):
        assert np.array_equal(*(np.concatenate([getattr(call, column) for call in some_calls]) for some_calls in (calls, pieces)))


@given(some=rows, k=st.integers(2, 4), l=st.integers(1, 2))
def test_boxes_are_tight_and_groups_large_enough(some: list[Row], k: int, l: int):  # noqa: E741
    """A group has k people and l values and the label of the smallest box around its members; every record leaves once."""
    grow = SlideGrow(SPACE, k, diverse(l), 12)
    calls = [grow.push(records(some, columns=int(l > 1)), 0), grow.flush()]
    boxes = [(low, high) for call in calls for low, high in zip(call.low.tolist(), call.high.tolist(), strict=True)]
    for group, box in zip(members(calls), boxes, strict=True):
        assert len({some[i][1] for i in group}) >= k
        assert len({some[i][2] for i in group}) >= l
        codes = np.array([some[i][0] for i in group], np.uint64)
        assert labels(*box) == labels(codes.min(0).tolist(), codes.max(0).tolist())
    left = [i for group in members(calls) for i in group] + [i for call in calls for i in call.suppressed.tolist()]
    assert sorted(left) == list(range(len(some)))
    assert grow.oldest() is None


def test_a_long_stream_keeps_its_account():
    """Over many turns of the buffer every record leaves exactly once, at most max_buffer are held, and the oldest goes first."""
    rng = np.random.default_rng(3)
    grow, total, gone = SlideGrow(SPACE, 4, None, 50), 3_000, []
    for first in range(0, total, 75):
        numbers = rng.integers(0, (100, 11, 48_000, 400), (75, 4)).tolist()
        some = [((int(rng.choice(WORDS)), age, work, day, 0), person, 0) for age, work, day, person in numbers]
        call = grow.push(records(some, first), 0)
        gone += call.seq.tolist() + call.suppressed.tolist()
        held = grow.held().seq
        assert len(held) <= 50
        assert sorted([*gone, *held.tolist()]) == list(range(first + 75))
    call = grow.flush()
    assert len(gone) + len(call.seq) + len(call.suppressed) == total


def test_time_lets_records_go_in_order():
    """A record is due max_delay after its arrival, not before; what it takes along may be younger."""
    grow = SlideGrow(SPACE, 2, None, 100, 10)
    same = (int(WORDS[0]), 30, 1, 5, 0)
    far = (int(WORDS[3]), 90, 9, 40_000, 0)
    grow.push(records([(same, 1, 0), (far, 2, 0)], 0, 100), 100)
    grow.push(records([(same, 3, 0)], 2, 105), 105)
    assert len(grow.expire(109).seq) == 0
    assert grow.expire(110).seq.tolist() == [0, 2]
    assert grow.held().seq.tolist() == []  # the far record was due as well, and alone


def test_one_person_never_makes_a_group():
    """However many records one person sends, they are suppressed when nobody else is there."""
    some = [((int(WORDS[0]), 30, 1, 5, 0), 7, 0)] * 500
    grow = SlideGrow(SPACE, 2, None, 20)
    calls = [grow.push(records(some), 0), grow.flush()]
    assert members(calls) == []
    assert sum(len(call.suppressed) for call in calls) == 500


@pytest.mark.parametrize("numbers", [(1, 1, 10, None), (5, 1, 4, None), (2, 3, 2, None), (2, 1, 10, 0)])
def test_numbers_out_of_range_are_refused(numbers: tuple[int, int, int, int | None]):
    """k below 2, a buffer smaller than a group and a delay that is not positive are policy errors."""
    with pytest.raises(PolicyError, match="Hint: "):
        SlideGrow(SPACE, numbers[0], diverse(numbers[1]), *numbers[2:])


def test_a_space_needs_dimensions():
    """No quasi-identifier, or more than 64, is a policy error."""
    for count in (0, 65):
        with pytest.raises(PolicyError, match="Hint: "):
            Space({f"q{i}": PrefixDimension(1) for i in range(count)})
