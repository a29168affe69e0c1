"""ISO 8601 date-times to milliseconds since 1970-01-01T00:00:00Z, a column at a time."""

import numpy as np

from flink_masking.kernels import I32, I64, JIT, U8, W8, W64, njit
from flink_masking.kernels.memory import at

BAD = -(1 << 62)


@njit(I64(I64, I64, I64), **JIT)
def number(p, e, n):
    """The n digits at p as an integer, or -1 when they are not there."""
    if p + n > e:
        return -1
    x = 0
    for k in range(n):
        c = at(p + k) - 48
        if c < 0 or c > 9:
            return -1
        x = x * 10 + c
    return x


@njit(I64(I64, I64, I64), **JIT)
def days_from_civil(y, m, d):
    """Days since 1970-01-01 of a proleptic Gregorian date (Hinnant, chrono-compatible low-level date algorithms)."""
    y -= m <= 2
    era = (y if y >= 0 else y - 399) // 400
    yoe = y - era * 400
    doy = (153 * (m - 3 if m > 2 else m + 9) + 2) // 5 + d - 1
    return era * 146097 + yoe * 365 + yoe // 4 - yoe // 100 + doy - 719468


@njit(I64(I64, I64), **JIT)
def days_in_month(y, m):
    """Number of days of a month."""
    if m == 2:
        return 29 if y % 4 == 0 and (y % 100 != 0 or y % 400 == 0) else 28
    return 30 if m == 4 or m == 6 or m == 9 or m == 11 else 31


@njit(I64(I64, I64), **JIT)
def instant(p, e):
    """Milliseconds of the text p..e: YYYY-MM-DD, or with T or a space HH:MM[:SS[.f…]] and Z or ±HH:MM; BAD when it is no such text.

    Without an offset the time is taken as UTC. Digits beyond milliseconds are cut. A leap second (:60) is refused.
    """
    if p + 10 > e or at(p + 4) != 45 or at(p + 7) != 45:
        return BAD
    y, m, d = number(p, e, 4), number(p + 5, e, 2), number(p + 8, e, 2)
    if y < 1 or m < 1 or m > 12 or d < 1 or d > days_in_month(y, m):
        return BAD
    total = days_from_civil(y, m, d) * 86_400_000
    p += 10
    if p == e:
        return total
    c = at(p)
    if (c != 84 and c != 116 and c != 32) or p + 6 > e or at(p + 3) != 58:
        return BAD
    hour, minute = number(p + 1, e, 2), number(p + 4, e, 2)
    if hour < 0 or hour > 23 or minute < 0 or minute > 59:
        return BAD
    total += hour * 3_600_000 + minute * 60_000
    p += 6
    if p < e and at(p) == 58:
        second = number(p + 1, e, 2)
        if second < 0 or second > 59:
            return BAD
        total += second * 1000
        p += 3
        if p < e and (at(p) == 46 or at(p) == 44):
            p += 1
            unit, first = 100, p
            while p < e and 48 <= at(p) <= 57:
                total += (at(p) - 48) * unit
                unit //= 10
                p += 1
            if p == first:
                return BAD
    if p == e:
        return total
    c = at(p)
    if c == 90 or c == 122:
        return total if p + 1 == e else BAD
    if c != 43 and c != 45:
        return BAD
    oh = number(p + 1, e, 2)
    p += 3
    if p < e and at(p) == 58:
        p += 1
    om = number(p, e, 2)
    if oh < 0 or oh > 23 or om < 0 or om > 59 or p + 2 != e:
        return BAD
    shift = oh * 3_600_000 + om * 60_000
    return total - shift if c == 43 else total + shift


@njit([(U8, I32, W64, W8)], **JIT)
def parse_instants(data, offsets, out, ok):
    """Parse every value; ok[k] = 0 and out[k] = 0 where the text is no date-time."""
    base = np.int64(data.ctypes.data)
    for k in range(len(offsets) - 1):
        x = instant(base + offsets[k], base + offsets[k + 1])
        ok[k] = x != BAD
        out[k] = x if x != BAD else 0
