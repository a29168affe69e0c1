# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""What FF1 does around AES, for many messages of one length: numerals into halves, one round for all of them, and back.

A half is a number below radix^length, held in 64 bits. Blocks are 16 bytes a message, as AES takes them.
"""

import numpy as np

from flink_masking.kernels import I32, I64, I64A, JIT, U8, U16, U64, W8, W16, W32, W64, WU64, njit, types
from flink_masking.kernels.memory import at, int32, put8
from flink_masking.kernels.wide import (
    address,
    at16,
    high64,
    load_be32,
    load_be64,
    load_raw64,
    modulo,
    product_modulo,
    put16,
    put_raw32,
    smaller,
    store_raw64,
    swapped,
)

# One round's constants, from which nothing of the key can be told.
MODULUS, RECIPROCAL, SHIFT, SHIFT_QUOTIENT, NEXT_HIGH, NEXT_LOW = range(6)
"""m and 2^64 // m; 2^32 mod m and the quotient for it; what the next round's number adds to the two words of its block."""
CONSTANTS = 6

FOUR_AT_ONCE = 256
"""Largest radix of which two numerals make a number of 16 bits."""

MASKED, WIDE, BACKWARD = 1, 2, 4
"""Mode bits: m is a power of two and MODULUS holds m - 1; y has 96 bits instead of 64; decrypt."""


@njit(types.void(I64A, W32, W64), **JIT)
def by_length(lengths, order, ends):
    """Message numbers ordered by length: those of length m become ``order[ends[m]:ends[m + 1]]``. ends: zeros."""
    for m in lengths:
        ends[m + 1] += 1
    for m in range(1, len(ends)):
        ends[m] += ends[m - 1]
    for k in range(len(lengths)):
        order[ends[lengths[k]]] = k
        ends[lengths[k]] += 1
    for m in range(len(ends) - 1, 0, -1):
        ends[m] = ends[m - 1]
    ends[0] = 0


@njit(types.void(U16, I64A, I32, I64, I64, I64, WU64, WU64), **JIT)
def pack(numerals_, starts, rows, u, v, radix, a, b):
    """NUM_radix of the first u and the other v numerals of each message in `rows` (SP 800-38G, algorithm 1); v is u or u + 1."""
    r, numerals = np.uint64(radix), address(numerals_)
    small, last = radix <= FOUR_AT_ONCE, np.uint64(0xFFFF)
    pairs, two, four = (r << np.uint64(16)) | np.uint64(1), r * r, r * r * r * r
    for k in range(len(rows)):
        p = numerals + 2 * starts[rows[k]]
        q, end = p + 2 * u, p + 2 * u
        x, y = np.uint64(0), np.uint64(0)
        while small and p + 8 <= end:  # in one product the second and the fourth 16 bits are pairs of numerals
            s, t = load_raw64(p) * pairs, load_raw64(q) * pairs
            x = x * four + ((s >> np.uint64(16)) & last) * two + (s >> np.uint64(48))
            y = y * four + ((t >> np.uint64(16)) & last) * two + (t >> np.uint64(48))
            p, q = p + 8, q + 8
        while p < end:  # both halves at once: each is a chain of multiplications
            x, y = x * r + at16(p), y * r + at16(q)
            p, q = p + 2, q + 2
        if v > u:
            y = y * r + at16(q)
        a[k], b[k] = x, y


@njit(types.void(U64, U64, I64A, I32, I64, I64, I64, I64, U64, I32, W16), **JIT)
def unpack(a, b, starts, rows, u, v, radix, exact, reciprocal_, pairs_, numerals_):
    """STR_radix of both halves, back to where each message in `rows` stands (algorithm 3).

    reciprocal_: 2^64 // radix, and one more than that, which divides exactly when radix^(v + 1) <= 2^64 (`exact` is 1 or more); and
    2^64 // radix^2 + 1, which does when radix^(v + 2) <= 2^64 (`exact` is 2). pairs_: then the two numerals of each number below
    radix^2, each 16 bits, in the order in which they stand.
    """
    r, numerals, pairs = np.uint64(radix), address(numerals_), address(pairs_)
    floor, above, above2, two = reciprocal_[0], reciprocal_[1], reciprocal_[2], r * r
    for k in range(len(rows)):
        start = numerals + 2 * starts[rows[k]]
        p, q = start + 2 * u, start + 2 * (u + v)
        x, y = a[k], b[k]
        if v > u:
            q -= 2
            t = high64(y, floor)
            last = y - t * r
            t += np.uint64(last >= r)
            put16(q, y - t * r)
            y = t
        if exact == 2:
            while p - start >= 4:
                p, q = p - 4, q - 4
                s, t = high64(x, above2), high64(y, above2)
                put_raw32(p, int32(pairs, np.int64(x - s * two)))
                put_raw32(q, int32(pairs, np.int64(y - t * two)))
                x, y = s, t
        if exact:
            while p > start:
                p, q = p - 2, q - 2
                s, t = high64(x, above), high64(y, above)
                put16(p, x - s * r)
                put16(q, y - t * r)
                x, y = s, t
        else:
            while p > start:
                p, q = p - 2, q - 2
                s, t = high64(x, floor), high64(y, floor)
                s, t = s + np.uint64(x - s * r >= r), t + np.uint64(y - t * r >= r)
                put16(p, x - s * r)
                put16(q, y - t * r)
                x, y = s, t


@njit(types.void(U8, I64, U8, I64, I64, I64, I64, W8), **JIT)
def add_tweaks(base_, step, tweaks_, width, first, count, place, out_):
    """A block a message: 16 bytes of base (step 16: each its own, 0: all the same), xored at byte `place` with bytes
    `first` to `first + count` of the message's tweak, which is `width` bytes long."""
    base, tweaks, out = address(base_), address(tweaks_), address(out_)
    for k in range(len(out_) // 16):
        store_raw64(out + 16 * k, load_raw64(base + step * k))
        store_raw64(out + 16 * k + 8, load_raw64(base + step * k + 8))
        p, q = out + 16 * k + place, tweaks + width * k + first
        for j in range(count):
            put8(p + j, at(p + j) ^ at(q + j))


@njit(types.void(U64, U8, I64, U64, W8), **JIT)
def first_blocks(source, base_, step, constants, blocks_):
    """The blocks of the first round. base_: 16 bytes a message (step 16) or for all (step 0): chaining state ^ block without numbers."""
    base, blocks = address(base_), address(blocks_)
    high, low = swapped(constants[NEXT_HIGH]), constants[NEXT_LOW]
    for k in range(len(source)):
        store_raw64(blocks + 16 * k, load_raw64(base + step * k) ^ high)
        store_raw64(blocks + 16 * k + 8, load_raw64(base + step * k + 8) ^ swapped(low ^ source[k]))


@njit(**JIT)
def next_half(x, block, m, reciprocal, shift, quotient, mode):
    """The half x plus or minus y modulo m (steps 6 iii to 6 vii), for the encrypted block at an address."""
    y = load_be64(block)
    if mode & MASKED:
        if mode & WIDE:
            y = (y << np.uint64(32)) | load_be32(block + 8)
        return (x - y if mode & BACKWARD else x + y) & m
    if mode & WIDE:
        y = product_modulo(y, shift, m, quotient) + modulo(load_be32(block + 8), m, reciprocal)
        y = smaller(y, y - m)
    else:
        y = modulo(y, m, reciprocal)
    t = x + (m - y if mode & BACKWARD else y)
    return smaller(t, t - m)


@njit(types.void(U8, WU64, U8, I64, U64, I64, W8), **JIT)
def finish_round(encrypted_, target, base_, step, constants, mode, blocks_):
    """Steps 6 iii to ix of one round on the half that it changes, and the blocks of the next one, whose source that half is."""
    encrypted, base, blocks = address(encrypted_), address(base_), address(blocks_)
    m, reciprocal, shift, quotient = constants[MODULUS], constants[RECIPROCAL], constants[SHIFT], constants[SHIFT_QUOTIENT]
    high, low = swapped(constants[NEXT_HIGH]), constants[NEXT_LOW]
    if mode & (MASKED | WIDE) == 0:  # halves of at most four bytes: the high word stays, and the loop is free of branches
        if mode & BACKWARD:
            for k in range(len(target)):
                t = next_half(target[k], encrypted + 16 * k, m, reciprocal, shift, quotient, BACKWARD)
                target[k] = t
                store_raw64(blocks + 16 * k + 8, load_raw64(base + step * k + 8) ^ swapped(low ^ t))
        else:
            for k in range(len(target)):
                t = next_half(target[k], encrypted + 16 * k, m, reciprocal, shift, quotient, 0)
                target[k] = t
                store_raw64(blocks + 16 * k + 8, load_raw64(base + step * k + 8) ^ swapped(low ^ t))
        return
    for k in range(len(target)):
        t = next_half(target[k], encrypted + 16 * k, m, reciprocal, shift, quotient, mode)
        target[k] = t
        store_raw64(blocks + 16 * k, load_raw64(base + step * k) ^ high)
        store_raw64(blocks + 16 * k + 8, load_raw64(base + step * k + 8) ^ swapped(low ^ t))
