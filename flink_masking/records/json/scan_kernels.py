# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""The scanner: one pass over a batch of JSON records that checks them strictly and notes where declared values lie."""

import numpy as np

from flink_masking.kernels import I32, JIT, U8, W32, W64, njit
from flink_masking.kernels.memory import at, equal, int32, put32
from flink_masking.records.json.tokens_kernels import key_hash, literal, number, space, string, unescape
from flink_masking.records.span_kernels import (
    ARRAY,
    DENY,
    DESCEND_OBJECT,
    DUPLICATE,
    ENCODED,
    F_END,
    F_NODE,
    F_REASON,
    F_START,
    FALSE,
    FATAL,
    FAULT,
    INVALID,
    MAY_OBJECT,
    MAY_SCALAR,
    MISMATCH,
    N_COLUMNS,
    N_ELEMENT,
    N_FLAGS,
    N_KEY,
    N_LENGTH,
    N_PATH,
    NOT_OBJECT,
    NULL,
    NUMBER,
    NX,
    OBJECT,
    SPAN,
    STRING,
    TRUE,
    UNDECLARED_NODE,
    UNKNOWN,
    VE,
    child,
    put_span,
)

MAX_DEPTH = 1024
# The scan's state: next row, spans used, object number, depth limit, what ran out, whether a line break stands between tokens.
S_ROW, S_SPANS, S_SERIAL, S_DEPTH, S_FULL, S_BREAKS = range(6)
FULL_SPANS, FULL_SEEN = 1, 2
SEEN = 4  # int32 a slot of the set of undeclared keys: object number, hash (two), unused

# An open container: trie node, closing bracket, its own span, last span among its members, object number, last named child.
C_NODE, C_CLOSE, C_SPAN, C_LAST, C_SERIAL, C_PREVIOUS = range(6)
CONTAINER = 8
KEY_BYTES = 256  # of scratch for an unescaped key: more than the longest key of a path


def scratch_size(n_nodes: int) -> int:
    """Length of the int32 scratch array of `scan_rows` for a trie of so many nodes."""
    return KEY_BYTES // 4 + (MAX_DEPTH + 1) * CONTAINER + 3 * n_nodes


@njit(**JIT)
def seen_before(slots, mask, h, serial, floor):
    """Whether hash h is in the set for object `serial`; it is added if not. Slots of objects before `floor` count as free."""
    k = (h >> 7) & mask
    low, high = np.int64(np.int32(h)), h >> 32
    while int32(slots, k * SEEN) >= floor:
        if int32(slots, k * SEEN) == serial and int32(slots, k * SEEN + 1) == low and int32(slots, k * SEEN + 2) == high:
            return True
        k = (k + 1) & mask
    put32(slots, k * SEEN, serial)
    put32(slots, k * SEEN + 1, low)
    put32(slots, k * SEEN + 2, high)
    return False


@njit([(U8, I32, I32, I32, U8, W32, W32, W32, W32, W64, W32)], **JIT)
def scan_rows(data, offsets, nodes_, table_, keys_, spans_, flags, faults, seen_, state, scratch_):
    """Scan rows from state[S_ROW] on, except those flagged already; stop early, with state[S_FULL], when an array may run out.

    Keys that are named are looked up, first by guess: the child that followed last time. All other keys of an object that the trie
    reaches go into a hash set, so that duplicates are found among them too: equal hashes count as equal keys, which at 64 bits with
    a secret start errs once in some billion billion pairs, and then towards refusal. scratch_ and seen_ come from the caller because
    numba frees a local array after its last mention, and taking its address is one.
    """
    base, nodes, table, keys = (
        np.int64(data.ctypes.data), np.int64(nodes_.ctypes.data), np.int64(table_.ctypes.data), np.int64(keys_.ctypes.data))
    spans, seen, scratch = np.int64(spans_.ctypes.data), np.int64(seen_.ctypes.data), np.int64(scratch_.ctypes.data)
    breaks = np.int64(state.ctypes.data) + 8 * S_BREAKS
    limit, n_nodes, capacity, seen_mask = base + len(data), len(nodes_) // N_COLUMNS, len(spans_) // SPAN, len(seen_) // SEEN - 1
    frames = scratch + KEY_BYTES
    stamps = frames + (MAX_DEPTH + 1) * (CONTAINER * 4)  # number of the object in which a child was seen last
    follow = stamps + n_nodes * 4  # the child that came next after a child last time; at n_nodes + node: the first one
    for k in range(3 * n_nodes):
        put32(stamps, k, -1)
    ns, serial, max_depth = state[S_SPANS], state[S_SERIAL], state[S_DEPTH]
    state[S_FULL] = 0
    for row in range(state[S_ROW], len(offsets) - 1):
        if flags[row]:
            continue
        start, p, e, floor, n_seen = ns, base + offsets[row], base + offsets[row + 1], serial, 0
        flag, reason, fault_node, fault_start, fault_end = np.int64(0), np.int64(0), np.int64(0), np.int64(0), np.int64(0)
        depth, frame, ok = 0, frames, False
        p = space(p, e, breaks)
        t, vs, ms, pe = 0, p, p, np.int64(-1)  # trie node (-1: nothing below matters), value start, member start, previous end
        while p < e:  # one turn a value
            if ns + 1 > capacity or 2 * n_seen > seen_mask:
                state[S_ROW], state[S_SPANS], state[S_SERIAL] = row, start, serial
                state[S_FULL] = FULL_SPANS if ns + 1 > capacity else FULL_SEEN
                return
            c, vs = at(p), p
            opened = False
            if c == 34:
                p = string(p + 1, e, limit)
                kind = ENCODED if p & 1 else STRING
                p >>= 1
            elif c == 123 or c == 91:
                kind, opened = OBJECT if c == 123 else ARRAY, True
                p = p + 1 if depth < max_depth else -1
            elif c == 45 or 48 <= c <= 57:
                kind, p = NUMBER, number(p, e, limit)
            elif c == 116:
                kind, p = TRUE, literal(p, e, 0x657572, 4)
            elif c == 102:
                kind, p = FALSE, literal(p, e, 0x65736C61, 5)
            elif c == 110:
                kind, p = NULL, literal(p, e, 0x6C6C75, 4)
            else:
                break
            if p < 0:
                break
            own, inner = -1, -1  # this value's span; the trie node that its members go by
            if t >= 0:
                path, bits = int32(nodes, t * N_COLUMNS + N_PATH), int32(nodes, t * N_COLUMNS + N_FLAGS)
                may = MAY_SCALAR if kind < OBJECT else MAY_OBJECT << (kind - OBJECT)
                if bits & may == 0 and (kind != NULL or depth == 0) and (reason == 0 or reason == UNKNOWN):
                    reason, fault_node, fault_start, fault_end = MISMATCH if depth else NOT_OBJECT, t, ms, ms
                    flag |= reason
                if path >= 0:
                    own = ns
                    put_span(spans + ns * (SPAN * 4), row, path, kind, vs - base, p - base, ms - base, pe)
                    put32(frame, C_LAST, own)
                    ns += 1
                if opened and bits & (DESCEND_OBJECT << (kind - OBJECT)):
                    inner = t
            want_key, after_value = False, not opened
            if opened:
                depth += 1
                serial += 1
                frame += CONTAINER * 4
                put32(frame, C_NODE, inner)
                put32(frame, C_CLOSE, 125 if kind == OBJECT else 93)
                put32(frame, C_SPAN, own)
                put32(frame, C_LAST, -1)
                put32(frame, C_SERIAL, serial)
                put32(frame, C_PREVIOUS, -1)
                p = space(p, e, breaks)
                if p >= e:
                    break
                if at(p) != (125 if kind == OBJECT else 93):
                    pe, ms, t = np.int64(-1), p, inner
                    if kind == ARRAY:
                        if inner >= 0:
                            t = int32(nodes, inner * N_COLUMNS + N_ELEMENT)
                        continue
                    want_key = True
            failed = False
            while not want_key:  # after a value, or at the end of an empty container
                if after_value and depth == 0:
                    p = space(p, e, breaks)
                    ok = p == e
                    failed = True  # or finished: either way the row is done
                    break
                ve = p
                if after_value:
                    p = space(p, e, breaks)
                if p >= e:
                    failed = True
                    break
                c = at(p)
                if c == 44 and after_value:
                    pe = ve - base
                    p = space(p + 1, e, breaks)
                    ms = p
                    last = int32(frame, C_LAST)
                    if last >= 0:
                        put32(spans + last * (SPAN * 4), NX, ms - base)
                        put32(frame, C_LAST, -1)
                    t = int32(frame, C_NODE)
                    if int32(frame, C_CLOSE) == 125:
                        want_key = True
                    elif t >= 0:
                        t = int32(nodes, t * N_COLUMNS + N_ELEMENT)
                    break
                if c != int32(frame, C_CLOSE):
                    failed = True
                    break
                p += 1
                own = int32(frame, C_SPAN)
                if own >= 0:
                    put32(spans + own * (SPAN * 4), VE, p - base)
                depth -= 1
                frame -= CONTAINER * 4
                after_value = True
            if failed:
                break
            if not want_key:
                continue
            if p >= e or at(p) != 34:  # a member's key at ms == p; t is the object's node
                break
            if t < 0:
                p = string(p + 1, e, limit) >> 1
                found = np.int64(-1)
            else:
                object_serial, previous = int32(frame, C_SERIAL), int32(frame, C_PREVIOUS)
                slot = previous if previous >= 0 else n_nodes + t
                found = int32(follow, slot)
                n = int32(nodes, found * N_COLUMNS + N_LENGTH) if found >= 0 else 0
                if found >= 0 and equal(p + 1, keys + int32(nodes, found * N_COLUMNS + N_KEY), n + 1, limit):
                    p = p + n + 2 if p + n + 2 <= e else -1
                else:
                    p = string(p + 1, e, limit)
                    escaped = p & 1
                    p >>= 1
                    if p < 0:
                        break
                    if escaped:
                        n = unescape(ms + 1, p - 1, scratch, scratch + KEY_BYTES - 32) - scratch
                        found = child(nodes, table, keys, t, scratch, n, scratch + KEY_BYTES)
                    else:
                        found = child(nodes, table, keys, t, ms + 1, p - ms - 2, limit)
                        if found >= 0 and int32(nodes, found * N_COLUMNS + N_LENGTH) >= 0:
                            put32(follow, slot, found)  # never a key with a quote or backslash: those are not found unescaped
                twice = False
                if found >= 0 and int32(nodes, found * N_COLUMNS + N_LENGTH) >= 0:
                    put32(frame, C_PREVIOUS, found)
                    twice = int32(stamps, found) == object_serial
                    put32(stamps, found, object_serial)
                elif p >= 0 and (found >= 0 or int32(nodes, t * N_COLUMNS + N_FLAGS) & DENY):
                    n_seen += 1
                    h = key_hash(ms + 1, p - 1, seen + object_serial * -7046029254386353131, scratch)
                    twice = seen_before(seen, seen_mask, h, object_serial, floor + 1)
                    if found < 0:
                        found = np.int64(UNDECLARED_NODE)
                        flag |= UNKNOWN
                        if reason == 0:
                            reason, fault_node, fault_start, fault_end = UNKNOWN, t, ms, p
                if twice and (reason == 0 or reason == UNKNOWN):
                    flag |= DUPLICATE
                    reason, fault_node, fault_start, fault_end = DUPLICATE, found, ms, ms
                    if found == UNDECLARED_NODE:
                        fault_node, fault_end = t, p
            if p < 0:
                break
            p = space(p, e, breaks)
            if p >= e or at(p) != 58:
                break
            p = space(p + 1, e, breaks)
            t = found
        if not ok:
            flag = reason = INVALID
            fault_start = fault_end = p if p > 0 else vs
        if flag:
            if flag & FATAL:
                ns = start
            flags[row] = flag
            k = row * FAULT
            faults[k + F_REASON], faults[k + F_NODE], faults[k + F_START], faults[k + F_END] = (
                reason, fault_node, fault_start - base, fault_end - base)
    state[S_ROW], state[S_SPANS], state[S_SERIAL] = len(offsets) - 1, ns, serial
