# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""The layout of spans and of the trie, and the compiled passes over spans that no format matters to.

A span is eight int32: ROW, PATH (number in `Paths`), KIND, VS and VE (start and end of the value), MS (start of its member: the key,
or the element itself), PE (end of the member before, -1 for the first), NX (start of the member after, -1 for the last). Positions
count in the column's data buffer. PE and NX are what a removal needs to keep the separators right, whatever else is removed.

Constants that kernels use stand in modules with kernels, because the kernel cache is keyed by the text of such modules.
"""

import numpy as np

from flink_masking.kernels import I32, I64, JIT, U8, W8, W32, W64, njit
from flink_masking.kernels.memory import at, copy, equal, int32, move32, put8, put32

ROW, PATH, KIND, VS, VE, MS, PE, NX = range(8)
SPAN = 8
STRING, ENCODED, NUMBER, TRUE, FALSE, NULL, OBJECT, ARRAY = range(8)  # flink_masking.records.kinds.Kind

# What is wrong with a row.
INVALID, NOT_OBJECT, UNKNOWN, DUPLICATE, MISMATCH, ABSENT, OVERSIZE, RAGGED, HEADER, NO_SCHEMA = 1, 2, 4, 8, 16, 32, 64, 128, 256, 512
FATAL = INVALID | NOT_OBJECT | DUPLICATE | MISMATCH | ABSENT | OVERSIZE | RAGGED | HEADER | NO_SCHEMA

# A fault, four int32 a row: one of the bits above, the trie node (or -1 - column of a header), start and end of what is shown (the key of
# an unknown member).
F_REASON, F_NODE, F_START, F_END = range(4)
FAULT = 4

# Columns of a trie node: path number or -1; bits; child for elements; child for keys that are not named; hash table and its mask
# (-1: no named children); its own key's place and length (-1: not a named child).
N_PATH, N_FLAGS, N_ELEMENT, N_WILD, N_TABLE, N_MASK, N_KEY, N_LENGTH = range(8)
N_COLUMNS = 8
# EITHER: the node's path is that of elements, too, so an array there is none of its values.
MAY_SCALAR, MAY_OBJECT, MAY_ARRAY, DESCEND_OBJECT, DESCEND_ARRAY, DENY, EITHER = 1, 2, 4, 8, 16, 32, 64
UNDECLARED_NODE, UNDECLARED_PATH = 1, 0


@njit(**JIT)
def child(nodes, table, keys, node, p, n, limit):
    """The child of an object node for the decoded key of n bytes at p, or else the child for other keys, or -1."""
    base = node * N_COLUMNS
    mask = int32(nodes, base + N_MASK)
    if mask >= 0:
        h = n * 31 + at(p) * 7 + at(p + n - 1) * 13 + at(p + (n >> 1)) * 3 if n else 0
        slots = int32(nodes, base + N_TABLE)
        while True:
            found = int32(table, slots + (h & mask))
            if found < 0:
                break
            c = found * N_COLUMNS
            if int32(nodes, c + N_LENGTH) == n and equal(p, keys + int32(nodes, c + N_KEY), n, limit):
                return found
            h += 1
    return int32(nodes, base + N_WILD)


@njit(**JIT)
def put_span(span, row, path, kind, vs, ve, ms, pe):
    """Write the span at address `span`, with no next member yet."""
    put32(span, ROW, row)
    put32(span, PATH, path)
    put32(span, KIND, kind)
    put32(span, VS, vs)
    put32(span, VE, ve)
    put32(span, MS, ms)
    put32(span, PE, pe)
    put32(span, NX, -1)


@njit(I64(I32, I64, W32, W64, W32, W32, W32, W32, W32), **JIT)
def group_spans(spans_, quote, starts, sizes, order, rows, kinds, firsts, lasts):
    """The spans grouped by path, each group in row order.

    `starts` (one longer than there are paths) and `sizes`, the bytes of each path's values, come in as zeros; for each grouped span
    `order` gets its index, `rows` its row, `kinds` its kind, `firsts` and `lasts` where its contents begin and end: `quote` bytes inside of
    a text's value. Each has the length of the number of spans. The result is how many texts have escapes.
    """
    encoded = 0
    spans = np.int64(spans_.ctypes.data)
    for k in range(len(order)):
        path = np.uint64(int32(spans, k * SPAN + PATH))
        if path + np.uint64(2) < np.uint64(len(starts)):
            starts[path + np.uint64(2)] += 1
    for k in range(2, len(starts)):
        starts[k] += starts[k - 1]
    for k in range(len(order)):  # starts[path + 1] moves from the group's start to its end
        s = spans + k * (SPAN * 4)
        path, kind, first, last = np.uint64(int32(s, PATH)), int32(s, KIND), int32(s, VS), int32(s, VE)
        i = np.uint64(starts[path + np.uint64(1)])
        starts[path + np.uint64(1)] = i + np.uint64(1)
        sizes[path] += last - first
        edge = quote if kind <= ENCODED else np.int64(0)
        encoded += kind == ENCODED
        order[i], rows[i], kinds[i], firsts[i], lasts[i] = k, int32(s, ROW), kind, first + edge, last - edge
    return encoded


@njit([I64(U8, I32, I32, I32, W8, W32, W8)], **JIT)
def gather(data, firsts_, lasts_, kinds_, out_, offsets_, valid_):
    """Texts that lie at firsts…lasts, null as invalid; the number of nulls."""
    base, o, nulls = np.int64(data.ctypes.data), np.int64(out_.ctypes.data), np.int64(0)
    firsts, lasts, kinds, offsets, valid = (np.int64(firsts_.ctypes.data), np.int64(lasts_.ctypes.data), np.int64(kinds_.ctypes.data),
                                            np.int64(offsets_.ctypes.data), np.int64(valid_.ctypes.data))
    limit, out = base + len(data), o
    for k in range(len(kinds_)):
        p = base + int32(firsts, k)
        n = base + int32(lasts, k) - p
        if n <= 32 and p + 32 <= limit:
            move32(o, p)
        else:
            copy(o, p, n, limit)
        o += n
        null = np.int64(int32(kinds, k) == NULL)
        put8(valid + k, 1 - null)
        nulls += null
        put32(offsets, k + 1, o - out)
    return nulls


@njit([(U8, I32, I32, W8, W32)], **JIT)
def gather_raw(data, spans_, order, out_, offsets):
    """The own bytes of the values of the spans in `order`, one after the other; offsets[k + 1] is the end of value k."""
    base, spans, out = np.int64(data.ctypes.data), np.int64(spans_.ctypes.data), np.int64(out_.ctypes.data)
    limit, o = base + len(data), out
    for k in range(len(order)):
        s = spans + np.int64(order[k]) * (SPAN * 4)
        p = base + int32(s, VS)
        o = copy(o, p, base + int32(s, VE) - p, limit)
        offsets[k + 1] = o - out
