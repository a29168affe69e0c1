# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""The kernels of the token cache: a set-associative table of fixed-width tokens under the first sixteen bytes of their lookups."""

import numpy as np

from flink_masking.kernels import I32, I64, JIT, U8, W8, W32, WU64, njit, types
from flink_masking.kernels.memory import SLACK, copy, memcpy

WAYS = 8
"""Places that a lookup may stand in: their keys share two cache lines."""
WIDTH = 48
"""Bytes of the longest token that is kept."""

__all__ = ["SLACK", "WAYS", "WIDTH", "find", "put"]


@njit(**JIT)
def place(a, b, keys, used):
    """The entry with the key a, b in its group, or -1."""
    group = np.int64(a & np.uint64(len(used) // WAYS - 1)) * WAYS
    for k in range(group, group + WAYS):
        if keys[2 * k] == a and keys[2 * k + 1] == b and used[k] > 0:
            return k
    return np.int64(-1)


@njit(**JIT)
def oldest(a, used):
    """The entry of a key's group that was unused for longest; empty ones come first."""
    group = np.int64(a & np.uint64(len(used) // WAYS - 1)) * WAYS
    best = group
    for k in range(group + 1, group + WAYS):
        if used[k] < used[best]:
            best = k
    return best


@njit(types.void(U8, I64, I32, U8, WU64, W32, W32, W8, I64, I64, W8, W32, W8), **JIT)
def find(lookups, step, offsets, valid, keys, used, marks, tokens_, now, day, out_, ends, missing):
    """Write the token of each value that is neither null nor empty, or mark it as missing (1); one that was put on another day (2).

    lookups: `step` words a value. keys: two words an entry. used: when an entry was last used, 0 where there is none. marks: the day on
    which an entry was put, times 256, and the token's length. tokens_: WIDTH bytes an entry. now: more than any in `used`, or equal.
    day: 0 where days do not count.
    """
    words = lookups.view(np.uint64)
    out, tokens = out_.ctypes.data, tokens_.ctypes.data
    limit = tokens + len(tokens_)
    o = out
    for k in range(len(offsets) - 1):
        if offsets[k + 1] > offsets[k] and (len(valid) == 0 or valid[k]):
            entry = place(words[step * k], words[step * k + 1], keys, used)
            if entry < 0:
                missing[k] = 1
            else:
                used[entry] = now
                mark = np.int64(marks[entry])
                if day > 0 and mark >> 8 != day:
                    missing[k] = 2
                o = copy(o, tokens + entry * WIDTH, mark & 0xFF, limit)
        ends[k + 1] = o - out


@njit(types.void(U8, I64, U8, I32, WU64, W32, W32, W8, I64, I64), **JIT)
def put(lookups, step, data_, offsets, keys, used, marks, tokens_, now, day):
    """Keep a token for each lookup, and the day; those longer than WIDTH are passed over. Arrays as for `find`."""
    words = lookups.view(np.uint64)
    data, tokens = data_.ctypes.data, tokens_.ctypes.data
    for k in range(len(offsets) - 1):
        length = np.int64(offsets[k + 1] - offsets[k])
        if length > WIDTH:
            continue
        a, b = words[step * k], words[step * k + 1]
        entry = place(a, b, keys, used)
        if entry < 0:
            entry = oldest(a, used)
            keys[2 * entry], keys[2 * entry + 1] = a, b
        used[entry], marks[entry] = now, day << 8 | length
        memcpy(tokens + entry * WIDTH, data + offsets[k], length)
