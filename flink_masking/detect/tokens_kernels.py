# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Tokens of running text: words and numbers, what lists say of them, how they are written, what stands between them."""

import numpy as np

from flink_masking.detect.words_kernels import BASIS, found, hashed, in_word, mixed, small
from flink_masking.kernels import JIT, njit
from flink_masking.kernels.characters import digit
from flink_masking.kernels.memory import at

FIRST, LAST, CITY, COUNTRY, COMMON, TITLE, STREET, COMPANY = (1 << k for k in range(8))
PARTICLE, NATIONALITY, CUE, UNIT, STATE = (1 << k for k in range(8, 13))
MOST = 512
T_START, T_END, T_BITS, T_SHAPE, T_GAP, T_HASH = range(6)
TOKEN = 6
"""Numbers of a token: where it begins and ends, what lists say, its shape, what separates it from the next one, its hash."""
CAPITAL, NUMBER, SHOUTED, INITIAL = 1, 2, 4, 8
"""Bits of a shape: begins with a capital; of digits; of capitals only; one letter."""
SPACE, POINT, JOINED, COMMA, LINE, HASH, FAR = range(7)
"""Separators: one space; a point and a space; nothing or a hyphen; comma and space; a line break; other signs of addresses; anything else."""

@njit(**JIT)
def capital_at(p, e):
    """Whether the character at p is a capital: ASCII, Latin, Greek, Cyrillic."""
    c = at(p)
    if c < 0x80:
        return 65 <= c <= 90
    d = at(p + 1) if p + 1 < e else np.int64(0)
    if c == 0xC3:
        return 0x80 <= d <= 0x9E
    if c == 0xC4 or c == 0xC5:
        u = ((c & 31) << 6) | (d & 63)
        odd = 0x139 <= u <= 0x148 or 0x179 <= u <= 0x17E
        return (u & 1 == 1) == odd
    return (c == 0xCE and 0x86 <= d <= 0xAB) or (c == 0xD0 and d <= 0xAF)


@njit(**JIT)
def gap_after(p, e):
    """What separates a token that ends at p from the next one, and where that begins."""
    q, commas, lines, signs, points = p, 0, 0, 0, 0
    while q < e and not in_word(at(q)):
        c = at(q)
        commas += c == 44
        lines += c == 10 or c == 13
        points += c == 46
        signs += not (c == 44 or c == 10 or c == 13 or c == 46 or c == 32)
        q += 1
    n = q - p
    if q == e:
        return FAR, q
    if n == 0 or (n == 1 and (at(p) == 45 or at(p) == 39)):
        return JOINED, q
    if n == 1 and at(p) == 32:
        return SPACE, q
    if signs:
        sign = at(p) if at(p) != 32 else at(p + 1)
        return (HASH if signs == 1 and n <= 3 and (sign == 35 or sign == 47 or sign == 45) else FAR), q
    if lines and lines <= 2 and points == 0:
        return LINE, q
    if commas == 1 and n <= 3 and points == 0:
        return COMMA, q
    if points == 1 and n <= 2 and commas == 0:
        return POINT, q
    if points == 1 and commas == 1 and n == 3:
        return COMMA, q
    return (SPACE if points == 0 and commas == 0 and n <= 2 else FAR), q


@njit(**JIT)
def cut(p, e, keys, bits, tokens):
    """Tokens of a text from p on; the results are how many, where the next one begins, and whether a capital was among them."""
    n, capitals = 0, False
    while p < e and not in_word(at(p)):
        p += 1
    while p < e and n < MOST:
        start, h, before, digits, uppers = p, BASIS, np.int64(0), 0, 0
        starts_digit = digit(at(p))
        while p < e:
            c = at(p)
            if not in_word(c):
                # An apostrophe inside a word (O'Neill, l'Aquila), not the end of one.
                if c == 39 and p > start and p + 2 < e and in_word(at(p + 1)) and in_word(at(p + 2)) and not starts_digit:
                    h = hashed(h, c)
                    before = c
                    p += 1
                    continue
                break
            if c == 0xE2 and p + 1 < e and at(p + 1) == 0x80:  # typographic marks and dashes
                break
            digits += digit(c)
            uppers += 65 <= c <= 90
            h = hashed(h, small(c, before))
            before = c
            p += 1
        if p == start:  # a typographic mark
            p += 3
            if n:
                tokens[(n - 1) * TOKEN + T_GAP] = FAR
            while p < e and not in_word(at(p)):
                p += 1
            continue
        h = mixed(h)
        capital = capital_at(start, e)
        capitals = capitals or capital
        x = n * TOKEN
        tokens[x + T_START], tokens[x + T_END], tokens[x + T_HASH] = start, p, np.int64(h)
        tokens[x + T_BITS] = found(keys, bits, h)
        size = p - start
        tokens[x + T_SHAPE] = ((CAPITAL if capital else 0) | (NUMBER if starts_digit else 0) | (SHOUTED if uppers == size and size > 1 else 0)
                               | (INITIAL if size == 1 and capital else 0))
        gap, p = gap_after(p, e)
        tokens[x + T_GAP] = gap
        n += 1
    if n:
        tokens[(n - 1) * TOKEN + T_GAP] = FAR
    return n, p, capitals


@njit(**JIT)
def phrase(tokens, k, n, keys, bits, wanted):
    """The longest phrase of at most four words from token k that a list has with one of the wanted bits: its last token, or -1; its bits."""
    best, best_bits = np.int64(-1), np.int64(0)
    h, before = BASIS, np.int64(0)
    for j in range(k, min(n, k + 4)):
        p, e = tokens[j * TOKEN + T_START], tokens[j * TOKEN + T_END]
        if j > k:
            h = hashed(h, np.int64(32))
            before = np.int64(0)
        while p < e:
            c = at(p)
            h = hashed(h, small(c, before))
            before = c
            p += 1
        of = found(keys, bits, mixed(h)) & wanted
        if of:
            best, best_bits = np.int64(j), of
        gap = tokens[j * TOKEN + T_GAP]
        if gap != SPACE and gap != JOINED and gap != POINT:
            break
    return best, best_bits


@njit(**JIT)
def street_word(tokens, k, keys, bits):
    """Whether a token names a kind of street, or ends like one: Bahnhofstraße."""
    x = k * TOKEN
    if tokens[x + T_BITS] & STREET:
        return True
    p, e = tokens[x + T_START], tokens[x + T_END]
    for size in range(3, min(e - p - 2, np.int64(8))):
        h, before, q = hashed(BASIS, np.int64(45)), np.int64(45), e - size
        while q < e:
            c = at(q)
            h = hashed(h, small(c, before))
            before = c
            q += 1
        if found(keys, bits, mixed(h)) & STREET:
            return True
    return False
