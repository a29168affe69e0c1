"""The kernel of generalize for dates: ISO 8601 text is checked and cut to a level."""

import numpy as np

from flink_masking.kernels import I32, I64, JIT, U8, W8, W32, njit, types
from flink_masking.kernels.memory import copy, put8
from flink_masking.values.calendar_kernels import DASH, NO_ZONE, T, date, days_in_month, leap, offset, partial_date, put_number, zone_at

HOUR, DAY, WEEK, MONTH, QUARTER, YEAR = 0, 1, 2, 3, 4, 5


@njit(**JIT)
def iso_week(year, month, day):
    """The ISO year and week of a date: weeks start on Monday and belong to the year of their Thursday."""
    ordinal = day
    for m in range(1, month):
        ordinal += days_in_month(year, m)
    before = year - 1
    weekday = (before * 365 + before // 4 - before // 100 + before // 400 + ordinal - 1) % 7  # 0001-01-01 was a Monday
    thursday = ordinal - weekday + 3
    if thursday < 1:
        return year - 1, (thursday + 365 + leap(year - 1) + 6) // 7
    length = 365 + leap(year)
    return (year, (thursday + 6) // 7) if thursday <= length else (year + 1, np.int64(1))


@njit([(U8, I32, U8, I64, types.boolean, W8, W8, W32)], **JIT)
def date_rows(data, offsets, valid, level, partial, refused, out_, ends):
    """Cut each date to the level; empty texts stay empty, others that are no date (for HOUR: have no time) are refused.

    Where `partial`, a year or a month is cut as a date is, and stays where it is no finer than the level.
    """
    base, out = np.int64(data.ctypes.data), np.int64(out_.ctypes.data)
    limit, o = base + len(data), out
    for k in range(len(offsets) - 1):
        p, e = base + offsets[k], base + offsets[k + 1]
        refused[k] = 0
        if p < e and (not len(valid) or valid[k]):
            refused[k] = 1
            year, month = partial_date(p, e) if partial and level != HOUR and e - p < 10 else (np.int64(-1), np.int64(0))
            if year > 0:
                refused[k] = 0
                if month and level == QUARTER:
                    o = copy(o, p, 5, limit)
                    put8(o, 81)
                    o = put_number(o + 1, (month + 2) // 3, 1)
                else:
                    o = copy(o, p, 4 if level == YEAR else e - p, limit)
                ends[k + 1] = o - out
                continue
            year, month, day = date(p, e)
            q = zone_at(p + 10, e) if year > 0 else np.int64(-1)
            fine = q >= 0 and (q == e or (q > p + 10 and offset(q, e) != NO_ZONE))
            if fine and (q > p + 10 or level != HOUR):
                refused[k] = 0
                if level == HOUR:
                    o = copy(o, p, 10, limit)
                    put8(o, T)
                    o = copy(copy(o + 1, p + 11, 2, limit), q, e - q, limit)
                elif level == DAY:
                    o = copy(o, p, 10, limit)
                elif level == MONTH:
                    o = copy(o, p, 7, limit)
                elif level == YEAR:
                    o = copy(o, p, 4, limit)
                elif level == QUARTER:
                    o = copy(o, p, 5, limit)
                    put8(o, 81)
                    o = put_number(o + 1, (month + 2) // 3, 1)
                else:
                    week_year, week = iso_week(year, month, day)
                    o = put_number(o, week_year, 4)
                    put8(o, DASH)
                    put8(o + 1, 87)
                    o = put_number(o + 2, week, 2)
        ends[k + 1] = o - out
