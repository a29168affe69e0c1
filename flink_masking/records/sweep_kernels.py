# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Kernels of sweeps: which values lie in the members that are swept, and spans with others among them."""

import numpy as np

from flink_masking.kernels import I32, I64, I64A, JIT, U8, W32, W64, njit
from flink_masking.kernels.memory import int32, move32
from flink_masking.records.span_kernels import ENCODED, MS, SPAN, STRING, put_span


@njit(I64(I64A, I64A, U8, U8, I32, I32, I64, I64, I64A, I64A, W64, W32, W32, W32, W32, W64), **JIT)
def inside(starts, ends, kinds, escaped, paths, hint_of, key, without, first, last, chosen, firsts, lasts, coded, hints, size):
    """Write the values that begin in one of the regions first…last, but not those of the kind `without`.

    Values and regions ascend; the regions do not overlap. Value n has the number chosen[n], lies at firsts[n]…lasts[n], has the kind
    coded[n] as contents of records have it, and the hint of its path, a key none. size[0] becomes the bytes of all.

    Returns:
        How many there are.
    """
    n, k, total = np.int64(0), np.int64(0), np.int64(0)
    for v in range(len(starts)):
        while k < len(first) and last[k] <= starts[v]:
            k += 1
        if k == len(first):
            break
        if starts[v] >= first[k] and kinds[v] != without:
            chosen[n], firsts[n], lasts[n] = v, starts[v], ends[v]
            coded[n] = ENCODED if escaped[v] else STRING
            hints[n] = 0 if kinds[v] == key else hint_of[paths[v]]
            total += ends[v] - starts[v]
            n += 1
    size[0] = total
    return n


@njit(I64(I32, I64, I32, I64A, I64A, I64, W32), **JIT)
def merged(spans, used, rows, starts, ends, path, out):
    """Write the spans, and others as values of the path number `path` behind those that do not begin after them; both ascend."""
    before, o, s = np.int64(spans.ctypes.data), np.int64(out.ctypes.data), np.int64(0)
    for k in range(len(rows)):
        while s < used and int32(before, MS) <= starts[k]:
            move32(o, before)
            before, o, s = before + 4 * SPAN, o + 4 * SPAN, s + 1
        put_span(o, rows[k], path, STRING, starts[k], ends[k], starts[k], -1)
        o += 4 * SPAN
    while s < used:
        move32(o, before)
        before, o, s = before + 4 * SPAN, o + 4 * SPAN, s + 1
    return s + len(rows)


@njit(I64(I32, I64A, W64), **JIT)
def owners(offsets, starts, numbers):
    """Write the numbers of the texts, which lie at offsets, that have one of the starts, which ascend, in them; the result is how many."""
    n, k = np.int64(0), np.int64(0)
    for s in range(len(starts)):
        if starts[s] >= offsets[k + 1] or n == 0:
            while offsets[k + 1] <= starts[s]:
                k += 1
            numbers[n] = k
            n += 1
    return n
