# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Records out again: cells copied as they were, except where a value is replaced or a column removed."""

import numpy as np

from flink_masking.kernels import I32, I64, JIT, U8, W8, W32, W64, njit
from flink_masking.kernels.memory import at, copy, int32, put8
from flink_masking.records.csv.scan_kernels import COMMA, LINE_FEED, QUOTE, RETURN

KEEP, REPLACE, DROP = 0, 1, 2
USE, DROP_VALUE, KEEP_VALUE, USE_LITERAL = 0, 1, 2, 3  # flink_masking.records.edits

# What to do for one column: the action; addresses of the replacements' data, its end, their offsets, validity and codes (0: none); 1, or 0
# where one scalar replaces all.
P_ACTION, P_DATA, P_LIMIT, P_OFFSETS, P_VALID, P_HOW, P_STEP = range(7)
PLAN = 7
TOO_LONG = -1


@njit([I64(U8)], **JIT)
def count_quotes(a):
    """How many quotes have to be doubled."""
    n = 0
    for k in range(len(a)):
        n += a[k] == QUOTE
    return n


@njit(**JIT)
def put_cell(p, n, o, limit):
    """Write n bytes as a cell, in quotes where they are needed; returns the end. Empty text is a pair of quotes."""
    special = n == 0
    for k in range(n):
        c = at(p + k)
        special |= (c == QUOTE) | (c == COMMA) | (c == LINE_FEED) | (c == RETURN)
    if not special:
        return copy(o, p, n, limit)
    put8(o, QUOTE)
    o += 1
    for k in range(n):
        c = at(p + k)
        put8(o, c)
        o += 1
        if c == QUOTE:
            put8(o, QUOTE)
            o += 1
    put8(o, QUOTE)
    return o + 1


@njit([(U8, I32, U8, W8, W32)], **JIT)
def write_rows(data, offsets, valid, out_, ends):
    """Every valid value as a cell, nothing for the others. out_ has room for all bytes, one for each quote among them, and 2 a row."""
    base, out = np.int64(data.ctypes.data), np.int64(out_.ctypes.data)
    limit, o = base + len(data), out
    for k in range(len(offsets) - 1):
        if len(valid) == 0 or valid[k] != 0:
            o = put_cell(base + offsets[k], np.int64(offsets[k + 1]) - offsets[k], o, limit)
        ends[k + 1] = o - out


@njit([I64(U8, U8, U8, I32, I64, W64, W8, W32, W8)], **JIT)
def splice_rows(data, dead, blank, cells_, n_columns, plan, out_, ends, valid):
    """Write every row with its edits; rows that are dead come out empty and invalid. Returns 0, or TOO_LONG at 2 GB of output.

    blank: rows without values. A value that is removed while its column stays is an empty cell; so is null. A row of one empty cell is a
    pair of quotes, since readers pass over empty lines. Addresses in the plan are of arrays that the caller holds on to during the call.
    """
    base, cells, out = np.int64(data.ctypes.data), np.int64(cells_.ctypes.data), np.int64(out_.ctypes.data)
    limit, o, value = base + len(data), out, np.int64(-1)
    for row in range(len(dead)):
        value += blank[row] == 0
        begin, written = o, 0
        if dead[row] == 0:
            mine = cells + np.int64(row) * ((n_columns + 1) * 4)
            for c in range(n_columns):
                rule = c * PLAN
                action = plan[rule + P_ACTION]
                if action == DROP:
                    continue
                if written:
                    put8(o, COMMA)
                    o += 1
                written += 1
                if action == REPLACE and plan[rule + P_HOW]:
                    how = at(plan[rule + P_HOW] + value)
                    if how == DROP_VALUE:
                        continue
                    if how == KEEP_VALUE:
                        action = KEEP
                if action == KEEP:
                    p = base + int32(mine, c)
                    o = copy(o, p, base + int32(mine, c + 1) - 1 - p, limit)
                    continue
                index = value * plan[rule + P_STEP]
                if plan[rule + P_VALID] and not at(plan[rule + P_VALID] + index):
                    continue
                first = int32(plan[rule + P_OFFSETS], index)
                o = put_cell(plan[rule + P_DATA] + first, int32(plan[rule + P_OFFSETS], index + 1) - first, o, plan[rule + P_LIMIT])
            if written == 1 and o == begin:
                put8(o, QUOTE)
                put8(o + 1, QUOTE)
                o += 2
        if o - out > 0x7FFFFFFF:
            return TOO_LONG
        valid[row] = dead[row] == 0
        ends[row + 1] = o - out
    return 0
