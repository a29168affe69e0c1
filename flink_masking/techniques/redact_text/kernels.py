# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""The kernels of redact_text: runs of capitalised words, and texts with other spans in the place of some."""

import numpy as np

from flink_masking.detect.words_kernels import word_hash
from flink_masking.kernels import I32, I64, I64A, JIT, U8, U64, W8, W32, W64, njit
from flink_masking.kernels.memory import at, copy

LETTER, CAPITAL, JOINS, STOP, BLANK = 1, 2, 4, 8, 16
"""Classes of characters: part of a word, a capital, what joins the words of a name, what ends an initial, what follows it."""
PLANES = 0x20000
"""Code points that have classes."""
FULL = -1


@njit(**JIT)
def character(p, e):
    """Bytes and code point of the UTF-8 character at p; what is none has one byte and no class."""
    c = at(p)
    if c < 0x80:
        return np.int64(1), c
    if 0xC2 <= c < 0xE0 and p + 1 < e:
        return np.int64(2), (c & 0x1F) << 6 | at(p + 1) & 0x3F
    if 0xE0 <= c < 0xF0 and p + 2 < e:
        return np.int64(3), (c & 0x0F) << 12 | (at(p + 1) & 0x3F) << 6 | at(p + 2) & 0x3F
    if 0xF0 <= c < 0xF5 and p + 3 < e:
        return np.int64(4), min((c & 0x07) << 18 | (at(p + 1) & 0x3F) << 12 | (at(p + 2) & 0x3F) << 6 | at(p + 3) & 0x3F, PLANES - 1)
    return np.int64(1), np.int64(0)


@njit(**JIT)
def listed(hashes, h):
    """Whether a hash is in the table: a power of two places, 0 where one is free."""
    mask = np.uint64(len(hashes) - 1)
    k = h & mask
    while hashes[k] != 0:
        if hashes[k] == h:
            return True
        k = (k + np.uint64(1)) & mask
    return False


@njit(I64(U8, I32, I64A, I64A, U8, U64, W64, W64), **JIT)
def unknown_runs(data, offsets, firsts, lasts, classes, common, starts, ends):
    """Write runs of capitalised words, of which one at least is no common one, outside of the spans firsts…lasts.

    Words are joined by one character that joins or a blank, or by a full stop and a blank after an initial.

    Returns:
        How many there are, or FULL where `starts` has no room for more.
    """
    base, n, k = np.int64(data.ctypes.data), np.int64(0), np.int64(0)
    for row in range(len(offsets) - 1):
        p, e = base + offsets[row], base + offsets[row + 1]
        run, run_end, unknown, initial, gap = np.int64(-1), np.int64(0), False, False, np.int64(0)
        while p < e:
            while k < len(firsts) and base + lasts[k] <= p:
                k += 1
            stop, over = e, False
            if k < len(firsts):
                over = base + firsts[k] <= p
                stop = min(e, base + firsts[k])
            width, kind, q = np.int64(0), np.int64(0), p
            if over:
                q = min(e, base + lasts[k])
            else:
                width, x = character(p, stop)
                kind = np.int64(classes[x])
            joins = False
            if kind & LETTER:
                capital, letters = kind & CAPITAL, np.int64(0)
                while kind & LETTER:
                    q += width
                    letters += 1
                    if q >= stop:
                        break
                    width, x = character(q, stop)
                    kind = np.int64(classes[x])
                if capital:
                    if run < 0:
                        run, unknown = p, False
                    unknown = unknown or not listed(common, word_hash(p, q))
                    run_end, initial, gap, joins = q, letters == 1, np.int64(0), True
            elif not over:
                q += width
                if run >= 0:
                    gap += 1
                    joins = (gap == 1 and (kind & (JOINS | BLANK) or (kind & STOP and initial))) or (
                        gap == 2 and kind & BLANK and initial and at(run_end) == 46)
            if not joins and run >= 0:
                if unknown:
                    if n >= len(starts):
                        return FULL
                    starts[n], ends[n] = run - base, run_end - base
                    n += 1
                run = np.int64(-1)
            p = q
        if run >= 0 and unknown:
            if n >= len(starts):
                return FULL
            starts[n], ends[n] = run - base, run_end - base
            n += 1
    return n


@njit(I64(U8, I32, I64A, I64A, I64A, U8, I32, I64A, W8, W32), **JIT)
def replace_spans(data, offsets, rows, starts, ends, instead, instead_offsets, which, out_, places):
    """Write some texts with spans replaced; places[j + 1] becomes the end of text number rows[j].

    Spans are ordered and do not overlap; those of texts that are not written are passed over. span k becomes text which[k] of `instead`.
    """
    base, new, out = np.int64(data.ctypes.data), np.int64(instead.ctypes.data), np.int64(out_.ctypes.data)
    limit, new_limit, o, k = base + len(data), new + len(instead), out, 0
    for j in range(len(rows)):
        p, e = np.int64(offsets[rows[j]]), np.int64(offsets[rows[j] + 1])
        while k < len(starts) and starts[k] < p:
            k += 1
        while k < len(starts) and starts[k] < e:
            o = copy(o, base + p, starts[k] - p, limit)
            first = np.int64(instead_offsets[which[k]])
            o = copy(o, new + first, instead_offsets[which[k] + 1] - first, new_limit)
            p = ends[k]
            k += 1
        o = copy(o, base + p, e - p, limit)
        places[j + 1] = o - out
    return o - out
