# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Records out again: bytes copied as they were, except for edits and the lengths around them."""

import numpy as np

from flink_masking.kernels import I32, I64, INLINED, JIT, U8, W8, W32, W64, njit
from flink_masking.kernels.memory import at, copy, int32, int64, put8, put32, put64
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
    R_ENTRY,
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

# What was decided for a span: the action, and which value replaces it.
D_ACTION, D_INDEX = range(2)
DECISION = 2
# And for a frame: by how many bytes its contents grow; whether it is removed, has a new key, or loses its tag and length; and the path's
# part of the plan and the number of that key.
G_DELTA, G_MARK, G_RULE, G_INDEX = range(4)
GROWTH = 4
REMOVED, KEYED, UNPACKED = 1, 2, 3


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


@njit([I64(U8, I32, U8, I32, I32, I64, I32, I32, I32, I64, I64, W64, W32, W32, W8, W32, W8)], **JIT)
def splice_rows(data, offsets, dead, entries_, tags_, retyped, spans_, owners_, frames_, ns, nf, plan_, decisions_, growth_, out_, ends,
                valid):
    """Write every row with its edits; rows that are dead come out empty and invalid. Returns 0, or TOO_LONG at 2 GB of output.

    A row is gone through twice: first all edits are decided on and the growth of what encloses them is summed up, the inner frames before
    the outer ones; then it is written. Addresses in the plan are of arrays that the caller holds on to during the call.

    tags_: for each entry the tag that its values are written with. retyped: whether any is another one than that of the record; every value
    of such a field is replaced or dropped, and packed arrays become values by themselves.
    """
    base, spans, owners, frames, out = (
        np.int64(data.ctypes.data), np.int64(spans_.ctypes.data), np.int64(owners_.ctypes.data), np.int64(frames_.ctypes.data),
        np.int64(out_.ctypes.data))
    decisions, growth, plan = np.int64(decisions_.ctypes.data), np.int64(growth_.ctypes.data), np.int64(plan_.ctypes.data)
    entries, limit, o, k, f = np.int64(entries_.ctypes.data), base + len(data), out, np.int64(0), np.int64(0)
    tags = np.int64(tags_.ctypes.data)
    for row in range(len(offsets) - 1):
        good, first, first_frame, skip, since, touched = dead[row] == 0, k, f, np.int64(-1), np.int64(-1), False
        while f < nf and int32(frames, f * FRAME + R_ROW) == row:
            put32(growth, f * GROWTH + G_DELTA, 0)
            put32(growth, f * GROWTH + G_MARK, 0)
            f += 1
        while k < ns and int32(spans, k * SPAN + ROW) == row:
            s, d = spans + k * (SPAN * 4), decisions + k * (DECISION * 4)
            parent, entry = int32(owners, k * OWNER + O_FRAME), int32(owners, k * OWNER + O_ENTRY)
            k += 1
            put32(d, D_ACTION, KEEP)
            rule = plan + int32(s, PATH) * (PLAN * 8)
            action, keys = int64(rule, P_ACTION), int64(rule, P_KEYS)
            if action == KEEP and not keys:
                continue
            index = int64(rule, P_INDEX)
            put64(rule, P_INDEX, index + 1)
            ms, vs, ve = int32(s, MS), int32(s, VS), int32(s, VE)
            absent = int32(s, PE) == DEFAULT
            if ms < skip or not good:
                continue
            if absent and ms == skip and parent >= 0 and int32(frames, parent * FRAME + R_TAG) >= since:
                continue  # at the end of a message that is removed
            if int64(rule, P_HOW) and action != DROP:
                how = at(int64(rule, P_HOW) + index)
                if how == KEEP_VALUE:
                    action = np.int64(KEEP)
                elif how == DROP_VALUE:
                    action = np.int64(DROP)
            if keys and int64(rule, P_KEY_HOW) and at(int64(rule, P_KEY_HOW) + index) != USE:
                action = np.int64(DROP)
            at_ = index * int64(rule, P_STEP)
            if action == REPLACE and int64(rule, P_VALID) and not at(int64(rule, P_VALID) + at_):
                action = np.int64(DROP)
            delta = np.int64(0)
            if action == DROP:
                of_map = entry >= 0 and int32(entries, entry * ENTRY + E_BITS) & OF_MAP != 0
                if absent and not of_map:
                    continue
                touched = True
                if of_map:
                    skip, since = int32(frames, parent * FRAME + R_STOP), int32(frames, parent * FRAME + R_TAG)
                    put32(growth, parent * GROWTH + G_MARK, REMOVED)
                    delta = since - skip
                    parent = int32(frames, parent * FRAME + R_PARENT)
                else:
                    put32(d, D_ACTION, DROP)
                    skip, since, delta = ve, ms, ms - ve
                if parent >= 0:
                    put32(growth, parent * GROWTH + G_DELTA, int32(growth, parent * GROWTH + G_DELTA) + delta)
                continue
            if keys:
                n = int32(keys, index + 1) - int32(keys, index)
                inner = base + int32(frames, parent * FRAME + R_VALUE)
                delta = 1 + varint_size(n) + n - (key_end(inner, base + int32(frames, parent * FRAME + R_STOP)) - inner)
                put32(growth, parent * GROWTH + G_MARK, KEYED)
                put32(growth, parent * GROWTH + G_RULE, int32(s, PATH))
                put32(growth, parent * GROWTH + G_INDEX, index)
                touched = True
            if action == REPLACE:
                n = int32(int64(rule, P_OFFSETS), at_ + 1) - int32(int64(rule, P_OFFSETS), at_)
                tag = int32(tags, entry) & 0xFFFFFFFF
                delta += n
                if tag & 7 == LENGTH:
                    delta += varint_size(n)
                if absent:
                    delta += varint_size(tag)
                elif tag != int32(entries, entry * ENTRY + E_TAG) & 0xFFFFFFFF:
                    delta += varint_size(tag) - (ve - ms)
                elif ms < vs:
                    delta -= ve - ms - tag_size(base + ms)
                else:
                    delta -= ve - vs
                put32(d, D_ACTION, REPLACE)
                put32(d, D_INDEX, at_)
                touched = True
            if parent >= 0:
                put32(growth, parent * GROWTH + G_DELTA, int32(growth, parent * GROWTH + G_DELTA) + delta)
        begin, cursor, stop = o, base + offsets[row], base + offsets[row + 1]
        if good and retyped:
            i, skip = first, np.int64(-1)
            for j in range(first_frame, f):  # those that nothing around removes
                r = frames + j * (FRAME * 4)
                while i < k and int32(spans, i * SPAN + MS) < int32(r, R_TAG):
                    if int32(decisions, i * DECISION + D_ACTION) != KEEP:
                        skip = max(skip, np.int64(int32(spans, i * SPAN + VE)))
                    i += 1
                entry = int32(r, R_ENTRY)
                if int32(growth, j * GROWTH + G_MARK) == REMOVED:
                    skip = max(skip, np.int64(int32(r, R_STOP)))
                elif entry >= 0 and int32(r, R_TAG) >= skip and int32(tags, entry) != int32(entries, entry * ENTRY + E_TAG):
                    put32(growth, j * GROWTH + G_MARK, UNPACKED)
                    touched = True
        if good and touched:
            for j in range(f - 1, first_frame - 1, -1):
                g, r = growth + j * (GROWTH * 4), frames + j * (FRAME * 4)
                delta, parent = int32(g, G_DELTA), int32(r, R_PARENT)
                if int32(g, G_MARK) == UNPACKED:
                    if parent >= 0:
                        delta += int32(growth, parent * GROWTH + G_DELTA) - (int32(r, R_VALUE) - int32(r, R_TAG))
                        put32(growth, parent * GROWTH + G_DELTA, delta)
                elif delta and parent >= 0 and int32(g, G_MARK) != REMOVED:
                    size = varint_size(int32(r, R_STOP) - int32(r, R_VALUE) + delta)
                    delta += int32(growth, parent * GROWTH + G_DELTA) + size - (int32(r, R_VALUE) - int32(r, R_PREFIX))
                    put32(growth, parent * GROWTH + G_DELTA, delta)
            i, j = first, first_frame
            while i < k or j < f:
                s, r, d = spans + i * (SPAN * 4), frames + j * (FRAME * 4), decisions + i * (DECISION * 4)
                if i < k and int32(d, D_ACTION) == KEEP:
                    i += 1
                    continue
                if j < f and (i >= k or int32(r, R_TAG) < int32(s, MS)):
                    g = growth + j * (GROWTH * 4)
                    j += 1
                    delta, mark = int32(g, G_DELTA), int32(g, G_MARK)
                    if (delta == 0 and mark == 0) or base + int32(r, R_TAG) < cursor:
                        continue
                    if mark in (REMOVED, UNPACKED):
                        o = copy(o, cursor, base + int32(r, R_TAG) - cursor, limit)
                        cursor = base + (int32(r, R_STOP) if mark == REMOVED else int32(r, R_VALUE))
                        continue
                    o = copy(o, cursor, base + int32(r, R_PREFIX) - cursor, limit)
                    o = put_varint(o, int32(r, R_STOP) - int32(r, R_VALUE) + delta)
                    cursor = base + int32(r, R_VALUE)
                    if mark == KEYED:
                        rule, index = plan + int32(g, G_RULE) * (PLAN * 8), int32(g, G_INDEX)
                        place = int32(int64(rule, P_KEYS), index)
                        n = int32(int64(rule, P_KEYS), index + 1) - place
                        put8(o, 10)
                        o = copy(put_varint(o + 1, n), int64(rule, P_KEY_DATA) + place, n, int64(rule, P_KEY_LIMIT))
                        cursor = key_end(cursor, base + int32(r, R_STOP))
                    continue
                ms, vs, ve = base + int32(s, MS), base + int32(s, VS), base + int32(s, VE)
                entry = int32(owners, i * OWNER + O_ENTRY)
                i += 1
                if ms < cursor:
                    continue
                if int32(d, D_ACTION) == DROP:
                    o = copy(o, cursor, ms - cursor, limit)
                    cursor = ve
                    continue
                rule, at_ = plan + int32(s, PATH) * (PLAN * 8), int32(d, D_INDEX)
                place = int32(int64(rule, P_OFFSETS), at_)
                tag, n = int32(tags, entry) & 0xFFFFFFFF, int32(int64(rule, P_OFFSETS), at_ + 1) - place
                if int32(s, PE) == DEFAULT or tag != int32(entries, entry * ENTRY + E_TAG) & 0xFFFFFFFF:
                    o = put_varint(copy(o, cursor, ms - cursor, limit), tag)
                elif tag & 7 == LENGTH:
                    o = copy(o, cursor, ms + tag_size(ms) - cursor, limit)
                else:
                    o = copy(o, cursor, vs - cursor, limit)
                if tag & 7 == LENGTH:
                    o = put_varint(o, n)
                o = copy(o, int64(rule, P_DATA) + place, n, int64(rule, P_LIMIT))
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
