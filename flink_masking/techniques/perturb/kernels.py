# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Bounded noise on number texts: integer arithmetic only, so that a bound is a bound to the last decimal."""

import numpy as np

from flink_masking.kernels import I32, I64, I64A, JIT, U8, U64, W8, W32, njit, types
from flink_masking.kernels.memory import at
from flink_masking.values.decimals_kernels import number, put_number

MAX_SCALE = 18
LIMIT = 1 << 61
"""Magnitudes beyond, in units of the last decimal, are refused: sums of two still fit into an int64."""
BILLION = 10**9
WIDEST = 24
"""Most bytes of a result."""


@njit(I64(I64, I64), **JIT)
def decimals(p, e):
    """Decimals of the number text p…e, its exponent counted: 2 for 12.50, 4 for 1.5e-3, 0 for 1.5e3; -1 beyond MAX_SCALE or 400 digits."""
    count, inside, power = np.int64(0), False, np.int64(0)
    if e - p > 400:
        return -1
    while p < e and at(p) | 32 != 101:
        count += inside
        inside = inside or at(p) == 46
        p += 1
    if p < e:
        minus = at(p + 1) == 45 if p + 1 < e else False
        for q in range(p + 1, e):
            if 48 <= at(q) <= 57:
                power = min(power * 10 + at(q) - 48, 10_000)
        count += power if minus else -power
    return -1 if count > MAX_SCALE else max(count, 0)


@njit(I64(I64, I64), **JIT)
def scaled(x, by):
    """x ≥ 0 times 10^by, or -1 beyond LIMIT."""
    for _ in range(by):
        if x > LIMIT // 10:
            return -1
        x *= 10
    return x if x <= LIMIT else -1


@njit(I64(I64, I64), **JIT)
def cut(x, by):
    """x ≥ 0 divided by 10^by, rounded down."""
    for _ in range(by):
        x //= 10
    return x


@njit(types.uint64(types.uint64, types.uint64), **JIT)
def fraction_of(word, width):
    """The high half of word × width: a number below width, as uniform as the word."""
    half, low = np.uint64(32), np.uint64(0xFFFFFFFF)
    a, b, c, d = word >> half, word & low, width >> half, width & low
    middle = a * d + (b * d >> half)
    return a * c + (middle >> half) + ((middle & low) + b * c >> half)


@njit(types.UniTuple(I64, 2)(I64, I64, I64, I64, I64), **JIT)
def interval(magnitude, scale, relative, absolute, absolute_scale):
    """How far from a magnitude ≥ 0 in units of 10^-scale the result may lie, rounded down, in the same units; second: whether it fits.

    relative: the bound in billionths, 0 when it is absolute / 10^absolute_scale.
    """
    if relative:
        return magnitude // BILLION * relative + magnitude % BILLION * relative // BILLION, 1
    bound = scaled(absolute, scale - absolute_scale) if scale >= absolute_scale else cut(absolute, absolute_scale - scale)
    return bound, np.int64(bound >= 0)


@njit(I64(I64, I64), **JIT)
def nearest(x, unit):
    """x divided by unit ≥ 1, rounded to the nearest, halves upwards."""
    return (x + unit // 2) // unit


@njit(types.void(U8, I32, U8, I32, U64, I64, I64, I64, I64, I64A, I64A, W8, W32, W8), **JIT)
def perturb_numbers(data, offsets, valid, kinds, words, relative, absolute, absolute_scale, scale, lows, highs, out_, ends, refused):
    """For every number one drawn from its interval.

    kinds: n, the kind code of numbers or another, which is refused; words: uniform, n. scale: decimals of the results, -1 for each text's
    own. lows, highs: the domain in units of each scale from 0 to MAX_SCALE. refused[k] = 1, and nothing written, where it cannot be.
    """
    base, out = data.ctypes.data, out_.ctypes.data
    o = out
    for k in range(len(offsets) - 1):
        ends[k + 1] = o - out
        if len(valid) and not valid[k]:
            continue
        refused[k] = 1
        p, e = base + offsets[k], base + offsets[k + 1]
        own = decimals(p, e)
        if kinds[k] != 2 or own < 0:
            continue
        units, rest, negative = number(p, e, own)
        if rest != 0 or units < -LIMIT:
            continue
        to = own if scale < 0 else scale
        fine = max(own, to)
        magnitude = scaled(-units, fine - own)
        if magnitude < 0:
            continue
        bound, fits = interval(magnitude, fine, relative, absolute, absolute_scale)
        if not fits:
            continue
        unit = scaled(1, fine - to)
        value = -magnitude if negative else magnitude
        low, high = -((bound - value) // unit), (value + bound) // unit
        if low > high:  # no number of so few decimals lies within the bound
            low = high = nearest(value, unit)
        low, high = max(low, lows[to]), min(high, highs[to])
        if low > high:
            continue
        refused[k] = 0
        drawn = fraction_of(words[k], np.uint64(high - low) + np.uint64(1))
        o = put_number(o, low + np.int64(drawn), to)
        ends[k + 1] = o - out
