# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Codes of letters and digits: IBAN, UUID, postal codes, vehicle identification numbers, addresses of network cards."""

import numpy as np

from flink_masking.kernels import JIT, njit
from flink_masking.kernels.characters import digit, hexadecimal, letter
from flink_masking.kernels.memory import at

SPACE, HYPHEN, COLON = 32, 45, 58


@njit(**JIT)
def iban_fits(p, e):
    """Whether p…e is an IBAN (ISO 13616): country, check digits modulo 97, 15 to 34 characters; single spaces between groups of four."""
    return iban_groups_fit(p, e, SPACE)


@njit(**JIT)
def iban_groups_fit(p, e, by):
    """Whether p…e is an IBAN, with single characters `by` between groups of four."""
    n, q = np.int64(0), p
    gap = False
    while q < e:  # the form
        c = at(q)
        if c == by:
            if n == 0 or n % 4 or gap:
                return False
            gap = True
        else:
            if not (digit(c) or 65 <= c <= 90) or (n < 2 and c < 65) or (2 <= n < 4 and c > 57):
                return False
            n += 1
            gap = False
        q += 1
    if n < 15 or n > 34 or gap:
        return False
    total, k, head = np.int64(0), 0, np.int64(0)
    q = p
    while q < e:  # the four characters in front count as the last
        c = at(q)
        if c != by:
            v = c - 48 if c <= 57 else c - 55
            if k < 4:
                head = head * (10 if v < 10 else 100) + v
            else:
                total = (total * (10 if v < 10 else 100) + v) % 97
            k += 1
        q += 1
    return (total * 1_000_000 + head) % 97 == 1


@njit(**JIT)
def uuid_fits(p, e):
    """Whether p…e is a UUID (RFC 9562): 8-4-4-4-12 hexadecimal digits."""
    if e - p != 36:
        return False
    for k in range(36):
        c = at(p + k)
        if k == 8 or k == 13 or k == 18 or k == 23:
            if c != HYPHEN:
                return False
        elif not hexadecimal(c):
            return False
    return True


@njit(**JIT)
def postal_code_fits(p, e):
    """Whether p…e has the form of a postal code: 3 to 8 letters and digits, one digit at least, single spaces or hyphens between; or
    ``DDDDD-DDDD``."""
    n = e - p
    if n > 10:
        return False
    digits, count, gap, q = 0, 0, True, p
    while q < e:
        c = at(q)
        if digit(c):
            digits += 1
            count += 1
            gap = False
        elif letter(c):
            count += 1
            gap = False
        elif c in (SPACE, HYPHEN) and not gap:
            gap = True
        else:
            return False
        q += 1
    if gap or digits == 0:
        return False
    return 3 <= count <= 8 or (n == 10 and digits == 9 and at(p + 5) == HYPHEN)


@njit(**JIT)
def vin_fits(p, e):
    """Whether p…e has the form of a vehicle identification number (ISO 3779): 17 letters and digits without I, O and Q."""
    if e - p != 17:
        return False
    for k in range(17):
        c = at(p + k)
        up = c & 0xDF
        if not digit(c) and (not letter(c) or up == 73 or up == 79 or up == 81):
            return False
    return True


@njit(**JIT)
def mac_fits(p, e):
    """Whether p…e is six pairs of hexadecimal digits with ``:`` or ``-`` between them."""
    if e - p != 17 or (at(p + 2) != COLON and at(p + 2) != HYPHEN):
        return False
    for k in range(17):
        c = at(p + k)
        if k % 3 == 2:
            if c != at(p + 2):
                return False
        elif not hexadecimal(c):
            return False
    return True
