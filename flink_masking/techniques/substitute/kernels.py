# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Texts put together from pools."""

import numpy as np

from flink_masking.kernels import I32, I64, JIT, U8, W8, W32, njit, types
from flink_masking.kernels.memory import at, copy, int32


@njit(**JIT)
def lower(c):
    """An ASCII letter in lower case, any other byte as it is."""
    return c + 32 if 65 <= c <= 90 else c


@njit(**JIT)
def alike(p, q, n):
    """Whether the n bytes at p and q are the same but for the case of ASCII letters."""
    for k in range(n):
        if lower(at(p + k)) != lower(at(q + k)):
            return False
    return True


@njit(types.void(U8, I32, U8, U8, I32, I32, I64, U8, W8, W32, W8), **JIT)
def compose(data, offsets, valid, pool_, starts_, entries, parts, skip, out_, ends, same):
    """For every value that is neither null nor empty nor skipped, the entries of its parts one after the other.

    pool_, starts_: all entries as a string array's buffers, padded. entries: n × parts entry numbers. skip: n, nonzero to leave out.
    same[k] = 1 where the result is the value itself, whatever the case of its letters.
    """
    base, pool, starts, out = data.ctypes.data, pool_.ctypes.data, starts_.ctypes.data, out_.ctypes.data
    limit = pool + len(pool_)
    o = out
    for k in range(len(offsets) - 1):
        n = offsets[k + 1] - offsets[k]
        same[k] = 0
        if n > 0 and not skip[k] and (len(valid) == 0 or valid[k]):
            first = o
            for part in range(parts):
                entry = np.int64(entries[k * parts + part])
                start = int32(starts, entry)
                o = copy(o, pool + start, int32(starts, entry + 1) - start, limit)
            same[k] = o - first == n and alike(first, base + offsets[k], n)
        ends[k + 1] = o - out
