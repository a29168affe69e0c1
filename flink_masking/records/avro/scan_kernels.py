# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""The scanner: one pass over a batch of Avro records, each by the program of its schema, that checks it and notes where values lie.

A span (`span_kernels`) has here: VS…VE the contents of the value, MS where its encoding begins with the branch of its union, PE the key of
an entry of a map, or -1 for the first element of an array, NX the number of its site in the program.
"""

import numpy as np

from flink_masking.kernels import I32, INLINED, JIT, U8, W32, W64, njit
from flink_masking.kernels.memory import at, int32, put32
from flink_masking.records.scalar_kernels import bad_text
from flink_masking.records.span_kernels import (
    ARRAY,
    DUPLICATE,
    F_END,
    F_NODE,
    F_REASON,
    F_START,
    FATAL,
    FAULT,
    INVALID,
    N_COLUMNS,
    N_LENGTH,
    NX,
    OBJECT,
    SPAN,
    TRUE,
    UNKNOWN,
    VE,
    child,
    put_span,
)

# Operations and their operands. A target is a place in the program; a path is a number or -1.
(
    END,  # the end of a record
    LEAF,  # a scalar: type, its size, number of symbols or most bytes (0: any number), path, site, kind of its span, target
    UNION,  # number of branches, a target for each
    JUMP,  # target
    OPEN,  # a record begins: path, site
    CLOSE,  # it ends
    BLOCKS,  # an array or map begins: whether it is a map, target behind it, path, site, fewest bytes of an item, node of the trie for keys
    # or -1, whether spans can lie in it, number of entries that follow, each a node and its target; then the target for other keys, or the
    # target of elements
    NEXT,  # an item ends: place of its BLOCKS
    CALL,  # target of a record that holds itself
    RETURN,
    BLAME,  # a fault: reason, node
    PLAIN,  # a record without a span begins in a union or as an item
    SKIP,  # number of bytes that nothing is noted of, target
) = range(13)
T_NULL, T_BOOLEAN, T_INT, T_LONG, T_FIXED, T_BYTES, T_STRING, T_ENUM = range(8)

# A block of an array or map in which spans lie: row, start and end of its header, its end, its count as written, its first span and the one
# after its last.
B_ROW, B_START, B_BODY, B_END, B_COUNT, B_FIRST, B_LAST = range(7)
BLOCK = 8
# A frame of the scanner's stack: where to go on, items left, own span, own block, end of the block if it is told, serial number.
R_PC, R_LEFT, R_SPAN, R_BLOCK, R_SIZE, R_SERIAL = range(6)
FRAME = 8
S_ROW, S_SPANS, S_BLOCKS, S_DEPTH, S_FULL, S_SERIAL, S_OPEN = range(7)
FULL_SPANS, FULL_BLOCKS = 1, 2
LENGTH_OF_BLAME = 3
WIDE = 1 << 16
"""Items without bytes that one record may count."""


@njit(**INLINED)
def varint(p, e):
    """The number at p and where it ends; -1 where it is none of at most 64 bits."""
    if p < e and at(p) < 128:  # nearly every length and branch
        return (at(p) >> 1) ^ -(at(p) & 1), p + 1
    v, shift = np.int64(0), np.int64(0)
    while p < e:
        c = at(p)
        p += 1
        v |= (c & 127) << shift
        if c < 128:
            return ((v >> 1) & 0x7FFFFFFFFFFFFFFF) ^ -(v & 1), (p if shift < 63 or c <= 1 else np.int64(-1))
        shift += 7
        if shift > 63:
            break
    return np.int64(0), np.int64(-1)


@njit(**INLINED)
def scalar(kind, size, p, e, limit):
    """Where the contents of a value at p begin and end, and what it is where that decides; -1 for the end of what is none."""
    if kind in (T_STRING, T_BYTES):
        n, q = varint(p, e)
        if q < 0 or n < 0 or n > e - q or (bad_text(q, q + n, limit) >= 0 if kind == T_STRING else n > size > 0):
            return p, np.int64(-1), np.int64(0)
        return q, q + n, np.int64(0)
    if kind == T_FIXED:
        return p, (p + size if size <= e - p else np.int64(-1)), np.int64(0)
    if kind == T_NULL:
        return p, p, np.int64(0)
    if kind == T_BOOLEAN:
        return p, (p + 1 if p < e and at(p) < 2 else np.int64(-1)), (at(p) if p < e else np.int64(0))
    n, q = varint(p, e)
    if (kind == T_INT and n != np.int64(np.int32(n))) or (kind == T_ENUM and (n < 0 or n >= size)):
        q = np.int64(-1)
    return p, q, n


@njit(**JIT)
def note(flags, fault, reason, node, start, end):
    """Note a fault; the first one stands, but anything goes before an unknown member."""
    known = int32(fault, F_REASON)
    put32(flags, 0, int32(flags, 0) | reason)
    if known == 0 or (known == UNKNOWN and reason != UNKNOWN):
        put32(fault, F_REASON, reason)
        put32(fault, F_NODE, node)
        put32(fault, F_START, start)
        put32(fault, F_END, end)


@njit([(U8, I32, W32, I32, I32, I32, I32, U8, W32, W32, W32, W32, W64, W32, W32)], **JIT)
def scan_rows(data, offsets, starts, entries, program_, nodes_, table_, keys_, spans_, blocks_, flags_, faults_, state, stack_, stamps_):
    """Scan rows from state[S_ROW] on, except those flagged already; stop early, with state[S_FULL], when an array may run out.

    starts: where each record begins behind its framing; with state[S_OPEN] set, records follow each other, and each start but the first one
    is found. entries: where the program of its schema begins. stack: room for state[S_DEPTH]
    frames. stamps_: one a node of the trie.
    """
    base, spans, blocks, prog = (
        np.int64(data.ctypes.data), np.int64(spans_.ctypes.data), np.int64(blocks_.ctypes.data), np.int64(program_.ctypes.data))
    nodes, table, keys = np.int64(nodes_.ctypes.data), np.int64(table_.ctypes.data), np.int64(keys_.ctypes.data)
    stamps, limit, deepest = np.int64(stamps_.ctypes.data), base + len(data), state[S_DEPTH] * FRAME
    stack = np.int64(stack_.ctypes.data)
    capacity, most, ns, nb, serial = len(spans_) // SPAN, len(blocks_) // BLOCK, state[S_SPANS], state[S_BLOCKS], state[S_SERIAL]
    state[S_FULL] = 0
    for row in range(state[S_ROW], len(offsets) - 1):
        if flags_[row]:
            continue
        flags, fault = np.int64(flags_.ctypes.data) + row * 4, np.int64(faults_.ctypes.data) + row * (FAULT * 4)
        put32(fault, F_REASON, 0)
        first, first_block, p, e, pc, sp = ns, nb, base + starts[row], base + offsets[row + 1], np.int64(entries[row]), np.int64(0)
        ms, pe, bad, idle = np.int64(-1), np.int64(0), np.int64(-1), np.int64(WIDE)
        while True:  # one turn an operation
            op = int32(prog, pc)
            if op == LEAF:
                vs, q, value = scalar(int32(prog, pc + 1), int32(prog, pc + 2), p, e, limit)
                if q < 0:
                    bad = p
                    break
                path = int32(prog, pc + 3)
                if path >= 0:
                    if ns >= capacity:
                        state[S_FULL] = FULL_SPANS
                        break
                    kind = int32(prog, pc + 5)
                    if kind == TRUE and value == 0:
                        kind = np.int64(TRUE + 1)
                    s = spans + ns * (SPAN * 4)
                    put_span(s, row, path, kind, vs - base, q - base, (p if ms < 0 else ms) - base, pe)
                    put32(s, NX, int32(prog, pc + 4))
                    ns += 1
                p, ms, pe, pc = q, np.int64(-1), np.int64(0), int32(prog, pc + 6)
            elif op == SKIP:
                n = int32(prog, pc + 1)
                if n > e - p:
                    bad = p
                    break
                p, ms, pe, pc = p + n, np.int64(-1), np.int64(0), int32(prog, pc + 2)
            elif op == UNION:
                n, q = varint(p, e)
                if q < 0 or n < 0 or n >= int32(prog, pc + 1):
                    bad = p
                    break
                ms, p, pc = p, q, int32(prog, pc + 2 + n)
            elif op == JUMP:
                pc = int32(prog, pc + 1)
            elif op == PLAIN:
                ms, pe, pc = np.int64(-1), np.int64(0), pc + 1
            elif op == OPEN:
                if sp >= deepest:
                    bad = p
                    break
                if ns >= capacity:
                    state[S_FULL] = FULL_SPANS
                    break
                s = spans + ns * (SPAN * 4)
                put_span(s, row, int32(prog, pc + 1), OBJECT, p - base, p - base, (p if ms < 0 else ms) - base, pe)
                put32(s, NX, int32(prog, pc + 2))
                put32(stack, sp + R_SPAN, ns)
                sp += FRAME
                ns, ms, pe, pc = ns + 1, np.int64(-1), np.int64(0), pc + 3
            elif op == CLOSE:
                sp -= FRAME
                put32(spans + int32(stack, sp + R_SPAN) * (SPAN * 4), VE, p - base)
                pc += 1
            elif op in (BLOCKS, NEXT):
                head = pc if op == BLOCKS else int32(prog, pc + 1)
                is_map = int32(prog, head + 1)
                if op == BLOCKS:
                    if sp >= deepest:
                        bad = p
                        break
                    path = int32(prog, head + 3)
                    serial = (serial + 1) & 0x3FFFFFFF
                    put32(stack, sp + R_SPAN, -1)
                    put32(stack, sp + R_SERIAL, serial)
                    left = np.int64(0)
                    if path >= 0:
                        if ns >= capacity:
                            state[S_FULL] = FULL_SPANS
                            break
                        s = spans + ns * (SPAN * 4)
                        put_span(s, row, path, OBJECT if is_map else ARRAY, p - base, p - base, (p if ms < 0 else ms) - base, pe)
                        put32(s, NX, int32(prog, head + 4))
                        put32(stack, sp + R_SPAN, ns)
                        ns += 1
                    sp += FRAME
                    pe = np.int64(-1)
                else:
                    left = int32(stack, sp - FRAME + R_LEFT) - 1
                    put32(stack, sp - FRAME + R_LEFT, left)
                    pe = np.int64(0)
                frame = sp - FRAME
                ms = np.int64(-1)
                if left == 0:  # the next block
                    noted = int32(prog, head + 7)
                    if op == NEXT:
                        if noted:
                            b = blocks + int32(stack, frame + R_BLOCK) * (BLOCK * 4)
                            put32(b, B_END, p - base)
                            put32(b, B_LAST, ns)
                        if int32(stack, frame + R_SIZE) >= 0 and base + int32(stack, frame + R_SIZE) != p:
                            bad = p
                            break
                    if nb >= most:
                        state[S_FULL] = FULL_BLOCKS
                        break
                    count, q = varint(p, e)
                    n, size = abs(count), np.int64(-1)
                    if q >= 0 and count < 0:
                        size, q = varint(q, e)
                        if size < 0 or size > e - q:
                            q = np.int64(-1)
                    least = int32(prog, head + 5)
                    if q < 0 or n < 0 or (n > e - q if least else n > idle):
                        bad = p
                        break
                    if n == 0:
                        p, sp = q, frame
                        if int32(stack, frame + R_SPAN) >= 0:
                            put32(spans + int32(stack, frame + R_SPAN) * (SPAN * 4), VE, p - base)
                        pe, pc = np.int64(0), int32(prog, head + 2)
                        continue
                    idle -= 0 if least else n
                    put32(stack, frame + R_LEFT, n)
                    put32(stack, frame + R_SIZE, q + size - base if size >= 0 else size)
                    if noted:
                        b = blocks + nb * (BLOCK * 4)
                        put32(b, B_ROW, row)
                        put32(b, B_START, p - base)
                        put32(b, B_BODY, q - base)
                        put32(b, B_COUNT, count)
                        put32(b, B_FIRST, ns)
                        put32(stack, frame + R_BLOCK, nb)
                        nb += 1
                    p = q
                listed = int32(prog, head + 8)
                pc = int32(prog, head + 9 + 2 * listed)
                if is_map:
                    n, q = varint(p, e)
                    if q < 0 or n < 0 or n > e - q or bad_text(q, q + n, limit) >= 0:
                        bad = p
                        break
                    pe = p - base
                    t = int32(prog, head + 6)
                    if t >= 0:
                        found = child(nodes, table, keys, t, q, n, limit)
                        if found >= 0 and int32(nodes, found * N_COLUMNS + N_LENGTH) >= 0:
                            if int32(stamps, found) == int32(stack, frame + R_SERIAL):
                                note(flags, fault, DUPLICATE, found, p - base, p - base)
                            put32(stamps, found, int32(stack, frame + R_SERIAL))
                        known = False
                        for k in range(listed):
                            if int32(prog, head + 9 + 2 * k) == found:
                                pc, known = int32(prog, head + 10 + 2 * k), True
                                break
                        if not known and int32(prog, pc) == BLAME and int32(prog, pc + 1) == UNKNOWN:  # an undeclared key
                            note(flags, fault, UNKNOWN, t, q - base, q + n - base)
                            pc += LENGTH_OF_BLAME
                    p = q + n
            elif op == CALL:
                if sp >= deepest:
                    bad = p
                    break
                put32(stack, sp + R_PC, pc + 2)
                sp += FRAME
                pc = int32(prog, pc + 1)
            elif op == RETURN:
                sp -= FRAME
                pc = int32(stack, sp + R_PC)
            elif op == BLAME:
                note(flags, fault, int32(prog, pc + 1), int32(prog, pc + 2), p - base, p - base)
                pc += LENGTH_OF_BLAME
            else:
                if state[S_OPEN]:
                    starts[row + 1] = p - base
                elif p != e:
                    bad = p
                break
        if state[S_FULL]:
            state[S_ROW], state[S_SPANS], state[S_BLOCKS], state[S_SERIAL], flags_[row] = row, first, first_block, serial, 0
            return
        if bad >= 0:
            flags_[row] = INVALID
            put32(fault, F_REASON, INVALID)
            put32(fault, F_START, bad - base)
            put32(fault, F_END, bad - base)
        if flags_[row] & FATAL:
            ns, nb = first, first_block
            if state[S_OPEN]:
                return
    state[S_ROW], state[S_SPANS], state[S_BLOCKS], state[S_SERIAL] = len(offsets) - 1, ns, nb, serial
