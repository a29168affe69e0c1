# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""The kernels of tokenize: random tokens of each form, and digits taken out of a value and put back into it."""

import numpy as np

from flink_masking.kernels import I32, I64, JIT, U8, W8, W32, njit, types
from flink_masking.kernels.memory import at, copy, put8
from flink_masking.techniques.pseudonym.kernels import put_base62

UUID_LENGTH = 36
_ZERO, _NINE = 48, 57


@njit(**JIT)
def letter(c):
    """Whether the byte c is an ASCII letter."""
    return 97 <= (c | 32) <= 122


@njit(types.void(U8, I64, W8), **JIT)
def write_uuids(random_, n, out_):
    """n UUIDs of version 4 (RFC 9562), 36 characters each, from 16 random bytes each."""
    out, random = out_.ctypes.data, random_.ctypes.data
    o = out
    for k in range(n):
        for j in range(16):
            if j == 4 or j == 6 or j == 8 or j == 10:
                put8(o, 45)
                o += 1
            x = at(random + 16 * k + j)
            if j == 6:
                x = (x & 0x0F) | 0x40
            elif j == 8:
                x = (x & 0x3F) | 0x80
            high, low = x >> 4, x & 15
            put8(o, high + (_ZERO if high < 10 else 87))
            put8(o + 1, low + (_ZERO if low < 10 else 87))
            o += 2


@njit(types.void(U8, I64, I64, U8, W8), **JIT)
def write_alphanumerics(random_, n, length, alphabet_, out_):
    """n texts of `length` digits in base 62, from 32 random bytes each."""
    out, random, alphabet = out_.ctypes.data, random_.ctypes.data, alphabet_.ctypes.data
    for k in range(n):
        put_base62(out + k * length, random + 32 * k, length, alphabet)


@njit(types.void(W8, I32, U8), **JIT)
def set_check_digits(digits, offsets, beside):
    """Make the last digit of each text its Luhn check digit (ISO/IEC 7812-1) plus `beside`, modulo 10: 0 makes it valid."""
    for k in range(len(offsets) - 1):
        total, double = 0, True
        for p in range(offsets[k + 1] - 2, offsets[k] - 1, -1):
            x = np.int64(digits[p]) - _ZERO
            if double:
                x = 2 * x - 9 if x > 4 else 2 * x
            total += x
            double = not double
        if offsets[k + 1] > offsets[k]:
            digits[offsets[k + 1] - 1] = _ZERO + (10 - total % 10 + beside[k]) % 10


@njit(types.void(U8, I32, U8, I64, I64, W8, W8, W32), **JIT)
def take_digits(data_, offsets, valid, least, most, refused, out_, ends):
    """The digits of each text; a text with letters, control characters or bytes beyond ASCII, or too few or many digits, is refused."""
    data, out = data_.ctypes.data, out_.ctypes.data
    o = out
    for k in range(len(offsets) - 1):
        if offsets[k + 1] > offsets[k] and (len(valid) == 0 or valid[k]):
            begin, bad = o, False
            for p in range(data + offsets[k], data + offsets[k + 1]):
                c = at(p)
                if _ZERO <= c <= _NINE:
                    put8(o, c)
                    o += 1
                elif c < 32 or c > 126 or letter(c):
                    bad = True
            if bad or o - begin < least or o - begin > most:
                refused[k] = 1
                o = begin
        ends[k + 1] = o - out


@njit(types.void(U8, I32, U8, U8, I32, U8, I64, W8, W8, W32), **JIT)
def put_digits(data_, offsets, valid, digits_, places, prefix_, prefix_length, refused, out_, ends):
    """Each text with its digits replaced, behind a prefix; where there are not as many of both, the text is refused."""
    data, out, digits, prefix = data_.ctypes.data, out_.ctypes.data, digits_.ctypes.data, prefix_.ctypes.data
    limit = prefix + len(prefix_)
    o = out
    for k in range(len(offsets) - 1):
        if offsets[k + 1] > offsets[k] and (len(valid) == 0 or valid[k]) and not refused[k]:
            begin, d, end = o, digits + places[k], digits + places[k + 1]
            o = copy(o, prefix, prefix_length, limit)
            for p in range(data + offsets[k], data + offsets[k + 1]):
                c = at(p)
                if _ZERO <= c <= _NINE:
                    if d < end:
                        c = at(d)
                    d += 1
                put8(o, c)
                o += 1
            if d != end:
                refused[k] = 1
                o = begin
        ends[k + 1] = o - out


@njit(types.void(U8, I32, U8, U8, I64, W8, W32), **JIT)
def put_prefix(data_, offsets, valid, prefix_, prefix_length, out_, ends):
    """Each text that is neither null nor empty behind a prefix."""
    data, out, prefix = data_.ctypes.data, out_.ctypes.data, prefix_.ctypes.data
    limit, prefix_limit = data + len(data_), prefix + len(prefix_)
    o = out
    for k in range(len(offsets) - 1):
        if offsets[k + 1] > offsets[k] and (len(valid) == 0 or valid[k]):
            o = copy(o, prefix, prefix_length, prefix_limit)
            o = copy(o, data + offsets[k], np.int64(offsets[k + 1] - offsets[k]), limit)
        ends[k + 1] = o - out
