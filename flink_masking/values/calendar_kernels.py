"""The Gregorian calendar and ISO 8601 text for kernels: digits, dates, times of day and offsets, at absolute addresses.

One grammar wherever dates are read: ``YYYY-MM-DD``, followed by nothing or by ``T`` (or a space) ``HH:MM[:SS[.f…]]`` and nothing, ``Z`` or
``±HH:MM``. Calendar arithmetic after Howard Hinnant, chrono-compatible low-level date algorithms.
"""

from flink_masking.kernels import I64, JIT, njit, types
from flink_masking.kernels.memory import at, put8

DASH, COLON, POINT, PLUS, SPACE, T, Z = 45, 58, 46, 43, 32, 84, 90


@njit(I64(I64, I64, I64), **JIT)
def number(p, e, n):
    """The n digits at p as an integer, or -1 when they are not there before e."""
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
def put_number(o, x, n):
    """Write x as n digits at o, return their end."""
    for k in range(n):
        put8(o + n - 1 - k, 48 + x % 10)
        x //= 10
    return o + n


@njit(I64(I64), **JIT)
def leap(year):
    """1 for a year with a 29th of February, else 0."""
    return 1 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 0


@njit(I64(I64, I64), **JIT)
def days_in_month(year, month):
    """Number of days of a month."""
    if month == 2:
        return 28 + leap(year)
    return 30 if month == 4 or month == 6 or month == 9 or month == 11 else 31


@njit(I64(I64, I64, I64), **JIT)
def days_from_civil(year, month, day):
    """Days since 1970-01-01 of a date."""
    year -= month <= 2
    era = (year if year >= 0 else year - 399) // 400
    yoe = year - era * 400
    doy = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146097 + yoe * 365 + yoe // 4 - yoe // 100 + doy - 719468


@njit(types.UniTuple(I64, 3)(I64), **JIT)
def civil_from_days(z):
    """Year, month and day of a number of days since 1970-01-01."""
    z += 719468
    era = (z if z >= 0 else z - 146096) // 146097
    doe = z - era * 146097
    yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    month = mp + 3 if mp < 10 else mp - 9
    return yoe + era * 400 + (month <= 2), month, doy - (153 * mp + 2) // 5 + 1


@njit(types.UniTuple(I64, 3)(I64, I64), **JIT)
def date(p, e):
    """Year, month and day of the date that the text p…e begins with; year -1 where it begins with none."""
    if p + 10 <= e and at(p + 4) == DASH and at(p + 7) == DASH:
        year, month, day = number(p, e, 4), number(p + 5, e, 2), number(p + 8, e, 2)
        if year >= 1 and 1 <= month <= 12 and 1 <= day <= days_in_month(year, month):
            return year, month, day
    return -1, 0, 0


@njit(types.UniTuple(I64, 2)(I64, I64), **JIT)
def partial_date(p, e):
    """Year and month of the text p…e, ``YYYY-MM`` or ``YYYY`` (month 0) and nothing more; year -1 where it is neither."""
    year = number(p, e, 4)
    if year >= 1 and e - p == 4:
        return year, 0
    if year >= 1 and e - p == 7 and at(p + 4) == DASH:
        month = number(p + 5, e, 2)
        if 1 <= month <= 12:
            return year, month
    return -1, 0


@njit(I64(I64, I64), **JIT)
def zone_at(p, e):
    """Where the zone begins behind the date that ends at p: p itself without a time of day, -1 for a malformed one; at most e.

    A second is 0 to 59: a leap second is refused.
    """
    if p == e:
        return p
    if p + 6 > e or (at(p) != T and at(p) != SPACE) or at(p + 3) != COLON:
        return -1
    hour, minute = number(p + 1, e, 2), number(p + 4, e, 2)
    if hour < 0 or hour > 23 or minute < 0 or minute > 59:
        return -1
    p += 6
    if p < e and at(p) == COLON:
        second = number(p + 1, e, 2)
        if second < 0 or second > 59:
            return -1
        p += 3
        if p < e and at(p) == POINT:
            first = p + 1
            p = first
            while p < e and 48 <= at(p) <= 57:
                p += 1
            if p == first:
                return -1
    return p


NO_ZONE = 1 << 30
"""What `offset` says of a text that is no zone."""


@njit(I64(I64, I64), **JIT)
def offset(p, e):
    """Minutes east of UTC of the zone p…e: nothing or ``Z`` is 0, ``±HH:MM``; else NO_ZONE."""
    if p == e or (p + 1 == e and at(p) == Z):
        return 0
    if p + 6 != e or (at(p) != PLUS and at(p) != DASH) or at(p + 3) != COLON:
        return NO_ZONE
    hour, minute = number(p + 1, e, 2), number(p + 4, e, 2)
    if hour < 0 or hour > 23 or minute < 0 or minute > 59:
        return NO_ZONE
    east = hour * 60 + minute
    return east if at(p) == PLUS else -east
