# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Protected values to text and back: base64url (RFC 4648, 5) without padding, a column at a time."""

import numpy as np

from flink_masking.kernels import I32, I64, JIT, U8, W8, W32, W64, njit, types
from flink_masking.kernels.memory import at, copy, put8
from flink_masking.kernels.wide import at16, load_be64, put16

MALFORMED, NOTHING = -1, 0
INVALID = 255


@njit(**JIT)
def encode(o, p, n, pairs):
    """Write the n bytes at p (readable 8 bytes beyond) as digits at o, return their end; up to two bytes more are written."""
    i = 0
    while i + 6 <= n:
        x = load_be64(p + i)
        for k in range(4):
            put16(o + 2 * k, at16(pairs + 2 * np.int64((x >> np.uint64(52 - 12 * k)) & np.uint64(4095))))
        i += 6
        o += 8
    if i < n:
        x = load_be64(p + i) & ~(~np.uint64(0) >> np.uint64(8 * (n - i)))
        for k in range((8 * (n - i) + 11) // 12):
            put16(o + 2 * k, at16(pairs + 2 * np.int64((x >> np.uint64(52 - 12 * k)) & np.uint64(4095))))
        o += (8 * (n - i) + 5) // 6
    return o


@njit(**JIT)
def decode(o, p, n, digits):
    """Read the n digits at p to bytes at o; returns their end, or -1: a character that is no digit, or no such text is ever written."""
    if n & 3 == 1:
        return -1
    wrong, i = 0, 0
    while i + 4 <= n:
        a, b, c, d = at(digits + at(p + i)), at(digits + at(p + i + 1)), at(digits + at(p + i + 2)), at(digits + at(p + i + 3))
        wrong |= a | b | c | d
        x = a << 18 | b << 12 | c << 6 | d
        put8(o, x >> 16)
        put8(o + 1, x >> 8)
        put8(o + 2, x)
        i += 4
        o += 3
    if i < n:
        a, b = at(digits + at(p + i)), at(digits + at(p + i + 1))
        c = at(digits + at(p + i + 2)) if i + 2 < n else 0
        x = a << 18 | b << 12 | c << 6
        wrong |= a | b | c
        put8(o, x >> 16)
        o += 1
        if i + 2 < n:
            put8(o, x >> 8)
            o += 1
            x <<= 8
        if x >> 8 & 255:  # bits that no writer sets: a second text for the same value
            return -1
    return -1 if wrong & 128 else o


@njit(types.void(U8, U8, I64, U8, I32, I32, U8, U8, W8, W8, W32), **JIT)
def wrap_rows(front, fixed, width, body, starts, ends, mark, pairs, scratch, out_, offsets):
    """The text of every value; nothing where its body is empty.

    front: the bytes that all begin with. fixed: `width` bytes for each value. body, starts, ends: then ``body[starts[i]:ends[i]]``.
    mark: 4 characters in front of the digits. pairs: two digits for each 12 bits. scratch: room for the longest value and 64 bytes more.
    out_: 4 characters and 4/3 of all bytes, 2 more a value, 64 bytes of slack.
    """
    out, text, sign, table = out_.ctypes.data, scratch.ctypes.data, mark.ctypes.data, pairs.ctypes.data
    first, second, third = front.ctypes.data, fixed.ctypes.data, body.ctypes.data
    o = out
    for k in range(len(starts)):
        if ends[k] > starts[k]:
            t = copy(text, first, len(front), first + len(front))
            t = copy(t, second + width * k, width, second + len(fixed))
            t = copy(t, third + starts[k], np.int64(ends[k] - starts[k]), third + len(body))
            for i in range(4):
                put8(o + i, at(sign + i))
            o = encode(o + 4, text, t - text, table)
        offsets[k + 1] = o - out


@njit(types.void(U8, I32, U8, U8, I64, I64, U8, U8, W8, W32, W64), **JIT)
def unwrap_rows(data, offsets, valid, taken, form, least, mark, digits, out_, ends, versions):
    """The bytes of every text, and the key version that it names.

    data, offsets, valid: n texts. taken: n, 0 for values that are no text. form: the first byte that is expected.
    least: fewest bytes of a value. mark: as for `wrap_rows`. digits: 256, the value of each character, `INVALID` for others.
    out_: 3/4 of the texts' bytes, 64 of slack. ends: n + 1. versions: n, MALFORMED for another form, NOTHING for null and "".
    """
    base, out, sign, table = data.ctypes.data, out_.ctypes.data, mark.ctypes.data, digits.ctypes.data
    o = out
    for k in range(len(offsets) - 1):
        p, n = base + offsets[k], np.int64(offsets[k + 1] - offsets[k])
        versions[k] = NOTHING
        if n and (len(valid) == 0 or valid[k]):
            versions[k] = MALFORMED
            good = taken[k] != 0 and n > 4
            for i in range(4):
                good = good and at(p + i) == at(sign + i)
            e = decode(o, p + 4, n - 4, table) if good else np.int64(-1)
            if e - o >= least and at(o) == form:
                version = at(o + 1) << 24 | at(o + 2) << 16 | at(o + 3) << 8 | at(o + 4)
                if version:
                    versions[k], o = version, e
        ends[k + 1] = o - out
