# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Numbers that are written for people: social security, payment card and telephone numbers, and what is printed on a card."""

import numpy as np

from flink_masking.kernels import JIT, njit
from flink_masking.kernels.characters import digit, eight_digits, shape
from flink_masking.kernels.memory import at
from flink_masking.kernels.wide import load_be32, load_be64

SPACE, HYPHEN, PLUS, POINT, SLASH = 32, 45, 43, 46, 47
PHONE_LONGEST = 32
ssn_shape, card_shape = shape("999-99-9999"), shape("9999-9999-9999-9999")


@njit(**JIT)
def all_digits(p, e):
    """Whether p…e, at least one byte, is all digits."""
    if p == e:
        return False
    while p < e:
        if not digit(at(p)):
            return False
        p += 1
    return True


@njit(**JIT)
def ssn_fits(p, e):
    """Whether p…e has the form of a US social security number: ``DDD-DD-DDDD``, with spaces, or nine digits."""
    n = e - p
    if n == 11:
        c = at(p + 3)
        if (c != HYPHEN and c != SPACE) or at(p + 6) != c:
            return False
        a = (load_be64(p) & np.uint64(0xFFFFFF00FFFF00FF)) | np.uint64(0x0000003000003000)
        return eight_digits(a) and eight_digits(load_be32(p + 7) | np.uint64(0x3030303000000000))
    return n == 9 and eight_digits(load_be64(p)) and digit(at(p + 8))


@njit(**JIT)
def doubled(x):
    """What eight ASCII digits, of which the first, third, … are doubled, add to the sum of Luhn's check, as four words of 16 bits."""
    every = np.uint64(0x000F000F000F000F)
    twice = ((x >> np.uint64(8)) & every) << np.uint64(1)
    twice -= (((twice + np.uint64(0x0006000600060006)) >> np.uint64(4)) & np.uint64(0x0001000100010001)) * np.uint64(9)
    return twice + (x & every)


@njit(**JIT)
def luhn_fits(x, y):
    """Whether two times eight ASCII digits pass Luhn's check."""
    return (((doubled(x) + doubled(y)) * np.uint64(0x0001000100010001)) >> np.uint64(48)) % np.uint64(10) == 0


@njit(**JIT)
def grouped_fits(p):
    """Whether four times four digits at p, with one character between the groups, pass Luhn's check."""
    return luhn_fits(load_be32(p) << np.uint64(32) | load_be32(p + 5), load_be32(p + 10) << np.uint64(32) | load_be32(p + 15))


@njit(**JIT)
def card_fits(p, e):
    """Whether p…e is a card number: 12 to 19 digits that pass Luhn's check (ISO/IEC 7812-1), in groups by single spaces or hyphens."""
    return card_groups_fit(p, e, HYPHEN)


@njit(**JIT)
def card_groups_fit(p, e, more):
    """Whether p…e is a card number as `card_fits` says, in groups of any size; between them also characters `more`."""
    n = e - p
    if n == 16 or (n == 19 and at(p + 4) == at(p + 9) and at(p + 9) == at(p + 14)
                   and (at(p + 4) == HYPHEN or at(p + 4) == SPACE or at(p + 4) == more)):
        gap = np.int64(n == 19)
        x = load_be32(p) << np.uint64(32) | load_be32(p + 4 + gap)
        y = load_be32(p + 8 + 2 * gap) << np.uint64(32) | load_be32(p + 12 + 3 * gap)
        if eight_digits(x) and eight_digits(y):  # else 16 characters that are fewer digits in groups
            return luhn_fits(x, y)
    total, count, q, gap, by = 0, 0, e - 1, True, 0
    while q >= p and count < 20:
        c = at(q)
        if digit(c):
            d = c - 48
            if count & 1:
                d *= 2
                d -= 9 if d > 9 else 0
            total += d
            count += 1
            gap = False
        elif gap or (c != HYPHEN and c != SPACE and c != more) or (by and c != by):
            return False
        else:
            gap, by = True, c
        q -= 1
    return not gap and 12 <= count <= 19 and total % 10 == 0


@njit(**JIT)
def imei_fits(p, e):
    """Whether p…e is 15 digits that pass Luhn's check, or 14 or 16 digits (IMEI without check digit, IMEISV)."""
    n = e - p
    return all_digits(p, e) and (n == 14 or n == 16 or (n == 15 and card_fits(p, e)))


@njit(**JIT)
def phone_fits(p, e):
    """Whether p…e has the form of a telephone number: ``+`` or none, 5 to 15 digits (E.164), among them single ``-./`` or space and
    one pair of brackets."""
    if e - p > PHONE_LONGEST:
        return False
    p += at(p) == PLUS
    count, gap, bracket = 0, False, 0
    while p < e:
        c = at(p)
        if digit(c):
            count += 1
            gap = False
        elif c == 40 and bracket == 0:
            bracket, gap = 1, False
        elif c == 41 and bracket == 1 and count:
            bracket, gap = 2, False
        elif (c == SPACE or 45 <= c <= 47) and not gap and count:
            gap = True
        else:
            return False
        p += 1
    return 5 <= count <= 15 and not gap and bracket != 1


@njit(**JIT)
def cvv_fits(p, e):
    """Whether p…e is three or four digits."""
    return 3 <= e - p <= 4 and all_digits(p, e)


@njit(**JIT)
def expiry_fits(p, e):
    """Whether p…e is ``MM/YY`` or ``MM/YYYY``, with a slash or a hyphen."""
    if e - p != 5 and e - p != 7:
        return False
    month = (at(p) - 48) * 10 + at(p + 1) - 48
    return all_digits(p, p + 2) and 1 <= month <= 12 and (at(p + 2) == SLASH or at(p + 2) == HYPHEN) and all_digits(p + 3, e)
