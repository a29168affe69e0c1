# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""What each value looks like, hashes of values and of the parts that separators make of them, and counts by path."""

import numpy as np

from flink_masking.contract.address_kernels import ip_fits, url_fits
from flink_masking.contract.code_kernels import mac_fits, uuid_fits
from flink_masking.contract.date_kernels import date_fits, moment_fits, time_fits
from flink_masking.contract.email_kernels import email_fits
from flink_masking.kernels import I32, I64, I64A, JIT, U8, U64, W8, W32, W64, WU64, njit
from flink_masking.kernels.characters import digit, hexadecimal, letter
from flink_masking.kernels.memory import at
from flink_masking.scan.walk_kernels import BASIS, ENCODED, NULL, NUMBER, OBJECT, PRIME, hash_of, mixed
from flink_masking.values.calendar_kernels import partial_date

(NONE, EMPTY, INTEGER, DECIMAL, EPOCH_S, EPOCH_MS, EPOCH_US, EPOCH_NS, BOOLEAN, UUID, DATE, DATETIME, TIME, IP, MAC, EMAIL, URL, ARN, URN,
 HEX, CODE, WORD, TEXT, OTHER, MONTH, YEAR) = range(26)  # fmt: skip
SHAPES = 26
VALUES, RECORDS, EMPTIES, BYTES, KINDS = range(5)
COUNTS = KINDS + 8
"""Numbers of a path, int64: values, records that have one, empty containers, bytes of scalars, values of each kind."""
SHORTEST, LONGEST = 4, 2048
"""Bytes of a part that may be an identifier, and of a value that is cut into parts."""


@njit(**JIT)
def number_shape(p, e):
    """The shape of a text that is a number: an integer, perhaps seconds or less since 1970, or a decimal; NONE if it is none."""
    q, x, n = p, np.int64(0), 0
    if q < e and at(q) == 45:
        q += 1
    negative = q > p
    while q < e and digit(at(q)):
        if n < 18:
            x = x * 10 + at(q) - 48
        n += 1
        q += 1
    if n == 0:
        return NONE
    if q == e:
        if negative or at(p) == 48:
            return INTEGER
        if n == 10 and 1_000_000_000 <= x < 2_200_000_000:
            return EPOCH_S
        if n == 13 and 1_000_000_000_000 <= x < 2_200_000_000_000:
            return EPOCH_MS
        if n == 16 and 1_000_000_000_000_000 <= x < 2_200_000_000_000_000:
            return EPOCH_US
        if n == 19 and 100_000_000_000_000_000 <= x < 220_000_000_000_000_000:
            return EPOCH_NS
        return INTEGER
    point = False
    while q < e:
        c = at(q)
        if c == 46 and not point:
            point = True
        elif not (digit(c) or ((c == 101 or c == 69) and q + 1 < e) or ((c == 43 or c == 45) and (at(q - 1) | 32) == 101)):
            return NONE
        q += 1
    return DECIMAL


@njit(**JIT)
def starts_with(p, e, a, b, c, d):
    """Whether a text begins with four bytes."""
    return e - p > 4 and at(p) == a and at(p + 1) == b and at(p + 2) == c and at(p + 3) == d


@njit(**JIT)
def text_shape(p, e):
    """The shape of a text."""
    n = e - p
    if n == 0:
        return EMPTY
    c = at(p)
    if digit(c) or c == 45:
        if (n == 4 or n == 7) and partial_date(p, e)[0] > 0 and 1800 <= partial_date(p, e)[0] < 2200:
            return YEAR if n == 4 else MONTH
        found = number_shape(p, e)
        if found != NONE:
            return found
        if date_fits(p, e):
            return DATE
        if n > 10 and moment_fits(p, e):
            return DATETIME
        if time_fits(p, e):
            return TIME
    if n == 36 and uuid_fits(p, e):
        return UUID
    if n == 17 and mac_fits(p, e):
        return MAC
    if n <= 45 and (digit(c) or hexadecimal(c) or c == 58) and ip_fits(p, e):
        return IP
    if starts_with(p, e, 97, 114, 110, 58):
        return ARN
    if starts_with(p, e, 117, 114, 110, 58):
        return URN
    if n == 4 and (c | 32) == 116 and (at(p + 2) | 32) == 117 and (at(p + 3) | 32) == 101:
        return BOOLEAN
    if n == 5 and (c | 32) == 102 and (at(p + 3) | 32) == 115 and (at(p + 4) | 32) == 101:
        return BOOLEAN
    blanks, ats, colons, hexes, letters, digits, q = 0, 0, 0, 0, 0, 0, p
    while q < e:
        c = at(q)
        blanks += c == 32 or c == 10
        ats += c == 64
        colons += c == 58
        hexes += hexadecimal(c)
        letters += letter(c) or c >= 128
        digits += digit(c)
        q += 1
    if ats == 1 and blanks == 0 and email_fits(p, e):
        return EMAIL
    if colons and blanks == 0 and n <= 2048 and url_fits(p, e):
        return URL
    if n >= 16 and hexes == n:
        return HEX
    if blanks >= 2:
        return TEXT
    if letters == n:
        return WORD
    if digits and blanks == 0:
        return CODE
    return OTHER


@njit(I64(U8, I64A, I64A, U8, WU64, W8), **JIT)
def describe(data, starts, ends, kinds, hashes, shapes):
    """Hash and shape of every scalar; 0 and NONE for null and containers. The result is the number of scalars."""
    base, n = np.int64(data.ctypes.data), 0
    for k in range(len(starts)):
        kind = kinds[k]
        hashes[k], shapes[k] = 0, NONE
        if kind >= NULL:
            continue
        n += 1
        p, e = base + starts[k], base + ends[k]
        hashes[k] = hash_of(p, e)
        if kind <= ENCODED:
            shapes[k] = text_shape(p, e)
        elif kind == NUMBER:
            found = number_shape(p, e)
            shapes[k] = found if found != NONE else OTHER
        else:
            shapes[k] = BOOLEAN
    return n


@njit(I64(I64A, I64A, U8, I32, I32, I32, U8, I64, W64, W64, W64), **JIT)
def tally(starts, ends, kinds, rows, places, members, shapes, first_row, last, counts, shaped):
    """Add values to the counts of their paths.

    Args (beyond `describe`): first_row: number of the batch's record 0 in the whole input; last: for each path the last record that was
    counted; counts: `COUNTS` a path; shaped: `SHAPES` a path.
    """
    for k in range(len(starts)):
        path, kind, row = np.int64(places[k]), np.int64(kinds[k]), first_row + rows[k]
        x = path * COUNTS
        counts[x + VALUES] += 1
        counts[x + KINDS + kind] += 1
        if last[path] != row:
            last[path] = row
            counts[x + RECORDS] += 1
        if kind >= OBJECT:
            counts[x + EMPTIES] += members[k] == 0
        else:
            counts[x + BYTES] += ends[k] - starts[k]
            shaped[path * SHAPES + shapes[k]] += 1
    return len(starts)


@njit(**JIT)
def separates(c):
    """Whether a byte stands between the parts of a value: / : | # ? = & , ; blank, brackets, quotes."""
    return (c == 47 or c == 58 or c == 124 or c == 35 or c == 63 or c == 61 or c == 38 or c == 44 or c == 59 or c <= 34
            or c == 39 or c == 40 or c == 41 or c == 60 or c == 62 or c == 91 or c == 93 or c == 123 or c == 125)


@njit(I64(U8, I64A, I64A, U8, I32, U64, I64, WU64, W32, W8, W64), **JIT)
def parts(data, starts, ends, kinds, places, below, first, hashes, of, before, done):
    """Hashes of the parts that separators make of texts, with the path of the text and the separator in front of the part.

    Args (beyond `describe`): below: uint64, for each path the hash from which on parts are left out; first: value to begin with.

    Returns:
        The number of parts. done[0] becomes the first value that there is no room for.
    """
    base, n = np.int64(data.ctypes.data), 0
    for k in range(first, len(starts)):
        kind, size = kinds[k], ends[k] - starts[k]
        if kind > ENCODED or size <= SHORTEST or size > LONGEST:
            continue
        if n + size // (SHORTEST + 1) + 2 > len(hashes):
            done[0] = k
            return n
        limit = below[places[k]]
        p, e = base + starts[k], base + ends[k]
        q, begin, h, mark, shorter = p, p, BASIS, np.int64(0), BASIS
        while q <= e:
            c = at(q) if q < e else np.int64(0)
            if q == e or separates(c):
                whole = begin == p and q == e
                full_stop = q > begin and at(q - 1) == 46  # the end of a sentence is not part of a name
                if q - begin - full_stop >= SHORTEST and not whole:
                    found = mixed(shorter if full_stop else h) | np.uint64(1)
                    if found < limit:
                        hashes[n], of[n], before[n] = found, places[k], mark
                        n += 1
                begin, h, mark = q + 1, BASIS, c
            else:
                shorter = h
                h = (h ^ np.uint64(c)) * PRIME
            q += 1
    done[0] = len(starts)
    return n
