# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Words before a candidate that speak for its type."""

import numpy as np

from flink_masking.detect.cells_kernels import cell, found, set_cell
from flink_masking.detect.words_kernels import BASIS, hashed, in_word, mixed, small
from flink_masking.kernels import JIT, njit
from flink_masking.kernels.memory import at

BEFORE = 48
"""Bytes before a candidate that are looked at."""
WORDS = 8
"""Words before a candidate that are looked at."""


@njit(**JIT)
def words_before(p, first, words):
    """The hashes of at most `WORDS` whole words in the `BEFORE` bytes before p, not before `first`, into `words`; gives how many."""
    q, count = max(first, p - BEFORE), 0
    if q > first:  # not in the middle of a word
        while q < p and in_word(at(q)):
            q += 1
    while q < p:
        while q < p and not in_word(at(q)):
            q += 1
        if q == p:
            break
        h, before = BASIS, np.int64(0)
        while q < p and in_word(at(q)):
            c = at(q)
            h = hashed(h, small(c, before))
            before = c
            q += 1
        set_cell(words, count % WORDS, np.int64(mixed(h)))
        count += 1
    return min(count, WORDS)


@njit(**JIT)
def of_type(word, number):
    """The key in the table of context words of a word's hash and a type."""
    return mixed(word + np.uint64(number) * np.uint64(0x9E3779B97F4A7C15))


@njit(**JIT)
def speaks(table, words, count, number):
    """Whether one of the words, an int64 array by its address, speaks for a type."""
    for j in range(count):
        if found(table, of_type(np.uint64(cell(words, j)), number)):
            return True
    return False
