# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Records out again: bytes copied as they were, except where a value is replaced or removed; lengths and counts are written anew."""

import numpy as np

from flink_masking.kernels import I32, I64, JIT, U8, W8, W32, W64, njit
from flink_masking.kernels.memory import at, copy, int32, put8
from flink_masking.records.avro.scan_kernels import B_BODY, B_COUNT, B_END, B_FIRST, B_LAST, B_ROW, B_START, BLOCK, varint
from flink_masking.records.avro.value_kernels import put_varint
from flink_masking.records.span_kernels import MS, NX, PATH, PE, ROW, SPAN, VE

KEEP, REPLACE, DROP = 0, 1, 2
USE, DROP_VALUE, KEEP_VALUE, USE_LITERAL, UNWRITABLE = 0, 1, 2, 3, 4  # flink_masking.records.edits; the last one is of this format alone

# What to do for one path: the action; whether replacements are text, or values as they are written; addresses of their data, its end,
# their offsets, validity and codes (0: none); number of the next value; 1, or 0 where one scalar replaces all. New keys: addresses of their
# data, its end, their offsets (0: keys stay) and codes (0: none).
P_ACTION, P_TEXT, P_DATA, P_LIMIT, P_OFFSETS, P_VALID, P_HOW, P_INDEX, P_STEP, P_KEY_DATA, P_KEY_LIMIT, P_KEYS, P_KEY_HOW = range(13)
PLAN = 13
# What a site's schema can hold: where its values lie; branch of the union for texts and for null, or one of the two below; what becomes of
# a field that is dropped, and for a constant its address and length.
S_PLACE, S_TEXT, S_NULL, S_DROP, S_DATA, S_SIZE = range(6)
SITE = 6
FIELD, ITEM, ENTRY = 0, 1, 2
NONE, BARE = -1, -2
"""For a branch: there is none; there is no union."""
REMOVED, CONSTANT, AS_NULL = 0, 1, 2
# How a program's records are framed: 0 as they were, or the address and length of what is written instead.
F_ADDRESS, F_SIZE = range(2)
# A block in progress: where its header begins in the output, the header's length, its number, items that were dropped.
O_START, O_SIZE, O_BLOCK, O_DROPPED = range(4)
OPENED = 4
TOO_LONG = -1


@njit(**JIT)
def closed(stack, sp, o, base, blocks, limit, cursor):
    """End the block on top of the stack, whose header is written anew where its count or size has changed; the cursor and the output."""
    start, size, b, dropped = stack[sp + O_START], stack[sp + O_SIZE], blocks + stack[sp + O_BLOCK] * (BLOCK * 4), stack[sp + O_DROPPED]
    end, count = base + int32(b, B_END), int32(b, B_COUNT)
    if cursor < end:
        o = copy(o, cursor, end - cursor, limit)
    body = start + size
    left = abs(count) - dropped
    if left == 0:
        return end, start
    if dropped == 0 and (count > 0 or o - body == end - (base + int32(b, B_BODY))):
        return end, o
    wide, v = np.int64(1), (left << 1)  # the length of the new header
    if count < 0:
        v = (left << 1) - 1
    while v >> 7:
        wide, v = wide + 1, v >> 7
    if count < 0:
        wide, v = wide + 1, (o - body) << 1
        while v >> 7:
            wide, v = wide + 1, v >> 7
    n, shift = o - body, wide - size
    if shift > 0:
        for k in range(n - 1, -1, -1):
            put8(body + shift + k, at(body + k))
    elif shift < 0:
        for k in range(n):
            put8(body + shift + k, at(body + k))
    h = put_varint(start, -left if count < 0 else left)
    if count < 0:
        put_varint(h, n)
    return end, o + shift


@njit([I64(U8, I32, I32, U8, I32, I64, I32, I64, W64, W64, I32, W64, W64, W8, W32, W8, W32)], **JIT)
def splice_rows(data, offsets, starts, dead, spans_, ns, blocks_, nb, plan, sites, programs, frames, stack, out_, ends, valid, unwritable):
    """Write every row with its edits; rows that are dead come out empty and invalid. Returns 0, or TOO_LONG at 2 GB of output.

    starts: where records begin behind their framing. programs: number of each row's program, in `frames`. unwritable: gets the number of
    the path whose value a row's schema cannot hold, for rows that come out invalid for that. Addresses in plan, sites and frames are of
    arrays that the caller holds on to during the call. A value before the cursor lies inside of something already replaced.
    """
    base, spans, out, blocks = (
        np.int64(data.ctypes.data), np.int64(spans_.ctypes.data), np.int64(out_.ctypes.data), np.int64(blocks_.ctypes.data))
    limit, o, k, b = base + len(data), out, np.int64(0), np.int64(0)
    for row in range(len(offsets) - 1):
        cursor, row_at, good, sp = base + offsets[row], o, dead[row] == 0, np.int64(0)
        frame = programs[row] * 2 if good else 0
        if good and frames[frame + F_ADDRESS]:
            o = copy(o, frames[frame + F_ADDRESS], frames[frame + F_SIZE], frames[frame + F_ADDRESS] + frames[frame + F_SIZE])
            cursor = base + starts[row]
        while k < ns and int32(spans, k * SPAN + ROW) == row:
            s = spans + k * (SPAN * 4)
            path = int32(s, PATH)
            rule, site = path * PLAN, int32(s, NX) * SITE
            action, keys, index = plan[rule + P_ACTION], plan[rule + P_KEYS], plan[rule + P_INDEX]
            k += 1
            if action == KEEP and not keys:
                continue
            plan[rule + P_INDEX] = index + 1
            member, last = base + int32(s, MS), base + int32(s, VE)
            if member < cursor or not good:
                continue
            while True:  # blocks that end before this span, and those that begin
                if sp and int32(blocks + stack[sp - OPENED + O_BLOCK] * (BLOCK * 4), B_LAST) < k:
                    sp -= OPENED
                    cursor, o = closed(stack, sp, o, base, blocks, limit, cursor)
                    continue
                if b >= nb or int32(blocks, b * BLOCK + B_ROW) > row or (
                        int32(blocks, b * BLOCK + B_ROW) == row and int32(blocks, b * BLOCK + B_FIRST) >= k):
                    break
                header = blocks + b * (BLOCK * 4)
                head = base + int32(header, B_START)
                if int32(header, B_ROW) == row and int32(header, B_LAST) >= k and head >= cursor:
                    o = copy(o, cursor, head - cursor, limit)
                    cursor = base + int32(header, B_BODY)
                    stack[sp + O_START], stack[sp + O_SIZE], stack[sp + O_BLOCK], stack[sp + O_DROPPED] = o, cursor - head, b, 0
                    o = copy(o, head, cursor - head, limit)
                    sp += OPENED
                b += 1
            place, text = sites[site + S_PLACE], plan[rule + P_TEXT]
            how = at(plan[rule + P_HOW] + index) if plan[rule + P_HOW] and action == REPLACE else np.int64(USE)
            if how == KEEP_VALUE:
                action = KEEP
            elif how == UNWRITABLE:
                good = False
                unwritable[row] = path
                continue
            if (keys and plan[rule + P_KEY_HOW] and at(plan[rule + P_KEY_HOW] + index) != USE) or (how == DROP_VALUE and place != FIELD):
                action = DROP
            if action == DROP and place != FIELD:
                begin = member if place == ITEM else base + int32(s, PE)
                o = copy(o, cursor, begin - cursor, limit)
                cursor = last
                stack[sp - OPENED + O_DROPPED] += 1
                continue
            if keys:
                first = int32(keys, index)
                p, n = plan[rule + P_KEY_DATA] + first, int32(keys, index + 1) - first
                begin = base + int32(s, PE)
                o = put_varint(copy(o, cursor, begin - cursor, limit), n)
                o = copy(o, p, n, plan[rule + P_KEY_LIMIT])
                size, cursor = varint(begin, limit)
                cursor += size
            if action == KEEP:
                continue
            o = copy(o, cursor, member - cursor, limit)
            cursor = last
            if action == DROP and sites[site + S_DROP] == REMOVED:
                continue
            if action == DROP and sites[site + S_DROP] == CONSTANT:
                o = copy(o, sites[site + S_DATA], sites[site + S_SIZE], sites[site + S_DATA] + sites[site + S_SIZE])
                continue
            index *= plan[rule + P_STEP]
            if action == DROP or how == DROP_VALUE or (plan[rule + P_VALID] and not at(plan[rule + P_VALID] + index)):
                branch = sites[site + S_NULL]
                if branch == NONE:
                    good = False
                    unwritable[row] = path
                elif branch != BARE:
                    o = put_varint(o, branch)
                continue
            first = int32(plan[rule + P_OFFSETS], index)
            p, n = plan[rule + P_DATA] + first, int32(plan[rule + P_OFFSETS], index + 1) - first
            if text:
                branch = sites[site + S_TEXT]
                if branch == NONE:
                    good = False
                    unwritable[row] = path
                    continue
                if branch != BARE:
                    o = put_varint(o, branch)
                o = put_varint(o, n)
            o = copy(o, p, n, plan[rule + P_LIMIT])
        while good and sp:
            sp -= OPENED
            cursor, o = closed(stack, sp, o, base, blocks, limit, cursor)
        o = copy(o, cursor, base + offsets[row + 1] - cursor, limit) if good else row_at
        if o - out > 0x7FFFFFFF:
            return TOO_LONG
        valid[row] = good
        ends[row + 1] = o - out
    return 0
