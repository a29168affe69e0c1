# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Tokens of running text: words and numbers, what lists say of them, how they are written, what stands between them."""

import numpy as np

from flink_masking.detect.cells_kernels import cell, found, set_cell
from flink_masking.detect.words_kernels import BASIS, hashed, in_word, mixed, small, word_hash
from flink_masking.kernels import JIT, njit
from flink_masking.kernels.characters import digit
from flink_masking.kernels.memory import at

FIRST, LAST, CITY, COUNTRY, COMMON, TITLE, STREET, COMPANY = (1 << k for k in range(8))
PARTICLE, NATIONALITY, CUE, UNIT, STATE, BEGINS, WHERE = (1 << k for k in range(8, 15))
"""What lists say of a word; BEGINS: it begins a name of several words."""
MOST = 512
T_START, T_END, T_BITS, T_SHAPE, T_GAP = range(5)
TOKEN = 5
"""Numbers of a token: where it begins and ends, what lists say or -1, its shape, what separates it from the next one."""
CAPITAL, NUMBER, SHOUTED, INITIAL = 1, 2, 4, 8
"""Bits of a shape: begins with a capital; of digits; of capitals only; one letter."""
SPACE, POINT, JOINED, COMMA, LINE, HASH, FAR = range(7)
"""Separators: one space; a point and a space; nothing or a hyphen; comma and space; a line break; other signs of addresses;
anything else."""

SMALL, NUMERAL = 1, 2
SIGNS = np.zeros(256, np.uint8)
"""Of a byte: `SMALL` or 3 where it belongs to a word, and whether it is a small ASCII letter; `NUMERAL` for a digit."""
SIGNS[0x80:], SIGNS[65:91], SIGNS[97:123], SIGNS[48:58] = 3, 3, SMALL, NUMERAL


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
    if p + 1 < e and at(p) == 32 and SIGNS[np.uint64(at(p + 1))]:
        return SPACE, p + 1
    q, commas, lines, signs, points = p, 0, 0, 0, 0
    while q < e and not SIGNS[np.uint64(at(q))]:
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
def cut(p, e, lists, tokens):
    """Tokens of a text from p on; the results are how many, where the next one begins, and whether a capital was among them.

    Words with a capital are looked up in all lists; others have -1 for what lists say of them, until `said` looks them up.
    """
    n, capitals = 0, False
    while p < e and not SIGNS[np.uint64(at(p))]:
        p += 1
    while p < e and n < MOST:
        start, of = p, SIGNS[np.uint64(at(p))]
        digits = of == NUMERAL
        if of == SMALL:
            while p < e and SIGNS[np.uint64(at(p))] == SMALL:
                p += 1
            if p + 1 < e and at(p) == 32 and SIGNS[np.uint64(at(p + 1))]:  # most words of a text
                x = n * TOKEN
                set_cell(tokens, x + T_START, start)
                set_cell(tokens, x + T_END, p)
                set_cell(tokens, x + T_BITS, -1)
                set_cell(tokens, x + T_SHAPE, 0)
                set_cell(tokens, x + T_GAP, SPACE)
                p += 1
                n += 1
                continue
        while p < e:
            c = at(p)
            if not SIGNS[np.uint64(c)]:
                # An apostrophe inside a word (O'Neill, l'Aquila), not the end of one.
                if not (c == 39 and p > start and p + 2 < e and in_word(at(p + 1)) and in_word(at(p + 2)) and not digits):
                    break
            elif c == 0xE2 and p + 1 < e and at(p + 1) == 0x80:  # typographic marks and dashes
                break
            p += 1
        if p == start:  # a typographic mark
            p += 3
            if n:
                set_cell(tokens, (n - 1) * TOKEN + T_GAP, FAR)
            while p < e and not in_word(at(p)):
                p += 1
            continue
        capital = not digits and capital_at(start, e)
        capitals = capitals or capital
        x, size = n * TOKEN, p - start
        set_cell(tokens, x + T_START, start)
        set_cell(tokens, x + T_END, p)
        set_cell(tokens, x + T_BITS, found(lists, word_hash(start, p)) if capital else 0 if digits else -1)
        shape = (CAPITAL if capital else 0) | (NUMBER if digits else 0) | (INITIAL if size == 1 and capital else 0)
        set_cell(tokens, x + T_SHAPE, shape | (SHOUTED if capital and size > 1 and 65 <= at(p - 1) <= 90 else 0))
        gap, p = gap_after(p, e)
        set_cell(tokens, x + T_GAP, gap)
        n += 1
    if n:
        set_cell(tokens, (n - 1) * TOKEN + T_GAP, FAR)
    if not capitals:  # a text without capitals: any word may be a name
        for k in range(n):
            x = k * TOKEN
            if cell(tokens, x + T_BITS) < 0:
                set_cell(tokens, x + T_BITS, found(lists, word_hash(cell(tokens, x + T_START), cell(tokens, x + T_END))))
    return n, p, capitals


@njit(**JIT)
def said(tokens, k, few):
    """What lists say of token k; a word in small letters is looked up in the short list of words that tell names."""
    x = k * TOKEN
    bits = cell(tokens, x + T_BITS)
    if bits < 0:
        bits = found(few, word_hash(cell(tokens, x + T_START), cell(tokens, x + T_END)))
        set_cell(tokens, x + T_BITS, bits)
    return bits


@njit(**JIT)
def phrase(tokens, k, n, lists, wanted):
    """The longest phrase of at most four words from token k that a list has with a wanted bit: its last token, or -1; its bits."""
    best, best_bits = np.int64(-1), np.int64(0)
    of = cell(tokens, k * TOKEN + T_BITS)
    if of >= 0 and of & BEGINS == 0:
        return (np.int64(k), of & wanted) if of & wanted else (best, best_bits)
    h, before = BASIS, np.int64(0)
    for j in range(k, min(n, k + 4)):
        p, e = cell(tokens, j * TOKEN + T_START), cell(tokens, j * TOKEN + T_END)
        if j > k:
            h = hashed(h, np.int64(32))
            before = np.int64(0)
        while p < e:
            c = at(p)
            h = hashed(h, small(c, before))
            before = c
            p += 1
        of = found(lists, mixed(h)) & wanted
        if of:
            best, best_bits = np.int64(j), of
        gap = cell(tokens, j * TOKEN + T_GAP)
        if gap != SPACE and gap != JOINED and gap != POINT:
            break
    return best, best_bits


@njit(**JIT)
def ends_like_street(e, size, lists):
    """Whether the last bytes before e are the ending of a kind of street, or the last two of one."""
    h, before, q = hashed(BASIS, np.int64(45)), np.int64(45), e - size
    while q < e:
        c = at(q)
        h = hashed(h, small(c, before))
        before = c
        q += 1
    return found(lists, mixed(h)) & STREET != 0


@njit(**JIT)
def street_word(tokens, k, lists):
    """Whether a token names a kind of street, or ends like one: Bahnhofstraße."""
    x = k * TOKEN
    if said(tokens, k, lists) & STREET:
        return True
    p, e = cell(tokens, x + T_START), cell(tokens, x + T_END)
    if e - p < 6 or digit(at(e - 1)) or (at(e - 1) < 0x80 and at(e - 2) < 0x80 and not ends_like_street(e, 2, lists)):
        return False
    for size in range(3, min(e - p - 2, np.int64(8))):
        if ends_like_street(e, size, lists):
            return True
    return False
