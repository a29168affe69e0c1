"""The kernel of generalize for dates: ISO 8601 text is checked and cut to a level."""

import numpy as np

from flink_masking.kernels import I32, I64, JIT, U8, W8, W32, njit
from flink_masking.kernels.memory import at, copy, put8

HOUR, DAY, WEEK, MONTH, QUARTER, YEAR = 0, 1, 2, 3, 4, 5


@njit(**JIT)
def digits(p, n):
    """The number that the n digits at p make, or -1."""
    x = np.int64(0)
    for k in range(n):
        d = at(p + k) - 48
        if d < 0 or d > 9:
            return np.int64(-1)
        x = x * 10 + d
    return x


@njit(**JIT)
def put_digits(o, x, n):
    """Write x with n digits, return the end."""
    for k in range(n):
        put8(o + n - 1 - k, 48 + x % 10)
        x //= 10
    return o + n


@njit(**JIT)
def leap(year):
    """Whether the (Gregorian) year has a 29th of February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


@njit(**JIT)
def month_length(year, month):
    """Days of the month."""
    return np.int64(28 + leap(year)) if month == 2 else np.int64(30) if month in (4, 6, 9, 11) else np.int64(31)


@njit(**JIT)
def zone(p, e):
    """Whether p…e is empty, ``Z`` or ``±HH:MM``."""
    if p == e or (p + 1 == e and at(p) == 90):
        return True
    return p + 6 == e and (at(p) == 43 or at(p) == 45) and at(p + 3) == 58 and 0 <= digits(p + 1, 2) <= 23 and 0 <= digits(p + 4, 2) <= 59


@njit(**JIT)
def after_time(p, e):
    """Where the zone starts behind the ``THH:MM[:SS[.f…]]`` at p, or -1 where that is none; a leap second is a second."""
    if p + 6 > e or at(p) != 84 or at(p + 3) != 58 or not (0 <= digits(p + 1, 2) <= 23 and 0 <= digits(p + 4, 2) <= 59):
        return np.int64(-1)
    p += 6
    if p < e and at(p) == 58:
        if p + 3 > e or not 0 <= digits(p + 1, 2) <= 60:
            return np.int64(-1)
        p += 3
        if p < e and at(p) == 46:
            p += 1
            start = p
            while p < e and 48 <= at(p) <= 57:
                p += 1
            if p == start:
                return np.int64(-1)
    return p


@njit(**JIT)
def iso_week(year, month, day):
    """The ISO year and week of a date: weeks start on Monday and belong to the year of their Thursday."""
    ordinal = day
    for m in range(1, month):
        ordinal += month_length(year, m)
    before = year - 1
    weekday = (before * 365 + before // 4 - before // 100 + before // 400 + ordinal - 1) % 7  # 0001-01-01 was a Monday
    thursday = ordinal - weekday + 3
    if thursday < 1:
        return year - 1, (thursday + 365 + leap(year - 1) + 6) // 7
    length = 365 + leap(year)
    return (year, (thursday + 6) // 7) if thursday <= length else (year + 1, np.int64(1))


@njit([(U8, I32, U8, I64, W8, W8, W32)], **JIT)
def date_rows(data, offsets, valid, level, refused, out_, ends):
    """Cut each date to the level; empty texts stay empty, others that are no date (for HOUR: have no time) are refused."""
    base, out = np.int64(data.ctypes.data), np.int64(out_.ctypes.data)
    limit, o = base + len(data), out
    for k in range(len(offsets) - 1):
        p, e = base + offsets[k], base + offsets[k + 1]
        refused[k] = 0
        if p < e and (not len(valid) or valid[k]):
            refused[k] = 1
            if p + 10 <= e and at(p + 4) == 45 and at(p + 7) == 45:
                year, month, day = digits(p, 4), digits(p + 5, 2), digits(p + 8, 2)
                q = p + 10
                timed = q < e and at(q) == 84
                if timed:
                    q = after_time(q, e)
                fine = year >= 1 and 1 <= month <= 12 and 1 <= day <= month_length(year, month) and q >= 0 and zone(q, e)
                if fine and (timed or level != HOUR):
                    refused[k] = 0
                    if level == HOUR:
                        o = copy(copy(o, p, 13, limit), q, e - q, limit)
                    elif level == DAY:
                        o = copy(o, p, 10, limit)
                    elif level == MONTH:
                        o = copy(o, p, 7, limit)
                    elif level == YEAR:
                        o = copy(o, p, 4, limit)
                    elif level == QUARTER:
                        o = copy(o, p, 5, limit)
                        put8(o, 81)
                        o = put_digits(o + 1, (month + 2) // 3, 1)
                    else:
                        week_year, week = iso_week(year, month, day)
                        o = put_digits(o, week_year, 4)
                        put8(o, 45)
                        put8(o + 1, 87)
                        o = put_digits(o + 2, week, 2)
        ends[k + 1] = o - out
