"""Compiled pieces of contribution bounding and exact summing.

Sources: FNV-1a (Fowler, Noll, Vo) over the bytes of a group, finished by the mixer of SplitMix64 (Steele et al. 2014). They only spread
choices evenly; secrecy rests on the keyed hash that a subject already is.
"""

import numpy as np

from flink_masking.kernels import I32, I64, I64A, JIT, U8, U64, W64, WU64, njit, types

_SEED, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
_STEP, _A, _B = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31 = np.uint64(30), np.uint64(27), np.uint64(31)


@njit(**JIT)
def mix(x):
    """SplitMix64: a bijection of 64-bit words that looks random."""
    x += _STEP
    x = (x ^ (x >> _30)) * _A
    x = (x ^ (x >> _27)) * _B
    return x ^ (x >> _31)


@njit(types.void(U8, I32, WU64), **JIT)
def hash_groups(data, offsets, out):
    """Write the hash of each value of a binary array to `out`."""
    for i in range(out.size):
        h = _SEED
        for k in range(offsets[i], offsets[i + 1]):
            h = (h ^ np.uint64(data[k])) * _PRIME
        out[i] = mix(h)


@njit(types.void(U64, I64A, WU64), **JIT)
def start_ranks(subject, time, rank):
    """Begin the hash of each record's content with its subject and time."""
    for i in range(rank.size):
        rank[i] = mix(mix(subject[i]) ^ np.uint64(time[i]))


@njit(types.void(I64A, U8, I64, I64, W64, WU64), **JIT)
def clip_and_rank(values, valid, low, high, clipped, rank):
    """Clip a measure to its bounds, write 0 where it has no value, and take it into the hash of the record's content."""
    for i in range(values.size):
        v = min(max(values[i], low), high) if valid[i] else I64(0)
        clipped[i] = v
        rank[i] = mix(rank[i] ^ np.uint64(v)) + np.uint64(valid[i])


@njit(**JIT)
def _before(i, j, pair, code, rank):
    if pair[i] != pair[j]:
        return pair[i] < pair[j]
    if code[i] != code[j]:
        return code[i] < code[j]
    return rank[i] < rank[j]


@njit(**JIT)
def _sort_run(order, a, b, pair, code, rank):
    """Shell sort of order[a:b]: an insertion sort on the usual short runs, and no quadratic time on a very active subject."""
    gap = 1
    while gap < (b - a) // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(a + gap, b):
            x = order[i]
            k = i
            while k >= a + gap and _before(x, order[k - gap], pair, code, rank):
                order[k] = order[k - gap]
                k -= gap
            order[k] = x
        gap //= 3


@njit(I64(U64, I64A, U64, U64, I64, I64, WU64, W64), **JIT)
def choose(subject, code, group_hash, rank, c, r, pair, order):
    """Keep the r records with the smallest rank in each of the c groups of a subject with the smallest hash of (subject, group).

    Args:
        subject: uint64, keyed hash of the person.
        code: int64, index of the group.
        group_hash: uint64, by code.
        rank: uint64, hash of the record's content.
        c: groups kept per subject.
        r: records kept per subject and group.
        pair: scratch, as long as subject.
        order: in: row numbers by subject, ascending; out: the rows kept, by subject, then pair hash, code and rank.

    Returns:
        How many rows are kept, at the front of `order`.
    """
    n, kept, a = order.size, I64(0), I64(0)
    for i in range(n):
        pair[i] = mix(mix(subject[i]) ^ group_hash[code[i]])
    while a < n:
        who = subject[order[a]]
        b = a + 1
        while b < n and subject[order[b]] == who:
            b += 1
        if b - a > 1:
            _sort_run(order, a, b, pair, code, rank)
        groups, records, last = I64(0), I64(0), I64(-1)
        for k in range(a, b):
            row = order[k]
            if code[row] != last:
                last = code[row]
                groups += 1
                records = 0
            records += 1
            if groups <= c and records <= r:
                order[kept] = row
                kept += 1
        a = b
    return kept


@njit(types.void(U64, I64A, W64, W64), **JIT)
def count(subject, code, records, subjects):
    """Add up records and distinct subjects by group; rows of a subject and group lie together, as `choose` leaves them."""
    for i in range(subject.size):
        records[code[i]] += 1
        if i == 0 or subject[i] != subject[i - 1] or code[i] != code[i - 1]:
            subjects[code[i]] += 1


@njit(types.void(I64A, I64A, U8, W64, W64), **JIT)
def add(code, values, valid, sums, counts):
    """Add up the values of a measure, and how many there are, by group."""
    for i in range(code.size):
        sums[code[i]] += values[i]
        counts[code[i]] += valid[i]


@njit(types.void(I64A, I64A, U8, I64, W64), **JIT)
def add_squares(code, values, valid, centre, sums):
    """Add up the squares of the values' distances from `centre`, by group."""
    for i in range(code.size):
        if valid[i]:
            distance = values[i] - centre
            sums[code[i]] += distance * distance


@njit(types.void(I64A, I64A, U8, I64A, W64), **JIT)
def add_bins(code, values, valid, edges, counts):
    """Count the values in each bin, by group and bin: `edges` are the inner edges, each the first value of its bin."""
    bins = edges.size + 1
    for i in range(code.size):
        if valid[i]:
            counts[code[i] * bins + np.searchsorted(edges, values[i], side="right")] += 1


__all__ = ["add", "add_bins", "add_squares", "choose", "clip_and_rank", "count", "hash_groups", "start_ranks"]
