# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Addresses in networks: IPv4, IPv6 (RFC 4291) and URLs (RFC 3986)."""

import numpy as np

from flink_masking.contract.email_kernels import host_fits
from flink_masking.kernels import JIT, njit
from flink_masking.kernels.characters import digit, hexadecimal, letter
from flink_masking.kernels.memory import at

POINT, COLON, SLASH = 46, 58, 47
URL_LONGEST = 2048


@njit(**JIT)
def ipv4_fits(p, e):
    """Whether p…e is four numbers up to 255, without leading zeros, with points between."""
    if e - p > 15:
        return False
    parts, value, size = 1, 0, 0
    while p < e:
        c = at(p)
        if c == POINT:
            if size == 0:
                return False
            parts += 1
            value, size = 0, 0
        elif digit(c) and not (size and value == 0):
            value = value * 10 + c - 48
            size += 1
            if value > 255:
                return False
        else:
            return False
        p += 1
    return parts == 4 and size > 0


@njit(**JIT)
def ipv6_fits(p, e):
    """Whether p…e is eight groups of up to four hexadecimal digits, one run of zero groups as ``::``, the last two perhaps as IPv4."""
    if e - p > 45 or e - p < 2:
        return False
    groups, size, short, start = 0, 0, False, p
    q = p
    if at(q) == COLON:
        if at(q + 1) != COLON:
            return False
        short = True
        q += 2
        start = q
    while q < e:
        c = at(q)
        if hexadecimal(c):
            size += 1
            if size > 4:
                return False
        elif c == COLON:
            if size == 0:
                return False
            groups += 1
            size = 0
            if q + 1 < e and at(q + 1) == COLON:
                if short:
                    return False
                short = True
                q += 1
            elif q + 1 == e:
                return False
            start = q + 1
        elif c == POINT:
            if not ipv4_fits(start, e):
                return False
            groups += 2
            return groups == 8 or (short and groups < 8)
        else:
            return False
        q += 1
    groups += size > 0
    return groups == 8 or (short and groups < 8)


@njit(**JIT)
def ip_fits(p, e):
    """Whether p…e is an IPv4 or IPv6 address."""
    return ipv4_fits(p, e) or ipv6_fits(p, e)


@njit(**JIT)
def in_url(c):
    """Whether a byte may stand in a URL: unreserved, reserved or the percent sign."""
    return 33 <= c <= 126 and not (c == 34 or c == 60 or c == 62 or c == 92 or c == 94 or c == 96 or 123 <= c <= 125)


@njit(**JIT)
def url_fits(p, e):
    """Whether p…e is ``scheme://host…`` with a host name, ``localhost`` or an IP address, a port, and characters that a URL may have."""
    if e - p > URL_LONGEST:
        return False
    q = p
    while q < e and q < p + 16 and (letter(at(q)) or (q > p and (digit(at(q)) or at(q) == 43))):
        q += 1
    if q == p or q + 3 >= e or at(q) != COLON or at(q + 1) != SLASH or at(q + 2) != SLASH:
        return False
    q += 3
    k = q
    while k < e:
        if not in_url(at(k)):
            return False
        k += 1
    start = q
    if at(q) == 91:  # [IPv6]
        while q < e and at(q) != 93:
            q += 1
        if q == e or not ipv6_fits(start + 1, q):
            return False
        q += 1
    else:
        while q < e and at(q) != COLON and at(q) != SLASH and at(q) != 63 and at(q) != 35:
            q += 1
        if q == start or not (host_fits(start, q) or ipv4_fits(start, q) or local(start, q)):
            return False
    if q < e and at(q) == COLON:
        first = q + 1
        q = first
        while q < e and digit(at(q)):
            q += 1
        if not 1 <= q - first <= 5:
            return False
    return q == e or at(q) == SLASH or at(q) == 63 or at(q) == 35


LOCALHOST = int.from_bytes(b"localhos", "little")


@njit(**JIT)
def local(p, e):
    """Whether p…e is ``localhost``."""
    if e - p != 9:
        return False
    x = np.int64(0)
    for k in range(8):
        x |= at(p + k) << (8 * k)
    return x == LOCALHOST and at(p + 8) == 116
