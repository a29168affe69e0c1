# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""E-mail addresses: a local part of atoms (RFC 5321, RFC 6531), one ``@``, a host name (RFC 1123) of two labels or more."""

import numpy as np

from flink_masking.kernels import JIT, njit
from flink_masking.kernels.characters import digit, highest, host32, letter, letters32, same32
from flink_masking.kernels.memory import at, trailing_zeros

LONGEST, LOCAL, LABEL = 254, 64, 63
WORD = 62  # characters of an address that is looked at as bits of an int64; neither part nor label of it is too long
AT, POINT, HYPHEN = 64, 46, 45


@njit(**JIT)
def atom(c):
    """Whether a byte may stand in an unquoted local part: letters, digits, ``!#$%&'*+-/=?^_`{|}~`` and the point."""
    if letter(c) or digit(c):
        return True
    return 33 <= c <= 126 and not (c == 34 or c == 40 or c == 41 or c == 44 or 58 <= c <= 60 or c == 62 or c == 64 or 91 <= c <= 93)


@njit(**JIT)
def visible(q, e):
    """Whether the byte at q belongs to a character beyond ASCII that is neither a control nor a blank (U+0080 to U+00A0, U+1680, U+2000 to
    U+206F, U+3000, U+FEFF)."""
    c, after = at(q), at(q + 1) if q + 1 < e else np.int64(0)
    if c < 0x80 or (c == 0xC2 and after <= 0xA0):
        return False
    third = at(q + 2) if q + 2 < e else np.int64(0)
    if c == 0xE2:
        return after != 0x80 and not (after == 0x81 and third <= 0xAF)
    blank = (c == 0xE1 and after == 0x9A and third == 0x80) or (c == 0xE3 and after == 0x80 and third == 0x80)
    return not blank and not (c == 0xEF and after == 0xBB and third == 0xBF)


@njit(**JIT)
def top_label(p, e):
    """Whether p…e can be the last label of a host name: letters, or the ASCII form of others (``xn--``)."""
    if e - p < 2:
        return False
    if e - p > 4 and at(p) | 32 == 120 and at(p + 1) | 32 == 110 and at(p + 2) == HYPHEN and at(p + 3) == HYPHEN:
        return True
    while p < e:
        if not letter(at(p)):
            return False
        p += 1
    return True


@njit(**JIT)
def host_fits(p, e):
    """Whether p…e is a host name of two labels or more, the last one of letters."""
    if e - p > 253:
        return False
    start, labels = p, 1
    q = p
    while q < e:
        c = at(q)
        if c == POINT:
            if q == start or q - start > LABEL or at(q - 1) == HYPHEN:
                return False
            start = q + 1
            labels += 1
        elif not (letter(c) or digit(c) or (c == HYPHEN and q > start)):
            return False
        q += 1
    return labels > 1 and e - start <= LABEL and at(e - 1) != HYPHEN and top_label(start, e)


@njit(**JIT)
def short_email_fits(p, e, limit):
    """Whether p…e, of 32 bytes that can be read, is one address of at most `WORD` characters; False leaves it to `email_fits`."""
    n = e - p
    if n > WORD or (n > 32 and p + 64 > limit):
        return False
    inside = (np.int64(1) << n) - 1
    signs, hosts, points, hyphens, letters = same32(p, AT), host32(p), same32(p, POINT), same32(p, HYPHEN), letters32(p)
    if n > 32:
        q = p + 32
        signs |= same32(q, AT) << 32
        hosts |= host32(q) << 32
        points |= same32(q, POINT) << 32
        hyphens |= same32(q, HYPHEN) << 32
        letters |= letters32(q) << 32
    signs &= inside
    if signs <= 1 or signs & (signs - 1):
        return False
    host = inside & ~((signs << 1) - 1)
    odd = inside & ~hosts & ~signs
    if odd & host:
        return False
    while odd:
        if not atom(at(p + trailing_zeros(odd))):
            return False
        odd &= odd - 1
    points &= host
    hyphens &= host
    starts = (points << 1) | (signs << 1)  # of labels
    # No label is empty, begins or ends with a hyphen; the last character belongs to a label.
    if points == 0 or (points | hyphens) & (starts | (np.int64(1) << (n - 1))) or hyphens & (points >> 1):
        return False
    top = inside & ~((highest(points) << 1) - 1)
    return top & ~letters == 0 and top & (top - 1) != 0


@njit(**JIT)
def email_fits(p, e):
    """Whether p…e is one address and nothing else."""
    if e - p > LONGEST:
        return False
    q = p
    while q < e and at(q) != AT:
        if not atom(at(q)) and not visible(q, e):
            return False
        q += 1
    return 1 <= q - p <= LOCAL and q < e and host_fits(q + 1, e)
