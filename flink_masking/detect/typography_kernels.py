# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Spaces and hyphens beyond ASCII in the place of ASCII ones: no-break and thin spaces, and the hyphens, dashes and minus of Unicode.

Documents and word processors put them between the groups of a number, where patterns know a space and ``-``.
"""

import numpy as np

from flink_masking.kernels import I64, I64A, JIT, U8, W8, W64, njit
from flink_masking.kernels.characters import beyond32, digit
from flink_masking.kernels.memory import at, copy, put8, trailing_zeros
from flink_masking.kernels.typographic import leads32, signs32

SPACE, HYPHEN = 32, 45


@njit(**JIT)
def read_as(p, e):
    """What the character at p stands for, SPACE, HYPHEN or 0, and how many bytes it has.

    U+00A0, U+2000 to U+200B, U+202F, U+205F, U+3000; U+00AD, U+2010 to U+2015, U+2212, U+FE63, U+FF0D.
    """
    c = at(p)
    if c == 0xC2 and p + 1 < e:
        d = at(p + 1)
        return np.int64(SPACE if d == 0xA0 else HYPHEN if d == 0xAD else 0), np.int64(2)
    if p + 2 < e:
        d, f = at(p + 1), at(p + 2)
        if c == 0xE2:
            if d == 0x80:
                return np.int64(SPACE if 0x80 <= f <= 0x8B or f == 0xAF else HYPHEN if 0x90 <= f <= 0x95 else 0), np.int64(3)
            return np.int64(SPACE if d == 0x81 and f == 0x9F else HYPHEN if d == 0x88 and f == 0x92 else 0), np.int64(3)
        if (c == 0xE3 and d == 0x80 and f == 0x80) or (c == 0xEF and ((d == 0xB9 and f == 0xA3) or (d == 0xBC and f == 0x8D))):
            return np.int64(SPACE if c == 0xE3 else HYPHEN), np.int64(3)
    return np.int64(0), np.int64(1)


@njit(**JIT)
def capital(c):
    """Whether a byte is an ASCII capital."""
    return 65 <= c <= 90


@njit(**JIT)
def stands_for(p, lo, e):
    """As `read_as`, of the value lo…e: a dash is a hyphen where it stands in a number or code, and a minus before a digit too; elsewhere it
    separates words. U+2010 and U+2011 are hyphens everywhere."""
    sign, n = read_as(p, e)
    if sign == HYPHEN and not (at(p) == 0xE2 and at(p + 1) == 0x80 and at(p + 2) <= 0x91):
        before, after = at(p - 1) if p > lo else np.int64(0), at(p + n) if p + n < e else np.int64(0)
        number = digit(before) or digit(after)
        joins = number and (digit(before) or capital(before) or before == 41) and (digit(after) or capital(after) or after == 40)
        if not joins and not (at(p) == 0xE2 and at(p + 1) == 0x88 and digit(after)):
            return np.int64(0), np.int64(1)
    if sign == 0:
        return np.int64(0), np.int64(1)
    return sign, n


@njit(**JIT)
def next_sign(p, e, limit):
    """Where the next of the characters begins from p on; e where there is none. Bytes up to `limit` can be read."""
    while p < e:
        if p + 34 <= limit:
            if beyond32(p) == 0 or leads32(p) == 0:
                p += 32
                continue
            signs = signs32(p)
            if signs == 0:
                p += 32
                continue
            return min(p + trailing_zeros(signs), e)
        sign, _ = read_as(p, e)
        if sign:
            return p
        p += 1
    return e


@njit(I64(U8, I64A, I64A, W64), **JIT)
def holding(data, starts, ends, chosen):
    """Write the numbers of the values that hold one of the characters; the result is how many."""
    base, first, last, n = np.int64(data.ctypes.data), np.int64(len(data)), np.int64(0), np.int64(0)
    for v in range(len(starts)):
        first, last = min(first, starts[v]), max(last, ends[v])
    since, limit = base + first, base + last
    until = next_sign(since, limit, limit)
    if until >= limit:
        return n
    for v in range(len(starts)):
        p = base + starts[v]
        if p < since or p > until:
            since, until = p, next_sign(p, limit, limit)
        if until < base + ends[v]:
            chosen[n] = v
            n += 1
    return n


@njit(I64(U8, I64A, I64A, W8, W64), **JIT)
def write_ascii(data, starts, ends, out, offsets):
    """Write the values ``data[starts[k]:ends[k]]`` with what the characters stand for to ``out[offsets[k]:offsets[k + 1]]``, which has
    `SLACK` bytes more; the result is their size."""
    base, o = np.int64(data.ctypes.data), np.int64(out.ctypes.data)
    begin, limit = o, base + len(data)
    offsets[0] = 0
    for k in range(len(starts)):
        lo, e = base + starts[k], base + ends[k]
        p = lo
        while p < e:
            until = next_sign(p, e, limit)
            o = copy(o, p, until - p, limit)
            p = until
            if p < e:
                sign, n = stands_for(p, lo, e)
                put8(o, sign if sign else at(p))
                o += 1
                p += n
        offsets[k + 1] = o - begin
    return o - begin


@njit(**JIT)
def moved(p, lo, e, limit, until, count):
    """Where `count` characters of what `write_ascii` writes end that begin at p in the value lo…e, whose next sign is at `until`; and the
    next sign from there on."""
    while count > 0 and p < e:
        if p < until:
            step = min(count, until - p)
            p += step
            count -= step
        else:
            _, n = stands_for(p, lo, e)
            p += n
            count -= 1
            until = next_sign(p, e, limit)
    return p, until


@njit(I64(U8, I64A, I64A, I64A, I64A, W64, W64), **JIT)
def written_places(data, starts, ends, offsets, values, firsts, lasts):
    """Replace positions in what `write_ascii` wrote by those in the values, ``data[starts[k]:ends[k]]``; spans are ordered by value
    and start."""
    base, value, p, place, until = np.int64(data.ctypes.data), np.int64(-1), np.int64(0), np.int64(0), np.int64(0)
    limit = base + len(data)
    for k in range(len(values)):
        v = values[k]
        lo, e = base + starts[v], base + ends[v]
        if v != value or firsts[k] < place:
            value, p, place, until = v, lo, offsets[v], next_sign(lo, e, limit)
        p, until = moved(p, lo, e, limit, until, firsts[k] - place)
        place = firsts[k]
        last, _ = moved(p, lo, e, limit, until, lasts[k] - place)
        firsts[k], lasts[k] = p - base, last - base
    return len(values)


@njit(I64(U8, I64A, I64A, W8), **JIT)
def amounts(text, starts, ends, out):
    """Set 1 for each span that is a number with its thousands apart: one to three digits that do not begin with 0, then groups of three
    with spaces before them; else 0."""
    base = np.int64(text.ctypes.data)
    for k in range(len(starts)):
        p, e, n, groups = base + starts[k], base + ends[k], np.int64(0), np.int64(0)
        good = p < e and at(p) != 48
        while p < e and good:
            c = at(p)
            if c == SPACE:
                good = 1 <= n <= 3 and (groups == 0 or n == 3)
                n, groups = np.int64(0), groups + 1
            else:
                good = digit(c)
                n += 1
            p += 1
        out[k] = good and groups > 0 and n == 3
    return len(starts)
