# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Records out again: bytes copied as they were, except for edits and the lengths around them."""

import numpy as np

from flink_masking.kernels import I32, I64, INLINED, JIT, U8, W8, W32, W64, njit
from flink_masking.kernels.memory import at, copy, int32, put8
from flink_masking.records.protobuf.layout_kernels import (
    DEFAULT,
    E_BITS,
    E_TAG,
    ENTRY,
    FRAME,
    LENGTH,
    O_ENTRY,
    O_FRAME,
    OF_MAP,
    OWNER,
    R_PARENT,
    R_PREFIX,
    R_ROW,
    R_STOP,
    R_TAG,
    R_VALUE,
    put_varint,
    varint,
    varint_size,
)
from flink_masking.records.span_kernels import MS, PATH, PE, ROW, SPAN, VE, VS

KEEP, REPLACE, DROP = 0, 1, 2
USE, DROP_VALUE, KEEP_VALUE, USE_LITERAL = 0, 1, 2, 3  # flink_masking.records.edits

# What to do for one path: the action; addresses of the replacements' data, its end, their offsets, validity and codes (0: none); number of
# the next value; 1, or 0 where one scalar replaces all. New keys of the entries of maps: addresses of data, end, offsets (0: keys stay) and
# codes (0: none).
P_ACTION, P_DATA, P_LIMIT, P_OFFSETS, P_VALID, P_HOW, P_INDEX, P_STEP, P_KEY_DATA, P_KEY_LIMIT, P_KEYS, P_KEY_HOW = range(12)
PLAN = 12
TOO_LONG = -1

# What was decided for a span: the action, where the new contents are, how long, and the end of what can be read there.
D_ACTION, D_FROM, D_SIZE, D_LIMIT = range(4)
DECISION = 4
# And for a frame: by how many bytes its contents grow, whether it is removed, whether it has a new key, and where.
G_DELTA, G_REMOVED, G_KEYED, G_KEY, G_KEY_SIZE, G_KEY_LIMIT = range(6)
GROWTH = 6


@njit(**INLINED)
def tag_size(p):
    """Bytes of the tag at p."""
    n = np.int64(1)
    while at(p) >= 128:
        p += 1
        n += 1
    return n


@njit(**JIT)
def key_end(p, e):
    """The end of the key at the beginning of a map's entry p..e, or p where it has none."""
    if p >= e or at(p) != 10:
        return p
    n, q = varint(p + 1, e)
    return q + n


@njit([I64(U8, I32, U8, I32, I32, I32, I32, I64, I64, W64, W64, W64, W8, W32, W8)], **JIT)
def splice_rows(data, offsets, dead, entries_, spans_, owners_, frames_, ns, nf, plan, decisions, growth, out_, ends, valid):
    """Write every row with its edits; rows that are dead come out empty and invalid. Returns 0, or TOO_LONG at 2 GB of output.

    A row is gone through twice: first all edits are decided on and the growth of what encloses them is summed up, the inner frames before
    the outer ones; then it is written. Addresses in the plan are of arrays that the caller holds on to during the call.
    """
    base, spans, owners, frames, out = (
        np.int64(data.ctypes.data), np.int64(spans_.ctypes.data), np.int64(owners_.ctypes.data), np.int64(frames_.ctypes.data),
        np.int64(out_.ctypes.data))
    entries, limit, o, k, f = np.int64(entries_.ctypes.data), base + len(data), out, 0, 0
    for row in range(len(offsets) - 1):
        good, first, first_frame, skip, since, touched = dead[row] == 0, k, f, np.int64(-1), np.int64(-1), False
        while f < nf and int32(frames, f * FRAME + R_ROW) == row:
            growth[f * GROWTH + G_DELTA] = growth[f * GROWTH + G_REMOVED] = growth[f * GROWTH + G_KEYED] = 0
            f += 1
        while k < ns and int32(spans, k * SPAN + ROW) == row:
            s, d = spans + k * (SPAN * 4), k * DECISION
            parent, entry = int32(owners, k * OWNER + O_FRAME), int32(owners, k * OWNER + O_ENTRY)
            k += 1
            decisions[d + D_ACTION] = KEEP
            rule = int32(s, PATH) * PLAN
            action, keys = plan[rule + P_ACTION], plan[rule + P_KEYS]
            if action == KEEP and not keys:
                continue
            index = plan[rule + P_INDEX]
            plan[rule + P_INDEX] = index + 1
            ms, vs, ve = np.int64(int32(s, MS)), np.int64(int32(s, VS)), np.int64(int32(s, VE))
            absent = int32(s, PE) == DEFAULT
            if ms < skip or not good:
                continue
            if absent and ms == skip and parent >= 0 and int32(frames, parent * FRAME + R_TAG) >= since:
                continue  # at the end of a message that is removed
            if plan[rule + P_HOW] and action != DROP:
                how = at(plan[rule + P_HOW] + index)
                if how == KEEP_VALUE:
                    action = KEEP
                elif how == DROP_VALUE:
                    action = DROP
            if keys and plan[rule + P_KEY_HOW] and at(plan[rule + P_KEY_HOW] + index) != USE:
                action = DROP
            at_ = index * plan[rule + P_STEP]
            if action == REPLACE and plan[rule + P_VALID] and not at(plan[rule + P_VALID] + at_):
                action = DROP
            bits = int32(entries, entry * ENTRY + E_BITS) if entry >= 0 else np.int64(0)
            delta = np.int64(0)
            if action == DROP:
                if absent:
                    continue
                touched = True
                if bits & OF_MAP:
                    skip, since = np.int64(int32(frames, parent * FRAME + R_STOP)), np.int64(int32(frames, parent * FRAME + R_TAG))
                    growth[parent * GROWTH + G_REMOVED] = 1
                    delta = int32(frames, parent * FRAME + R_TAG) - skip
                    parent = int32(frames, parent * FRAME + R_PARENT)
                else:
                    decisions[d + D_ACTION], skip, since, delta = DROP, ve, ms, ms - ve
                if parent >= 0:
                    growth[parent * GROWTH + G_DELTA] += delta
                continue
            if keys:
                place = int32(keys, index)
                n = int32(keys, index + 1) - place
                inner = base + int32(frames, parent * FRAME + R_VALUE)
                old = key_end(inner, base + int32(frames, parent * FRAME + R_STOP)) - inner
                growth[parent * GROWTH + G_KEYED] = 1
                growth[parent * GROWTH + G_KEY] = plan[rule + P_KEY_DATA] + place
                growth[parent * GROWTH + G_KEY_SIZE], growth[parent * GROWTH + G_KEY_LIMIT] = n, plan[rule + P_KEY_LIMIT]
                growth[parent * GROWTH + G_DELTA] += 1 + varint_size(n) + n - old
                touched = True
            if action == REPLACE:
                first_byte = int32(plan[rule + P_OFFSETS], at_)
                n = int32(plan[rule + P_OFFSETS], at_ + 1) - first_byte
                tag = int32(entries, entry * ENTRY + E_TAG) & 0xFFFFFFFF
                delta = n
                if tag & 7 == LENGTH:
                    delta += varint_size(n)
                if absent:
                    delta += varint_size(tag)
                elif ms < vs:
                    delta -= ve - ms - tag_size(base + ms)
                else:
                    delta -= ve - vs
                decisions[d + D_ACTION], decisions[d + D_FROM], decisions[d + D_SIZE] = REPLACE, plan[rule + P_DATA] + first_byte, n
                decisions[d + D_LIMIT] = plan[rule + P_LIMIT]
                touched = True
                if parent >= 0:
                    growth[parent * GROWTH + G_DELTA] += delta
        begin, cursor, stop = o, base + offsets[row], base + offsets[row + 1]
        if good and touched:
            for j in range(f - 1, first_frame - 1, -1):
                g, r = j * GROWTH, frames + j * (FRAME * 4)
                delta = growth[g + G_DELTA]
                parent = int32(r, R_PARENT)
                if delta and not growth[g + G_REMOVED] and parent >= 0:
                    size = varint_size(int32(r, R_STOP) - int32(r, R_VALUE) + delta)
                    growth[parent * GROWTH + G_DELTA] += delta + size - (int32(r, R_VALUE) - int32(r, R_PREFIX))
            i, j = first, first_frame
            while i < k or j < f:
                s, r = spans + i * (SPAN * 4), frames + j * (FRAME * 4)
                if i < k and decisions[i * DECISION + D_ACTION] == KEEP:
                    i += 1
                    continue
                if j < f and (i >= k or int32(r, R_TAG) < int32(s, MS)):
                    g = j * GROWTH
                    j += 1
                    delta = growth[g + G_DELTA]
                    if base + int32(r, R_TAG) < cursor or (delta == 0 and growth[g + G_KEYED] == 0 and not growth[g + G_REMOVED]):
                        continue
                    if growth[g + G_REMOVED]:
                        o = copy(o, cursor, base + int32(r, R_TAG) - cursor, limit)
                        cursor = base + int32(r, R_STOP)
                        continue
                    o = copy(o, cursor, base + int32(r, R_PREFIX) - cursor, limit)
                    o = put_varint(o, int32(r, R_STOP) - int32(r, R_VALUE) + delta)
                    cursor = base + int32(r, R_VALUE)
                    if growth[g + G_KEYED]:
                        put8(o, 10)
                        o = put_varint(o + 1, growth[g + G_KEY_SIZE])
                        o = copy(o, growth[g + G_KEY], growth[g + G_KEY_SIZE], growth[g + G_KEY_LIMIT])
                        cursor = key_end(cursor, base + int32(r, R_STOP))
                    continue
                d = i * DECISION
                i += 1
                ms, vs, ve = base + int32(s, MS), base + int32(s, VS), base + int32(s, VE)
                if ms < cursor:
                    continue
                if decisions[d + D_ACTION] == DROP:
                    o = copy(o, cursor, ms - cursor, limit)
                    cursor = ve
                    continue
                tag, n = int32(entries, int32(owners, (i - 1) * OWNER + O_ENTRY) * ENTRY + E_TAG) & 0xFFFFFFFF, decisions[d + D_SIZE]
                if int32(s, PE) == DEFAULT:
                    o = put_varint(copy(o, cursor, ms - cursor, limit), tag)
                elif tag & 7 == LENGTH:
                    o = copy(o, cursor, ms + tag_size(ms) - cursor, limit)
                else:
                    o = copy(o, cursor, vs - cursor, limit)
                if tag & 7 == LENGTH:
                    o = put_varint(o, n)
                o = copy(o, decisions[d + D_FROM], n, decisions[d + D_LIMIT])
                cursor = ve
        if good:
            o = copy(o, cursor, stop - cursor, limit)
        if o - out > 0x7FFFFFFF:
            return TOO_LONG
        valid[row] = good
        ends[row + 1] = o - out
        if not good:
            o = begin
    return 0
