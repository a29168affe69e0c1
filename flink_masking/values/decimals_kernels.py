"""Kernels between number text and integers of a fixed number of decimals: integer arithmetic only, so nothing is ever a binary fraction."""

import numpy as np

from flink_masking.kernels import I32, I64, I64A, JIT, U8, W8, W32, W64, njit, types
from flink_masking.kernels.memory import at, put8

EXACT, INEXACT, BAD = 0, 1, 2
BELOW, HALF, ABOVE = 1, 2, 3  # what `number` cut off: less than half a unit, exactly half, more
FAR = 1 << 40  # exponents beyond are as good as infinite: no text is that long
LOW = -(1 << 63)
TENTH = -((1 << 63) // 10)  # the smallest magnitude that times ten still fits, as a negative number


@njit(**JIT)
def number(p, e, scale):
    """Read the JSON number (RFC 8259) at p…e, cut towards zero after `scale` decimals.

    Returns (units, rest, negative): units <= 0 is minus the magnitude, because int64 reaches further there; rest is 0, BELOW, HALF or
    ABOVE for what was cut off, -1 where the text is no number or its magnitude does not fit.
    """
    bad = np.int64(0), np.int64(-1), False
    negative = p < e and at(p) == 45
    if negative:
        p += 1
    first = p
    while p < e and 48 <= at(p) <= 57:
        p += 1
    whole = p - first
    if whole == 0 or (whole > 1 and at(first) == 48):
        return bad
    last = p
    if p < e and at(p) == 46:
        p += 1
        while p < e and 48 <= at(p) <= 57:
            p += 1
        if p == last + 1:
            return bad
        last = p
    if p < e and at(p) | 32 == 101:
        p += 1
        minus = p < e and at(p) == 45
        if p < e and (minus or at(p) == 43):
            p += 1
        start, power = p, np.int64(0)
        while p < e and 48 <= at(p) <= 57:
            power = min(power * 10 + at(p) - 48, FAR)
            p += 1
        if p == start:
            return bad
        whole += -power if minus else power
    if p != e:
        return bad
    keep, units, rest = whole + scale, np.int64(0), np.int64(0)  # keep: how many of the digits count, leading zeros included
    if keep < 0:
        rest = np.int64(-2)  # -2: only zeros were cut off so far (here one in front of the text), so no half is in reach
    p = first
    while p < last:
        d = at(p) - 48
        p += 1
        if d == -2:
            continue
        if keep > 0:
            if units < TENTH or (units == TENTH and d > 8):
                return bad
            units = units * 10 - d
        elif keep == 0:
            rest = np.int64(-2) if d == 0 else BELOW if d < 5 else HALF if d == 5 else ABOVE
        elif d:
            rest = BELOW if rest == -2 or rest == BELOW else ABOVE
        keep -= 1
    if rest == -2:
        rest = np.int64(0)
    while keep > 0 and units != 0:
        if units < TENTH:
            return bad
        units *= 10
        keep -= 1
    return units, rest, negative


@njit(**JIT)
def rounded(units, rest, negative):
    """The signed integer nearest to what `number` read, halves to even, and its status."""
    if rest < 0:
        return np.int64(0), BAD
    if rest == ABOVE or (rest == HALF and units & 1):
        if units == LOW:
            return np.int64(0), BAD
        units -= 1
    if not negative:
        if units == LOW:
            return np.int64(0), BAD
        units = -units
    return units, INEXACT if rest else EXACT


@njit(**JIT)
def floored(units, rest, negative):
    """The largest signed integer that is not above what `number` read, and its status."""
    if rest < 0:
        return np.int64(0), BAD
    if negative:
        if rest and units == LOW:
            return np.int64(0), BAD
        return units - (1 if rest else 0), INEXACT if rest else EXACT
    if units == LOW:
        return np.int64(0), BAD
    return -units, INEXACT if rest else EXACT


@njit([(U8, I32, U8, I64, types.boolean, W64, W8)], **JIT)
def parse_numbers(data, offsets, valid, scale, floor, units, status):
    """Number texts to units of 10^-scale; `floor` picks the way of rounding."""
    base = np.int64(data.ctypes.data)
    for k in range(len(offsets) - 1):
        if len(valid) and not valid[k]:
            units[k], status[k] = 0, BAD
            continue
        u, rest, negative = number(base + offsets[k], base + offsets[k + 1], scale)
        units[k], status[k] = floored(u, rest, negative) if floor else rounded(u, rest, negative)


@njit(**JIT)
def put_number(o, units, scale):
    """Write units of 10^-scale as a JSON number with `scale` decimals at o (at most 22 bytes for scale <= 18), return its end."""
    left = np.uint64(units)
    if units < 0:
        put8(o, 45)
        o += 1
        left = np.uint64(0) - left
    digits, x = np.int64(1), left // np.uint64(10)
    while x:
        digits += 1
        x //= np.uint64(10)
    digits = max(digits, scale + 1)
    end = o + digits + (1 if scale else 0)
    p = end
    for k in range(digits):
        if k == scale and scale:
            p -= 1
            put8(p, 46)
        p -= 1
        put8(p, 48 + np.int64(left % np.uint64(10)))
        left //= np.uint64(10)
    return end


@njit([(I64A, U8, I64, W8, W32)], **JIT)
def format_numbers(units, valid, scale, out_, ends):
    """Units of 10^-scale as text, nothing where not valid."""
    out = np.int64(out_.ctypes.data)
    o = out
    for k in range(len(units)):
        if not len(valid) or valid[k]:
            o = put_number(o, units[k], scale)
        ends[k + 1] = o - out
