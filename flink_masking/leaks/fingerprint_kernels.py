# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Fingerprints of values and of every run of words in a text, kept and looked up in Bloom filters.

A word is a run of ASCII letters, digits and bytes beyond ASCII. The fingerprint of some words is a keyed hash of their bytes without what
stands between them, letters small: ``123-45-6789``, ``123 45 6789`` and ``123456789`` have the same. Only what hardly stands in a text by
chance has a fingerprint: `SHORTEST` to `LONGEST` bytes in at most `WORDS` words, with `DIGITS` digits or an at sign between two words.

A filter of ``2 ** bits`` bits has `PLACES` of them set for each value, by double hashing (Kirsch and Mitzenmacher, 2006).
"""

import numpy as np

from flink_masking.detect.words_kernels import BASIS, FOLDED, PRIME
from flink_masking.kernels import I64, I64A, JIT, U8, U64, W8, W64, njit
from flink_masking.kernels.memory import at, put8
from flink_masking.leaks.siphash_kernels import siphash

WORDS, SHORTEST, LONGEST, DIGITS = 8, 8, 80, 4
PLACES = 24
HIT = 4
"""Numbers of a hit: value, first byte, byte after the last one, number of the filter."""
_AT, _ESCAPE = 64, 92
_LETTER = 5
"""State after a backslash: the letter of the escape comes."""


@njit(**JIT)
def _places(keys, h):
    """First place and distance of the places of a fingerprint."""
    return siphash(keys[0], keys[1], h), siphash(keys[2], keys[3], h) | np.uint64(1)


@njit(**JIT)
def _holds(filters, base, shift, first, step):
    place = first
    for _ in range(PLACES):
        bit = np.int64(place >> shift)
        if not (at(filters + base + (bit >> 3)) >> (bit & 7)) & 1:
            return False
        place += step
    return True


@njit(I64(U8, I64A, I64A, U64, I64, W8), **JIT)
def add(data, starts, ends, keys, bits, filter_):
    """Put values into a filter, those that can have a fingerprint.

    Args:
        data, starts, ends: value i is ``data[starts[i]:ends[i]]``, decoded text.
        keys: four words.
        bits: the filter has ``2 ** bits`` bits.
        filter_: its bytes.

    Returns:
        How many values were not in it before.
    """
    base, out, shift, new = data.ctypes.data, filter_.ctypes.data, np.uint64(64 - bits), 0
    for value in range(len(starts)):
        h, length, words, digits, mail, inside = BASIS, 0, 0, 0, False, False
        for p in range(base + starts[value], base + ends[value]):
            c = at(p)
            small = FOLDED[c]
            if small:
                if not inside:
                    words += 1
                inside, length = True, length + 1
                digits += 48 <= c <= 57
                h = (h ^ np.uint64(small)) * PRIME
            else:
                mail |= c == _AT and words > 0
                inside = False
        if not (SHORTEST <= length <= LONGEST and words <= WORDS and (digits >= DIGITS or (mail and words > 1))):
            continue
        place, step = _places(keys, h)
        if not _holds(out, 0, shift, place, step):
            new += 1
            for _ in range(PLACES):
                bit = np.int64(place >> shift)
                put8(out + (bit >> 3), at(out + (bit >> 3)) | (1 << (bit & 7)))
                place += step
    return new


@njit(I64(U8, I64A, I64A, U64, I64, U8, I64, I64, W64, W64), **JIT)
def find(data, starts, ends, keys, bits, filters, count, first, out, done):
    """Look up every run of words of some values.

    Args:
        data, starts, ends: value i is ``data[starts[i]:ends[i]]``.
        keys: four words.
        bits: each filter has ``2 ** bits`` bits.
        filters: the bytes of `count` filters, one behind the other.
        count: of the filters.
        first: the value to begin with.
        out: room for hits, `HIT` numbers each.
        done: 1 number; gets the number of the value that did not fit, or that of values.

    Returns:
        How many hits.
    """
    base, place_of, size, shift = data.ctypes.data, filters.ctypes.data, np.int64(1) << (bits - 3), np.uint64(64 - bits)
    hashes, begins = np.empty(WORDS, np.uint64), np.empty(WORDS, np.int64)
    lengths, digits, mails = np.empty(WORDS, np.int64), np.empty(WORDS, np.int64), np.empty(WORDS, np.int64)
    hits, room = 0, len(out) // HIT
    for value in range(first, len(starts)):
        before, active, oldest, inside, escaped = hits, 0, 0, False, 0
        end = base + ends[value]
        for p in range(base + starts[value], end + 1):
            c = at(p) if p < end else 0
            small = FOLDED[c]
            if escaped and p < end:  # the letters of \n or \u0040 in JSON are no part of a word
                escaped = 4 if c == 117 and escaped == _LETTER else escaped - 1 if escaped < _LETTER else 0
                continue
            if small:
                if not inside:
                    if active == WORDS:
                        oldest, active = (oldest + 1) % WORDS, active - 1
                    new = (oldest + active) % WORDS
                    hashes[new], begins[new], lengths[new], digits[new], mails[new] = BASIS, p, 0, 0, 0
                    active, inside = active + 1, True
                number = 48 <= c <= 57
                for k in range(active):
                    w = (oldest + k) % WORDS
                    hashes[w] = (hashes[w] ^ np.uint64(small)) * PRIME
                    lengths[w] += 1
                    digits[w] += number
                continue
            if inside:
                for k in range(active):
                    w = (oldest + k) % WORDS
                    if not (SHORTEST <= lengths[w] <= LONGEST and (digits[w] >= DIGITS or mails[w])):
                        continue
                    place, step = _places(keys, hashes[w])
                    for filter_ in range(count):
                        if _holds(place_of, filter_ * size, shift, place, step):
                            if hits == room:
                                done[0] = value
                                return before
                            out[HIT * hits] = value
                            out[HIT * hits + 1] = begins[w] - base
                            out[HIT * hits + 2] = p - base
                            out[HIT * hits + 3] = filter_
                            hits += 1
                while active and lengths[oldest] > LONGEST:
                    oldest, active = (oldest + 1) % WORDS, active - 1
            inside = False
            if c == _ESCAPE:
                escaped = _LETTER
            if c == _AT:
                for k in range(active):
                    mails[(oldest + k) % WORDS] = 1
    done[0] = len(starts)
    return hits
