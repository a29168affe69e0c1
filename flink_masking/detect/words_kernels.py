# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Hashes of words, and filling hash tables with them: FNV-1a over small letters, the last bits mixed (MurmurHash3's finaliser)."""

import numpy as np

from flink_masking.kernels import JIT, njit, types
from flink_masking.kernels.characters import digit, letter
from flink_masking.kernels.memory import at

BASIS, PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)


FOLDED = np.array([c + 32 if 65 <= c <= 90 else c if 97 <= c <= 122 or 48 <= c <= 57 or c >= 0x80 else 0 for c in range(256)], np.uint8)
"""A byte of a word in small letters; 0 for others. What bytes beyond ASCII are in small letters depends on the one before: `small`."""


@njit(**JIT)
def small(c, before):
    """A byte in small letters: ASCII, and Latin-1 in UTF-8 by the byte before it."""
    if 65 <= c <= 90 or (before == 0xC3 and 0x80 <= c <= 0x9E and c != 0x97):
        return c + 32
    return c


@njit(**JIT)
def in_word(c):
    """Whether a byte belongs to a word: ASCII letters and digits, and all bytes beyond ASCII."""
    return letter(c) or digit(c) or c >= 0x80


@njit(**JIT)
def hashed(h, c):
    """A hash with one more byte."""
    return (h ^ np.uint64(c)) * PRIME


@njit(**JIT)
def mixed(h):
    """The final hash of a word; never 0."""
    h ^= h >> np.uint64(33)
    h *= np.uint64(0xFF51AFD7ED558CCD)
    h ^= h >> np.uint64(33)
    h *= np.uint64(0xC4CEB9FE1A85EC53)
    h ^= h >> np.uint64(33)
    return h | np.uint64(1)


@njit(**JIT)
def word_hash(p, e):
    """The hash of a word."""
    h, before = BASIS, np.int64(0)
    while p < e:
        c = at(p)
        h = hashed(h, small(c, before) if c >= 0x80 else c + 32 if 65 <= c <= 90 else c)
        before = c
        p += 1
    return mixed(h)


@njit(**JIT)
def letters_hash(p, e):
    """The hash of the word characters of p…e, everything else left out: of the name of a member."""
    h, before = BASIS, np.int64(0)
    while p < e:
        c = at(p)
        if in_word(c):
            h = hashed(h, small(c, before))
        before = c
        p += 1
    return mixed(h)


@njit(types.void(types.uint8[::1], types.int64[::1], types.uint64[::1]), **JIT)
def hash_words(data, offsets, hashes):
    """The hash of each word ``data[offsets[k]:offsets[k + 1]]``."""
    base = np.int64(data.ctypes.data)
    for k in range(len(hashes)):
        hashes[k] = word_hash(base + offsets[k], base + offsets[k + 1])
