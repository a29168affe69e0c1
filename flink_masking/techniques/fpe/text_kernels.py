# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Text as numerals of an alphabet, and numerals written back into the text that they were read from."""

import numpy as np

from flink_masking.kernels import I32, I64, I64A, JIT, U8, U16, W8, W16, W32, W64, njit, types
from flink_masking.kernels.memory import at, int32, memcpy, put8, trailing_zeros
from flink_masking.kernels.wide import address, at16, characters16, numerals16, put16

OUTSIDE, FORBIDDEN = -1, -2
"""Codes of characters without a number: it stays where it is; the value is refused."""


@njit(**JIT)
def sequence(p):
    """How many bytes the UTF-8 character beyond ASCII at p has."""
    b = at(p)
    return 2 if b < 0xE0 else 3 if b < 0xF0 else 4


@njit(**JIT)
def point(p, size):
    """The code point of the UTF-8 character of 2 to 4 bytes at p."""
    x = at(p) & (0x7F >> size)
    for k in range(1, size):
        x = (x << 6) | (at(p + k) & 0x3F)
    return x


@njit(**JIT)
def put_point(o, x):
    """Write a code point as UTF-8; returns the address behind it."""
    if x < 0x80:
        put8(o, x)
        return o + 1
    if x < 0x800:
        put8(o, 0xC0 | (x >> 6))
        put8(o + 1, 0x80 | (x & 0x3F))
        return o + 2
    if x < 0x10000:
        put8(o, 0xE0 | (x >> 12))
        put8(o + 1, 0x80 | ((x >> 6) & 0x3F))
        put8(o + 2, 0x80 | (x & 0x3F))
        return o + 3
    put8(o, 0xF0 | (x >> 18))
    put8(o + 1, 0x80 | ((x >> 12) & 0x3F))
    put8(o + 2, 0x80 | ((x >> 6) & 0x3F))
    put8(o + 3, 0x80 | (x & 0x3F))
    return o + 4


@njit(**JIT)
def code_beyond(x, table, size, beyond, foreign, known):
    """The code of a code point beyond ASCII."""
    c = int32(table, x) if x < size else OUTSIDE
    if c >= 0:
        return c
    return FORBIDDEN if beyond == FORBIDDEN or x >= known or at(foreign + x) else OUTSIDE


@njit(**JIT)
def run_length(table, low):
    """How many neighbours from `low` on have ascending numbers."""
    n = 0
    while low + n < 128 and int32(table, low + n) == n:
        n += 1
    return n


@njit(types.int64(U8, U8, I32, I32, I32, I64, I64, U8, W16, W64, W64, W8), **JIT)
def scan(data_, valid, begins, stops, table_, low, beyond, foreign_, numerals_, starts, counts, refused):
    """The numerals of every value's bytes from `begins` to `stops`, one value behind the other; refused ones have none.

    table_: a code for each code point, at least of ASCII. low: of an alphabet of neighbours in ASCII, their first, else -1. beyond: the
    code of separators beyond ASCII. foreign_: nonzero where a code point is no separator; none when all bytes are ASCII. numerals_:
    with 16 elements to spare. starts, counts: of each value's numerals. refused: may be set before, is set where a character is
    forbidden. Returns how many numerals there are.
    """
    data, table, foreign, numerals = address(data_), address(table_), address(foreign_), address(numerals_)
    size, known, limit = len(table_), len(foreign_), data + len(data_) - 16
    width = run_length(table, low) if low >= 0 else 0
    o = numerals
    for k in range(len(begins)):
        start = o
        if not refused[k] and (len(valid) == 0 or valid[k]):
            p, end, worst = data + begins[k], data + stops[k], 0
            while p < end:
                if width and p <= limit:
                    run = min(trailing_zeros(numerals16(p, o, low, width)), end - p)
                    p, o = p + run, o + 2 * run
                    if run == 16 or p == end:
                        continue
                b = at(p)
                if b < 128:
                    c = int32(table, b)
                    p += 1
                else:
                    length = sequence(p)
                    c = code_beyond(point(p, length), table, size, beyond, foreign, known)
                    p += length
                put16(o, np.uint64(c))
                o += 2 if c >= 0 else 0
                worst = min(worst, c)
            if worst == FORBIDDEN:
                o, refused[k] = start, 1
        starts[k], counts[k] = (start - numerals) >> 1, (o - start) >> 1
    return (o - numerals) >> 1


@njit(types.void(U8, I32, U8, U8, I32, I32, I32, I64, I32, U16, I64A, I64A, W8, W32), **JIT)
def write(data_, offsets, valid, refused, begins, stops, table_, low, points_, numerals_, starts, counts, out_, ends):
    """Every value that is neither null nor refused, its characters from `begins` to `stops` replaced by those of their numerals.

    table_, low: as for `scan`. points_: the code point of each number.
    """
    data, table, points, numerals, out = (
        address(data_), address(table_), address(points_), address(numerals_), address(out_))
    size, o = len(table_), out
    for k in range(len(begins)):
        if not refused[k] and (len(valid) == 0 or valid[k]):
            p, stop, q = data + begins[k], data + stops[k], numerals + 2 * starts[k]
            before, after = begins[k] - offsets[k], offsets[k + 1] - stops[k]
            if before:
                memcpy(o, data + offsets[k], before)
                o += before
            if counts[k] == stop - p and size == 128:  # nothing but characters of an ASCII alphabet
                end = o + counts[k]
                while o < end and low >= 0:
                    characters16(q, o, low)
                    o, q = o + 16, q + 32
                while o < end:
                    put8(o, int32(points, at16(q)))
                    o, q = o + 1, q + 2
                o = end
            else:
                while p < stop:
                    b, length = at(p), 1
                    if b >= 128:
                        length = sequence(p)
                        b = point(p, length)
                    if b < size and int32(table, b) >= 0:
                        o = put_point(o, int32(points, at16(q)))
                        q += 2
                    else:
                        for j in range(length):
                            put8(o + j, at(p + j))
                        o += length
                    p += length
            if after:
                memcpy(o, data + stops[k], after)
                o += after
        ends[k + 1] = o - out
