# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Words before a candidate that speak for its type."""

import numpy as np

from flink_masking.detect.cells_kernels import cell, found, set_cell
from flink_masking.detect.words_kernels import BASIS, FOLDED, hashed, in_word, mixed, small
from flink_masking.kernels import JIT, njit
from flink_masking.kernels.characters import digit
from flink_masking.kernels.memory import at

BEFORE = 48
"""Bytes before a candidate that are looked at."""
WORDS = 8
"""Words before a candidate that are looked at: the last that speak for any type."""


@njit(**JIT)
def words_before(p, scanned, count, words, table):
    """Read on in a value up to p, so that `words` has those of its last words that speak for any type, `WORDS` at most.

    Words of one letter and numbers are left out. What lies more than `BEFORE` bytes before p is not read.

    Args:
        p: where a candidate begins.
        scanned: where reading ended the last time, at first where the value begins.
        count: how many words were kept before.
        words: int64, a hash and an end for each of the last `WORDS` words that were kept, by its address.
        table: of context words, by its address.

    Returns:
        Where reading ended, and how many words have been kept: those up to p.
    """
    q = scanned
    if p - q > BEFORE:
        q = p - BEFORE
        while q < p and in_word(at(q)):  # not in the middle of a word
            q += 1
    while q < p:
        while q < p and FOLDED[np.uint64(at(q))] == 0:
            q += 1
        start = q
        if start == p:
            break
        if digit(at(q)):
            while q < p and in_word(at(q)):
                q += 1
            continue
        h, before = BASIS, np.int64(0)
        while q < p:
            c = at(q)
            x = np.int64(FOLDED[np.uint64(c)])
            if x == 0:
                break
            if c >= 0x80:
                x = small(c, before)
            h = hashed(h, x)
            before = c
            q += 1
        if q - start > 1:
            h = mixed(h)
            if found(table, h):
                x = 2 * (count % WORDS)
                set_cell(words, x, np.int64(h))
                set_cell(words, x + 1, q)
                count += 1
    return q, count


@njit(**JIT)
def of_type(word, number):
    """The key in the table of context words of a word's hash and a type."""
    return mixed(word + np.uint64(number) * np.uint64(0x9E3779B97F4A7C15))


@njit(**JIT)
def speaks(table, p, words, count, number):
    """Whether one of the words in the `BEFORE` bytes before p speaks for a type."""
    for j in range(max(0, count - WORDS), count):
        x = 2 * (j % WORDS)
        if cell(words, x + 1) >= p - BEFORE and found(table, of_type(np.uint64(cell(words, x)), number)):
            return True
    return False
