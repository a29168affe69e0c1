# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Numbers of the contract: a JSON number of moderate length, within bounds, of at most so many decimals."""

import numpy as np

from flink_masking.kernels import JIT, njit
from flink_masking.kernels.characters import digit, eight_digits
from flink_masking.kernels.memory import at, trailing_zeros
from flink_masking.kernels.wide import load_raw64
from flink_masking.values.decimals_kernels import number

LONGEST = 40  # characters: a decimal of 38 digits with sign and point; every double is shorter
EXPONENT = 3  # digits of an exponent: those of a double
PLAIN, BOUNDED, SCALED, INTEGER = 0, 1, 2, 4  # bits: has bounds; has a scale; digits alone


@njit(**JIT)
def beyond(units, rest, negative, low, high):
    """Whether a number as `decimals_kernels.number` reads it (units <= 0 is minus the magnitude) lies outside low…high."""
    x = units if negative else -units
    if rest == 0:
        return x < low or x > high
    if negative:  # a little below x
        return x <= low or x > high
    return x < low or x >= high


@njit(**JIT)
def short_fits(p, e, bits, scale, low, high):
    """Whether p…e, of eight bytes that can be read, is a JSON number of up to seven characters, digits and perhaps a point, that keeps
    the contract; False leaves it to `number_fits`."""
    n = e - p
    if n > 7 or n + scale > 18:
        return False
    zeros, ones = np.uint64(0x3030303030303030), np.uint64(0x0101010101010101)
    x = (load_raw64(p) << np.uint64(64 - 8 * n)) | (zeros >> np.uint64(8 * n))  # with zeros in front, the last digit in the highest byte
    other = x ^ np.uint64(0x2E2E2E2E2E2E2E2E)
    found = (other - ones) & ~other & np.uint64(0x8080808080808080)
    decimals = np.int64(0)
    if found:
        if bits & INTEGER:
            return False
        place = trailing_zeros(np.int64(found)) - 7  # of the first point; a second one is no digit
        decimals = 7 - (place >> 3)
        whole = x & ((np.uint64(1) << np.uint64(place)) - np.uint64(1))
        rest = (x >> np.uint64(place)) >> np.uint64(8)
        x = (((rest << np.uint64(8)) << np.uint64(place)) | (whole << np.uint64(8))) | np.uint64(0x30)
    if decimals > scale or not eight_digits(x):
        return False
    if bits & BOUNDED == 0:
        return True
    x = ((x & np.uint64(0x0F0F0F0F0F0F0F0F)) * np.uint64(2561)) >> np.uint64(8)
    x = ((x & np.uint64(0x00FF00FF00FF00FF)) * np.uint64(6553601)) >> np.uint64(16)
    units = np.int64(((x & np.uint64(0x0000FFFF0000FFFF)) * np.uint64(42949672960001)) >> np.uint64(32))
    while decimals < scale:
        units *= 10
        decimals += 1
    return low <= units <= high


@njit(**JIT)
def number_fits(p, e, bits, scale, low, high):
    """Whether the JSON number p…e keeps the contract; low and high are in units of 10^-scale."""
    n = e - p
    if n > LONGEST:
        return False
    q, units, decimals, point = p, np.int64(0), np.int64(0), False
    negative = at(q) == 45
    if negative:
        q += 1
    while q < e:
        c = at(q)
        if digit(c):
            units = units * 10 + (c - 48)
            decimals += point
        elif c == 46 and not point:
            point = True
        else:
            break
        q += 1
    if q < e:  # an exponent
        if bits & INTEGER or at(q) | 32 != 101:
            return False
        zero, k = True, p
        while k < q:
            zero = zero and not 49 <= at(k) <= 57
            k += 1
        q += 1
        if q < e and (at(q) == 43 or at(q) == 45):
            q += 1
        if zero or q == e or e - q > EXPONENT:  # 0e1234 is nothing but a place to put digits
            return False
    elif bits & INTEGER and point:
        return False
    elif n + scale <= 18 and decimals <= scale:  # nothing can overflow, and no decimal is cut off
        if bits & BOUNDED == 0:
            return True
        while decimals < scale:
            units *= 10
            decimals += 1
        return low <= (-units if negative else units) <= high
    if bits & (BOUNDED | SCALED) == 0:
        return True
    units, rest, negative = number(p, e, scale)
    if rest < 0 or (rest != 0 and bits & SCALED):
        return False
    return bits & BOUNDED == 0 or not beyond(units, rest, negative, low, high)
