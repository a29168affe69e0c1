# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Calendar dates moved by days, on the bytes of ISO 8601 text."""

import numpy as np

from flink_masking.kernels import I32, I64, I64A, JIT, U8, W8, W32, njit, types
from flink_masking.kernels.instants_kernels import days_from_civil, days_in_month, number
from flink_masking.kernels.memory import at, copy, put8

FIRST_DAY, LAST_DAY = -719162, 2932896
"""0001-01-01 and 9999-12-31 in days since 1970-01-01."""


@njit(types.UniTuple(I64, 3)(I64), **JIT)
def civil_from_days(z):
    """Year, month and day of a number of days since 1970-01-01 (Hinnant, chrono-compatible low-level date algorithms)."""
    z += 719468
    era = (z if z >= 0 else z - 146096) // 146097
    doe = z - era * 146097
    yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    m = mp + 3 if mp < 10 else mp - 9
    return yoe + era * 400 + (m <= 2), m, doy - (153 * mp + 2) // 5 + 1


@njit(I64(I64, I64, I64), **JIT)
def two(p, e, most):
    """The two digits at p as a number of at most `most`, or -1."""
    x = number(p, e, 2)
    return x if x <= most else -1


@njit(I64(I64, I64), **JIT)
def time_length(p, e):
    """Bytes of HH:MM[:SS[.f…]] at p, which Z, ±HH:MM or nothing follows up to e; -1 where that is not so."""
    if p + 5 > e or two(p, e, 23) < 0 or at(p + 2) != 58 or two(p + 3, e, 59) < 0:
        return -1
    q = p + 5
    if q < e and at(q) == 58:
        if two(q + 1, e, 59) < 0:
            return -1
        q += 3
        if q < e and at(q) == 46:
            first = q + 1
            q = first
            while q < e and 48 <= at(q) <= 57:
                q += 1
            if q == first:
                return -1
    n = q - p
    if q == e or (at(q) == 90 and q + 1 == e):
        return n
    if q + 6 != e or (at(q) != 43 and at(q) != 45) or two(q + 1, e, 23) < 0 or at(q + 3) != 58 or two(q + 4, e, 59) < 0:
        return -1
    return n


@njit(I64(I64, I64, I64), **JIT)
def put_digits(o, x, n):
    """Write x as n digits at o, return their end."""
    for k in range(n):
        put8(o + n - 1 - k, 48 + x % 10)
        x //= 10
    return o + n


@njit(types.void(U8, I32, U8, I64A, types.boolean, W8, W32, W8), **JIT)
def shift_dates(data, offsets, valid, days, keep_time, out_, ends, refused):
    """Every date moved by days[k], 0 where it cannot be; refused[k] = 1, and nothing written, where there is no such date or shift."""
    base, out = data.ctypes.data, out_.ctypes.data
    limit = base + len(data)
    o = out
    for k in range(len(offsets) - 1):
        p, e = base + offsets[k], base + offsets[k + 1]
        ends[k + 1] = o - out
        if p == e or (len(valid) and not valid[k]):
            continue
        refused[k] = 1
        if days[k] == 0 or e - p < 10 or at(p + 4) != 45 or at(p + 7) != 45:
            continue
        y, m, d = number(p, e, 4), number(p + 5, e, 2), number(p + 8, e, 2)
        if y < 1 or m < 1 or m > 12 or d < 1 or d > days_in_month(y, m):
            continue
        clock = np.int64(0)
        if e - p > 10:
            clock = time_length(p + 11, e)
            if clock < 0 or (at(p + 10) != 84 and at(p + 10) != 32):
                continue
        day = days_from_civil(y, m, d) + days[k]
        if day < FIRST_DAY or day > LAST_DAY:
            continue
        refused[k] = 0
        y, m, d = civil_from_days(day)
        o = put_digits(o, y, 4)
        put8(o, 45)
        o = put_digits(o + 1, m, 2)
        put8(o, 45)
        o = put_digits(o + 1, d, 2)
        o = copy(o, p + 10, e - p - 10, limit)
        if not keep_time:
            for q in range(o - (e - p - 11), o - (e - p - 11) + clock):
                if 48 <= at(q) <= 57:
                    put8(q, 48)
        ends[k + 1] = o - out
