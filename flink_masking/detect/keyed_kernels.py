# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""What a whole value must look like when only the name of its member says its type."""

import numpy as np

from flink_masking.detect.digit_kernels import packed
from flink_masking.detect.place_checks_kernels import age, coordinate, dmy, ymd
from flink_masking.detect.resolve_kernels import put
from flink_masking.detect.trigger_kernels import password_fits, token_fits
from flink_masking.kernels import I32, I64, I64A, JIT, U8, W64, njit, types
from flink_masking.kernels.characters import beyond32, digit, digits32, letter, letters32, same32
from flink_masking.kernels.memory import at, ones

RULES = ("", "name", "text", "digits", "code", "phone", "handle", "age", "date", "coordinate", "cvv", "place", "postcode", "password",
         "token")
"""The rules by name; the number of a rule is its index."""


@njit(**JIT)
def census(p, e, limit):
    """Of a text: letters (bytes beyond ASCII count), digits, spaces, everything else but ``'-.,``."""
    letters, digits, spaces, others = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    while p < e and p + 32 <= limit:
        n = min(e - p, np.int64(32))
        inside = (np.int64(1) << n) - 1
        words, numerals, blanks = (letters32(p) | beyond32(p)) & inside, digits32(p) & inside, same32(p, 32) & inside
        signs = (same32(p, 39) | same32(p, 45) | same32(p, 46) | same32(p, 44)) & inside
        letters += ones(words)
        digits += ones(numerals)
        spaces += ones(blanks)
        others += ones(inside & ~(words | numerals | blanks | signs))
        p += n
    while p < e:
        c = at(p)
        if letter(c) or c >= 0x80:
            letters += 1
        elif digit(c):
            digits += 1
        elif c == 32:
            spaces += 1
        elif not (c == 39 or c == 45 or c == 46 or c == 44):
            others += 1
        p += 1
    return letters, digits, spaces, others


@njit(**JIT)
def a_date(p, e):
    """Whether a text is a date, perhaps with a time of day."""
    n = e - p
    if n < 6 or n > 35 or not digit(at(p)):
        return False
    q, separators = p, 0
    while q < e and q < p + 10:
        separators += at(q) == 45 or at(q) == 47 or at(q) == 46
        q += 1
    if separators >= 2:
        return ymd(p, e) > 0 if n > 4 and digit(at(p + 3)) else dmy(p, e) > 0
    _, digits = packed(p, e)
    return n == 8 and digits == 8


@njit(**JIT)
def keyed_fits(rule, p, e, empty, limit):
    """Whether the whole value p…e follows a rule; `empty` is the table of placeholders, `limit` the end of what can be read."""
    n = e - p
    if n == 0 or n > 512:
        return False
    if rule == 13:
        return password_fits(p, e, empty)
    if rule == 14:
        return token_fits(p, e, empty)
    letters, digits, spaces, others = census(p, e, limit)
    if letters + digits == 0:
        return False
    if rule == 1:  # a name
        return letters >= 2 and digits == 0 and others == 0 and spaces <= 6 and n <= 80
    if rule == 2:  # an address: words, or a word with a number
        return letters >= 3 and (spaces > 0 or digits > 0 or n >= 6)
    if rule == 3:  # an account number
        return 6 <= digits <= 24 and letters == 0 and others == 0
    if rule == 4:  # a document's number
        return digits >= 3 and 5 <= letters + digits <= 20 and others == 0
    if rule == 5:  # a telephone number
        return 6 <= digits <= 15 and letters <= 4 and n <= 30
    if rule == 6:  # a handle
        return 2 <= n <= 64 and letters >= 1 and spaces == 0
    if rule == 7:
        return n <= 3 and letters == 0 and age(p, e) > 0
    if rule == 8:
        return a_date(p, e)
    if rule == 9:
        x, _ = coordinate(p, e)
        return letters == 0 and digits >= 2 and spaces == 0 and x <= 180 and others <= 1
    if rule == 10:
        return 3 <= digits <= 4 and n == digits
    if rule == 11:  # a place
        return letters >= 2 and digits == 0 and others == 0 and n <= 60
    if rule == 12:  # a postal code
        return digits >= 2 and 3 <= n <= 10 and others == 0
    return np.bool_(False)


U32 = types.Array(types.uint32, 1, "C", readonly=True)
H_TYPE, H_RULE, H_SCORE = range(3)
"""Numbers of a hint: the type that a key says, or -1; its rule; its confidence."""
HINT = 3
BY_KEY = 4


@njit(I64(U8, I64A, I64A, I32, I64A, U32, I64, W64), **JIT)
def keyed(data, starts, ends, hints, hint_rows, empty, lowest, found):
    """Write a candidate for each whole value that follows the rule of its hint; the result is how many."""
    base, n, out, table = np.int64(data.ctypes.data), np.int64(0), np.int64(found.ctypes.data), np.int64(empty.ctypes.data)
    for v in range(len(starts)):
        x = np.int64(hints[v]) * HINT
        if hints[v] and hint_rows[x + H_TYPE] >= 0 and hint_rows[x + H_SCORE] >= lowest \
                and keyed_fits(hint_rows[x + H_RULE], base + starts[v], base + ends[v], table, base + len(data)):
            n = put(out, n, hint_rows[x + H_TYPE], starts[v], ends[v], v, hint_rows[x + H_SCORE], BY_KEY)
    return n
