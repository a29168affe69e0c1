# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Records out again: bytes copied as they were, except where a value is replaced or a member removed."""

import numpy as np

from flink_masking.kernels import I32, I64, JIT, U8, W8, W32, W64, njit
from flink_masking.kernels.memory import at, copy, int32, put8, special32
from flink_masking.records.json.tokens_kernels import escape, string
from flink_masking.records.span_kernels import MS, NX, PATH, PE, ROW, SPAN, VE, VS

KEEP, REPLACE, DROP = 0, 1, 2
USE, DROP_VALUE, KEEP_VALUE, USE_LITERAL = 0, 1, 2, 3  # flink_masking.records.edits

# What to do for one path: the action; whether replacements are text to quote, and have bytes to escape; addresses of their data, its
# end, their offsets, validity and codes (0: none); number of the next value; 1, or 0 where one scalar replaces all. New keys of the
# members: whether they have bytes to escape, addresses of their data, its end, their offsets (0: keys stay) and codes (0: none).
P_ACTION, P_TEXT, P_ESCAPE, P_DATA, P_LIMIT, P_OFFSETS, P_VALID, P_HOW, P_INDEX, P_STEP = range(10)
P_KEY_ESCAPE, P_KEY_DATA, P_KEY_LIMIT, P_KEYS, P_KEY_HOW = range(10, 15)
PLAN = 15
TOO_LONG = -1


@njit([I64(U8)], **JIT)
def count_special(a):
    """How many bytes need escaping inside a JSON string."""
    n, p = 0, np.int64(a.ctypes.data)
    e = p + len(a)
    while p < e:
        if p + 32 <= e and special32(p) == 0:  # what is not ASCII is special there, and looked at one by one
            p += 32
            continue
        stop = min(p + 32, e)
        while p < stop:
            c = at(p)
            n += (c < 32) | (c == 34) | (c == 92)
            p += 1
    return n


@njit([I64(U8, I32, U8, I32, I64, W64, U8, I64, W8, W32, W8)], **JIT)
def splice_rows(data, offsets, dead, spans_, ns, plan, added_, n_added, out_, ends, valid):
    """Write every row with its edits; rows that are dead come out empty and invalid. Returns 0, or TOO_LONG at 2 GB of output.

    The first n_added bytes of added_, a member or several with commas between, become the last of every record.

    Addresses in the plan are of arrays that the caller holds on to during the call.
    """
    base, spans, out = np.int64(data.ctypes.data), np.int64(spans_.ctypes.data), np.int64(out_.ctypes.data)
    limit, o, k = base + len(data), out, 0
    added = np.int64(added_.ctypes.data)
    for row in range(len(offsets) - 1):
        cursor, row_at, lead, good = base + offsets[row], o, np.int64(-1), dead[row] == 0
        while k < ns and int32(spans, k * SPAN + ROW) == row:
            s = spans + k * (SPAN * 4)
            k += 1
            rule = int32(s, PATH) * PLAN
            action, keys = plan[rule + P_ACTION], plan[rule + P_KEYS]
            if action == KEEP and not keys:
                continue
            index = plan[rule + P_INDEX]
            plan[rule + P_INDEX] = index + 1
            member = base + int32(s, MS)
            if member < cursor or not good:  # before the cursor: inside something already replaced
                continue
            text = plan[rule + P_TEXT]
            if plan[rule + P_HOW] and action != DROP:
                how = at(plan[rule + P_HOW] + index)
                if how == KEEP_VALUE:
                    action = KEEP
                elif how == USE_LITERAL:
                    text = 0
                elif how != USE:
                    action = DROP
            if keys and plan[rule + P_KEY_HOW] and at(plan[rule + P_KEY_HOW] + index) != USE:
                action = DROP
            if action == DROP:
                before, after, to = int32(s, PE), int32(s, NX), base + int32(s, VE)
                stop = base + before
                if before == -1 or member == lead:  # nothing kept before it: take the comma after it
                    stop = member
                    if after >= 0:
                        to = lead = base + after
                o = copy(o, cursor, stop - cursor, limit)
                cursor = to
                continue
            if keys:
                first = int32(keys, index)
                p, n = plan[rule + P_KEY_DATA] + first, int32(keys, index + 1) - first
                o = copy(o, cursor, member + 1 - cursor, limit)
                o = escape(p, n, o) if plan[rule + P_KEY_ESCAPE] else copy(o, p, n, plan[rule + P_KEY_LIMIT])
                cursor = (string(member + 1, base + offsets[row + 1], limit) >> 1) - 1
            if action == KEEP:
                continue
            o = copy(o, cursor, base + int32(s, VS) - cursor, limit)
            cursor = base + int32(s, VE)
            index *= plan[rule + P_STEP]
            if plan[rule + P_VALID] and not at(plan[rule + P_VALID] + index):
                for c in (110, 117, 108, 108):
                    put8(o, c)
                    o += 1
                continue
            first = int32(plan[rule + P_OFFSETS], index)
            p, n, text_limit = plan[rule + P_DATA] + first, int32(plan[rule + P_OFFSETS], index + 1) - first, plan[rule + P_LIMIT]
            if text:
                put8(o, 34)
                o = escape(p, n, o + 1) if plan[rule + P_ESCAPE] else copy(o + 1, p, n, text_limit)
                put8(o, 34)
                o += 1
            else:
                o = copy(o, p, n, text_limit)
        if n_added and good:
            brace = base + offsets[row + 1] - 1
            while at(brace) != 125:  # only blanks follow the brace that ends a record
                brace -= 1
            o = copy(o, cursor, brace - cursor, limit)
            cursor, last = brace, o - 1
            while at(last) <= 32:
                last -= 1
            if at(last) != 123:  # the record is not empty
                put8(o, 44)
                o += 1
            o = copy(o, added, n_added, added + len(added_))
        o = copy(o, cursor, base + offsets[row + 1] - cursor, limit) if good else row_at
        if o - out > 0x7FFFFFFF:
            return TOO_LONG
        valid[row] = good
        ends[row + 1] = o - out
    return 0
