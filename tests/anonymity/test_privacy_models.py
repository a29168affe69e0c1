"""Privacy models: the integer tests against the papers' formulas, and groups that satisfy them whatever the records."""

import itertools
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from math import inf, log

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from flink_masking.anonymity.buffer import Buffer, Groups, Records
from flink_masking.anonymity.dimensions import NumberDimension
from flink_masking.anonymity.models import AlphaK, Distance, DistinctL, EntropyL, Model, Models, RecursiveCL, TCloseness
from flink_masking.anonymity.models import model_kernels as kernels
from flink_masking.anonymity.models import tally_kernels as tallies
from flink_masking.anonymity.mondrian import WindowMondrian
from flink_masking.anonymity.slide_grow import NO_PREFERENCE, Preference, SlideGrow
from flink_masking.anonymity.space import Space
from flink_masking.errors import PolicyError
from flink_masking.hierarchy import Hierarchy

TREE = Hierarchy([(f"v{i}", f"group {i // 2}", f"kind {i // 4}", "*") for i in range(6)], "tree")
SPACE = Space({"age": NumberDimension(0, 99)})
counts = st.lists(st.integers(0, 9), min_size=7, max_size=7).filter(any)
"""How often each of the values 0 to 5 occurs, and no value (6)."""


def passes(model: Model, found: list[int], past: list[int]) -> bool:
    """Whether the kernel lets a group with these counts pass, when these had been seen before."""
    models = Models([model])
    distributions, tally = models.past(), models.tally(100)
    for code, many in enumerate(past):
        for _ in range(many):
            kernels.learn(models.rules, distributions, np.array([[code]], np.uint64), 0)
    for code, many in enumerate(found):
        for _ in range(many):
            tallies.add(tally, np.array([[code]], np.uint64), 0)
    return bool(kernels.failing(models.rules, distributions, tally) == 1)


def entropy(found: list[int]) -> float:
    """The entropy of counts."""
    n = sum(found)
    return -sum(c / n * log(c / n) for c in found if c)


def transport(p: list[Fraction], q: list[Fraction], distance: dict[tuple[int, int], Fraction]) -> Fraction:
    """The earth mover's distance on an ultrametric: mass is moved between the nearest values first."""
    left, need, cost = list(p), list(q), Fraction(0)
    for i, j in sorted(itertools.product(range(len(p)), repeat=2), key=lambda pair: distance[pair]):
        moved = min(left[i], need[j])
        left[i], need[j], cost = left[i] - moved, need[j] - moved, cost + moved * distance[i, j]
    return cost


def line_transport(p: list[Fraction], q: list[Fraction]) -> Fraction:
    """The earth mover's distance on a line of length 1: mass is carried in order, the leftmost first."""
    p, q, i, j, cost = list(p), list(q), 0, 0, Fraction(0)
    while i < len(p) and j < len(q):
        moved = min(p[i], q[j])
        p[i], q[j], cost = p[i] - moved, q[j] - moved, cost + moved * Fraction(abs(i - j), len(p) - 1)
        i, j = i + (p[i] == 0), j + (q[j] == 0)
    return cost


def tree_distance(i: int, j: int) -> Fraction:
    """Level of the lowest common node over the height; no value (6) is at distance 1 from all."""
    if i == j:
        return Fraction(0)
    if 6 in (i, j):
        return Fraction(1)
    return Fraction(next(level for level in range(4) if TREE.labels(level)[i] == TREE.labels(level)[j]), 3)


@given(found=counts, l=st.integers(2, 5))
def test_distinct_l(found: list[int], l: int):  # noqa: E741
    """At least l different values."""
    assert passes(DistinctL(0, l), found, []) == (sum(c > 0 for c in found) >= l)


@given(found=counts, l=st.integers(2, 5))
def test_entropy_l(found: list[int], l: int):  # noqa: E741
    """The entropy is at least log l; where it is exactly that, the group passes."""
    short = log(l) - entropy(found)
    assert passes(EntropyL(0, l), found, []) == (short <= 1e-9)


def test_entropy_of_equally_common_values_is_exact():
    """l values equally often pass l and not l + 1, at any size."""
    for l, many in itertools.product(range(2, 7), (1, 2, 3, 5, 7, 14)):  # noqa: E741
        found = [many] * l
        assert passes(EntropyL(0, l), found, []) and not passes(EntropyL(0, l + 1), found, [])


@given(found=counts, l=st.integers(2, 5), c=st.sampled_from([0.5, 1, 1.5, 2, 3.25]))
def test_recursive_cl(found: list[int], l: int, c: float):  # noqa: E741
    """r1 < c (r_l + ... + r_m)."""
    ranks = sorted((n for n in found if n), reverse=True)
    assert passes(RecursiveCL(0, l, c), found, []) == (ranks[0] < c * sum(ranks[l - 1 :]))


@given(found=counts, alpha=st.sampled_from([0.2, 0.25, 0.5, 0.9]), some=st.sets(st.integers(0, 6), max_size=3))
def test_alpha_k(found: list[int], alpha: float, some: set[int]):
    """No value, or none of those named, has more than the share alpha."""
    worst = max((c for v, c in enumerate(found) if not some or v in some), default=0)
    assert passes(AlphaK(0, alpha, tuple(some)), found, []) == (Fraction(worst, sum(found)) <= Fraction(str(alpha)))


@given(found=counts, past=counts, t=st.sampled_from([0.1, 0.25, 0.5, 0.75]), kind=st.sampled_from(["equal", "ordered", "hierarchical"]))
def test_t_closeness_to_the_past(found: list[int], past: list[int], t: float, kind: str):
    """The earth mover's distance to the distribution of what was seen, by the papers' ground distances; no value lies apart from all."""
    p, q = ([Fraction(n, sum(numbers)) for n in numbers] for numbers in (found, past))
    if kind == "equal":
        distance, expected = Distance.equal(6), sum(abs(a - b) for a, b in zip(p, q, strict=True)) / 2
    elif kind == "ordered":
        assume(p[6] == q[6] == 0)
        distance, expected = Distance.ordered(6), line_transport(p[:6], q[:6])
    else:
        pairs = {(i, j): tree_distance(i, j) for i, j in itertools.product(range(7), repeat=2)}
        distance, expected = Distance.hierarchical(TREE), transport(p, q, pairs)
    assume(abs(expected - Fraction(str(t))) > Fraction(1, 10**6))
    assert passes(TCloseness(0, t, distance), found, past) == (expected <= t)


@given(found=counts, past=counts)
def test_records_without_a_value_are_never_near(found: list[int], past: list[int]):
    """Under the ordered distance a group of records without a value is at distance 1 from one that has no such record."""
    model = TCloseness(0, 0.99, Distance.ordered(6))
    assert not passes(model, [0] * 6 + [5], [*past[:6], 0]) or not any(past[:6])


def test_a_public_distribution():
    """Groups are compared with the shares of the policy, whatever was seen; the share that is missing is that of no value."""
    model = TCloseness(0, 0.1, Distance.equal(2), (0.75, 0.25))
    assert passes(model, [3, 1], [0, 100]) and not passes(model, [1, 1], [1, 1])
    assert passes(TCloseness(0, 0.1, Distance.equal(2), (0.5, 0.25)), [2, 1, 1], [])


def test_a_value_beyond_all_codes_counts_against_the_group():
    """A value that is not in the distribution is at distance 1 from everything seen."""
    model = TCloseness(0, 0.3, Distance.equal(2))
    assert passes(model, [1, 1], [5, 5]) and not passes(model, [1, 1, 0, 0, 0, 3], [5, 5])


@pytest.mark.parametrize("make", [
    lambda: DistinctL(0, 1), lambda: RecursiveCL(0, 2, 0), lambda: RecursiveCL(0, 2, inf), lambda: RecursiveCL(0, 2, 0.1234567),
    lambda: AlphaK(0, 1), lambda: AlphaK(0, 0.0000001), lambda: TCloseness(0, 0, Distance.equal(2)),
    lambda: TCloseness(0, 0.5, Distance.equal(2), (0.5,)), lambda: TCloseness(0, 0.5, Distance.equal(2), (0.7, 0.7)),
    lambda: Distance.equal(5_000),
    lambda: Models([TCloseness(0, 0.5, Distance.equal(2)), TCloseness(0, 0.5, Distance.equal(3))]),
])
def test_numbers_out_of_range_are_refused(make):
    """A model whose numbers cannot be meant is a policy error."""
    with pytest.raises(PolicyError, match="Hint: "):
        make()


MODELS = {
    "none": [],
    "entropy": [EntropyL(0, 2)],
    "recursive": [RecursiveCL(0, 2, 2.0)],
    "alpha": [AlphaK(1, 0.6)],
    "one value is bounded": [AlphaK(0, 0.3, (1,))],
    "close to the past": [TCloseness(0, 0.4, Distance.equal(6))],
    "close in a tree": [TCloseness(1, 0.4, Distance.hierarchical(TREE))],
    "close to public shares": [TCloseness(1, 0.5, Distance.ordered(6), (0.3, 0.2, 0.2, 0.1, 0.1, 0.1))],
    "several attributes": [DistinctL(0, 2), AlphaK(1, 0.75), TCloseness(1, 0.6, Distance.equal(6))],
}
Row = tuple[int, int, int, int]
"""Age, person, two sensitive values."""
rows = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 12), st.integers(0, 2), st.integers(0, 6)), max_size=60)


def columns(some: list[Row], first: int, models: Models) -> Records:
    """Rows as columns."""
    age, person, *values = (np.array([row[i] for row in some], np.uint64) for i in range(4))
    sensitive = np.array(values, np.uint64).reshape(2, len(some))[: models.columns]
    seq = np.arange(first, first + len(some))
    return Records([age.astype(np.uint16)], person, np.ascontiguousarray(sensitive), seq, np.zeros(len(some), np.int64))


def buffer(algorithm: str, models: Models, preference: Preference = NO_PREFERENCE) -> Buffer:
    """An empty buffer of either kind for groups of three among twenty."""
    return SlideGrow(SPACE, 3, models, 20, None, preference) if algorithm == "slide_grow" else WindowMondrian(SPACE, 3, models, 20)


def holds(models: Models, some: list[Row], members: list[int], before: int) -> bool:
    """Whether all models hold for these records, given that so many records had arrived; by an independent computation."""
    for model in models.models:
        found = [0] * 7
        for i in members:
            found[some[i][2 + model.column]] += 1
        past = [Counter(row[2 + model.column] for row in some[:before])[v] for v in range(7)]
        if not passes(replace(model, column=0), found, past):
            return False
    return True


def run(algorithm: str, models: Models, some: list[Row], size: int, moved: bool) -> list[Groups]:
    """All groups of a stream in batches of a size, the buffer moved to a fresh one after each or not."""
    held = buffer(algorithm, models)
    calls = []
    for first in range(0, len(some), size):
        calls.append(held.push(columns(some[first : first + size], first, models), 0))
        if moved:
            kept, memory = held.held(), held.memory()
            held = buffer(algorithm, models)
            held.load(kept, memory, min(first + size, len(some)) - 1)
    return [*calls, held.flush()]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("algorithm", ["slide_grow", "mondrian"])
@settings(max_examples=25)
@given(some=rows, size=st.integers(1, 30))
def test_every_group_satisfies_every_model(algorithm: str, name: str, some: list[Row], size: int):
    """Each record leaves once; each group has three people, lies in its box, and satisfies the models by records and by people."""
    models = Models(MODELS[name])
    calls = run(algorithm, models, some, size, False)
    gone: list[int] = []
    for call in calls:
        for members, low, high, at in zip(np.split(call.seq, call.end)[:-1], call.low, call.high, call.at, strict=True):
            group = members.tolist()
            assert len({some[i][1] for i in group}) >= 3
            assert all(low[0] <= some[i][0] <= high[0] for i in group)
            assert holds(models, some, group, int(at) + 1)
            gone += group
        gone += call.suppressed.tolist()
        assert all(0 <= reason <= len(models.models) for reason in call.reason.tolist())
    assert sorted(gone) == list(range(len(some)))


@pytest.mark.parametrize("name", ["none", "several attributes"])
@pytest.mark.parametrize("algorithm", ["slide_grow", "mondrian"])
@settings(max_examples=25)
@given(some=rows, size=st.integers(1, 30))
def test_batches_and_moves_change_no_group(algorithm: str, name: str, some: list[Row], size: int):
    """The same records in other batches, the buffer moved after each, leave in the same groups, boxes and order."""
    models = Models(MODELS[name])
    whole, pieces = run(algorithm, models, some, 60, False), run(algorithm, models, some, size, True)
    for column in ("seq", "low", "high", "at", "suppressed", "reason"):
        assert np.array_equal(*(np.concatenate([getattr(call, column) for call in calls]) for calls in (whole, pieces)))


@pytest.mark.parametrize("algorithm", ["slide_grow", "mondrian"])
def test_a_reason_is_told(algorithm: str):
    """What is suppressed for want of people is told apart from what a model keeps back."""
    models = Models([DistinctL(0, 2)])
    alike: list[Row] = [(30, person, 1, 1) for person in range(5)]
    assert run(algorithm, models, alike, 9, False)[-1].reason[0] == 1
    assert run(algorithm, models, [(30, 0, 1, 1), (30, 1, 2, 1)], 9, False)[-1].reason.tolist() == [0, 0]


def test_groups_grow_until_the_models_hold():
    """A group of three that is too uniform takes in the nearest record with another value, and not a nearer one that would not help."""
    some: list[Row] = [(30, 0, 0, 0), (30, 1, 0, 0), (31, 2, 0, 0), (32, 5, 0, 0), (90, 3, 1, 0), (60, 4, 1, 0)]
    first = run("slide_grow", Models([AlphaK(0, 0.75, (0,))]), some, 9, False)[-1]
    assert first.seq[: first.end[0]].tolist() == [0, 1, 2, 5]
