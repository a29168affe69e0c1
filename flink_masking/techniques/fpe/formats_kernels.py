# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""What the formats of fpe ask of a value's numerals: which are encrypted, which are kept, and check digits."""

import numpy as np

from flink_masking.kernels import I32, I64, I64A, JIT, U8, U16, W8, W16, W32, W64, njit, types
from flink_masking.kernels.wide import address, at16, put16

AT, DOT, HYPHEN, PLUS = 64, 46, 45, 43


@njit(types.void(U16, I64A, I64A, U8, I64A, I64, W64, W64, W8, W8), **JIT)
def frame(numerals, starts, counts, skips, rules, width, message_starts, lengths, tweaks, refused):
    """Which numerals of each value are the message, and the kept ones as its tweak.

    skips: numerals kept at the front besides, a number a value; none when empty. rules: kept at the front, kept at the end, left out
    before those, fewest and most numerals of a value, fewest of a message, bytes of a numeral in the tweak, where in the tweak the
    first one goes. width: bytes of a tweak. A value that does not fit is refused and has a message of length 0.
    """
    first, last, spare, fewest, most, shortest, size, lead = rules
    for k in range(len(starts)):
        skip = np.int64(skips[k]) if len(skips) else 0
        length = counts[k] - skip - first - last - spare
        if refused[k] or counts[k] < fewest or counts[k] > most or length < shortest:
            refused[k], message_starts[k], lengths[k] = 1, 0, 0
            continue
        begin, end = starts[k] + skip, starts[k] + counts[k] - last
        message_starts[k], lengths[k] = begin + first, length
        p = width * k + lead
        for j in range(first + last):
            c = numerals[begin + j if j < first else end + j - first]
            tweaks[p] = c & 0xFF
            if size == 2:
                tweaks[p + 1] = c >> 8
            p += size


@njit(**JIT)
def luhn_sum(first, last):
    """The sum of Luhn's formula (ISO/IEC 7812-1, annex B) over the decimal digits from address `first` to address `last`."""
    total, p = np.uint64(0), last
    while p > first:
        twice = at16(p - 2) << np.uint64(1)
        total += at16(p) + twice - np.uint64(9) * np.uint64(twice > np.uint64(9))
        p -= 4
    if p == first:
        total += at16(p)
    return np.int64(total)


@njit(types.void(U16, I64A, I64A, W8), **JIT)
def check_luhn(numerals_, starts, counts, refused):
    """Refuse the values whose digits fail Luhn's check."""
    numerals = address(numerals_)
    for k in range(len(starts)):
        first = numerals + 2 * starts[k]
        refused[k] |= luhn_sum(first, first + 2 * counts[k] - 2) % 10 != 0


@njit(types.void(W16, I64A, I64A, U8, I64), **JIT)
def set_luhn(numerals_, starts, counts, refused, place):
    """Choose the digit at `place` from the right so that each value passes Luhn's check; just one digit does."""
    numerals = address(numerals_)
    for k in range(len(starts)):
        if not refused[k]:
            first = numerals + 2 * starts[k]
            last = first + 2 * counts[k] - 2
            put16(last - 2 * place, np.uint64(0))
            need = 9 - (luhn_sum(first, last) + 9) % 10
            if place & 1:  # doubled digits count 0 2 4 6 8 1 3 5 7 9
                need = (need + 9 * (need & 1)) >> 1
            put16(last - 2 * place, np.uint64(need))


@njit(types.void(U8, U8, I32, W32), **JIT)
def after_plus(data, valid, offsets, begins):
    """Where each value begins, behind a plus sign in front."""
    for k in range(len(begins)):
        p = offsets[k]
        there = offsets[k + 1] > p and (len(valid) == 0 or valid[k])
        begins[k] = p + 1 if there and data[p] == PLUS else p


@njit(types.void(U16, I64A, I64A, I32, I32, U8, I64, W8, W8, W8), **JIT)
def country_codes(numerals, starts, counts, offsets, begins, codes, width, skips, tweaks, refused):
    """The digits of the country code of each number behind a plus sign, also as the first three bytes of its tweak.

    codes: digits of the code by the first two digits.
    """
    for k in range(len(starts)):
        skips[k] = 0
        for j in range(3):
            tweaks[width * k + j] = 0
        if refused[k] or begins[k] == offsets[k]:
            continue
        p = starts[k]
        length = np.int64(codes[10 * numerals[p] + numerals[p + 1]]) if counts[k] > 2 else 0
        if length == 0:
            refused[k] = 1
            continue
        skips[k] = length
        for j in range(length):
            tweaks[width * k + j] = 1 + numerals[p + j]


@njit(types.void(U8, I32, U8, U8, W32, W8), **JIT)
def local_parts(data, offsets, valid, host, stops, refused):
    """Where the local part of each address ends; refused where it has more than 64 bytes, or what follows is no plain host name.

    host: nonzero for the bytes that a host name may have.
    """
    for k in range(len(stops)):
        stops[k], end = offsets[k], offsets[k + 1]
        if len(valid) and not valid[k]:
            continue
        p = np.int64(offsets[k])
        while p < end and data[p] != AT:
            p += 1
        fit = p < end - 1 and p - offsets[k] <= 64 and end - p <= 256
        before = DOT
        for j in range(p + 1, end):
            b = data[j]
            fit = fit and host[b] != 0 and not (b == DOT and before == DOT)
            before = b
        if fit and before != DOT:
            stops[k] = p
        else:
            refused[k] = 1


@njit(types.void(U8, I32, U8, I32, U8, W8, W32), **JIT)
def hosts(data, offsets, valid, stops, refused, out, ends):
    """The host name of each address that is neither null nor refused, in lower case."""
    o = 0
    for k in range(len(stops)):
        if not refused[k] and (len(valid) == 0 or valid[k]):
            for j in range(stops[k] + 1, offsets[k + 1]):
                b = data[j]
                out[o] = b | 32 if 65 <= b <= 90 else b
                o += 1
        ends[k + 1] = o
