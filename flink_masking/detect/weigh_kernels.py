# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""From candidates of the scan to candidates with a confidence: checks, words before them, what the key of the value says."""

import numpy as np

from flink_masking.detect.automaton_flags_kernels import TOLD
from flink_masking.detect.cells_kernels import cell
from flink_masking.detect.checks_kernels import check
from flink_masking.detect.context_kernels import WORDS, speaks, words_before
from flink_masking.detect.digit_kernels import STRONG
from flink_masking.detect.finance_checks_kernels import IBAN_LENGTHS, pair
from flink_masking.detect.resolve_kernels import END, FIELDS, REASONS, SCORE, START, TYPE, VALUE, put
from flink_masking.detect.scan_kernels import (
    BY_CONTEXT,
    BY_KEY,
    CHECKED,
    DIGITS,
    FORM,
    GROUPS,
    P_ALONE,
    P_CHECK,
    P_CONTEXT,
    P_FLAGS,
    P_PART,
    P_STRONG,
    P_TYPE,
    P_WEAK,
    PATTERN,
    SECOND,
    U32,
    word_byte,
)
from flink_masking.kernels import I32, I64, I64A, JIT, U8, W64, njit
from flink_masking.kernels.characters import digit
from flink_masking.kernels.memory import at


@njit(**JIT)
def end_of_digits(p, e):
    """Where the first run of digits in p…e begins and ends."""
    while p < e and not digit(at(p)):
        p += 1
    q = p
    while q < e and (digit(at(q)) or (at(q) == 45 and q > p)):
        q += 1
    return p, q


@njit(**JIT)
def end_of_groups(p, f, e):
    """Where the IBAN in groups of four ends whose first groups are p…f: where its country's length says, or f."""
    n, q, count, blank, by = IBAN_LENGTHS[pair(p)], p, np.int64(0), False, at(p + 4)
    while q < e and count < n:
        c = at(q)
        if digit(c) or 65 <= c <= 90:
            count += 1
            blank = False
        elif c == by and count % 4 == 0 and not blank:
            blank = True
        else:
            return f
        q += 1
    return q if count == n and (q == e or not word_byte(at(q))) else f


@njit(**JIT)
def score_of(patterns, row_of, verdict, whole, strength, close):
    """Confidence and reasons of a candidate: its pattern's numbers, the verdict of the check, whether it is the whole value, what the key
    says (2 its type, 1 a word of it), whether a word before it speaks for the type."""
    strong = verdict == STRONG
    score = cell(patterns, row_of + P_STRONG) if strong else cell(patterns, row_of + P_WEAK)
    reasons = FORM | (CHECKED if strong and cell(patterns, row_of + P_CHECK) else 0)
    if whole and score > cell(patterns, row_of + P_ALONE):
        score = cell(patterns, row_of + P_ALONE)
    if score < cell(patterns, row_of + P_CONTEXT) and (strength or close):
        score = cell(patterns, row_of + P_CONTEXT) if strength != 1 or close else max(score, cell(patterns, row_of + P_CONTEXT) - 5)
    if strength == 2:
        reasons |= BY_KEY
    elif strength or close:
        reasons |= BY_CONTEXT
    return score, reasons


@njit(**JIT)
def keep(found, k, k0, kind, start, end, value, score, reasons):
    """Write a candidate as number k; of one type and start since number k0 only the most certain stays, of equal ones the longest."""
    for j in range(k0, k):
        x = j * FIELDS
        if cell(found, x + TYPE) == kind and cell(found, x + START) == start:
            if score > cell(found, x + SCORE) or (score == cell(found, x + SCORE) and end > cell(found, x + END)):
                put(found, j, kind, start, end, value, score, reasons)
            return k
    return put(found, k, kind, start, end, value, score, reasons)


@njit(I64(U8, I64A, I64A, I32, U8, I64, I64A, U32, I64, W64, I64), **JIT)
def weigh(data, starts, ends, hints, strengths, types_, patterns, context, lowest, found, count):
    """Weigh candidates in their place; the result is how many stay.

    `strengths` has `types_` numbers a hint: 2 where a key says the type, 1 where a word of it does, else 0.
    """
    base, k, words = np.int64(data.ctypes.data), np.int64(0), np.empty(2 * WORDS, np.int64)
    out, at_words, at_context, at_patterns = (np.int64(found.ctypes.data), np.int64(words.ctypes.data), np.int64(context.ctypes.data),
                                              np.int64(patterns.ctypes.data))
    at_start, at_value, k0, scanned, counted = np.int64(-1), np.int64(-1), np.int64(0), np.int64(0), np.int64(0)
    for i in range(count):
        x = i * FIELDS
        kind, start, end, v, score, reasons = (found[x + TYPE], found[x + START], found[x + END], found[x + VALUE], found[x + SCORE],
                                               found[x + REASONS])
        lo, e = base + starts[v], base + ends[v]
        if v != at_value:
            at_value, at_start, scanned, counted = v, np.int64(-1), lo, np.int64(0)
        if start != at_start:
            at_start, k0 = start, k
        row = np.int64(hints[v]) * types_
        p, f = base + start, base + end
        if kind >= 0:
            if strengths[row + kind] == 2:
                score, reasons = max(score, 97), reasons | BY_KEY
        else:
            row_of = (-1 - kind) * PATTERN
            kind = patterns[row_of + P_TYPE]
            if patterns[row_of + P_PART] == GROUPS:
                f = end_of_groups(p, f, e)
            strength, close, told = np.int64(strengths[row + kind]), False, patterns[row_of + P_FLAGS] & TOLD
            if told and strength == 0:  # only a word can make it certain enough: looked for before the check, which costs more
                if p == lo:
                    continue
                if scanned < p:
                    scanned, counted = words_before(p, scanned, counted, at_words, at_context)
                close = speaks(at_context, p, at_words, counted, kind)
                if not close:
                    continue
            verdict = check(patterns[row_of + P_CHECK], p, f)
            if verdict == 0:
                continue
            if strength < 2 and not close and p > lo and patterns[row_of + P_CONTEXT] > (
                    patterns[row_of + P_STRONG] if verdict == STRONG else patterns[row_of + P_WEAK]):
                if scanned < p:
                    scanned, counted = words_before(p, scanned, counted, at_words, at_context)
                close = speaks(at_context, p, at_words, counted, kind)
            score, reasons = score_of(at_patterns, row_of, verdict, p == lo and f == e, strength, close)
            if patterns[row_of + P_PART] == DIGITS:
                p, f = end_of_digits(p, f)
            elif patterns[row_of + P_PART] == SECOND:
                while at(p) != 32:
                    p += 1
                p += 1
        if score >= lowest:
            while f < e and at(f) & 0xC0 == 0x80:  # never inside a character
                f += 1
            k = keep(out, k, k0, kind, p - base, f - base, v, score, reasons)
    return k + 0 * len(words)  # a local array lives as long as it is mentioned
