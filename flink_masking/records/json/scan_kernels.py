# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""The scanner: one pass over a batch of JSON records that checks them strictly and notes where declared values lie."""

import numpy as np

from flink_masking.kernels import I32, JIT, U8, W32, W64, njit
from flink_masking.kernels.memory import at, int32, put32
from flink_masking.records.json.scan_steps_kernels import (
    AFTER,
    C_LAST,
    C_NODE,
    C_PREVIOUS,
    C_SERIAL,
    CONTAINER,
    END,
    KEY,
    KEY_BYTES,
    SEEN,
    VALUE,
    Met,
    Trie,
    Verdict,
    blame,
    named,
    opened,
    proceed,
    skipped,
    token,
    unnamed,
)
from flink_masking.records.json.tokens_kernels import space
from flink_masking.records.span_kernels import (
    ARRAY,
    DENY,
    DESCEND_OBJECT,
    DUPLICATE,
    EITHER,
    F_END,
    F_NODE,
    F_REASON,
    F_START,
    FATAL,
    FAULT,
    INVALID,
    MAY_OBJECT,
    MAY_SCALAR,
    MISMATCH,
    N_COLUMNS,
    N_ELEMENT,
    N_FLAGS,
    N_LENGTH,
    N_PATH,
    NOT_OBJECT,
    NULL,
    OBJECT,
    SPAN,
    VE,
    put_span,
)

MAX_DEPTH = 1024
# The scan's state: next row, spans used, object number, depth limit, what ran out, whether a line break stands between tokens, and the
# secret that hashes of keys start from.
S_ROW, S_SPANS, S_SERIAL, S_DEPTH, S_FULL, S_BREAKS, S_SECRET = range(7)
FULL_SPANS, FULL_SEEN = 1, 2


def scratch_size(n_nodes: int) -> int:
    """Length of the int32 scratch array of `scan_rows` for a trie of so many nodes."""
    return KEY_BYTES // 4 + (MAX_DEPTH + 1) * CONTAINER + 3 * n_nodes


@njit([(U8, I32, I32, I32, U8, W32, W32, W32, W32, W64, W32)], **JIT)
def scan_rows(data, offsets, nodes_, table_, keys_, spans_, flags_, faults_, seen_, state, scratch_):
    """Scan rows from state[S_ROW] on, except those flagged already; stop early, with state[S_FULL], when an array may run out.

    Keys that are not named but stand in an object that the trie reaches go into a hash set, so that duplicates are found among them too:
    equal hashes count as equal keys, which at 64 bits with a secret start errs once in some billion billion pairs, and then towards
    refusal. scratch_ and seen_ come from the caller because numba frees a local array after its last mention, and taking its address is
    one.
    """
    base, spans, flags, faults = (
        np.int64(data.ctypes.data), np.int64(spans_.ctypes.data), np.int64(flags_.ctypes.data), np.int64(faults_.ctypes.data))
    scratch, breaks, n_nodes = np.int64(scratch_.ctypes.data), np.int64(state.ctypes.data) + 8 * S_BREAKS, len(nodes_) // N_COLUMNS
    frames = scratch + KEY_BYTES
    stamps = frames + (MAX_DEPTH + 1) * (CONTAINER * 4)
    trie = Trie(np.int64(nodes_.ctypes.data), np.int64(table_.ctypes.data), np.int64(keys_.ctypes.data), n_nodes, stamps,
                stamps + n_nodes * 4, scratch)
    nodes = trie.nodes
    for k in range(3 * n_nodes):
        put32(stamps, k, -1)
    limit, capacity, seen_mask = base + len(data), len(spans_) // SPAN, len(seen_) // SEEN - 1
    ns, serial, deepest = state[S_SPANS], state[S_SERIAL], frames + state[S_DEPTH] * (CONTAINER * 4)
    state[S_FULL] = 0
    for row in range(state[S_ROW], len(offsets) - 1):
        if flags_[row]:
            continue
        start, p, e, n_seen, frame, ok = ns, base + offsets[row], base + offsets[row + 1], 0, frames, False
        met = Met(np.int64(seen_.ctypes.data), seen_mask, state[S_SECRET], serial + 1)
        verdict = Verdict(flags + row * 4, faults + row * (FAULT * 4))
        put32(verdict.fault, F_REASON, 0)
        put32(verdict.fault, F_NODE, 0)
        p = space(p, e, breaks)
        t, vs, ms, pe = np.int64(0), p, p, np.int64(-1)  # trie node (-1: nothing below matters), value, member, end of the one before
        while p < e:  # one turn a value
            if ns + 1 > capacity or 2 * n_seen > seen_mask:
                state[S_ROW], state[S_SPANS], state[S_SERIAL], flags_[row] = row, start, serial, 0
                state[S_FULL] = FULL_SPANS if ns + 1 > capacity else FULL_SEEN
                return
            vs = p
            kind, p = token(p, e, limit, frame < deepest)
            if p < 0:
                break
            own, inner = np.int64(-1), np.int64(-1)  # this value's span; the trie node that its members go by
            if t >= 0:
                path, bits = int32(nodes, t * N_COLUMNS + N_PATH), int32(nodes, t * N_COLUMNS + N_FLAGS)
                may = MAY_SCALAR if kind < OBJECT else MAY_OBJECT << (kind - OBJECT)
                if bits & may == 0 and (kind != NULL or frame == frames):
                    blame(verdict, MISMATCH if frame > frames else NOT_OBJECT, t, ms - base, ms - base)
                if path >= 0 and (kind != ARRAY or bits & EITHER == 0):
                    own = ns
                    put_span(spans + ns * (SPAN * 4), row, path, kind, vs - base, p - base, ms - base, pe)
                    put32(frame, C_LAST, own)
                    ns += 1
                if kind >= OBJECT and bits & (DESCEND_OBJECT << (kind - OBJECT)):
                    inner = t
            step = AFTER
            if kind >= OBJECT and inner < 0:
                p, vs = skipped(p, e, limit, breaks, frame, deepest, kind)
                if p < 0:
                    break
                if own >= 0:
                    put32(spans + own * (SPAN * 4), VE, p - base)
            elif kind >= OBJECT:
                serial += 1
                frame = opened(frame, kind, inner, own, serial)
                p = space(p, e, breaks)
                if p >= e:
                    break
                if at(p) != (125 if kind == OBJECT else 93):
                    step, pe = KEY if kind == OBJECT else VALUE, np.int64(-1)
            if step == AFTER:
                step, p, pe, frame = proceed(p, e, breaks, base, spans, frames, frame, kind < OBJECT or inner < 0)
                if step >= END:
                    ok = step == END
                    break
            ms, t = p, int32(frame, C_NODE)
            if step == VALUE:
                if t >= 0:
                    t = int32(nodes, t * N_COLUMNS + N_ELEMENT)
                continue
            if p >= e or at(p) != 34:
                break
            found, p = named(trie, t, p, e, limit, frame)
            within = int32(frame, C_SERIAL)
            if found >= 0 and int32(nodes, found * N_COLUMNS + N_LENGTH) >= 0:
                put32(frame, C_PREVIOUS, found)
                if int32(stamps, found) == within:
                    blame(verdict, DUPLICATE, found, ms - base, ms - base)
                put32(stamps, found, within)
            elif p >= 0 and (found >= 0 or int32(nodes, t * N_COLUMNS + N_FLAGS) & DENY):
                n_seen += 1
                found = unnamed(trie, met, verdict, t, found, ms, p, base, within)
            t = found
            if p < 0:
                break
            p = space(p, e, breaks)
            if p >= e or at(p) != 58:
                break
            p = space(p + 1, e, breaks)
        if not ok:
            flags_[row] = INVALID
            put32(verdict.fault, F_REASON, INVALID)
            put32(verdict.fault, F_START, (p if p > 0 else vs) - base)
            put32(verdict.fault, F_END, (p if p > 0 else vs) - base)
        if flags_[row] & FATAL:
            ns = start
    state[S_ROW], state[S_SPANS], state[S_SERIAL] = len(offsets) - 1, ns, serial
