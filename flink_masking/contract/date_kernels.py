# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Dates, times of day and both, in the ISO 8601 grammar of `flink_masking.kernels.calendar_kernels`."""

import numpy as np

from flink_masking.kernels import JIT, njit
from flink_masking.kernels.calendar_kernels import COLON, NO_ZONE, POINT, date, number, offset, zone_at
from flink_masking.kernels.characters import eight_digits
from flink_masking.kernels.instants_kernels import BAD, instant
from flink_masking.kernels.memory import at
from flink_masking.kernels.wide import load_be32, load_be64

FRACTION = 9  # digits of a second: nanoseconds


@njit(**JIT)
def two(x, shift):
    """The number of two ASCII digits in a word, of which the second lies `shift` bits up."""
    return np.int64((x >> np.uint64(shift + 8)) & np.uint64(15)) * 10 + np.int64((x >> np.uint64(shift)) & np.uint64(15))


@njit(**JIT)
def usual(p):
    """Whether the 20 bytes at p are ``YYYY-MM-DDTHH:MM:SSZ`` with a day up to 28; all others are left to the slow way."""
    a, b, c = load_be64(p), load_be64(p + 8), load_be32(p + 16)
    if a & np.uint64(0xFF0000FF) != np.uint64(0x2D00002D) or b & np.uint64(0x0000FF0000FF0000) != np.uint64(0x00005400003A0000):
        return False
    if c & np.uint64(0xFF0000FF) != np.uint64(0x3A00005A):
        return False
    a = (a & np.uint64(0xFFFFFFFF00FFFF00)) | np.uint64(0x30000030)
    b = (b & np.uint64(0xFFFF00FFFF00FFFF)) | np.uint64(0x0000300000300000)
    c = (c & np.uint64(0x00FFFF00)) | np.uint64(0x3030303030000030)
    if not (eight_digits(a) and eight_digits(b) and eight_digits(c)):
        return False
    month, day = two(a, 8), two(b, 48)
    hour, minute, second = two(b, 24), two(b, 0), two(c, 8)
    return 1 <= month <= 12 and 1 <= day <= 28 and hour < 24 and minute < 60 and second < 60 and a >> np.uint64(32) != np.uint64(0x30303030)


@njit(**JIT)
def date_fits(p, e):
    """Whether p…e is ``YYYY-MM-DD``."""
    return e - p == 10 and date(p, e)[0] > 0


@njit(**JIT)
def moment_fits(p, e):
    """Whether p…e is a date, or a date with a time of day and at most nine decimals of a second."""
    if e - p == 20 and usual(p):
        return True
    if date(p, e)[0] < 0:
        return False
    zone = zone_at(p + 10, e)
    if zone < 0 or offset(zone, e) == NO_ZONE:
        return False
    if zone == p + 10:
        return zone == e
    return not (p + 19 < zone and at(p + 19) == POINT and zone - (p + 20) > FRACTION)


@njit(**JIT)
def time_fits(p, e):
    """Whether p…e is ``HH:MM[:SS[.f…]]``, with at most nine decimals, and nothing, ``Z`` or ``±HH:MM``."""
    hour, minute = number(p, e, 2), number(p + 3, e, 2)
    if not (0 <= hour < 24 and 0 <= minute < 60 and at(p + 2) == COLON):
        return False
    q = p + 5
    if q < e and at(q) == COLON:
        second = number(q + 1, e, 2)
        if not 0 <= second < 60:
            return False
        q += 3
        if q < e and at(q) == POINT:
            first = q + 1
            q = first
            while q < e and 48 <= at(q) <= 57:
                q += 1
            if not 1 <= q - first <= FRACTION:
                return False
    return offset(q, e) != NO_ZONE


@njit(**JIT)
def within(p, e, low, high):
    """Whether the instant p…e (ms since 1970) lies in low…high."""
    x = instant(p, e)
    return x != BAD and low <= x <= high
