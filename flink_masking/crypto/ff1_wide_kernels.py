# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""What FF1 does around AES where a half exceeds 64 bits: halves of two or three limbs, each a number below a power of the radix.

A half of c numerals has L limbs, the last numerals first: all but the last limb hold w numerals, the last one the rest. Limbs stay below
2^54, so that sums and products with 32-bit words need 128 bits nowhere but in `high64`.
"""

import numpy as np

from flink_masking.kernels import I32, I64, I64A, JIT, U8, U16, U64, W8, W16, WU64, njit, types
from flink_masking.kernels.wide import address, at16, high64, load_be32, load_raw64, put16, store_raw64, swapped

MODULUS, RECIPROCAL, SHIFT = 0, 1, 2
"""Of a limb: the power of the radix; 2^(32 + bits) // modulus and 64 - bits, for a modulus of more than 32 bits, else 0 and 0."""
LIMB = 3


@njit(types.void(U16, I64A, I32, I64, I64, I64, I64, I64, WU64), **JIT)
def pack(numerals_, starts, rows, first, count, width, limbs, radix, half):
    """The limbs of the `count` numerals from `first` on of each message in `rows`."""
    numerals, r = address(numerals_), np.uint64(radix)
    for k in range(len(rows)):
        end = first + count
        p = numerals + 2 * starts[rows[k]]
        for j in range(limbs):
            begin = first if j == limbs - 1 else end - width
            x = np.uint64(0)
            for i in range(begin, end):
                x = x * r + at16(p + 2 * i)
            half[k * limbs + j] = x
            end = begin


@njit(types.void(U64, I64A, I32, I64, I64, I64, I64, I64, W16), **JIT)
def unpack(half, starts, rows, first, count, width, limbs, radix, numerals_):
    """The numerals again, back to where they stand."""
    numerals, r = address(numerals_), np.uint64(radix)
    floor = ~np.uint64(0) // r
    for k in range(len(rows)):
        end = first + count
        p = numerals + 2 * starts[rows[k]]
        for j in range(limbs):
            begin = first if j == limbs - 1 else end - width
            x = half[k * limbs + j]
            for i in range(end - 1, begin - 1, -1):
                t = high64(x, floor)
                d = x - t * r
                while d >= r:
                    t += np.uint64(1)
                    d -= r
                put16(p + 2 * i, d)
                x = t
            end = begin


@njit(types.void(U64, I64, U64, U8, I64, I64, I64, W8), **JIT)
def blocks(half, limbs, powers, base_, step, size, number, out_):
    """The blocks of a round: base (16 bytes a message at step 16, or for all at step 0), the round's number and the half in `size` bytes.

    powers: LIMB numbers a limb of this half.
    """
    base, out = address(base_), address(out_)
    n = len(half) // limbs
    mark = np.uint64(number) << np.uint64(8 * size - 64)
    for k in range(n):
        high, low = np.uint64(0), half[k * limbs + limbs - 1]
        for j in range(limbs - 2, -1, -1):
            m = powers[j * LIMB + MODULUS]
            product = low * m
            high = high * m + high64(low, m)
            low = product + half[k * limbs + j]
            high += np.uint64(low < product)
        store_raw64(out + 16 * k, load_raw64(base + step * k) ^ swapped(high ^ mark))
        store_raw64(out + 16 * k + 8, load_raw64(base + step * k + 8) ^ swapped(low))


@njit(types.void(U8, U8, I64, WU64, I64, U64, I64), **JIT)
def finish_round(encrypted_, second_, words, target, limbs, powers, backward):
    """The half plus (backward: minus) y modulo its power of the radix; y is the first `words` 32-bit words of each encrypted block and,
    of more than four, of the second block."""
    encrypted, second = address(encrypted_), address(second_)
    n = len(target) // limbs
    y = np.zeros(limbs, np.uint64)
    for k in range(n):
        for j in range(limbs):
            y[j] = 0
        for i in range(words):
            carry = load_be32(encrypted + 16 * k + 4 * i) if i < 4 else load_be32(second + 16 * k + 4 * (i - 4))
            for j in range(limbs):
                m, reciprocal = powers[j * LIMB + MODULUS], powers[j * LIMB + RECIPROCAL]
                x = (y[j] << np.uint64(32)) + carry  # wraps, and so does q * m: what is left is below 2^57
                if reciprocal:
                    q = high64(y[j] << powers[j * LIMB + SHIFT], reciprocal)
                    x -= q * m
                    while x >= m:
                        x -= m
                        q += np.uint64(1)
                else:
                    q = x // m
                    x -= q * m
                y[j], carry = x, q
        carry = np.uint64(0)
        for j in range(limbs):
            m, x = powers[j * LIMB + MODULUS], target[k * limbs + j]
            if backward:
                less = y[j] + carry
                carry = np.uint64(x < less)
                target[k * limbs + j] = x - less + (m if carry else np.uint64(0))
            else:
                x += y[j] + carry
                carry = np.uint64(x >= m)
                target[k * limbs + j] = x - (m if carry else np.uint64(0))
