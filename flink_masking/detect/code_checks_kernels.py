# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Checks of identifiers with letters: candidates p…e, separators inside, already of the right form.

Each returns `NOT`, `WEAK` or `STRONG`. Sources as in `number_checks_kernels`.
"""

import numpy as np

from flink_masking.detect.digit_kernels import (
    NOT,
    STRONG,
    WEAK,
    a_day,
    luhn,
    nth,
    nth_sign,
    packed,
    some_day,
    strong,
    upper,
    value,
    weighted,
)
from flink_masking.kernels import JIT, njit
from flink_masking.kernels.characters import digit
from flink_masking.kernels.memory import at


def codes(text):
    """A text as an array of its bytes, for kernels."""
    return np.array(list(text.encode()), np.int64)


@njit(**JIT)
def among(text, c):
    """Whether a byte is one of an array of codes."""
    for k in range(len(text)):
        if text[k] == c:
            return True
    return False


@njit(**JIT)
def number_of(c):
    """The value of a digit, or of a capital counted from A = 10."""
    return c - 48 if c <= 57 else c - 55


VIN_VALUES = np.array((1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 3, 4, 5, 0, 7, 0, 9, 2, 3, 4, 5, 6, 7, 8, 9), np.int64)
VIN_WEIGHTS = np.array((8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2), np.int64)


@njit(**JIT)
def vin(p, e):
    """A vehicle identification number: STRONG with the check digit of North America and China (ISO 3779)."""
    total, letters, digits = np.int64(0), 0, 0
    for k in range(17):
        c = upper(at(p + k))
        if digit(c):
            digits += 1
            total += (c - 48) * VIN_WEIGHTS[k]
        else:
            letters += 1
            total += VIN_VALUES[c - 65] * VIN_WEIGHTS[k]
    if letters < 2 or digits < 4:
        return NOT
    check = upper(at(p + 8))
    rest = total % 11
    return STRONG if (check == 88 if rest == 10 else check == 48 + rest) else WEAK


@njit(**JIT)
def dea(p, e):
    """The number of a US prescriber: two sums of digits."""
    x, n = packed(p + 2, e)
    total = nth(x, 6) + nth(x, 4) + nth(x, 2) + 2 * (nth(x, 5) + nth(x, 3) + nth(x, 1))
    return strong(n == 7 and total % 10 == nth(x, 0) and total > 0)


NINO_UNUSED = codes("BGGBKNNKNTTNZZ")


@njit(**JIT)
def nino(p, e):
    """A British national insurance number: a prefix in use."""
    a, b = upper(at(p)), upper(at(p + 1))
    for k in range(0, len(NINO_UNUSED), 2):
        if a == NINO_UNUSED[k] and b == NINO_UNUSED[k + 1]:
            return NOT
    return STRONG


@njit(**JIT)
def indian_pan(p, e):
    """An Indian tax number: the number inside is not 0000."""
    x, n = packed(p, e)
    return strong(n == 4 and x != 0)


@njit(**JIT)
def digit_sum(x):
    """The sum of the digits of a number below 100."""
    return x // 10 + x % 10


RVNR = np.array((2, 1, 2, 5, 7, 1, 2, 1), np.int64)


@njit(**JIT)
def rvnr(p, e):
    """A German pension insurance number: a date, sums of digits of weighted digits, modulo 10; the letter counts as two digits."""
    x, n = packed(p, e)  # 8 digits, then 3 after the letter
    c = nth_sign(p, e, 8)
    day = value(x, 7, 2)
    if n != 11 or not 65 <= c <= 90 or not some_day(value(x, 3, 2), value(x, 5, 2), day - 50 if day > 50 else day):
        return NOT
    total = np.int64(0)
    for k in range(8):
        total += digit_sum(nth(x, 10 - k) * RVNR[k])
    number = c - 64
    total += digit_sum(number // 10 * 2) + number % 10
    total += digit_sum(nth(x, 2) * 2) + nth(x, 1)
    return strong(total % 10 == nth(x, 0))


@njit(**JIT)
def kvnr(p, e):
    """A German health insurance number: the letter as two digits, weights 1 and 2, sums of digits modulo 10."""
    x, n = packed(p, e)
    number = nth_sign(p, e, 0) - 64
    total = number // 10 + digit_sum(number % 10 * 2)
    for k in range(8):
        total += digit_sum(nth(x, 8 - k) * (1 if k % 2 == 0 else 2))
    return strong(n == 9 and total % 10 == nth(x, 0))


@njit(**JIT)
def seven_three_one(p, e):
    """The check digit of travel documents over p…e: weights 7, 3, 1; letters from A = 10, ``<`` is 0 (ICAO 9303)."""
    total, k = np.int64(0), 0
    while p < e:
        c = upper(at(p))
        v = 0 if c == 60 else number_of(c)
        total += v * (7 if k % 3 == 0 else 3 if k % 3 == 1 else 1)
        k += 1
        p += 1
    return total % 10


@njit(**JIT)
def identity_card(p, e):
    """The number of a German identity card or passport: nine signs and their check digit."""
    if e - p == 10:
        return strong(seven_three_one(p, p + 9) == at(p + 9) - 48)
    return WEAK


@njit(**JIT)
def mrz_first(p, e):
    """The first line of a passport's machine-readable zone: 44 signs, names with ``<<`` between."""
    k = p + 5
    while k + 1 < e:
        if at(k) == 60 and at(k + 1) == 60:
            return STRONG if e - p == 44 else NOT
        k += 1
    return NOT


@njit(**JIT)
def mrz_second(p, e):
    """The second line of a passport's machine-readable zone: check digits of number, birth and expiry (ICAO 9303)."""
    good = (seven_three_one(p, p + 9) == at(p + 9) - 48 and seven_three_one(p + 13, p + 19) == at(p + 19) - 48
            and seven_three_one(p + 21, p + 27) == at(p + 27) - 48)
    return strong(good)


@njit(**JIT)
def nir(p, e):
    """A French social security number: 97 less the rest modulo 97; 2A and 2B count as 19 and 18."""
    total, check, k = np.int64(0), np.int64(0), 0
    while p < e:
        c = upper(at(p))
        p += 1
        if digit(c) or c == 65 or c == 66:
            if k < 13:
                if c >= 65:
                    if k != 6 or total % 10 != 2:
                        return NOT
                    total = total - 1
                    total = total * 10 + (9 if c == 65 else 8)
                else:
                    total = total * 10 + c - 48
            else:
                check = check * 10 + c - 48
            k += 1
    return strong(k == 15 and 97 - total % 97 == check)


DNI_LETTERS = codes("TRWAGMYFPDXBNJZSQVHLCKE")


@njit(**JIT)
def dni(p, e):
    """A Spanish identity number: the letter by the number modulo 23."""
    x, n = packed(p, e)
    return strong(n == 8 and nth_sign(p, e, 8) == DNI_LETTERS[value(x, 0, 8) % 23] and x != 0)


@njit(**JIT)
def nie(p, e):
    """A Spanish foreigner's number: X, Y, Z stand for 0, 1, 2 before the number; the letter as in the DNI."""
    x, n = packed(p, e)
    first = nth_sign(p, e, 0) - 88
    return strong(n == 7 and 0 <= first <= 2 and nth_sign(p, e, 8) == DNI_LETTERS[(first * 10_000_000 + value(x, 0, 7)) % 23])


CIF_LETTERS = codes("JABCDEFGHI")


@njit(**JIT)
def cif(p, e):
    """A Spanish company number: Luhn's check digit, or the letter that stands for it."""
    x, n = packed(p, e)
    last = nth_sign(p, e, 8)
    if n == 8:  # ends with a digit
        return strong(luhn(x, 8, 0))
    for check in range(10):
        if last == CIF_LETTERS[check]:
            return strong(n == 7 and luhn((x << np.uint64(4)) | np.uint64(check), 8, 0))
    return NOT


CF_ODD = np.array((1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23), np.int64)


@njit(**JIT)
def codice_fiscale(p, e):
    """An Italian tax code: values of the signs by their place, modulo 26."""
    total, k, c = np.int64(0), 0, np.int64(0)
    while p < e and k < 16:
        if at(p) != 32:
            c = upper(at(p))
            v = c - 48 if c <= 57 else c - 65
            if k < 15:
                total += CF_ODD[v] if k % 2 == 0 else v
            k += 1
        p += 1
    return strong(p == e and k == 16 and c == 65 + total % 26)


HETU_LETTERS = codes("0123456789ABCDEFHJKLMNPRSTUVWXY")


@njit(**JIT)
def hetu(p, e):
    """A Finnish personal code: a date, the sign by the number modulo 31."""
    x, n = packed(p, p + 10)
    last = upper(at(p + 10))
    century = upper(at(p + 6))
    year = 1800 if century == 43 else 2000 if 65 <= century <= 70 else 1900
    good = n == 9 and e - p == 11 and a_day(year + value(x, 3, 2), value(x, 5, 2), value(x, 7, 2)) and value(x, 0, 3) >= 2
    return strong(good and last == HETU_LETTERS[value(x, 0, 9) % 31])


@njit(**JIT)
def curp(p, e):
    """A Mexican population code: a date, weights 18 to 2, modulo 10."""
    total = np.int64(0)
    for k in range(17):
        c = upper(at(p + k))
        v = c - 48 if c <= 57 else c - 55 + (c > 78)  # Ñ comes after N
        total += v * (18 - k)
    x, _ = packed(p + 4, p + 10)
    return strong(some_day(value(x, 4, 2), value(x, 2, 2), value(x, 0, 2)) and (10 - total % 10) % 10 == at(p + 17) - 48)


@njit(**JIT)
def rfc(p, e):
    """A Mexican tax code of a person (13 signs) or company (12): a date; STRONG with the check sign modulo 11."""
    n, q = np.int64(0), p
    while q < e:
        n += at(q) != 32 and at(q) != 45
        q += 1
    q = p + (4 if n == 13 else 3)
    q += at(q) == 32 or at(q) == 45
    x, digits = packed(q, q + 6)
    if digits != 6 or not some_day(value(x, 4, 2), value(x, 2, 2), value(x, 0, 2)):
        return NOT
    total = np.int64(0 if n == 13 else 13 * 37)  # a company's code counts as one with a space before it
    while n > 1:
        c = upper(at(p))
        p += 1
        if c != 32 and c != 45:
            v = 24 if c == 38 else c - 48 if c <= 57 else c - 55 + (c > 78)
            total += v * n
            n -= 1
    check = (11 - total % 11) % 11
    last = upper(at(e - 1))
    return STRONG if (last == 65 if check == 10 else last == 48 + check) else WEAK


@njit(**JIT)
def ric(p, e):
    """A Chinese resident number: a date, ISO/IEC 7064 MOD 11-2."""
    total = np.int64(0)
    for k in range(17):
        total = (total + at(p + k) - 48) * 2 % 11
    check = (12 - total) % 11
    last = upper(at(p + 17))
    x, _ = packed(p + 6, p + 14)
    good = a_day(value(x, 4, 4), value(x, 2, 2), value(x, 0, 2))
    return strong(good and (last == 88 if check == 10 else last == 48 + check))


NRIC_ST, NRIC_FG, NRIC_M = codes("JZIHGFEDCBA"), codes("XWUTRQPNMLK"), codes("XWUTRQPNJLK")


@njit(**JIT)
def nric(p, e):
    """A Singaporean identity number: weights, modulo 11, a letter by the series."""
    x, n = packed(p, e)
    total = weighted(x, n, 0x2765432, 7)
    series, last = upper(at(p)), upper(at(e - 1))
    if n != 7:
        return NOT
    if series == 83 or series == 84:
        return strong(last == NRIC_ST[(total + (4 if series == 84 else 0)) % 11])
    if series == 77:
        return strong(last == NRIC_M[10 - (total + 3) % 11])
    return strong(last == NRIC_FG[(total + (4 if series == 71 else 0)) % 11])


@njit(**JIT)
def two_letters(a, b, c):
    """Whether two bytes are the pair of letters k, k + 1 of an array of codes."""
    for k in range(0, len(c), 2):
        if c[k] == a and c[k + 1] == b:
            return True
    return False


@njit(**JIT)
def isin(p, e):
    """The number of a security: Luhn's check over letters as two digits (ISO 6166)."""
    total, doubled = np.int64(0), False
    q = e - 1
    while q >= p:
        v = number_of(upper(at(q)))
        while True:
            d = v % 10 * (2 if doubled else 1)
            total += d - 9 if d > 9 else d
            doubled = not doubled
            v //= 10
            if v == 0:
                break
        q -= 1
    return strong(total % 10 == 0)


US_STATES = codes("ALAKAZARCACOCTDEFLGAHIIDILINIAKSKYLAMEMDMAMIMNMSMOMTNENVNHNJNMNYNCNDOHOKORPARISC"
                  "SDTNTXUTVTVAWAWVWIWYDCPRVIGUASMPAEAPAAFMMHPW")


@njit(**JIT)
def us_zip(p, e):
    """A state or territory of the United States before a postal code."""
    return strong(two_letters(at(p), at(p + 1), US_STATES))
