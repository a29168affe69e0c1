"""The kernel of generalize for number ranges."""

import numpy as np

from flink_masking.kernels import I32, I64, JIT, U8, W8, W32, njit, types
from flink_masking.kernels.memory import put8
from flink_masking.values.decimals_kernels import BAD, INEXACT, floored, number, put_number

REACH = 1 << 60
"""Largest magnitude, in units, of what is computed with: sums of two never leave int64."""


@njit(**JIT)
def put_range(o, low, high, closed, brackets, scale):
    """Write a range at o: ``20-29`` without brackets, ``[-10, -1]`` or ``[20, 30)`` with, one number where it holds one."""
    if closed and low == high:
        return put_number(o, low, scale)
    if not brackets:
        o = put_number(o, low, scale)
        put8(o, 45)
        return put_number(o + 1, high, scale)
    put8(o, 91)
    o = put_number(o + 1, low, scale)
    put8(o, 44)
    put8(o + 1, 32)
    o = put_number(o + 2, high, scale)
    put8(o, 93 if closed else 41)
    return o + 1


@njit([(U8, I32, U8, I64, I64, I64, types.boolean, I64, I64, W8, W8, W32)], **JIT)
def range_rows(data, offsets, valid, width, origin, scale, bounded, lowest, highest, refused, out_, ends):
    """The range of each number text: steps of `width` from `origin`, inside lowest…highest if bounded, all in units of 10^-scale."""
    base, out = np.int64(data.ctypes.data), np.int64(out_.ctypes.data)
    o = out
    for k in range(len(offsets) - 1):
        refused[k] = 0
        if not len(valid) or valid[k]:
            units, rest, negative = number(base + offsets[k], base + offsets[k + 1], scale)
            x, status = floored(units, rest, negative)
            outside = bounded and (x < lowest or x > highest or (x == highest and status == INEXACT))
            if status == BAD or outside or x < -REACH or x > REACH:
                refused[k] = 1
            else:
                low = x - (x - origin) % width
                whole = scale == 0 and status != INEXACT
                high, closed = low + width - whole, whole
                if bounded:
                    low = max(low, lowest)
                    if high > highest:
                        high, closed = highest, True
                o = put_range(o, low, high, closed, not whole or low < 0 or (bounded and lowest < 0), scale)
        ends[k + 1] = o - out
