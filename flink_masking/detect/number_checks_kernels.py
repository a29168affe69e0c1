# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Checks of identifiers that are digits: candidates p…e, separators inside, already of the right form.

Each returns `NOT`, `WEAK` or `STRONG`. Sources: the issuers' rules as described by Wikipedia, and in the tests python-stdnum as the oracle.
"""

import numpy as np

from flink_masking.contract.digits_kernels import POINT, card_groups_fit
from flink_masking.detect.digit_kernels import (
    NOT,
    STRONG,
    WEAK,
    a_day,
    digits_of,
    falling,
    iso7064_11_10,
    luhn,
    luhn_text,
    nth,
    packed,
    same_digits,
    some_day,
    strong,
    value,
    verhoeff,
    weighted,
)
from flink_masking.kernels import JIT, njit


@njit(**JIT)
def card(p, e):
    """A payment card: Luhn's check; STRONG where the number is of an issuer's range and of a length that the issuer uses."""
    if not card_groups_fit(p, e, POINT):
        return NOT
    x, n = packed(p, e)
    six = value(x, min(n, 16) - 6, 6)
    if n == 17:  # 17 to 19 digits: the first 16 are packed
        n = digits_of(p, e)
    elif same_digits(x, n):
        return NOT
    two, three, four = six // 10000, six // 1000, six // 100
    known = ((two // 10 == 4 and n in (13, 16, 19)) or (n == 16 and (51 <= two <= 55 or 2221 <= four <= 2720))
             or (n == 15 and two in (34, 37)) or (n >= 16 and (four == 6011 or 644 <= three <= 649 or two == 65 or two == 62))
             or (n >= 16 and 3528 <= four <= 3589) or (14 <= n <= 19 and (two in (36, 38, 39) or 300 <= three <= 305 or three == 309))
             or (n >= 16 and 2200 <= four <= 2204) or two == 50 or 56 <= two <= 58 or four in (6304, 6759, 6761, 6762, 6763))
    return STRONG if known else WEAK


@njit(**JIT)
def imei(p, e):
    """An IMEI: 15 digits with Luhn's check."""
    x, n = packed(p, e)
    return strong(n == 15 and luhn(x, n, 0) and not same_digits(x, n))


@njit(**JIT)
def iccid(p, e):
    """The number of a SIM card: 89, 18 to 20 digits, Luhn's check (ITU-T E.118)."""
    return strong(luhn_text(p, e))


@njit(**JIT)
def imsi(p, e):
    """An IMSI: 15 digits whose country code is of ITU-T E.212's ranges."""
    x, n = packed(p, e)
    return WEAK if n == 15 and 202 <= value(x, 12, 3) <= 750 else NOT


@njit(**JIT)
def ssn(p, e):
    """A US social security number: area, group and serial in use; no number of an advertisement."""
    x, n = packed(p, e)
    area, group, serial = value(x, 6, 3), value(x, 4, 2), value(x, 0, 4)
    known = (area == 78 and group == 5 and serial == 1120) or (area == 219 and group == 9 and serial == 9999)
    known = known or (area == 457 and group == 55 and serial == 5462)
    return strong(n == 9 and 0 < area < 900 and area != 666 and group > 0 and serial > 0 and not known)


@njit(**JIT)
def itin(p, e):
    """A US individual taxpayer number: 9, and a group in use."""
    x, n = packed(p, e)
    group = value(x, 4, 2)
    return strong(n == 9 and nth(x, 8) == 9 and (50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or 94 <= group <= 99))


EIN_UNUSED = np.array((0, 7, 8, 9, 17, 18, 19, 28, 29, 49, 69, 70, 78, 79, 89, 96, 97), np.int64)


@njit(**JIT)
def ein(p, e):
    """A US employer number: a prefix in use."""
    x, n = packed(p, e)
    prefix = value(x, 7, 2)
    for k in range(len(EIN_UNUSED)):
        if prefix == EIN_UNUSED[k]:
            return NOT
    return WEAK if n == 9 else NOT


@njit(**JIT)
def aba(p, e):
    """A US routing number: weights 3, 7, 1 and a prefix in use."""
    x, n = packed(p, e)
    two = value(x, 7, 2)
    used = two <= 12 or 21 <= two <= 32 or 61 <= two <= 72 or two == 80
    return strong(n == 9 and used and x != 0 and weighted(x, n, 0x371371371, 9) % 10 == 0)


@njit(**JIT)
def npi(p, e):
    """A US provider number: Luhn's check with 80840 before it."""
    x, n = packed(p, e)
    return strong(n == 10 and nth(x, 9) in (1, 2) and luhn(x, n, 24))


@njit(**JIT)
def nhs(p, e):
    """A British NHS number: weights 10 to 2, modulo 11."""
    x, n = packed(p, e)
    return strong(n == 10 and falling(x, n, 9, 10) % 11 == (11 - nth(x, 0)) % 11 and nth(x, 0) + falling(x, n, 9, 10) > 0
                  and not same_digits(x, n))


@njit(**JIT)
def sin(p, e):
    """A Canadian social insurance number: Luhn's check; 0 and 8 do not begin one."""
    x, n = packed(p, e)
    return strong(n == 9 and nth(x, 8) not in (0, 8) and luhn(x, n, 0) and not same_digits(x, n))


@njit(**JIT)
def tfn(p, e):
    """An Australian tax file number: weights, modulo 11."""
    x, n = packed(p, e)
    if n == 8:
        return strong(weighted(x, n, 0x14375869, 8) % 11 == 0 and x != 0)
    return strong(n == 9 and weighted(x, n, 0x14375869A, 9) % 11 == 0 and x != 0)


@njit(**JIT)
def abn(p, e):
    """An Australian business number: weights, modulo 89, the first digit less one."""
    x, n = packed(p, e)
    total = (nth(x, 10) - 1) * 10
    for k in range(10):
        total += nth(x, 9 - k) * (2 * k + 1)
    return strong(n == 11 and nth(x, 10) > 0 and total % 89 == 0)


@njit(**JIT)
def acn(p, e):
    """An Australian company number: weights 8 to 1, modulo 10."""
    x, n = packed(p, e)
    return strong(n == 9 and (falling(x, n, 8, 8) + nth(x, 0)) % 10 == 0 and not same_digits(x, n))


@njit(**JIT)
def medicare_au(p, e):
    """An Australian Medicare number: 2 to 6, weights, modulo 10, an issue of 1 to 9."""
    x, n = packed(p, e)
    if n < 10 or n > 11:
        return NOT
    good = 2 <= nth(x, n - 1) <= 6 and nth(x, n - 10) > 0
    return strong(good and weighted(x, n, 0x13791379, 8) % 10 == nth(x, n - 9))


@njit(**JIT)
def ird(p, e):
    """A New Zealand tax number: 8 or 9 digits, weights, modulo 11, a second set of weights where the first gives 10."""
    x, n = packed(p, e)
    number = value(x, 0, n)
    if n < 8 or n > 9 or not 10_000_000 < number < 150_000_000:
        return NOT
    check = -weighted(x, 9, 0x32765432, 8) % 11
    if check == 10:
        check = -weighted(x, 9, 0x74325276, 8) % 11
    return strong(check == nth(x, 0))


@njit(**JIT)
def aadhaar(p, e):
    """An Indian Aadhaar number: Verhoeff's check; not the same from both ends."""
    x, n = packed(p, e)
    if n != 12 or nth(x, 11) < 2:
        return NOT
    mirrored = True
    for k in range(6):
        mirrored = mirrored and nth(x, k) == nth(x, 11 - k)
    return strong(not mirrored and verhoeff(x, n))


@njit(**JIT)
def steuer_id(p, e):
    """A German tax number: ISO 7064 MOD 11,10; of the first ten digits one occurs twice or three times."""
    x, n = packed(p, e)
    if n != 11 or nth(x, 10) == 0:
        return NOT
    counts = np.int64(0)
    for k in range(1, 11):
        counts += np.int64(1) << (4 * nth(x, k))
    several = 0
    for d in range(10):
        c = (counts >> (4 * d)) & 15
        several += 1 if c > 1 else 0
        if c > 3:
            return NOT
    return strong(several == 1 and iso7064_11_10(x, n))


@njit(**JIT)
def bsn(p, e):
    """A Dutch citizen number: 8 or 9 digits, weights 9 to 2 and -1, modulo 11."""
    x, n = packed(p, e)
    return strong(8 <= n <= 9 and x != 0 and (falling(x, 9, 8, 9) - nth(x, 0)) % 11 == 0 and not same_digits(x, n))


@njit(**JIT)
def belgian(p, e):
    """A Belgian national number: a date, 97 less the rest modulo 97; 2 before the rest for births from 2000 on."""
    x, n = packed(p, e)
    if n != 11:
        return NOT
    month = value(x, 7, 2) % 20
    day = value(x, 5, 2)
    rest, check = value(x, 2, 9), value(x, 0, 2)
    if month > 12 or day > 31 or rest == 0:
        return NOT
    return strong(97 - rest % 97 == check or (value(x, 9, 2) <= 40 and 97 - (2_000_000_000 + rest) % 97 == check))


@njit(**JIT)
def ean13(p, e):
    """Thirteen digits with the check digit of an EAN."""
    x, n = packed(p, e)
    return strong(n == 13 and weighted(x, n, 0x1313131313131, 13) % 10 == 0)


@njit(**JIT)
def pesel(p, e):
    """A Polish PESEL: weights, modulo 10; the century is in the month."""
    x, n = packed(p, e)
    month = value(x, 7, 2)
    good = n == 11 and some_day(value(x, 9, 2), month % 20, value(x, 5, 2))
    return strong(good and (weighted(x, n, 0x1379137913, 10) + nth(x, 0)) % 10 == 0)


@njit(**JIT)
def nip(p, e):
    """A Polish tax number: weights, modulo 11."""
    x, n = packed(p, e)
    return strong(n == 10 and not same_digits(x, n) and nth(x, 9) > 0
                  and weighted(x, n, 0x657234567, 9) % 11 == nth(x, 0))


@njit(**JIT)
def regon(p, e):
    """A Polish business number: 9 or 14 digits, weights, modulo 11 and 10."""
    x, n = packed(p, e)
    if n != 9 and n != 14:
        return NOT
    if x == 0 or weighted(x, n, 0x89234567, 8) % 11 % 10 != nth(x, n - 9):
        return NOT
    return strong(n == 9 or weighted(x, n, 0x2485097361248, 13) % 11 % 10 == nth(x, 0))


@njit(**JIT)
def personnummer(p, e):
    """A Swedish personal number: a date (day plus 60 for coordination numbers), Luhn's check over the last ten digits."""
    x, n = packed(p, e)
    day = value(x, 4, 2)
    day -= 60 if day > 60 else 0
    month = value(x, 6, 2)
    dated = a_day(value(x, 8, 4), month, day) if n == 12 else some_day(value(x, 8, 2), month, day)
    return strong((n == 10 or n == 12) and dated and luhn(x, 10, 0))


@njit(**JIT)
def fodselsnummer(p, e):
    """A Norwegian birth number: two weighted sums modulo 11; day or month may be shifted by 40 (D and H numbers)."""
    x, n = packed(p, e)
    day, month = value(x, 9, 2), value(x, 7, 2)
    day -= 40 if day > 40 else 0
    month -= 40 if month > 40 else 0
    good = n == 11 and some_day(value(x, 5, 2), month, day)
    return strong(good and weighted(x, n, 0x3761894521, 10) % 11 == 0
                  and weighted(x, n, 0x54327654321, 11) % 11 == 0)


@njit(**JIT)
def cpr(p, e):
    """A Danish civil number: a date; STRONG with the check modulo 11, which numbers since 2007 need not have."""
    x, n = packed(p, e)
    if n != 10 or not some_day(value(x, 4, 2), value(x, 6, 2), value(x, 8, 2)):
        return NOT
    return STRONG if weighted(x, n, 0x4327654321, 10) % 11 == 0 else WEAK


@njit(**JIT)
def kennitala(p, e):
    """An Icelandic identification number: a date (day plus 40 for companies), weights, modulo 11, a century of 9 or 0."""
    x, n = packed(p, e)
    day = value(x, 8, 2)
    day -= 40 if day > 40 else 0
    century = nth(x, 0)
    if n != 10 or (century != 9 and century != 0):
        return NOT
    year = (1900 if century == 9 else 2000) + value(x, 4, 2)
    return strong(a_day(year, value(x, 6, 2), day) and weighted(x, n, 0x327654321, 9) % 11 == 0)


@njit(**JIT)
def cpf(p, e):
    """A Brazilian personal number: two check digits modulo 11."""
    x, n = packed(p, e)
    if n != 11 or same_digits(x, n):
        return NOT
    first = falling(x, 11, 9, 10) * 10 % 11 % 10
    second = falling(x, 11, 10, 11) * 10 % 11 % 10
    return strong(first == nth(x, 1) and second == nth(x, 0))


@njit(**JIT)
def cnpj(p, e):
    """A Brazilian company number: two check digits modulo 11."""
    x, n = packed(p, e)
    if n != 14 or same_digits(x, n):
        return NOT
    first = weighted(x, n, 0x543298765432, 12) % 11
    second = weighted(x, n, 0x6543298765432, 13) % 11
    return strong((0 if first < 2 else 11 - first) == nth(x, 1) and (0 if second < 2 else 11 - second) == nth(x, 0))


@njit(**JIT)
def rrn(p, e):
    """A Korean resident or foreigner number: a date; STRONG with the check digit, which numbers since October 2020 need not have."""
    x, n = packed(p, e)
    if n != 13 or not some_day(value(x, 11, 2), value(x, 9, 2), value(x, 7, 2)):
        return NOT
    total = weighted(x, n, 0x234567892345, 12)
    foreign = 5 <= nth(x, 6) <= 8
    return STRONG if (11 - total % 11 + (2 if foreign else 0)) % 10 == nth(x, 0) or (11 - total % 11) % 10 == nth(x, 0) else WEAK


@njit(**JIT)
def brn(p, e):
    """A Korean business number: weights, modulo 10."""
    x, n = packed(p, e)
    if n != 10 or value(x, 7, 3) < 101:
        return NOT
    total = weighted(x, n, 0x137137135, 9) + nth(x, 1) * 5 // 10
    return strong((total + nth(x, 0)) % 10 == 0 and nth(x, 9) > 0)


@njit(**JIT)
def tckn(p, e):
    """A Turkish identity number: two check digits modulo 10."""
    x, n = packed(p, e)
    odd = nth(x, 10) + nth(x, 8) + nth(x, 6) + nth(x, 4) + nth(x, 2)
    even = nth(x, 9) + nth(x, 7) + nth(x, 5) + nth(x, 3)
    return strong(n == 11 and nth(x, 10) > 0 and (odd * 7 - even) % 10 == nth(x, 1) and (odd + even + nth(x, 1)) % 10 == nth(x, 0))
