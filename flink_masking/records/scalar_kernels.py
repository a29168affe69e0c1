# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""What formats of text share: UTF-8 sequences and decimal numbers at absolute addresses.

`e` is the end of the text, `limit` the end of readable memory (see flink_masking.kernels.memory).
"""

import numpy as np

from flink_masking.kernels import INLINED, JIT, njit
from flink_masking.kernels.characters import digits32
from flink_masking.kernels.memory import at, negative32, trailing_zeros


@njit(**JIT)
def utf8_length(p, e):
    """Length of the well-formed multi-byte UTF-8 sequence at p, or 0 (overlong, surrogate, over U+10FFFF, cut): RFC 3629."""
    c = at(p)
    if c < 0xC2 or c > 0xF4:
        return 0
    n = 2 if c < 0xE0 else 3 if c < 0xF0 else 4
    if p + n > e:
        return 0
    d = at(p + 1)
    low = 0xA0 if c == 0xE0 else 0x90 if c == 0xF0 else 0x80
    high = 0x9F if c == 0xED else 0x8F if c == 0xF4 else 0xBF
    if d < low or d > high:
        return 0
    for k in range(2, n):
        if at(p + k) & 0xC0 != 0x80:
            return 0
    return n


@njit(**JIT)
def wrong_utf8(p, e, limit):
    """The address of the first byte that is no UTF-8 in p..e, or -1."""
    while p < e:
        if p + 32 <= limit:
            m = negative32(p)
            if m == 0:
                p += 32
                continue
            p += trailing_zeros(m)
            if p >= e:
                break
        elif at(p) < 128:
            p += 1
            continue
        n = utf8_length(p, e)
        if n == 0:
            return p
        p += n
    return np.int64(-1)


@njit(**INLINED)
def bad_text(p, e, limit):
    """The address of the first byte that is no UTF-8 in p..e, or -1; short texts of ASCII are seen at once."""
    if e - p <= 32 and p + 32 <= limit and trailing_zeros(negative32(p)) >= e - p:
        return np.int64(-1)
    return wrong_utf8(p, e, limit)


@njit(**JIT)
def digits(p, e, limit):
    """Position after the digits at p."""
    if p + 32 <= limit:
        n = trailing_zeros(~digits32(p))
        p = min(p + n, e)
        if n < 32:
            return p
    while p < e and 48 <= at(p) <= 57:
        p += 1
    return p


@njit(**JIT)
def number(p, e, limit):
    """Position after the number at p, or -1."""
    if at(p) == 45:
        p += 1
    if p >= e:
        return -1
    if at(p) == 48:
        p += 1
    else:
        q = digits(p, e, limit)
        if q == p:
            return -1
        p = q
    if p < e and at(p) == 46:
        q = digits(p + 1, e, limit)
        if q == p + 1:
            return -1
        p = q
    if p < e and at(p) | 32 == 101:
        p += 1
        if p < e and (at(p) == 43 or at(p) == 45):
            p += 1
        q = digits(p, e, limit)
        if q == p:
            return -1
        p = q
    return p
