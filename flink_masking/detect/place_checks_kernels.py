# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Checks of what tells where or when: network addresses, coordinates, dates, ages, postal codes, telephone numbers."""

import numpy as np

from flink_masking.contract.address_kernels import ipv4_fits, ipv6_fits
from flink_masking.contract.code_kernels import mac_fits
from flink_masking.detect.calling_codes_kernels import LENGTHS
from flink_masking.detect.digit_kernels import NOT, STRONG, WEAK, a_day, packed, same_digits, strong
from flink_masking.kernels import JIT, njit
from flink_masking.kernels.characters import digit, letter
from flink_masking.kernels.memory import at


@njit(**JIT)
def ipv4(p, e):
    """An IPv4 address: WEAK where it is private, of this host or reserved."""
    if not ipv4_fits(p, e):
        return NOT
    first, q = np.int64(0), p
    while at(q) != 46:
        first = first * 10 + at(q) - 48
        q += 1
    second = at(q + 1) - 48
    q += 2
    while at(q) != 46:
        second = second * 10 + at(q) - 48
        q += 1
    private = first == 10 or (first == 172 and 16 <= second <= 31) or (first == 192 and second == 168)
    return WEAK if private or first == 0 or first == 127 or first >= 224 or (first == 169 and second == 254) else STRONG


@njit(**JIT)
def ipv6(p, e):
    """An IPv6 address with two colons together or all eight groups; a time of day is none."""
    if not ipv6_fits(p, e):
        return NOT
    signs, q = 0, p
    while q < e:
        signs += at(q) != 58
        q += 1
    return strong(signs >= 3)


@njit(**JIT)
def mac(p, e):
    """The address of a network card that is neither all zeros nor all ones."""
    if not mac_fits(p, e):
        return NOT
    for k in range(1, 17):
        if k % 3 != 2 and at(p + k) | 32 != at(p) | 32:
            return STRONG
    return NOT


@njit(**JIT)
def uuid(p, e):
    """A UUID: STRONG with a version and variant of RFC 9562; no digit repeated all through."""
    version, variant = at(p + 14), at(p + 19) | 32
    for k in range(1, 36):
        if at(p + k) != at(p) and at(p + k) != 45:
            return STRONG if 49 <= version <= 56 and (variant == 56 or variant == 57 or variant == 97 or variant == 98) else WEAK
    return NOT


@njit(**JIT)
def coordinate(p, e):
    """The number p…e before its decimals, and where it ends, without its sign."""
    x = np.int64(0)
    while p < e and (at(p) == 45 or at(p) == 43):
        p += 1
    while p < e and digit(at(p)):
        x = x * 10 + at(p) - 48
        p += 1
    return x, p


@njit(**JIT)
def geo(p, e):
    """A pair of latitude and longitude with decimals: their ranges."""
    latitude, q = coordinate(p, e)
    while q < e and at(q) != 44 and at(q) != 32:
        q += 1
    while q < e and (at(q) == 44 or at(q) == 32):
        q += 1
    longitude, _ = coordinate(q, e)
    return strong(latitude < 90 and longitude < 180)


@njit(**JIT)
def read(p, e):
    """The number at p, where it ends, and where the next digit stands."""
    x = np.int64(0)
    while p < e and digit(at(p)):
        x = x * 10 + at(p) - 48
        p += 1
    q = p
    while q < e and not digit(at(q)):
        q += 1
    return x, q


@njit(**JIT)
def ymd(p, e):
    """A date, the year first."""
    year, q = read(p, e)
    month, q = read(q, e)
    day, _ = read(q, e)
    return strong(a_day(year, month, day))


@njit(**JIT)
def dmy(p, e):
    """A date of three numbers, the year last, day and month in either order."""
    first, q = read(p, e)
    second, q = read(q, e)
    year, _ = read(q, e)
    year += 2000 if year < 100 else 0
    return strong(a_day(year, second, first) or a_day(year, first, second))


@njit(**JIT)
def age(p, e):
    """An age: 1 to 120."""
    while p < e and not digit(at(p)):
        p += 1
    years, _ = read(p, e)
    return strong(1 <= years <= 120)


@njit(**JIT)
def spaced(p, e):
    """A postal code of digits: WEAK whatever the digits, but for equal ones."""
    x, n = packed(p, e)
    return NOT if n > 1 and same_digits(x, n) else WEAK


@njit(**JIT)
def uk_postcode(p, e):
    """A British postal code: the last two letters are not C, I, K, M, O or V."""
    for k in range(1, 3):
        c = at(e - k)
        if c == 67 or c == 73 or c == 75 or c == 77 or c == 79 or c == 86:
            return NOT
    return STRONG


@njit(**JIT)
def phone_international(p, e):
    """A telephone number with its country's code: the number of digits after the code is one that the country has."""
    code, digits, known = np.int64(0), 0, np.int64(0)
    while p < e:
        c = at(p)
        if letter(c):  # an extension
            break
        if digit(c):
            digits += 1
            if known == 0:
                code = code * 10 + c - 48
                if digits <= 3:
                    known = LENGTHS[code]
                    digits = 0 if known else digits
        p += 1
    return strong(known != 0 and (known >> min(digits, 30)) & 1 == 1)


@njit(**JIT)
def phone_nanp(p, e):
    """A North American number: area and exchange begin with 2 to 9, the area is no service."""
    digits, area, exchange = 0, np.int64(0), np.int64(0)
    if at(p) == 43:
        p += 1
    while p < e and digits < 10:
        c = at(p)
        if digit(c) and not (digits == 0 and (c == 48 or c == 49)):
            if digits < 3:
                area = area * 10 + c - 48
            elif digits < 6:
                exchange = exchange * 10 + c - 48
            digits += 1
        p += 1
    return STRONG if digits == 10 and area >= 200 and exchange >= 200 and area % 100 != 11 else WEAK if digits == 10 else NOT


@njit(**JIT)
def phone_national(p, e):
    """A number without a country's code: STRONG with 8 to 15 digits in two to six groups, WEAK without groups; a date is none."""
    digits, groups, inside, equal = 0, 0, False, True
    first, dots, dashes, q = np.int64(-1), 0, 0, p
    while q < e:
        c = at(q)
        if letter(c):
            break
        if digit(c):
            first = c if first < 0 else first
            equal = equal and c == first
            digits += 1
            groups += not inside
            inside = True
        else:
            dots += c == 46
            dashes += c == 45
            inside = False
        q += 1
    if digits < 7 or digits > 15 or equal:
        return NOT
    if groups == 3 and digits == 8 and (dots == 2 or dashes == 2):
        return NOT
    return STRONG if 2 <= groups <= 6 else WEAK if groups == 1 else NOT


@njit(**JIT)
def expiry(p, e):
    """A month and a year: 01 to 12."""
    month, _ = read(p, e)
    return WEAK if 1 <= month <= 12 else NOT
