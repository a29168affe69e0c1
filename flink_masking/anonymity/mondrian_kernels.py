# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""The window Mondrian kernel: cuts a window of records again and again as long as both sides can stand as groups.

LeFevre, DeWitt, Ramakrishnan, "Mondrian multidimensional k-anonymity" (2006), strict partitioning. Each dimension proposes the cut next to
its median; the one is taken that leaves the least loss on both sides, if both have k people and satisfy the models. Losses are whole
numbers, ties go to the first dimension, so that groups depend on the records and their order alone.
"""

from typing import NamedTuple

import numpy as np

from flink_masking.anonymity.box_kernels import SHAPE
from flink_masking.anonymity.models import model_kernels as models
from flink_masking.anonymity.models.model_kernels import PAST, RULES
from flink_masking.anonymity.models.tally_kernels import TALLY, add, clear
from flink_masking.kernels import I64, JIT, W64, WU64, njit, types


class Window(NamedTuple):
    """A window of n records over d dimensions, cell dimensions before prefix dimensions.

    Attributes:
        rank: int32, (n, d): the place of each code among the codes of its dimension; reordered.
        code: uint64, (d, n): the codes by rank.
        subject: uint64, n.
        sensitive: uint64, (sensitive attributes, n).
        row: int64, n: the record of each line of `rank`, out: group by group.
        spare: int32, (n, d), scratch.
        spare_row: int64, n, scratch.
        tallied: int64, n + 1, scratch, all 0.
        people: uint64, scratch, a power of two above 2n: a hash table.
        taken: int64, likewise: 1 + the number of the search that took the slot.
    """

    rank: np.ndarray
    code: np.ndarray
    subject: np.ndarray
    sensitive: np.ndarray
    row: np.ndarray
    spare: np.ndarray
    spare_row: np.ndarray
    tallied: np.ndarray
    people: np.ndarray
    taken: np.ndarray


WINDOW = types.NamedTuple((types.int32[:, ::1], types.uint64[:, ::1], WU64, types.uint64[:, ::1], W64, types.int32[:, ::1], W64, W64, WU64,
                           W64), Window)


@njit(**JIT)
def _width(a, low, high, shape):
    """The loss of the smallest label over the codes low to high."""
    cells = shape.size.size
    if a >= cells:
        loss, apart, cut = np.int64(0), low ^ high, 0
        while apart:
            loss += shape.word_rise[a - cells, cut]
            apart >>= types.uint64(8)
            cut += 1
        return loss
    first, last = np.int64(low), np.int64(high)
    if shape.height[a] == 0:
        return (min(last - first, shape.span[a]) * shape.scale[a]) >> 10
    loss = np.int64(0)
    for level in range(shape.height[a]):
        p = shape.first[a] + level * shape.size[a] + first
        if last <= shape.node_high[p]:
            return loss
        loss += shape.node_rise[p]
    return loss


@njit(**JIT)
def _bounds(rank, begin, end, low, high):
    """Lowest and highest rank of each dimension among the lines begin to end."""
    for a in range(low.size):
        low[a] = high[a] = rank[begin, a]
    for i in range(begin + 1, end):
        for a in range(low.size):
            low[a], high[a] = min(low[a], rank[i, a]), max(high[a], rank[i, a])


@njit(**JIT)
def _loss(window, low, high, shape):
    total = np.int64(0)
    for a in range(low.size):
        total += _width(a, window.code[a, low[a]], window.code[a, high[a]], shape)
    return total


@njit(**JIT)
def _median(window, begin, end, a, low, high, k):
    """The rank after which to cut so that both sides are nearest in size; -1 when no cut leaves k records on both."""
    count, n = window.tallied, end - begin
    for i in range(begin, end):
        count[window.rank[i, a] - low] += 1
    below, best, gap = 0, -1, np.int64(1) << 62
    for v in range(high - low):
        below += count[v]
        if count[v] and below >= k and n - below >= k and abs(2 * below - n) < gap:
            best, gap = low + v, abs(2 * below - n)
        count[v] = 0
    count[high - low] = 0
    return best


@njit(**JIT)
def _loss_of_cut(window, begin, end, a, cut, sides, shape):
    """The loss of all records when each side of a cut has its own box."""
    left_low, left_high, right_low, right_high = sides
    d, below = left_low.size, 0
    for b in range(d):
        left_low[b] = right_low[b] = np.int32(2147483647)
        left_high[b] = right_high[b] = -1
    for i in range(begin, end):
        if window.rank[i, a] <= cut:
            below += 1
            for b in range(d):
                left_low[b], left_high[b] = min(left_low[b], window.rank[i, b]), max(left_high[b], window.rank[i, b])
        else:
            for b in range(d):
                right_low[b], right_high[b] = min(right_low[b], window.rank[i, b]), max(right_high[b], window.rank[i, b])
    return below * _loss(window, left_low, left_high, shape) + (end - begin - below) * _loss(window, right_low, right_high, shape)


@njit(**JIT)
def _split(window, begin, end, a, cut):
    """Move the lines up to the cut before the others, both in their order; where the others begin."""
    d, at, others = window.rank.shape[1], begin, 0
    for i in range(begin, end):
        if window.rank[i, a] <= cut:
            for b in range(d):
                window.rank[at, b] = window.rank[i, b]
            window.row[at] = window.row[i]
            at += 1
        else:
            for b in range(d):
                window.spare[others, b] = window.rank[i, b]
            window.spare_row[others] = window.row[i]
            others += 1
    for i in range(others):
        for b in range(d):
            window.rank[at + i, b] = window.spare[i, b]
        window.row[at + i] = window.spare_row[i]
    return at


@njit(**JIT)
def _new(window, person, search):
    """Whether this search meets a person for the first time."""
    mask = types.uint64(window.people.size - 1)
    at = person & mask
    while window.taken[at] == search:
        if window.people[at] == person:
            return False
        at = (at + types.uint64(1)) & mask
    window.people[at], window.taken[at] = person, search
    return True


@njit(**JIT)
def _lacking(window, begin, end, k, rules, past, tally, search):
    """What a group of these lines lacks: 0 people, r + 1 model r (tested on the first record of each person, then on all); -1: nothing."""
    if end - begin < k:
        return 0
    people, count = 0, rules.kind.size
    clear(tally)
    for i in range(begin, end):
        if _new(window, window.subject[window.row[i]], search):
            people += 1
            add(tally, window.sensitive, window.row[i])
    if people < k:
        return 0
    if count == 0:
        return -1
    r = models.failing(rules, past, tally)
    if r == count and people < end - begin:
        clear(tally)
        for i in range(begin, end):
            add(tally, window.sensitive, window.row[i])
        r = models.failing(rules, past, tally)
    return -1 if r == count else r + 1


@njit(types.Tuple((I64, I64))(WINDOW, I64, RULES, PAST, TALLY, SHAPE, W64, types.uint64[:, ::1], types.uint64[:, ::1]), **JIT)
def partition(window, k, rules, past, tally, shape, end_of, low_of, high_of):
    """Cut a window into groups.

    Args:
        window: of n records, `row` 0 to n - 1.
        k: people a group.
        rules: the models.
        past: distributions that closeness models compare with.
        tally: scratch.
        shape: the space.
        end_of: int64, n, out: where each group ends in `row`.
        low_of: uint64, (n, d), out: lowest code of each dimension among the members.
        high_of: uint64, likewise, highest.

    Returns:
        Number of groups; what the window lacks when there is none (0 people, r + 1 model r), else -1.
    """
    n, d = window.rank.shape
    low, high = np.empty(d, np.int32), np.empty(d, np.int32)
    sides = np.empty(d, np.int32), np.empty(d, np.int32), np.empty(d, np.int32), np.empty(d, np.int32)
    cuts, losses = np.empty(d, np.int64), np.empty(d, np.int64)
    stack = np.empty(n + 2, np.int64)
    search, groups, begin = np.int64(1), 0, np.int64(0)
    lacks = _lacking(window, 0, n, k, rules, past, tally, search)
    if lacks >= 0:
        return 0, lacks
    stack[0], top = n, 1
    while top:
        end, cut = stack[top - 1], False
        _bounds(window.rank, begin, end, low, high)
        if end - begin >= 2 * k:
            for a in range(d):
                cuts[a] = _median(window, begin, end, a, low[a], high[a], k) if low[a] < high[a] else -1
                losses[a] = _loss_of_cut(window, begin, end, a, cuts[a], sides, shape) if cuts[a] >= 0 else -1
            for _ in range(d):
                a = -1
                for b in range(d):
                    if losses[b] >= 0 and (a < 0 or losses[b] < losses[a]):
                        a = b
                if a < 0:
                    break
                losses[a] = -1
                middle = _split(window, begin, end, a, cuts[a])
                search += 2
                if (_lacking(window, begin, middle, k, rules, past, tally, search - 1) < 0
                        and _lacking(window, middle, end, k, rules, past, tally, search) < 0):
                    stack[top], cut = middle, True
                    top += 1
                    break
        if not cut:
            for a in range(d):
                low_of[groups, a], high_of[groups, a] = window.code[a, low[a]], window.code[a, high[a]]
            end_of[groups], begin = end, end
            groups, top = groups + 1, top - 1
    return groups, -1


@njit(types.void(RULES, PAST, types.uint64[:, ::1]), **JIT)
def learn(rules, past, sensitive):
    """Count records in the running distributions."""
    for j in range(sensitive.shape[1]):
        models.learn(rules, past, sensitive, j)
