# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""The scanner: one pass over a batch of Protobuf records that checks the wire format and notes where values and lengths lie."""

import numpy as np

from flink_masking.kernels import I32, INLINED, JIT, U8, W32, W64, njit
from flink_masking.kernels.memory import at, int32, put32
from flink_masking.records.protobuf.layout_kernels import (
    BOOLEAN,
    DEFAULT,
    E_BITS,
    E_KIND,
    E_NODE,
    E_PATH,
    E_SCOPE,
    E_WHOLE,
    E_WIRE,
    EMPTY,
    END_GROUP,
    ENTRY,
    FIRST,
    FIXED32,
    FIXED64,
    FRAME,
    GROUP,
    LENGTH,
    M_COUNT,
    M_NODE,
    M_OTHER,
    M_PAIRS,
    M_TEXT,
    MAP,
    MISMATCHED,
    NOTHING_ELSE,
    O_ENTRY,
    O_FRAME,
    ONCE,
    OWNER,
    PACKABLE,
    R_PARENT,
    R_PREFIX,
    R_ROW,
    R_STOP,
    R_TAG,
    R_VALUE,
    S_COUNT,
    S_DEFAULTS,
    S_DENSE,
    S_DENY,
    S_MORE,
    S_N_DEFAULTS,
    S_NODE,
    S_SPARSE,
    SCOPE,
    UTF8,
    VARINT,
    varint,
    wrong_utf8,
)
from flink_masking.records.span_kernels import (
    ARRAY,
    DUPLICATE,
    F_END,
    F_NODE,
    F_REASON,
    F_START,
    FALSE,
    FATAL,
    FAULT,
    INVALID,
    MISMATCH,
    N_COLUMNS,
    N_WILD,
    OBJECT,
    SPAN,
    STRING,
    TRUE,
    UNDECLARED_PATH,
    UNKNOWN,
    VE,
    child,
    put_span,
)

# The scan's state: next row, spans and frames used, number of the last message, depth limit, what ran out, most defaults of a scope.
S_ROW, S_SPANS, S_FRAMES, S_SERIAL, S_DEPTH, S_FULL, S_MOST = range(7)
FULL_SPANS, FULL_FRAMES = 1, 2

# An open message: where it ends, scope, frame, its own span and that of its array (-1), number of a group (0: none), its serial number,
# where it begins.
T_END, T_SCOPE, T_FRAME, T_OWN, T_WHOLE, T_GROUP, T_SERIAL, T_START = range(8)
OPEN = 8
MAX_DEPTH = 100
"""Nested messages: what other readers of the format take, too."""


@njit(**INLINED)
def field(index, scope, number):
    """The entry of a field number in the scope at address `scope`, or -1."""
    if number < int32(scope, S_COUNT):
        return int32(index, int32(scope, S_DENSE) + number)
    low, high = int32(scope, S_SPARSE), int32(scope, S_SPARSE) + 2 * int32(scope, S_MORE)
    while low < high:
        if int32(index, low) == number:
            return int32(index, low + 1)
        low += 2
    return np.int64(-1)


@njit(**JIT)
def blame(flags, fault, reason, node, start, end):
    """Note what is wrong with a row: the first fatal fault, else the first undeclared field."""
    known = int32(flags, 0)
    if known & FATAL == 0 and (known == 0 or reason & FATAL):
        put32(fault, F_REASON, reason)
        put32(fault, F_NODE, node)
        put32(fault, F_START, start)
        put32(fault, F_END, end)
    put32(flags, 0, known | reason)


@njit(**JIT)
def emit(spans, owners, ns, row, path, kind, vs, ve, ms, pe, entry, frame):
    """Write span number ns and its owner; the next number."""
    put_span(spans + ns * (SPAN * 4), row, path, kind, vs, ve, ms, pe)
    put32(owners, ns * OWNER + O_ENTRY, entry)
    put32(owners, ns * OWNER + O_FRAME, frame)
    return ns + 1


@njit(**JIT)
def of_map(index, nodes, table, keys, at_, p, e, limit):
    """The scope of the entry of a map whose contents are p..e, or -1; start and end of its key."""
    node, first, last = int32(index, at_ + M_NODE), p, p
    found = np.int64(-1)
    if int32(index, at_ + M_TEXT):
        if p < e and at(p) == 10:
            n, q = varint(p + 1, e)
            if q > 0 and 0 <= n <= e - q:
                first, last = q, q + n
        found = child(nodes, table, keys, node, first, last - first, limit) if node >= 0 else np.int64(-1)
    elif node >= 0:
        found = int32(nodes, node * N_COLUMNS + N_WILD)
    if found >= 0:
        for k in range(int32(index, at_ + M_COUNT)):
            if int32(index, at_ + M_PAIRS + 2 * k) == found:
                return int32(index, at_ + M_PAIRS + 2 * k + 1), first, last
    return int32(index, at_ + M_OTHER), first, last


@njit([(U8, I32, I32, I32, I32, I32, I32, I32, I32, U8, W32, W32, W32, W32, W32, W64, W64, W64)], **JIT)
def scan_rows(data, offsets, begins, roots, scopes_, entries_, index_, nodes_, table_, keys_, spans_, owners_, frames_, flags_, faults_,
              stamps, stack, state):
    """Scan rows from state[S_ROW] on, except those flagged already; stop early, with state[S_FULL], when an array may run out.

    begins: where the message begins, behind the framing. roots: its scope. stamps: an entry each; a field was met in the message with this
    serial number. A row with a fatal fault has no spans.
    """
    base, spans, owners, frames, flags, faults = (
        np.int64(data.ctypes.data), np.int64(spans_.ctypes.data), np.int64(owners_.ctypes.data), np.int64(frames_.ctypes.data),
        np.int64(flags_.ctypes.data), np.int64(faults_.ctypes.data))
    scopes, entries, index = np.int64(scopes_.ctypes.data), np.int64(entries_.ctypes.data), np.int64(index_.ctypes.data)
    nodes, table, keys = np.int64(nodes_.ctypes.data), np.int64(table_.ctypes.data), np.int64(keys_.ctypes.data)
    limit, room, more = base + len(data), len(spans_) // SPAN - 4 - state[S_MOST], len(frames_) // FRAME - 1
    ns, nf, serial, deepest = state[S_SPANS], state[S_FRAMES], state[S_SERIAL], state[S_DEPTH] * OPEN
    state[S_FULL] = 0
    for row in range(state[S_ROW], len(offsets) - 1):
        if flags_[row]:
            continue
        first_span, first_frame, flag, fault = ns, nf, flags + row * 4, faults + row * (FAULT * 4)
        p, wrong, t, full = base + begins[row], np.int64(-1), np.int64(0), 0
        serial += 1
        stack[T_END], stack[T_SCOPE], stack[T_FRAME], stack[T_OWN], stack[T_WHOLE] = base + offsets[row + 1], roots[row], -1, -1, -1
        stack[T_GROUP], stack[T_SERIAL], stack[T_START] = 0, serial, p
        while True:
            if ns > room or nf > more:
                full = FULL_SPANS if ns > room else FULL_FRAMES
                break
            end, scope, around = stack[t + T_END], scopes + stack[t + T_SCOPE] * (SCOPE * 4), stack[t + T_FRAME]
            ms, number, wire, tag_end = p, np.int64(0), np.int64(END_GROUP), p
            if p < end:
                tag, tag_end = varint(p, end)
                number, wire = tag >> 3, tag & 7
                if tag_end < 0 or tag_end - p > 5 or number <= 0 or number >= 1 << 29:
                    wrong = ms
                    break
                p = tag_end
            if wire == END_GROUP:  # of a message: what follows its last byte
                if number != stack[t + T_GROUP]:
                    wrong = ms
                    break
                for k in range(int32(scope, S_N_DEFAULTS)):
                    entry = int32(index, int32(scope, S_DEFAULTS) + k)
                    if stamps[entry] != stack[t + T_SERIAL]:
                        own = entries + entry * (ENTRY * 4)
                        kind = int32(own, E_KIND)
                        ns = emit(spans, owners, ns, row, int32(own, E_PATH), FALSE if kind == BOOLEAN else kind, ms - base, ms - base,
                                  ms - base, DEFAULT, entry, around)
                if stack[t + T_OWN] >= 0:
                    put32(spans + stack[t + T_OWN] * (SPAN * 4), VE, p - base)
                if stack[t + T_WHOLE] >= 0:
                    put32(spans + stack[t + T_WHOLE] * (SPAN * 4), VE, p - base)
                if t == 0:
                    break
                t -= OPEN
                continue
            value, vs, ve = np.int64(0), p, p
            if wire == VARINT:
                value, ve = varint(p, end)
            elif wire == LENGTH:
                n, vs = varint(p, end)
                ve = vs + n if vs > 0 and vs - p <= 5 and 0 <= n <= end - vs else np.int64(-1)
            elif wire in (FIXED64, FIXED32):
                ve = p + 8 if wire == FIXED64 else p + 4
            elif wire != GROUP:
                ve = np.int64(-1)
            if ve < 0 or ve > end:
                wrong = ms
                break
            entry, packed = field(index, scope, number), False
            own = entries + entry * (ENTRY * 4)
            bits = np.int64(0)
            if entry >= 0:
                bits = int32(own, E_BITS)
                packed = wire == LENGTH and int32(own, E_WIRE) != LENGTH and bits & PACKABLE != 0
                if wire != int32(own, E_WIRE) and not packed:
                    entry, bits = np.int64(-1), np.int64(0)
            opened, whole, mine, kind = np.int64(-1), np.int64(-1), np.int64(-1), np.int64(STRING)
            if entry < 0 or bits & MISMATCHED:
                if entry >= 0:
                    blame(flag, fault, MISMATCH, int32(own, E_NODE), ms - base, ms - base)
                elif int32(scope, S_DENY) == NOTHING_ELSE:
                    wrong = ms
                    break
                elif int32(scope, S_DENY):
                    blame(flag, fault, UNKNOWN, int32(scope, S_NODE), ms - base, tag_end - base)
                    mine = ns
                    ns = emit(spans, owners, ns, row, UNDECLARED_PATH, STRING, vs - base, ve - base, ms - base, 0, -1, around)
                if wire == GROUP:
                    opened = np.int64(EMPTY)
            else:
                again = stamps[entry] == stack[t + T_SERIAL]
                stamps[entry] = stack[t + T_SERIAL]
                pe = np.int64(0) if again else np.int64(-1)
                if again and bits & ONCE:
                    blame(flag, fault, DUPLICATE, int32(own, E_NODE), ms - base, ms - base)
                if bits & FIRST and ms != stack[t + T_START]:
                    wrong = ms
                    break
                if int32(own, E_WHOLE) >= 0:
                    whole = ns
                    ns = emit(spans, owners, ns, row, int32(own, E_WHOLE), OBJECT if bits & MAP else ARRAY, vs - base, ve - base, ms - base,
                              pe, entry, around)
                kind, path = int32(own, E_KIND), int32(own, E_PATH)
                if kind == OBJECT:
                    opened = int32(own, E_SCOPE)
                    if bits & MAP:
                        opened, first, last = of_map(index, nodes, table, keys, int32(own, E_SCOPE), vs, ve, limit)
                        if opened < 0:
                            blame(flag, fault, UNKNOWN, int32(own, E_NODE), first - base, last - base)
                            ns = emit(spans, owners, ns, row, UNDECLARED_PATH, OBJECT, vs - base, ve - base, ms - base, 0, -1, around)
                    elif path >= 0:
                        mine = ns
                        ns = emit(spans, owners, ns, row, path, OBJECT, vs - base, ve - base, ms - base, pe, entry, around)
                elif packed:
                    put32(frames, nf * FRAME + R_TAG, ms - base)
                    put32(frames, nf * FRAME + R_PREFIX, tag_end - base)
                    put32(frames, nf * FRAME + R_VALUE, vs - base)
                    put32(frames, nf * FRAME + R_STOP, ve - base)
                    put32(frames, nf * FRAME + R_PARENT, around)
                    put32(frames, nf * FRAME + R_ROW, row)
                    step = np.int64(8 if int32(own, E_WIRE) == FIXED64 else 4)
                    varied = int32(own, E_WIRE) == VARINT
                    p = vs
                    while p < ve:
                        if ns > room:
                            full = FULL_SPANS
                            break
                        q = p + step
                        if varied:
                            value, q = varint(p, ve)
                        if q < 0 or q > ve:
                            wrong = p
                            break
                        if path >= 0:
                            what = kind if kind != BOOLEAN else TRUE if value != 0 else FALSE
                            ns = emit(spans, owners, ns, row, path, what, p - base, q - base, p - base, pe, entry, nf)
                            pe = np.int64(0)
                        p = q
                    nf += 1
                    if wrong >= 0 or full:
                        break
                else:
                    if bits & UTF8:
                        wrong = wrong_utf8(vs, ve, limit)
                        if wrong >= 0:
                            break
                    if path >= 0:
                        what = kind if kind != BOOLEAN else TRUE if value != 0 else FALSE
                        ns = emit(spans, owners, ns, row, path, what, vs - base, ve - base, ms - base, pe, entry, around)
            p = ve
            if opened >= 0:
                t += OPEN
                if t >= deepest:
                    wrong = ms
                    break
                serial += 1
                stack[t + T_END], stack[t + T_SCOPE], stack[t + T_FRAME], stack[t + T_SERIAL] = ve, opened, around, serial
                stack[t + T_OWN] = stack[t + T_WHOLE] = -1
                stack[t + T_GROUP] = 0
                p = vs
                stack[t + T_START] = p
                if wire == GROUP:
                    stack[t + T_END], stack[t + T_GROUP], stack[t + T_OWN], stack[t + T_WHOLE] = end, number, mine, whole
                else:
                    put32(frames, nf * FRAME + R_TAG, ms - base)
                    put32(frames, nf * FRAME + R_PREFIX, tag_end - base)
                    put32(frames, nf * FRAME + R_VALUE, vs - base)
                    put32(frames, nf * FRAME + R_STOP, ve - base)
                    put32(frames, nf * FRAME + R_PARENT, around)
                    put32(frames, nf * FRAME + R_ROW, row)
                    stack[t + T_FRAME] = nf
                    nf += 1
        if full:
            state[S_ROW], state[S_SPANS], state[S_FRAMES], state[S_SERIAL], state[S_FULL] = row, first_span, first_frame, serial, full
            flags_[row] = 0
            return
        if wrong >= 0:
            flags_[row] = INVALID
            put32(fault, F_REASON, INVALID)
            put32(fault, F_NODE, 0)
            put32(fault, F_START, wrong - base)
            put32(fault, F_END, wrong - base)
        if flags_[row] & FATAL:
            ns, nf = first_span, first_frame
    state[S_ROW], state[S_SPANS], state[S_FRAMES], state[S_SERIAL] = len(offsets) - 1, ns, nf, serial
