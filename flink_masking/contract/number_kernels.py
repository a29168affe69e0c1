# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Numbers of the contract: a JSON number of moderate length, within bounds, of at most so many decimals."""

import numpy as np

from flink_masking.kernels import JIT, njit
from flink_masking.kernels.characters import digit
from flink_masking.kernels.decimals_kernels import number
from flink_masking.kernels.memory import at

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
