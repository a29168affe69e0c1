"""The kernel of generalize for places: the geohash cell (G. Niemeyer, 2008) of a JSON object with a latitude and a longitude."""

import numpy as np

from flink_masking.contract.place_kernels import DECIMALS, DEGREE, LATITUDE, LONGITUDE, blank, name_of
from flink_masking.kernels import I32, I64, JIT, U8, W8, W32, njit
from flink_masking.kernels.memory import at, put8
from flink_masking.values.decimals_kernels import BAD, floored, number


@njit(**JIT)
def after_string(p, e):
    """The address behind the string whose opening quote is at p, or -1."""
    p += 1
    while p < e and at(p) != 34:
        p += 2 if at(p) == 92 else 1
    return p + 1 if p < e else np.int64(-1)


@njit(**JIT)
def after_value(p, e):
    """The address behind the JSON value at p, or -1; its inside is not checked, the scanner of the record has done that."""
    depth = 0
    while p < e:
        c = at(p)
        if c == 34:
            p = after_string(p, e)
            if p < 0 or depth == 0:
                return p
            continue
        if depth == 0 and (c == 44 or c == 125 or c == 93):
            return p
        if c == 123 or c == 91:
            depth += 1
        elif c == 125 or c == 93:
            depth -= 1
            if depth == 0:
                return p + 1
        p += 1
    return np.int64(-1)


@njit(**JIT)
def place(p, e):
    """Latitude and longitude of the object at p…e in units of 10^-DECIMALS degrees, and whether each was found once and is a number."""
    none = np.int64(0), np.int64(0), False
    latitude, longitude, seen = np.int64(0), np.int64(0), 0
    p = blank(p, e)
    if p == e or at(p) != 123:
        return none
    p += 1
    while True:
        p = blank(p, e)
        if p == e or at(p) != 34:
            return none
        key, p = p + 1, after_string(p, e)
        if p < 0:
            return none
        n = p - 1 - key
        for q in range(key, p - 1):
            if at(q) == 92:  # a key with escapes could spell a second latitude
                return none
        p = blank(p, e)
        if p == e or at(p) != 58:
            return none
        p = blank(p + 1, e)
        start, p = p, after_value(p, e)
        if p < 0:
            return none
        which = name_of(key, n)
        if which in (LATITUDE, LONGITUDE):
            end = p
            while end > start and at(end - 1) <= 32:
                end -= 1
            units, rest, negative = number(start, end, DECIMALS)
            x, status = floored(units, rest, negative)
            if status == BAD or seen >> which & 1:
                return none
            seen |= 1 << which
            if which == LONGITUDE:
                longitude = x
            else:
                latitude = x
        p = blank(p, e)
        if p < e and at(p) == 44:
            p += 1
            continue
        if p == e or at(p) != 125 or blank(p + 1, e) != e:
            return none
        return latitude, longitude, seen == 3


@njit([(U8, I32, U8, U8, I64, W8, W8, W32)], **JIT)
def geohash_rows(data, offsets, valid, alphabet_, length, refused, out_, ends):
    """The geohash of `length` characters for each object; exact integer bisection, the upper edge belongs to the last cell."""
    base, out, alphabet = np.int64(data.ctypes.data), np.int64(out_.ctypes.data), np.int64(alphabet_.ctypes.data)
    o = out
    for k in range(len(offsets) - 1):
        refused[k] = 0
        if not len(valid) or valid[k]:
            latitude, longitude, found = place(base + offsets[k], base + offsets[k + 1])
            if not found or not (-90 * DEGREE <= latitude <= 90 * DEGREE and -180 * DEGREE <= longitude <= 180 * DEGREE):
                refused[k] = 1
            else:
                x, y = longitude + 180 * DEGREE, latitude + 90 * DEGREE
                for j in range(length):
                    cell = np.int64(0)
                    for bit in range(5):
                        if (j * 5 + bit) & 1:
                            y *= 2
                            above = y >= 180 * DEGREE
                            y -= 180 * DEGREE * above
                        else:
                            x *= 2
                            above = x >= 360 * DEGREE
                            x -= 360 * DEGREE * above
                        cell = 2 * cell + above
                    put8(o + j, at(alphabet + cell))
                o += length
        ends[k + 1] = o - out
