# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Dates, times of day and both, in the ISO 8601 grammar of `flink_masking.values.calendar_kernels`."""

import numpy as np

from flink_masking.kernels import JIT, njit
from flink_masking.kernels.characters import shape
from flink_masking.kernels.memory import at
from flink_masking.kernels.wide import load_be32, load_be64
from flink_masking.values.calendar_kernels import COLON, NO_ZONE, POINT, date, days_from_civil, number, offset, partial_date, zone_at
from flink_masking.values.instants_kernels import BAD, instant

FRACTION = 9  # digits of a second: nanoseconds


instant_shape = shape("9999-19-29T29:59:59Z")


@njit(**JIT)
def usual(p):
    """Whether the 20 bytes at p, of 32 that can be read, are ``YYYY-MM-DDTHH:MM:SSZ`` with a day up to 28; others go the slow way."""
    if not instant_shape(p):
        return False
    x = load_be64(p + 5)  # MM-DDTHH: two digits as text compare like their number
    month, day, hour = x >> np.uint64(48), (x >> np.uint64(24)) & np.uint64(0xFFFF), x & np.uint64(0xFFFF)
    return (np.uint64(0x3031) <= month <= np.uint64(0x3132) and np.uint64(0x3031) <= day <= np.uint64(0x3238)
            and hour <= np.uint64(0x3233) and load_be32(p) != np.uint64(0x30303030))


@njit(**JIT)
def date_fits(p, e):
    """Whether p…e is ``YYYY-MM-DD``."""
    return e - p == 10 and date(p, e)[0] > 0


@njit(**JIT)
def moment_fits(p, e):
    """Whether p…e is a date, or a date with a time of day and at most nine decimals of a second."""
    if date(p, e)[0] < 0:
        return False
    zone = zone_at(p + 10, e)
    if zone < 0 or offset(zone, e) == NO_ZONE:
        return False
    if zone == p + 10:
        return zone == e
    return not (p + 19 < zone and at(p + 19) == POINT and zone - (p + 20) > FRACTION)


@njit(**JIT)
def partial_fits(p, e):
    """Whether p…e is a year, a month, or what `moment_fits`."""
    return partial_date(p, e)[0] > 0 or moment_fits(p, e)


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
    """Whether the instant p…e (ms since 1970) lies in low…high; of a year or a month, its beginning."""
    year, month = partial_date(p, e)
    x = days_from_civil(year, month if month else 1, 1) * 86_400_000 if year > 0 else instant(p, e)
    return x != BAD and low <= x <= high
