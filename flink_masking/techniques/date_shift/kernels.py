# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Calendar dates moved by days, on the bytes of ISO 8601 text."""


from flink_masking.kernels import I32, I64A, JIT, U8, W8, W32, njit, types
from flink_masking.kernels.memory import at, copy, put8
from flink_masking.values.calendar_kernels import (
    DASH,
    NO_ZONE,
    civil_from_days,
    date,
    days_from_civil,
    offset,
    partial_date,
    put_number,
    zone_at,
)

FIRST_DAY, LAST_DAY = -719162, 2932896
"""0001-01-01 and 9999-12-31 in days since 1970-01-01."""


@njit(types.void(U8, I32, U8, I64A, types.boolean, types.boolean, W8, W32, W8), **JIT)
def shift_dates(data, offsets, valid, days, keep_time, partial, out_, ends, refused):
    """Every date moved by days[k], 0 where it cannot be; refused[k] = 1, and nothing written, where there is no such date or shift.

    Where `partial`, a month or a year is moved by its middle and cut again.
    """
    base, out = data.ctypes.data, out_.ctypes.data
    limit = base + len(data)
    o = out
    for k in range(len(offsets) - 1):
        p, e = base + offsets[k], base + offsets[k + 1]
        ends[k + 1] = o - out
        if p == e or (len(valid) and not valid[k]):
            continue
        refused[k] = 1
        y, m = partial_date(p, e) if partial and e - p < 10 else (-1, 0)
        if y > 0 and days[k] != 0:
            day = days_from_civil(y, m if m else 7, 15 if m else 2) + days[k]
            if day < FIRST_DAY or day > LAST_DAY:
                continue
            refused[k] = 0
            y, month, d = civil_from_days(day)
            o = put_number(o, y, 4)
            if m:
                put8(o, DASH)
                o = put_number(o + 1, month, 2)
            ends[k + 1] = o - out
            continue
        y, m, d = date(p, e)
        if days[k] == 0 or y < 0:
            continue
        zone = zone_at(p + 10, e)
        if zone < 0 or (zone == p + 10 and zone != e) or offset(zone, e) == NO_ZONE:
            continue
        day = days_from_civil(y, m, d) + days[k]
        if day < FIRST_DAY or day > LAST_DAY:
            continue
        refused[k] = 0
        y, m, d = civil_from_days(day)
        o = put_number(o, y, 4)
        put8(o, DASH)
        o = put_number(o + 1, m, 2)
        put8(o, DASH)
        o = put_number(o + 1, d, 2)
        o = copy(o, p + 10, e - p - 10, limit)
        if not keep_time:
            for q in range(o - (e - p - 10), o - (e - zone)):
                if 48 <= at(q) <= 57:
                    put8(q, 48)
        ends[k + 1] = o - out
