# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""From the candidates of one value to findings that do not overlap.

A candidate is six numbers of an int64 array, which is known by its address: `TYPE`, `START`, `END`, `VALUE`, `SCORE`,
`REASONS`. Where two overlap, the one of higher
confidence keeps its span, and what is left of the other stays found: a byte that a candidate covered is covered by a finding.
"""

import numpy as np

from flink_masking.detect.cells_kernels import cell, set_cell
from flink_masking.kernels import I64, I64A, JIT, U8, W64, njit
from flink_masking.kernels.characters import digit, letter
from flink_masking.kernels.memory import at

TYPE, START, END, VALUE, SCORE, REASONS = range(6)
FIELDS = 6


@njit(**JIT)
def before(a, i, j):
    """Whether candidate i of an array comes before candidate j: earlier start, later end, higher confidence."""
    x, y = i * FIELDS, j * FIELDS
    if cell(a, x + START) != cell(a, y + START):
        return cell(a, x + START) < cell(a, y + START)
    if cell(a, x + END) != cell(a, y + END):
        return cell(a, x + END) > cell(a, y + END)
    return cell(a, x + SCORE) > cell(a, y + SCORE)


@njit(**JIT)
def swap(a, i, j):
    """Exchange two candidates."""
    for f in range(FIELDS):
        x = cell(a, i * FIELDS + f)
        set_cell(a, i * FIELDS + f, cell(a, j * FIELDS + f))
        set_cell(a, j * FIELDS + f, x)


@njit(**JIT)
def sort(a, count):
    """Sort candidates (Shell 1959, gaps after Ciura 2001): few and nearly sorted, or many."""
    gap = 1
    while gap < count // 3:
        gap = gap * 9 // 4 + 1
    while gap > 0:
        for i in range(gap, count):
            j = i
            while j >= gap and before(a, j, j - gap):
                swap(a, j, j - gap)
                j -= gap
        if gap == 1:
            break
        gap = max(1, gap * 4 // 9)


@njit(**JIT)
def shows(base, start, end):
    """Whether a letter or digit stands in a piece."""
    p, e = base + start, base + end
    while p < e:
        c = at(p)
        if letter(c) or digit(c) or c >= 0x80:
            return True
        p += 1
    return False


@njit(**JIT)
def put(out, k, kind, start, end, value, score, reasons):
    """Write finding k; the result is k + 1."""
    x = k * FIELDS
    set_cell(out, x + TYPE, kind)
    set_cell(out, x + START, start)
    set_cell(out, x + END, end)
    set_cell(out, x + VALUE, value)
    set_cell(out, x + SCORE, score)
    set_cell(out, x + REASONS, reasons)
    return k + 1


@njit(**JIT)
def resolve(base, a, count, out, k):
    """Write what stays of sorted candidates as findings from number k on; the result is the number after them. At most 2 count + 1."""
    if count == 0:
        return k
    kind, start, end, score, reasons = cell(a, TYPE), cell(a, START), cell(a, END), cell(a, SCORE), cell(a, REASONS)
    value = cell(a, VALUE)
    # What lies to the right of a better finding inside it, as a stack of one: the farthest end.
    rest_kind, rest_end, rest_score, rest_reasons = np.int64(-1), np.int64(0), np.int64(0), np.int64(0)
    for i in range(1, count + 1):
        x = i * FIELDS
        following = cell(a, x + START) if i < count else np.int64(1) << 62
        while following >= end and kind >= 0:  # the current one ends before the next candidate
            k = put(out, k, kind, start, end, value, score, reasons)
            if rest_kind >= 0 and rest_end > end and shows(base, end, rest_end):
                kind, start, end, score, reasons = rest_kind, end, rest_end, rest_score, rest_reasons
            else:
                kind = np.int64(-1)
            rest_kind = np.int64(-1)
        if i == count:
            break
        s, e, sc = cell(a, x + START), cell(a, x + END), cell(a, x + SCORE)
        if kind < 0:
            kind, start, end, score, reasons = cell(a, x + TYPE), s, e, sc, cell(a, x + REASONS)
        elif sc > score:
            if s > start and shows(base, start, s):
                k = put(out, k, kind, start, s, value, score, reasons)
            if end > e and (rest_kind < 0 or end > rest_end):
                rest_kind, rest_end, rest_score, rest_reasons = kind, end, score, reasons
            kind, start, end, score, reasons = cell(a, x + TYPE), s, e, sc, cell(a, x + REASONS)
        elif e > end and (rest_kind < 0 or e > rest_end):  # a worse one that goes on
            rest_kind, rest_end, rest_score, rest_reasons = cell(a, x + TYPE), e, sc, cell(a, x + REASONS)
    return k


@njit(**JIT)
def copied(a, i, b, n):
    """Copy candidate i of one array as number n of another; the result is n + 1."""
    for f in range(FIELDS):
        set_cell(b, n * FIELDS + f, cell(a, i * FIELDS + f))
    return n + 1


@njit(I64(U8, I64A, I64, I64A, I64, I64A, I64, W64, W64), **JIT)
def merge(data, first, firsts, second, seconds, third, thirds, scratch, out):
    """Findings of three lists of candidates, each by ascending values; `scratch` has room for all of them, `out` for twice as many and one
    a value."""
    base, k = np.int64(data.ctypes.data), np.int64(0)
    one, two, three = np.int64(first.ctypes.data), np.int64(second.ctypes.data), np.int64(third.ctypes.data)
    to, at_out = np.int64(scratch.ctypes.data), np.int64(out.ctypes.data)
    a, b, c = np.int64(0), np.int64(0), np.int64(0)
    never = np.int64(1) << 62
    while a < firsts or b < seconds or c < thirds:
        va = first[a * FIELDS + VALUE] if a < firsts else never
        vb = second[b * FIELDS + VALUE] if b < seconds else never
        vc = third[c * FIELDS + VALUE] if c < thirds else never
        v, n = min(va, vb, vc), np.int64(0)
        while a < firsts and first[a * FIELDS + VALUE] == v:
            n = copied(one, a, to, n)
            a += 1
        while b < seconds and second[b * FIELDS + VALUE] == v:
            n = copied(two, b, to, n)
            b += 1
        while c < thirds and third[c * FIELDS + VALUE] == v:
            n = copied(three, c, to, n)
            c += 1
        sort(to, n)
        k = resolve(base, to, n, at_out, k)
    return k
