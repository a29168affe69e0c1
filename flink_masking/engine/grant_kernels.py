# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Passes over a column that find what grants name: texts that were not met before, and values that are equal to one value."""

import numpy as np

from flink_masking.kernels import I32, I64, JIT, U8, W8, W32, WU64, njit, types
from flink_masking.kernels.memory import at
from flink_masking.records.span_kernels import ENCODED, NUMBER, STRING

NO, YES, UNSURE = 0, 1, 2
_ONE, _OTHER, _HALF = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(32)


@njit(**JIT)
def _word(p):
    """The eight bytes at p; one load."""
    low = at(p) | at(p + 1) << 8 | at(p + 2) << 16 | at(p + 3) << 24
    return np.uint64(low | at(p + 4) << 32 | at(p + 5) << 40 | at(p + 6) << 48 | at(p + 7) << 56)


@njit(**JIT)
def _mixed(h):
    h *= _ONE
    h ^= h >> _HALF
    h *= _OTHER
    return h ^ (h >> _HALF)


@njit(**JIT)
def fingerprint(p, n, seed):
    """A hash of the n bytes at p, never 0."""
    h = _mixed(seed ^ np.uint64(n))
    k = np.int64(0)
    while k + 8 <= n:
        h = _mixed(h ^ _word(p + k))
        k += 8
    if k < n and n >= 8:
        h = _mixed(h ^ _word(p + n - 8))
    elif k < n:
        rest = np.uint64(0)
        while k < n:
            rest = rest << np.uint64(8) | np.uint64(at(p + k))
            k += 1
        h = _mixed(h ^ rest)
    return _mixed(h) | np.uint64(1)


@njit(I64(U8, I32, types.uint64, WU64, I64, W32, WU64), **JIT)
def unknown(data, offsets, seed, slots, shift, rows, prints):
    """Write the rows whose text's fingerprint is in neither of its two slots, and these fingerprints; their number."""
    base, found = np.int64(data.ctypes.data), np.int64(0)
    for k in range(len(offsets) - 1):
        h = fingerprint(base + offsets[k], np.int64(offsets[k + 1] - offsets[k]), seed)
        place = np.int64(h >> np.uint64(shift)) << 1
        if slots[place] != h and slots[place + 1] != h:
            rows[found], prints[found] = k, h
            found += 1
    return found


@njit(types.void(WU64, WU64, I64), **JIT)
def keep(prints, slots, shift):
    """Put fingerprints into their slots; of three in one place the oldest is forgotten."""
    for k in range(len(prints)):
        h = prints[k]
        place = np.int64(h >> np.uint64(shift)) << 1
        if slots[place] != h and slots[place + 1] != h:
            slots[place + 1] = slots[place]
            slots[place] = h


@njit(I64(U8, I32, I32, I32, U8, W8), **JIT)
def same_texts(data, starts, ends, kinds, wanted, out):
    """Mark the texts that are `wanted`; their number."""
    base, value, n, found = np.int64(data.ctypes.data), np.int64(wanted.ctypes.data), len(wanted), np.int64(0)
    for k in range(len(kinds)):
        same = (kinds[k] == STRING or kinds[k] == ENCODED) and ends[k] - starts[k] == n
        i, p = np.int64(0), base + starts[k]
        while same and i < n:
            same = at(p + i) == at(value + i)
            i += 1
        out[k] = same
        found += same
    return found


@njit(I64(U8, I32, I32, I32, U8, I64, W8), **JIT)
def same_numbers(data, starts, ends, kinds, wanted, texts, out):
    """Tell of each number whether it is equal to the whole number with the digits `wanted`, which no whole number is where it is empty.

    A number with a fraction or exponent is UNSURE. With `texts`, texts are numbers, too. The result is how many are not NO.
    """
    base, value, n, found = np.int64(data.ctypes.data), np.int64(wanted.ctypes.data), len(wanted), np.int64(0)
    for k in range(len(kinds)):
        p, length = base + starts[k], np.int64(ends[k] - starts[k])
        out[k] = NO
        if length > 0 and (kinds[k] == NUMBER or (texts and (kinds[k] == STRING or kinds[k] == ENCODED))):
            sign = np.int64(at(p) == 45)
            plain = (length > sign and 49 <= at(p + sign) <= 57) or (length == 1 and at(p) == 48)
            same, i = length == n, np.int64(0)
            while plain and i < length:
                c = at(p + i)
                plain = 48 <= c <= 57 or i < sign
                same = same and c == at(value + i)
                i += 1
            out[k] = UNSURE if not plain else YES if same else NO
            found += out[k] != NO
    return found
