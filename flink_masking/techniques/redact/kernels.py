"""Kernels of redact: a constant for every value, or one character for each of its characters."""

import numpy as np

from flink_masking.kernels import I32, JIT, U8, W8, W32, njit
from flink_masking.kernels.memory import SLACK, at, copy, move32, put8


@njit([(U8, I32, U8, U8, W8, W32)], **JIT)
def constant_rows(data, offsets, valid, constant, out_, ends):
    """The constant (padded with SLACK bytes) for every value that is neither null nor empty."""
    source, out = np.int64(constant.ctypes.data), np.int64(out_.ctypes.data)
    n, o = len(constant) - SLACK, out
    limit = source + len(constant)
    for k in range(len(offsets) - 1):
        if offsets[k + 1] > offsets[k] and (not len(valid) or valid[k]):
            if n <= 32:
                move32(o, source)  # what lies behind the constant is overwritten by the next one
                o += n
            else:
                o = copy(o, source, n, limit)
        ends[k + 1] = o - out


@njit(**JIT)
def put_character(o, source, width):
    """Write the `width` bytes of one character, return the end."""
    for k in range(width):
        put8(o + k, at(source + k))
    return o + width


@njit([(U8, I32, U8, U8, W8, W32)], **JIT)
def fill_rows(data, offsets, valid, character, out_, ends):
    """As many times the character (padded with SLACK bytes) as the value has code points."""
    base, source, out = np.int64(data.ctypes.data), np.int64(character.ctypes.data), np.int64(out_.ctypes.data)
    width, first, o = len(character) - SLACK, at(source), out
    for k in range(len(offsets) - 1):
        if not len(valid) or valid[k]:
            p, e = base + offsets[k], base + offsets[k + 1]
            if width == 1:
                while p < e:
                    put8(o, first)
                    o += at(p) & 0xC0 != 0x80
                    p += 1
            else:
                while p < e:
                    if at(p) & 0xC0 != 0x80:
                        o = put_character(o, source, width)
                    p += 1
        ends[k + 1] = o - out
