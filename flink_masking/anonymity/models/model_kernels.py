# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Kernels that decide whether a group satisfies the privacy models, in integers alone.

A group's sensitive values are tallied in one small hash table a sensitive attribute. Every test compares whole numbers (shares and
logarithms as fixed point), so that a decision does not depend on the machine. Besides the test itself each model says which values
would bring a group that fails closer to passing (`mask`): that is how a group grows until all models hold.
"""

from typing import NamedTuple

import numpy as np

from flink_masking.anonymity.models.tally_kernels import largest, sum_weighted, weighted
from flink_masking.kernels import INLINED, JIT, W64, WU64, njit, types

DISTINCT, ENTROPY, RECURSIVE, CLOSENESS, ALPHA = range(5)
"""Kinds of models; see the modules named after them."""
MILLION = 1_000_000
SHARE = 30
"""Bits of a share of the whole."""
TOLERANCE = 1 << 4
"""What the entropy may fall short by for rounding alone, in 2^-24 bits."""
ELDEST = 1 << 32
"""Records in a running distribution at which all its counts are halved, so that sums never overflow."""


class Rules(NamedTuple):
    """The models of a segment as arrays; see `layout.Models`.

    Attributes:
        kind: int64, one a model.
        column: int64, its sensitive attribute.
        l: int64, distinct values that a passing group has at least; the parameter of the diversity models, else 1.
        factor: int64, c or alpha in millionths, t in 2^-30.
        first: int64, one more than models: where the watched values (alpha) or the ranges (closeness) of each begin.
        watched: uint64, codes that alpha bounds; none: every value.
        low: int64, ranges of codes of the closeness models.
        high: int64.
        weight: int64, what mass that has to cross the range costs.
        divisor: int64, one a model: the sum of costs that counts as distance 1.
        shelf: int64, one more than models: where the distribution of each begins in `Past`.
        fixed: bool, one a model: the distribution is public, not running.
    """

    kind: np.ndarray
    column: np.ndarray
    l: np.ndarray  # noqa: E741 - the model's own name
    factor: np.ndarray
    first: np.ndarray
    watched: np.ndarray
    low: np.ndarray
    high: np.ndarray
    weight: np.ndarray
    divisor: np.ndarray
    shelf: np.ndarray
    fixed: np.ndarray


class Past(NamedTuple):
    """Distributions that closeness models compare with.

    Attributes:
        counts: int64, occurrences by code, one shelf a model.
        total: int64, one a model, occurrences of all codes, also of those that have no place on the shelf.
        reach: int64, one a model: how many ranges matter. Under equal distance code v is range v; codes that never occurred are left out.
    """

    counts: np.ndarray
    total: np.ndarray
    reach: np.ndarray


RULES = types.NamedTuple((W64, W64, W64, W64, W64, WU64, W64, W64, W64, W64, W64, types.boolean[::1]), Rules)
PAST = types.NamedUniTuple(W64, 3, Past)


@njit(**INLINED)
def _shortfall(rules, past, tally, r):
    """By how much a group misses model r; at most 0 when it passes. Comparable only within a model."""
    kind, a, n = rules.kind[r], rules.column[r], tally.size[0]
    if kind == DISTINCT:
        return rules.l[r] - tally.used[a]
    if kind == ENTROPY:  # n log n - sum of c log c >= n log l
        limit = weighted(tally.weighted, rules.l[r]) // rules.l[r]
        return n * limit - weighted(tally.weighted, n) - n * TOLERANCE + sum_weighted(tally, a)
    if kind == RECURSIVE:  # r1 < c (r_l + ... + r_m)
        tail = n - largest(tally, a, rules.l[r] - 1)[0]
        return largest(tally, a, 1)[0] * MILLION - rules.factor[r] * tail + 1
    if kind == ALPHA:
        worst = np.int64(0)
        for i in range(tally.used[a]):
            if _bounded(rules, r, tally.key[a, tally.slot[a, i]]):
                worst = max(worst, tally.counts[a, tally.slot[a, i]])
        return worst * MILLION - rules.factor[r] * n
    return _distance(rules, past, tally, r) - rules.factor[r] * n * rules.divisor[r]


@njit(**JIT)
def _bounded(rules, r, value):
    """Whether alpha bounds the share of a value."""
    for i in range(rules.first[r], rules.first[r + 1]):
        if rules.watched[i] == value:
            return True
    return rules.first[r] == rules.first[r + 1]


@njit(**JIT)
def _growing(rules, r):
    """Whether the ranges that matter become more with the codes that occur."""
    return rules.kind[r] == CLOSENESS and not rules.fixed[r] and rules.divisor[r] == 2


@njit(**JIT)
def _codes(rules, past, r):
    """Codes of the shelf that matter."""
    codes = rules.shelf[r + 1] - rules.shelf[r]
    return min(codes, past.reach[r]) if _growing(rules, r) else codes


@njit(**JIT)
def _sums(rules, past, tally, r):
    """Running sums by code of the group's counts (in `gain`) and of the past's (in `mass`); how many codes have no place on the shelf.

    Only values of an undeclared domain, under equal distance, can have none.
    """
    a, gain, mass = rules.column[r], tally.gain, tally.mass
    begin, codes = rules.shelf[r], _codes(rules, past, r)
    for v in range(codes + 1):
        gain[v] = 0
    beyond = 0
    for i in range(tally.used[a]):
        at = tally.slot[a, i]
        if tally.key[a, at] < types.uint64(codes):
            gain[np.int64(tally.key[a, at]) + 1] += tally.counts[a, at]
        else:
            beyond += tally.counts[a, at]
    mass[0] = 0
    for v in range(codes):
        gain[v + 1] += gain[v]
        mass[v + 1] = mass[v] + past.counts[begin + v]
    return beyond


@njit(**JIT)
def _apart(rules, past, tally, r, i, n):
    """How far the group's share of range i lies above the past's, times n, in 2^-30; `_sums` must have run."""
    low, high = rules.low[i], rules.high[i] + 1
    share = ((tally.mass[high] - tally.mass[low]) << SHARE) // max(np.int64(1), past.total[r])
    return ((tally.gain[high] - tally.gain[low]) << SHARE) - share * n


@njit(**JIT)
def _distance(rules, past, tally, r):
    """The earth mover's distance between group and past, times group size, divisor and 2^30."""
    beyond = np.int64(_sums(rules, past, tally, r))
    distance = (beyond << SHARE) * (rules.divisor[r] // 2)  # as if such a value had never been seen before: never too small
    for i in range(rules.first[r], rules.first[r] + past.reach[r]):
        distance += rules.weight[i] * abs(_apart(rules, past, tally, r, i, tally.size[0]))
    return distance


@njit(**INLINED)
def failing(rules, past, tally):
    """The first model that the tallied values do not satisfy; the number of models when all hold."""
    for r in range(rules.kind.size):
        if _shortfall(rules, past, tally, r) > 0:
            return r
    return rules.kind.size


@njit(**INLINED)
def urgent(rules, tally, places):
    """The first model that asks for so many distinct values that each of the places left must bring one; -1 when none does."""
    for r in range(rules.kind.size):
        short = rules.l[r] - tally.used[rules.column[r]]
        if short > 0 and short >= places:
            return r
    return -1


@njit(**INLINED)
def _most(rules, tally, r, scarce):
    """How often the group may have a value so that one more of it brings the group closer to passing model r; not for closeness."""
    kind, a, n, table = rules.kind[r], rules.column[r], tally.size[0], tally.weighted
    if scarce or kind == DISTINCT or (kind != ALPHA and tally.used[a] < rules.l[r]):
        return np.int64(0)
    if kind == RECURSIVE:
        return max(largest(tally, a, rules.l[r] - 1)[1] - 1, np.int64(0))
    if kind == ALPHA:
        return rules.factor[r] * (n + 1) // MILLION - 1
    total, often = sum_weighted(tally, a), np.int64(0)
    for i in range(tally.used[a]):
        often = max(often, tally.counts[a, tally.slot[a, i]])
    now, limit = weighted(table, n) // n - total // n, np.int64(0)
    whole = weighted(table, n + 1) // (n + 1)
    while limit < often and whole - (total - weighted(table, limit) + weighted(table, limit + 1)) // (n + 1) > now:
        limit += 1
    return max(limit - 1, np.int64(0))


@njit(**INLINED)
def mask(rules, past, tally, r, scarce, values, cost, out):
    """Set to `out` what records cost whose value brings the group no closer to passing model r.

    Args:
        rules: the models.
        past: distributions.
        tally: of the group.
        r: the model.
        scarce: whether only values that the group has not got will do.
        values: uint64, the records' values of the model's attribute.
        cost: int32, changed.
        out: what a record costs that cannot join.
    """
    kind, a, barred = rules.kind[r], rules.column[r], tally.barred
    if kind == CLOSENESS and not scarce and tally.used[a] >= rules.l[r]:
        _steer_closeness(rules, past, tally, r)
        codes, gain = types.uint64(rules.shelf[r + 1] - rules.shelf[r]), tally.gain
        for j in range(values.size):
            if values[j] >= codes or gain[np.int64(values[j])] <= 0:
                cost[j] = out
        return
    most, n = _most(rules, tally, r, scarce), 0
    if most < 0:  # so strict an alpha that even one is too many
        if rules.first[r] == rules.first[r + 1]:
            cost[:] = out
        for i in range(rules.first[r], rules.first[r + 1]):
            _set_out(values, cost, rules.watched[i], out)
        return
    for i in range(tally.used[a]):
        at = tally.slot[a, i]
        if tally.counts[a, at] > most and (kind != ALPHA or _bounded(rules, r, tally.key[a, at])):
            barred[n] = tally.key[a, at]
            n += 1
    for i in range(n):
        _set_out(values, cost, barred[i], out)


@njit(**JIT)
def _set_out(values, cost, value, out):
    for j in range(values.size):
        cost[j] = max(cost[j], out if values[j] == value else np.int32(-out))


@njit(**JIT)
def _steer_closeness(rules, past, tally, r):
    """Put into `gain`, for every code, by how much the distance falls when the group gets one more of it (above 0: it helps)."""
    n, gain, codes = tally.size[0], tally.gain, _codes(rules, past, r)
    now = _distance(rules, past, tally, r) // n
    after = (np.int64(_sums(rules, past, tally, r)) << SHARE) * (rules.divisor[r] // 2)
    change = tally.change
    for v in range(codes + 1):
        change[v] = 0
    one = np.int64(1) << SHARE
    for i in range(rules.first[r], rules.first[r] + past.reach[r]):
        apart = _apart(rules, past, tally, r, i, n + 1)
        after += rules.weight[i] * abs(apart)
        turn = rules.weight[i] * (abs(apart + one) - abs(apart))
        change[rules.low[i]] += turn
        change[rules.high[i] + 1] -= turn
    turn = np.int64(0)
    for v in range(codes):
        turn += change[v]
        gain[v] = now - (after + turn) // (n + 1)


@njit(**JIT)
def learn(rules, past, sensitive, j):
    """Count record j in the running distributions."""
    for r in range(rules.kind.size):
        if rules.kind[r] == CLOSENESS and not rules.fixed[r]:
            value = sensitive[rules.column[r], j]
            past.total[r] += 1
            if value < types.uint64(rules.shelf[r + 1] - rules.shelf[r]):
                past.counts[rules.shelf[r] + np.int64(value)] += 1
                if _growing(rules, r):
                    past.reach[r] = max(past.reach[r], np.int64(value) + 1)
            if past.total[r] >= ELDEST:
                past.total[r] >>= 1
                for v in range(rules.shelf[r], rules.shelf[r + 1]):
                    past.counts[v] >>= 1
