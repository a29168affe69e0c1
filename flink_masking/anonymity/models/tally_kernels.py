# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Kernels that tally the sensitive values of a group, in one small hash table an attribute, and what the models compute of the counts."""

from typing import NamedTuple

import numpy as np

from flink_masking.kernels import INLINED, JIT, W64, WU64, njit, types

LOG_BITS = 24


class Tally(NamedTuple):
    """Sensitive values of the group being formed; scratch that is left empty.

    Attributes:
        key: uint64, (attributes, slots): a hash table with linear probing; slots are a power of two.
        counts: int64, likewise, 0 = free.
        slot: int64, likewise: the slots in use, in the order in which they were taken.
        used: int64, by attribute: how many are in use.
        size: int64, one: values tallied.
        gain: int64, scratch of the closeness models, one a code and one more.
        mass: int64, likewise.
        change: int64, likewise.
        barred: uint64, one a slot: scratch of `mask`.
        weighted: int64, n log n in 2^-24 by n, as far as it goes; see `weigh`. Empty where no model needs it.
    """

    key: np.ndarray
    counts: np.ndarray
    slot: np.ndarray
    used: np.ndarray
    size: np.ndarray
    gain: np.ndarray
    mass: np.ndarray
    change: np.ndarray
    barred: np.ndarray
    weighted: np.ndarray


TALLY = types.NamedTuple((types.uint64[:, ::1], types.int64[:, ::1], types.int64[:, ::1], W64, W64, W64, W64, W64, WU64, W64), Tally)


@njit(**JIT)
def _find(tally, a, value):
    """The slot of a value, or the free one where it belongs."""
    mask = types.uint64(tally.key.shape[1] - 1)
    at = value & mask
    while tally.counts[a, at] and tally.key[a, at] != value:
        at = (at + types.uint64(1)) & mask
    return at


@njit(**INLINED)
def add(tally, sensitive, j):
    """Tally the values of record j."""
    tally.size[0] += 1
    for a in range(sensitive.shape[0]):
        at = _find(tally, a, sensitive[a, j])
        if tally.counts[a, at] == 0:
            tally.key[a, at] = sensitive[a, j]
            tally.slot[a, tally.used[a]] = at
            tally.used[a] += 1
        tally.counts[a, at] += 1


@njit(**JIT)
def take_back(tally, sensitive, j):
    """Undo `add` of record j, which must be the last one."""
    tally.size[0] -= 1
    for a in range(sensitive.shape[0]):
        at = _find(tally, a, sensitive[a, j])
        tally.counts[a, at] -= 1
        if tally.counts[a, at] == 0:
            tally.used[a] -= 1


@njit(**JIT)
def clear(tally):
    """Forget everything tallied."""
    tally.size[0] = 0
    for a in range(tally.used.size):
        for i in range(tally.used[a]):
            tally.counts[a, tally.slot[a, i]] = 0
        tally.used[a] = 0


@njit("int64(int64)", **JIT)
def log2(n):
    """Binary logarithm of n (1 to 2^31) in 2^-24, bit by bit: squaring doubles the logarithm; exact to the last bit on any machine."""
    whole = 0
    while n >> (whole + 1):
        whole += 1
    x = types.uint64(n) << types.uint64(31 - whole)  # 1 to 2 in 2^-31
    part = 0
    for _ in range(LOG_BITS):
        x = (x * x) >> types.uint64(31)
        part <<= 1
        if x >> types.uint64(32):
            x >>= types.uint64(1)
            part += 1
    return (whole << LOG_BITS) + part


@njit(types.void(W64), **JIT)
def weigh(weighted):
    """Fill a table of n log n."""
    for n in range(2, weighted.size):
        weighted[n] = n * log2(n)


@njit(**JIT)
def weighted(table, n):
    """n log n in 2^-24, from the table as far as it goes."""
    if n < table.size:
        return table[n]
    return n * log2(n) if n > 1 else np.int64(0)


@njit(**INLINED)
def sum_weighted(tally, a):
    """The sum of c log c over the counts c of an attribute's values."""
    total, table, counts, slot = np.int64(0), tally.weighted, tally.counts, tally.slot
    for i in range(tally.used[a]):
        total += weighted(table, counts[a, slot[a, i]])
    return total


@njit(**JIT)
def largest(tally, a, most):
    """The sum of the `most` largest counts, and the smallest of them (0 when there are fewer values)."""
    total, bound, left = 0, np.int64(1) << 62, most
    while left > 0:
        size, same = np.int64(0), 0
        for i in range(tally.used[a]):
            count = tally.counts[a, tally.slot[a, i]]
            if count < bound:
                if count > size:
                    size, same = count, 0
                same += count == size
        if size == 0:
            return total, np.int64(0)
        total += size * min(same, left)
        left -= same
        bound = size
    return total, bound
