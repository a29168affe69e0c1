# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Counts over the values of a batch by path: what a column is classified by."""

import numpy as np

from flink_masking.detect.cells_kernels import found
from flink_masking.detect.tokens_kernels import CITY, COUNTRY, FIRST, LAST, STATE
from flink_masking.detect.words_kernels import word_hash
from flink_masking.kernels import I32, I64A, JIT, U8, W64, njit, types
from flink_masking.kernels.characters import digit, letter
from flink_masking.kernels.memory import at

VALUES, BYTES, LONGEST, WORDS_IN, DIGITS_IN, NAMES_IN, PLACES_IN, EMPTY = range(8)
NUMBERS = 8
"""Counts of a path, int64: values; their bytes; the longest; words; values with a digit; words on lists of names; values that are places
on lists; empty values."""
SKETCH = 256
"""The smallest hashes of a path's values that are kept: the number of distinct values is told from them (Bar-Yossef 2002)."""
U32 = types.Array(types.uint32, 1, "C", readonly=True)
NOTHING = (1 << 63) - 1


@njit(**JIT)
def sketched(sketch, first, h):
    """Put a hash into the sorted sketch of a path, if it is among the smallest."""
    last = first + SKETCH - 1
    if h >= sketch[last]:
        return
    low, high = first, last
    while low < high:
        middle = (low + high) // 2
        if sketch[middle] < h:
            low = middle + 1
        else:
            high = middle
    if sketch[low] == h:
        return
    k = last
    while k > low:
        sketch[k] = sketch[k - 1]
        k -= 1
    sketch[low] = h


@njit(types.void(U8, I64A, I64A, U8, I32, U32, W64, W64), **JIT)
def count_values(data, starts, ends, kinds, paths, lists, counts, sketch):
    """Add the values of a batch to the counts and sketches of their paths; keys, and ``true``, ``false`` and ``null``, are left out."""
    base, table = np.int64(data.ctypes.data), np.int64(lists.ctypes.data)
    for v in range(len(starts)):
        if kinds[v] == 2 or kinds[v] == 3:
            continue
        x, p, e = np.int64(paths[v]) * NUMBERS, base + starts[v], base + ends[v]
        counts[x + VALUES] += 1
        counts[x + BYTES] += e - p
        counts[x + LONGEST] = max(counts[x + LONGEST], e - p)
        counts[x + EMPTY] += p == e
        h = np.int64(word_hash(p, min(e, p + 64)) >> np.uint64(1))
        sketched(sketch, np.int64(paths[v]) * SKETCH, h)
        if e - p <= 64:
            counts[x + PLACES_IN] += found(table, word_hash(p, e)) & (CITY | COUNTRY | STATE) != 0
            digits, words, names = False, 0, 0
            while p < e:
                q = p
                while p < e and (letter(at(p)) or at(p) >= 0x80):
                    p += 1
                if p > q:
                    words += 1
                    names += found(table, word_hash(q, p)) & (FIRST | LAST) != 0
                else:
                    digits = digits or digit(at(p))
                    p += 1
            counts[x + WORDS_IN] += words
            counts[x + NAMES_IN] += names
            counts[x + DIGITS_IN] += digits
