# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""The scanner: one pass over a batch of Protobuf records that checks the wire format and notes where values and lengths lie."""

import numpy as np

from flink_masking.kernels import I32, JIT, U8, W32, W64, njit
from flink_masking.kernels.memory import at, int32, put32
from flink_masking.records.protobuf.layout_kernels import (
    BOOLEAN,
    CLOSED,
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
    MAP,
    MISMATCHED,
    NOTHING_ELSE,
    ONCE,
    PACKABLE,
    PLAIN,
    S_COUNT,
    S_DEFAULTS,
    S_DENSE,
    S_DENY,
    S_N_DEFAULTS,
    S_NODE,
    SCOPE,
    UTF8,
    VARINT,
    varint,
)
from flink_masking.records.protobuf.scan_steps_kernels import (
    OPEN,
    PENDING,
    T_END,
    T_FRAME,
    T_GROUP,
    T_OWN,
    T_PREFIX,
    T_SCOPE,
    T_SERIAL,
    T_START,
    T_TAG,
    T_WHOLE,
    blame,
    emit,
    field,
    is_named,
    of_map,
    put_frame,
    settled,
)
from flink_masking.records.scalar_kernels import bad_text
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
    OBJECT,
    SPAN,
    STRING,
    TRUE,
    UNDECLARED_PATH,
    UNKNOWN,
    VE,
)

# The scan's state: next row, spans and frames used, number of the last message, depth limit, what ran out, most defaults of a scope.
S_ROW, S_SPANS, S_FRAMES, S_SERIAL, S_DEPTH, S_FULL, S_MOST = range(7)
FULL_SPANS, FULL_FRAMES = 1, 2
TEXT = PLAIN | UTF8
"""A text by itself."""

MAX_DEPTH = 100
"""Nested messages: what other readers of the format take, too."""


@njit([(U8, I32, I32, I32, I32, I32, I32, I32, I32, U8, W32, W32, W32, W32, W32, W32, W32, W64)], **JIT)
def scan_rows(data, offsets, begins, roots, scopes_, entries_, index_, nodes_, table_, keys_, spans_, owners_, frames_, flags_, faults_,
              stamps_, stack_, state):
    """Scan rows from state[S_ROW] on, except those flagged already; stop early, with state[S_FULL], when an array may run out.

    begins: where the message begins, behind the framing. roots: its scope. stamps_: for each entry, the number of the last message in which
    the field was met. A row with a fatal fault has no spans.
    """
    base, spans, owners, frames, flags, faults = (
        np.int64(data.ctypes.data), np.int64(spans_.ctypes.data), np.int64(owners_.ctypes.data), np.int64(frames_.ctypes.data),
        np.int64(flags_.ctypes.data), np.int64(faults_.ctypes.data))
    scopes, entries, index = np.int64(scopes_.ctypes.data), np.int64(entries_.ctypes.data), np.int64(index_.ctypes.data)
    nodes, table, keys = np.int64(nodes_.ctypes.data), np.int64(table_.ctypes.data), np.int64(keys_.ctypes.data)
    stamps, bottom = np.int64(stamps_.ctypes.data), np.int64(stack_.ctypes.data)
    limit, room, more = base + len(data), len(spans_) // SPAN - 4 - state[S_MOST], len(frames_) // FRAME - MAX_DEPTH - 2
    ns, nf, serials, deepest = state[S_SPANS], state[S_FRAMES], state[S_SERIAL], bottom + state[S_DEPTH] * (OPEN * 4)
    state[S_FULL] = 0
    for row in range(state[S_ROW], len(offsets) - 1):
        if flags_[row]:
            continue
        first_span, first_frame, flag, fault = ns, nf, flags + row * 4, faults + row * (FAULT * 4)
        p, wrong, t, full = base + begins[row], np.int64(-1), bottom, 0
        serials += 1
        # Of the innermost message: where it ends and begins, scope, frame, its number, the number of a group.
        end, start, scope, around = base + offsets[row + 1], p, scopes + roots[row] * (SCOPE * 4), np.int64(-1)
        serial, group = serials, np.int64(0)
        put32(t, T_FRAME, -1)
        while True:
            if p + 1 < end and at(p) & 135 == LENGTH and at(p) >> 3 < int32(scope, S_COUNT) and at(p + 1) < 128:  # nearly every text
                entry, vs = int32(index, int32(scope, S_DENSE) + (at(p) >> 3)), p + 2
                ve = vs + at(p + 1)
                own = entries + entry * (ENTRY * 4)
                if entry >= 0 and ve <= end and int32(own, E_BITS) & TEXT == TEXT and ns <= room and nf <= more:
                    wrong = bad_text(vs, ve, limit)
                    if wrong >= 0:
                        break
                    path = int32(own, E_PATH)
                    if path >= 0:
                        if around == PENDING:
                            around, nf = settled(bottom, t, end - base, frames, nf, row)
                        ns = emit(spans, owners, ns, row, path, STRING, vs - base, ve - base, p - base, np.int64(-1), entry, around)
                    p = ve
                    continue
            ms, number, wire, tag_end = p, np.int64(0), np.int64(END_GROUP), p
            if p < end:
                tag = at(p)
                p += 1
                if tag >= 128:
                    tag, p = varint(ms, end)
                tag_end, number, wire = p, tag >> 3, tag & 7
                if p < 0 or p - ms > 5 or number <= 0 or number >= 1 << 29:
                    wrong = ms
                    break
            if ns > room or nf > more:
                full = FULL_SPANS if ns > room else FULL_FRAMES
                break
            if wire == END_GROUP:  # of a message: what follows its last byte
                if number != group:
                    wrong = ms
                    break
                for k in range(int32(scope, S_N_DEFAULTS)):
                    entry = int32(index, int32(scope, S_DEFAULTS) + k)
                    if int32(stamps, entry) != serial:
                        if around == PENDING:
                            around, nf = settled(bottom, t, end - base, frames, nf, row)
                        own = entries + entry * (ENTRY * 4)
                        kind = int32(own, E_KIND)
                        ns = emit(spans, owners, ns, row, int32(own, E_PATH), FALSE if kind == BOOLEAN else kind, ms - base, ms - base,
                                  ms - base, DEFAULT, entry, around)
                if group:
                    if int32(t, T_OWN) >= 0:
                        put32(spans + int32(t, T_OWN) * (SPAN * 4), VE, p - base)
                    if int32(t, T_WHOLE) >= 0:
                        put32(spans + int32(t, T_WHOLE) * (SPAN * 4), VE, p - base)
                if t == bottom:
                    break
                t -= OPEN * 4
                end, start, scope, around = base + int32(t, T_END), base + int32(t, T_START), scopes + int32(t, T_SCOPE), int32(t, T_FRAME)
                serial, group = int32(t, T_SERIAL), int32(t, T_GROUP)
                continue
            value, vs, ve = np.int64(0), p, p
            if wire == LENGTH:
                n = at(p) if p < end else np.int64(128)
                vs = p + 1
                if n >= 128:
                    n, vs = varint(p, end)
                ve = vs + n if vs > 0 and vs - p <= 5 and 0 <= n <= end - vs else np.int64(-1)
            elif wire == VARINT:
                value, ve = varint(p, end)
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
                if wire != int32(own, E_WIRE):
                    packed = wire == LENGTH and bits & PACKABLE != 0
                    if not packed:
                        entry, bits = np.int64(-1), np.int64(0)
                if bits & CLOSED and not packed and entry >= 0 and not is_named(index, int32(own, E_SCOPE), value):
                    entry, bits = np.int64(-1), np.int64(0)
            if bits & PLAIN:
                if bits & UTF8:
                    wrong = bad_text(vs, ve, limit)
                    if wrong >= 0:
                        break
                path = int32(own, E_PATH)
                if path >= 0:
                    if around == PENDING:
                        around, nf = settled(bottom, t, end - base, frames, nf, row)
                    kind = int32(own, E_KIND)
                    kind = kind if kind != BOOLEAN else TRUE if value != 0 else FALSE
                    ns = emit(spans, owners, ns, row, path, kind, vs - base, ve - base, ms - base, np.int64(-1), entry, around)
                p = ve
                continue
            opened, whole, mine = np.int64(-1), np.int64(-1), np.int64(-1)
            if around == PENDING and (entry < 0 or int32(own, E_PATH) >= 0 or int32(own, E_WHOLE) >= 0 or bits & MAP):
                around, nf = settled(bottom, t, end - base, frames, nf, row)
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
                again = int32(stamps, entry) == serial
                put32(stamps, entry, serial)
                pe = np.int64(0) if again else np.int64(-1)
                if again and bits & ONCE:
                    blame(flag, fault, DUPLICATE, int32(own, E_NODE), ms - base, ms - base)
                if bits & FIRST and (ms != start or tag_end - ms != 1):  # `of_map` and `key_end` know the key by this byte
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
                        opened, first, last = of_map(index, nodes, table, keys, opened, vs, ve, limit)
                        if opened < 0:
                            blame(flag, fault, UNKNOWN, int32(own, E_NODE), first - base, last - base)
                            ns = emit(spans, owners, ns, row, UNDECLARED_PATH, OBJECT, vs - base, ve - base, ms - base, 0, -1, around)
                    elif path >= 0:
                        mine = ns
                        ns = emit(spans, owners, ns, row, path, OBJECT, vs - base, ve - base, ms - base, pe, entry, around)
                elif packed:
                    if path >= 0 or bits & CLOSED:
                        if around == PENDING:
                            around, nf = settled(bottom, t, end - base, frames, nf, row)
                        nf = put_frame(frames, nf, ms - base, tag_end - base, vs - base, ve - base, around, row, entry)
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
                        if bits & CLOSED and not is_named(index, int32(own, E_SCOPE), value):
                            if int32(scope, S_DENY):
                                blame(flag, fault, UNKNOWN, int32(own, E_NODE), p - base, p - base)
                                ns = emit(spans, owners, ns, row, UNDECLARED_PATH, STRING, p - base, q - base, p - base, 0, -1, nf - 1)
                        elif path >= 0:
                            what = kind if kind != BOOLEAN else TRUE if value != 0 else FALSE
                            ns = emit(spans, owners, ns, row, path, what, p - base, q - base, p - base, pe, entry, nf - 1)
                            pe = np.int64(0)
                        p = q
                    if wrong >= 0 or full:
                        break
                else:
                    if bits & UTF8:
                        wrong = bad_text(vs, ve, limit)
                        if wrong >= 0:
                            break
                    if path >= 0:
                        what = kind if kind != BOOLEAN else TRUE if value != 0 else FALSE
                        ns = emit(spans, owners, ns, row, path, what, vs - base, ve - base, ms - base, pe, entry, around)
            p = ve
            if opened >= 0:
                put32(t, T_END, end - base)
                put32(t, T_START, start - base)
                put32(t, T_SCOPE, scope - scopes)
                put32(t, T_SERIAL, serial)
                put32(t, T_GROUP, group)
                t += OPEN * 4
                if t >= deepest:
                    wrong = ms
                    break
                serials += 1
                serial, scope, group, start, p = serials, scopes + opened * (SCOPE * 4), np.int64(0), vs, vs
                around = np.int64(PENDING)
                put32(t, T_FRAME, around)
                put32(t, T_START, start - base)
                if wire == GROUP:
                    group = number
                    put32(t, T_OWN, mine)
                    put32(t, T_WHOLE, whole)
                    put32(t, T_TAG, -1)
                else:
                    end = ve
                    put32(t, T_TAG, ms - base)
                    put32(t, T_PREFIX, tag_end - base)
        if full:
            state[S_ROW], state[S_SPANS], state[S_FRAMES], state[S_SERIAL], state[S_FULL] = row, first_span, first_frame, serials, full
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
    state[S_ROW], state[S_SPANS], state[S_FRAMES], state[S_SERIAL] = len(offsets) - 1, ns, nf, serials
