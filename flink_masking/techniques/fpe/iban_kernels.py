# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""IBANs (ISO 13616) as numerals 0 to 35: check digits, and digits apart from letters."""

import numpy as np

from flink_masking.kernels import I64A, JIT, U8, U16, W8, W16, W64, njit, types
from flink_masking.kernels.wide import address, at16

HEAD = 4
"""Country and check digits."""

LARGE = np.uint64(1 << 50)
"""A number that may still be multiplied by 10^4."""


@njit(**JIT)
def rest_of(p, stop, rest):
    """The characters from address p to address stop, read on from a number below 97, modulo 97 (ISO 7064, MOD 97-10)."""
    while p < stop:
        c = at16(p)
        letter = np.uint64(c > np.uint64(9))
        rest = rest * (np.uint64(10) + np.uint64(90) * letter) + c
        if rest > LARGE:
            rest %= np.uint64(97)
        p += 2
    return rest


@njit(**JIT)
def check_number(first, count):
    """The check digits of the `count` characters at address `first` (country, check digits, account): 98 less the rest."""
    rest = rest_of(first + 2 * HEAD, first + 2 * count, np.uint64(0))
    return 98 - np.int64(rest_of(first, first + 4, rest) * np.uint64(100) % np.uint64(97))


@njit(types.void(U16, I64A, I64A, W8), **JIT)
def check_ibans(numerals, starts, counts, refused):
    """Refuse what has not two letters, the right check digits, and an account of 1 to 30 characters."""
    base = address(numerals)
    for k in range(len(starts)):
        p, count = starts[k], counts[k]
        fit = not refused[k] and HEAD < count <= HEAD + 30
        fit = fit and numerals[p] > 9 and numerals[p + 1] > 9 and numerals[p + 2] < 10 and numerals[p + 3] < 10
        refused[k] = not fit or check_number(base + 2 * p, count) != numerals[p + 2] * 10 + numerals[p + 3]


@njit(types.void(U16, I64A, I64A, I64A, W16, W64, W64, W16, W64, W64, W8, W8), **JIT)
def part(numerals, starts, counts, rules, digits, digit_starts, digit_counts, letters, letter_starts, letter_counts, tweaks, refused):
    """The digits and the letters of each account, one array each, and the tweak of country, kept characters and kept letters.

    rules: account characters kept at the front and at the end, fewest digits and fewest letters that are encrypted, bytes of a tweak.
    Too few letters are kept; a value with too few digits is refused.
    """
    first, last, fewest_digits, fewest_letters, width = rules
    d, m = 0, 0
    for k in range(len(starts)):
        digit_starts[k], letter_starts[k], digit_counts[k], letter_counts[k] = d, m, 0, 0
        w = width * k
        for j in range(width):
            tweaks[w + j] = 0
        if refused[k]:
            continue
        begin, end = starts[k] + HEAD + first, starts[k] + counts[k] - last
        i, o = d, m
        for p in range(begin, end):
            c = np.int64(numerals[p])
            letter = np.int64(c > 9)
            digits[i], letters[o] = (0, c - 10) if letter else (c, 0)  # both, without a branch: the 0 is written over
            i, o = i + 1 - letter, o + letter
        if i - d < fewest_digits:
            refused[k] = 1
            continue
        tweaks[w], tweaks[w + 1] = numerals[starts[k]], numerals[starts[k] + 1]
        for j in range(first):
            tweaks[w + 2 + j] = numerals[starts[k] + HEAD + j]
        for j in range(last):
            tweaks[w + 2 + first + j] = numerals[end + j]
        if o - m < fewest_letters:
            for j in range(o - m):
                tweaks[w + 2 + first + last + j] = letters[m + j] + 10
        else:
            letter_counts[k] = o - m
            m = o
        digit_counts[k] = i - d
        d = i


@njit(types.void(W16, I64A, I64A, U8, I64A, U16, I64A, U16, I64A, I64A), **JIT)
def join(numerals, starts, counts, refused, rules, digits, digit_starts, letters, letter_starts, letter_counts):
    """Put digits and letters back to where they were, and the check digits that belong to them; for rules see `part`."""
    first, last, base = rules[0], rules[1], address(numerals)
    for k in range(len(starts)):
        if refused[k]:
            continue
        i, o = digit_starts[k], letter_starts[k]
        for p in range(starts[k] + HEAD + first, starts[k] + counts[k] - last):
            letter = np.int64(numerals[p] > 9)
            changed = letters[o] + 10 if letter_counts[k] else numerals[p]
            numerals[p] = changed if letter else digits[i]
            i, o = i + 1 - letter, o + letter
        check = check_number(base + 2 * starts[k], counts[k])
        numerals[starts[k] + 2], numerals[starts[k] + 3] = check // 10, check % 10
