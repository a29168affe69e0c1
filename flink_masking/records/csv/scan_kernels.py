# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""The scanner: one pass over a batch of CSV records that checks them strictly (RFC 4180) and notes where cells lie."""

import numpy as np

from flink_masking.kernels import I32, I64, JIT, U8, W8, W32, W64, njit
from flink_masking.kernels.memory import at, copy, int32, put8, put32
from flink_masking.records.scalar_kernels import number, utf8_length
from flink_masking.records.span_kernels import (
    ENCODED,
    F_END,
    F_NODE,
    F_REASON,
    F_START,
    FALSE,
    FATAL,
    FAULT,
    HEADER,
    INVALID,
    NULL,
    NUMBER,
    RAGGED,
    SPAN,
    STRING,
    TRUE,
    UNKNOWN,
    put_span,
)

COMMA, QUOTE, LINE_FEED, RETURN, TAB = 44, 34, 10, 13, 9

# A column of the header: number of its path, or -1 where it is not emitted; what its cells may be besides text; whether it is undeclared
# and undeclared members are faults.
H_PATH, H_KIND, H_UNKNOWN = range(3)
H_COLUMNS = 3
TEXTS, NUMBERS, BOOLEANS = range(3)


@njit(**JIT)
def is_word(p, n, word):
    """Whether the n bytes at p are those of `word`, little-endian."""
    for k in range(n):
        if at(p + k) != word & 255:
            return False
        word >>= 8
    return True


@njit(**JIT)
def kind_of(p, e, limit, may):
    """What the contents p…e of a cell are in a column that may hold numbers or booleans; STRING for all else."""
    n = e - p
    if may == NUMBERS and n > 0 and number(p, e, limit) == e:
        return NUMBER
    if may == BOOLEANS and n == 4 and is_word(p, 4, 0x65757274):
        return TRUE
    if may == BOOLEANS and n == 5 and is_word(p, 5, 0x65736C6166):
        return FALSE
    return STRING


@njit(**JIT)
def is_header(cells, base, n, names, edges):
    """Whether the contents of every cell are the name of its column."""
    for c in range(n):
        p, e = base + int32(cells, c), base + int32(cells, c + 1) - 1
        if e > p and at(p) == QUOTE:
            p += 1
            e -= 1
        first = int32(edges, c)
        if e - p != int32(edges, c + 1) - first:
            return False
        for k in range(e - p):
            if at(p + k) != at(names + first + k):
                return False
    return True


@njit([(U8, I32, I32, U8, I32, W32, W32, W32, W32, W64)], **JIT)
def scan_rows(data, offsets, columns_, names_, edges_, cells_, spans_, flags, faults, state):
    """Scan all rows that have no flag yet; state[0] gets the number of spans.

    columns_: H_COLUMNS a column. names_, edges_: the columns' names. cells_: for each row the start of each cell, and one after its end.
    spans_ has room for one of every emitted column in every row.
    """
    base, columns, cells, spans = (
        np.int64(data.ctypes.data), np.int64(columns_.ctypes.data), np.int64(cells_.ctypes.data), np.int64(spans_.ctypes.data))
    names, edges = np.int64(names_.ctypes.data), np.int64(edges_.ctypes.data)
    limit, n_columns, ns = base + len(data), len(columns_) // H_COLUMNS, state[0]
    for row in range(len(offsets) - 1):
        if flags[row]:
            continue
        start, p, e = ns, base + offsets[row], base + offsets[row + 1]
        mine = cells + np.int64(row) * ((n_columns + 1) * 4)
        if e > p and at(e - 1) == LINE_FEED:
            e -= 1
        if e > p and at(e - 1) == RETURN:
            e -= 1
        c, high, bad, unknown = np.int64(0), np.int64(0), np.int64(-1), np.int64(-1)
        first = p
        while True:  # one turn a cell
            cell, vs, encoded, quoted = p, p, False, False
            if p < e and at(p) == QUOTE:
                quoted = True
                p += 1
                vs = p
                while True:
                    x = np.int64(0)
                    while p < e:
                        x = np.int64(at(p))
                        if x == QUOTE or (x < 32 and x != TAB and x != LINE_FEED and x != RETURN):
                            break
                        high |= x
                        p += 1
                    if p >= e or x != QUOTE:  # not closed, or a control character
                        bad = cell if p >= e else p
                        break
                    if p + 1 < e and at(p + 1) == QUOTE:
                        encoded = True
                        p += 2
                        continue
                    break
                ve = p
                p += 1
                if bad < 0 and p < e and at(p) != COMMA:
                    bad = p
            else:
                while p < e:
                    x = np.int64(at(p))
                    if x == COMMA:
                        break
                    if x == QUOTE or (x < 32 and x != TAB):
                        bad = p
                        break
                    high |= x
                    p += 1
                ve = p
            if bad >= 0:
                break
            if c < n_columns:
                put32(mine, c, cell - base)
                put32(mine, c + 1, p + 1 - base)
                column = c * H_COLUMNS
                path = int32(columns, column + H_PATH)
                if path >= 0:
                    kind = kind_of(vs, ve, limit, int32(columns, column + H_KIND))
                    kind = ENCODED if encoded else NULL if vs == ve and not quoted else kind
                    put_span(spans + ns * (SPAN * 4), row, path, kind, vs - base, ve - base, cell - base, np.int64(-1))
                    ns += 1
                if unknown < 0 and int32(columns, column + H_UNKNOWN):
                    unknown = c
            c += 1
            if p >= e or c > n_columns:
                break
            p += 1
        if bad < 0 and high >= 128:
            q = first
            while q < e:
                if at(q) < 128:
                    q += 1
                    continue
                n = utf8_length(q, e)
                if n == 0:
                    bad = q
                    break
                q += n
        if bad < 0 and first + 2 < e and at(first) == 0xEF and at(first + 1) == 0xBB and at(first + 2) == 0xBF:
            bad = first  # a byte order mark belongs to a file, whose reader skips it
        flag, node, place = np.int64(0), np.int64(0), first
        if bad >= 0:
            flag, place = INVALID, bad
        elif c != n_columns:
            flag, place = RAGGED, p
        elif is_header(mine, base, n_columns, names, edges):
            flag = HEADER
        elif unknown >= 0:
            flag, node, place = UNKNOWN, -1 - unknown, base + int32(mine, unknown)
        if flag:
            if flag & FATAL:
                ns = start
            flags[row] = flag
            k = row * FAULT
            faults[k + F_REASON], faults[k + F_NODE], faults[k + F_START], faults[k + F_END] = flag, node, place - base, place - base
    state[0] = ns


@njit(I64(U8, I32, I32, I32, W8, W32, W8), **JIT)
def gather_text(data, firsts, lasts, kinds, out_, offsets, valid):
    """Contents that lie at firsts…lasts, doubled quotes as one; null as invalid. Never longer than raw. Returns the number of nulls."""
    base, out = np.int64(data.ctypes.data), np.int64(out_.ctypes.data)
    limit, o, nulls = base + len(data), out, 0
    for k in range(len(kinds)):
        kind, p, e = kinds[k], base + firsts[k], base + lasts[k]
        if kind == ENCODED:
            while p < e:
                c = at(p)
                put8(o, c)
                o += 1
                p += 2 if c == QUOTE else 1
        elif kind != NULL:
            o = copy(o, p, e - p, limit)
        valid[k] = kind != NULL
        nulls += kind == NULL
        offsets[k + 1] = o - out
    return nulls


@njit(I64(U8, I64, W64, W64), **JIT)
def split(data, position, state, ends):
    """Ends of records: positions after line feeds that no quotes enclose, from `position` on, as many as fit into `ends`.

    state[0] is where the record in progress stands: 0 at the beginning of a cell, 1 in a cell without quotes, 2 between quotes, 3 after a
    quote between quotes; state[1] gets the position up to which was read. Returns how many were found.
    """
    mode, found, n = state[0], 0, len(data)
    while position < n and found < len(ends):
        c = data[position]
        position += 1
        if mode == 2:
            if c == QUOTE:
                mode = 3
            continue
        if c == QUOTE and (mode == 0 or mode == 3):
            mode = 2
        elif c == LINE_FEED:
            mode = 0
            ends[found] = position
            found += 1
        elif c == COMMA:
            mode = 0
        else:
            mode = 1
    state[0], state[1] = mode, position
    return found
