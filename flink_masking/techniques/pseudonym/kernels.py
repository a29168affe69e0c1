# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Digests of 256 or 128 bits written as text: exactly, in base 62 or by groups of bits."""

import numpy as np

from flink_masking.kernels import I32, I64, JIT, U8, W8, W32, njit, types
from flink_masking.kernels.memory import at, copy, put8
from flink_masking.kernels.wide import load_be32

STEP = 5
"""Base-62 digits taken at a time: 62^5 < 2^30, so one step of the long division fits into 64 bits."""


@njit(**JIT)
def word(p):
    """The four bytes at p as a big-endian number."""
    return load_be32(p)


@njit(**JIT)
def divided(high, low):
    """One step of a long division by 62^5: quotient digit and remainder."""
    x = (high << np.uint64(32)) | low
    q = x // np.uint64(916132832)
    return q, x - q * np.uint64(916132832)


GROUP, GROUP_BASE = 4, 62**4
"""Digits of 256 bits that are taken at a time: eight products of a word and a digit of this base add up to less than 2^59."""
POWERS = np.array([[2 ** (32 * (7 - word)) // GROUP_BASE**group % GROUP_BASE for word in range(8)] for group in range(11)], np.uint64)
"""For each group of digits, lowest first, what each of the eight words counts in it."""


@njit(**JIT)
def put_base62(o, p, length, alphabet):
    """Write the 32 bytes at p, a big-endian number modulo 62^length, as `length` digits at o; at most 43."""
    a, b, c, d = word(p), word(p + 4), word(p + 8), word(p + 12)
    e, f, g, h = word(p + 16), word(p + 20), word(p + 24), word(p + 28)
    end, k, x = o + length, np.uint64(0), np.uint64(0)
    while end > o:
        x += ((a * POWERS[k, 0] + b * POWERS[k, 1]) + (c * POWERS[k, 2] + d * POWERS[k, 3])
              + (e * POWERS[k, 4] + f * POWERS[k, 5]) + (g * POWERS[k, 6] + h * POWERS[k, 7]))
        carry = x // np.uint64(GROUP_BASE)
        rest = x - carry * np.uint64(GROUP_BASE)
        x = carry
        k += np.uint64(1)
        if end - o >= GROUP:
            high = rest // np.uint64(3844)
            low = rest - high * np.uint64(3844)
            q, r = high // np.uint64(62), low // np.uint64(62)
            end -= GROUP
            put8(end, at(alphabet + np.int64(q)))
            put8(end + 1, at(alphabet + np.int64(high - q * np.uint64(62))))
            put8(end + 2, at(alphabet + np.int64(r)))
            put8(end + 3, at(alphabet + np.int64(low - r * np.uint64(62))))
            continue
        while end > o:
            q = rest // np.uint64(62)
            end -= 1
            put8(end, at(alphabet + np.int64(rest - q * np.uint64(62))))
            rest = q


@njit(**JIT)
def put_short_base62(o, p, length, alphabet):
    """Write the 16 bytes at p, a big-endian number modulo 62^length, as `length` digits at o; like `put_base62`, by division."""
    a, b, c, d = word(p), word(p + 4), word(p + 8), word(p + 12)
    end = o + length
    while end > o:
        r = np.uint64(0)
        if a:
            a, r = divided(r, a)
        b, r = divided(r, b)
        c, r = divided(r, c)
        d, r = divided(r, d)
        for _ in range(min(STEP, end - o)):
            q = r // np.uint64(62)
            end -= 1
            put8(end, at(alphabet + np.int64(r - q * np.uint64(62))))
            r = q


@njit(**JIT)
def put_bits(o, p, length, alphabet, bits):
    """Write the first bits of the digest at p as `length` digits of 4 or 5 bits at o."""
    for k in range(length):
        first = k * bits
        where, drop = p + (first >> 3), 16 - bits - (first & 7)
        pair = at(where) << 8
        if drop < 8:  # the digit reaches into the next byte
            pair |= at(where + 1)
        put8(o + k, at(alphabet + ((pair >> drop) & ((1 << bits) - 1))))


@njit(types.void(U8, I32, U8, U8, I64, U8, I64, I64, I64, U8, W8, W32), **JIT)
def write_pseudonyms(data, offsets, valid, digests, size, prefix_, prefix_length, length, bits, alphabet_, out_, ends):
    """A pseudonym for every value that is neither null nor empty.

    digests: `size` bytes a value, 32 or 16. prefix_: padded. bits: of a digit, 0 for base 62. alphabet_: the digits.
    """
    out, prefix, alphabet, digest = out_.ctypes.data, prefix_.ctypes.data, alphabet_.ctypes.data, digests.ctypes.data
    limit = prefix + len(prefix_)
    o = out
    for k in range(len(offsets) - 1):
        if offsets[k + 1] > offsets[k] and (len(valid) == 0 or valid[k]):
            o = copy(o, prefix, prefix_length, limit)
            p = digest + size * k
            if bits:
                put_bits(o, p, length, alphabet, bits)
            elif size == 16:
                put_short_base62(o, p, length, alphabet)
            else:
                put_base62(o, p, length, alphabet)
            o += length
        ends[k + 1] = o - out
