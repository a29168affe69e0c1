# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Digits of a candidate without its separators, and the sums that check digits are made of.

Up to 16 digits are held as four bits each in one uint64, the last digit lowest.
"""

import numpy as np

from flink_masking.kernels import JIT, njit
from flink_masking.kernels.characters import digit
from flink_masking.kernels.memory import at
from flink_masking.values.calendar_kernels import days_in_month

NOT, WEAK, STRONG = 0, 1, 2
"""What a check says: this is not of the type; it has the form; it has the form and a check digit or a narrow range."""


@njit(**JIT)
def packed(p, e):
    """The digits of p…e and their number, which is 17 where there are more than 16."""
    x, n = np.uint64(0), np.int64(0)
    while p < e:
        c = at(p)
        if digit(c):
            if n == 16:
                return x, np.int64(17)
            x = (x << np.uint64(4)) | np.uint64(c - 48)
            n += 1
        p += 1
    return x, n


@njit(**JIT)
def digits_of(p, e):
    """The number of digits of p…e."""
    n = np.int64(0)
    while p < e:
        n += digit(at(p))
        p += 1
    return n


@njit(**JIT)
def nth(x, k):
    """Digit k of packed digits, counted from the last one, 0."""
    return np.int64((x >> np.uint64(4 * k)) & np.uint64(15))


@njit(**JIT)
def without(x, k):
    """Packed digits without the last k."""
    return x >> np.uint64(4 * k)


@njit(**JIT)
def value(x, last, count):
    """The number that `count` packed digits are, of which the last is digit `last` from the right."""
    total = np.int64(0)
    for k in range(count):
        total = total * 10 + nth(x, last + count - 1 - k)
    return total


@njit(**JIT)
def same_digits(x, n):
    """Whether n packed digits are all equal."""
    first = nth(x, 0)
    for k in range(1, n):
        if nth(x, k) != first:
            return False
    return True


@njit(**JIT)
def weighted(x, n, weights, count):
    """The sum of the first `count` of n packed digits, each times its weight; the weights are packed like digits, each below 16."""
    w, total = np.uint64(weights), np.int64(0)
    for k in range(count):
        total += nth(x, n - 1 - k) * nth(w, count - 1 - k)
    return total


@njit(**JIT)
def falling(x, n, count, first):
    """The sum of the first `count` of n packed digits times first, first - 1, …."""
    total = np.int64(0)
    for k in range(count):
        total += nth(x, n - 1 - k) * (first - k)
    return total


@njit(**JIT)
def luhn(x, n, start):
    """Luhn's sum of n packed digits plus `start` is a multiple of ten (ISO/IEC 7812-1)."""
    total = np.int64(start)
    for k in range(n):
        d = nth(x, k)
        if k & 1:
            d *= 2
            d -= 9 if d > 9 else 0
        total += d
    return total % 10 == 0


@njit(**JIT)
def luhn_text(p, e):
    """Luhn's check over the digits of p…e, however many."""
    total, k = np.int64(0), 0
    q = e - 1
    while q >= p:
        c = at(q)
        if digit(c):
            d = c - 48
            if k & 1:
                d *= 2
                d -= 9 if d > 9 else 0
            total += d
            k += 1
        q -= 1
    return k > 1 and total % 10 == 0


@njit(**JIT)
def iso7064_11_10(x, n):
    """ISO/IEC 7064, MOD 11,10, over n packed digits with their check digit."""
    product = np.int64(10)
    for k in range(n - 1, 0, -1):
        total = (nth(x, k) + product) % 10
        product = (10 if total == 0 else total) * 2 % 11
    return (product + nth(x, 0)) % 10 == 1


VERHOEFF_P = np.array((0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 5, 7, 6, 2, 8, 3, 0, 9, 4, 5, 8, 0, 3, 7, 9, 6, 1, 4, 2, 8, 9, 1, 6, 0, 4, 3, 5, 2,
                       7,
              9, 4, 5, 3, 1, 2, 6, 8, 7, 0, 4, 2, 8, 6, 5, 7, 3, 9, 0, 1, 2, 7, 9, 3, 8, 0, 6, 4, 1, 5, 7, 0, 4, 6, 9, 1, 3, 2, 5, 8),
              np.int64)  # fmt: skip


@njit(**JIT)
def dihedral(a, b):
    """The product of two elements of the dihedral group of order ten."""
    if a < 5:
        return (a + b) % 5 if b < 5 else 5 + (a + b - 5) % 5
    return 5 + (a - 5 - b) % 5 if b < 5 else (a - b) % 5


@njit(**JIT)
def verhoeff(x, n):
    """Verhoeff's check (1969) over n packed digits with their check digit."""
    c = np.int64(0)
    for k in range(n):
        c = dihedral(c, VERHOEFF_P[(k % 8) * 10 + nth(x, k)])
    return c == 0


@njit(**JIT)
def a_day(year, month, day):
    """Whether a date exists."""
    return 1 <= month <= 12 and 1 <= day <= days_in_month(year, month)


@njit(**JIT)
def some_day(yy, month, day):
    """Whether a date exists in 1900 + yy or in 2000 + yy."""
    return a_day(1900 + yy, month, day) or a_day(2000 + yy, month, day)


@njit(**JIT)
def level(good, count):
    """STRONG, WEAK or NOT: how many of two conditions hold where the first is a must."""
    return (STRONG if count else WEAK) if good else NOT


@njit(**JIT)
def strong(good):
    """STRONG where a condition holds, else NOT."""
    return STRONG if good else NOT


@njit(**JIT)
def grouped(p, e):
    """Whether something else than digits stands in p…e."""
    while p < e:
        if not digit(at(p)):
            return True
        p += 1
    return False


@njit(**JIT)
def upper(c):
    """An ASCII letter in capitals; other bytes as they are."""
    return c - 32 if 97 <= c <= 122 else c


@njit(**JIT)
def nth_sign(p, e, k):
    """Letter or digit k of p…e, separators not counted, in capitals; 0 where there is none."""
    while p < e:
        c = upper(at(p))
        if digit(c) or 65 <= c <= 90:
            if k == 0:
                return c
            k -= 1
        p += 1
    return np.int64(0)


@njit(**JIT)
def signs(p, e):
    """Number of letters and digits in p…e."""
    n = np.int64(0)
    while p < e:
        c = at(p) | 32
        n += digit(at(p)) or 97 <= c <= 122
        p += 1
    return n
