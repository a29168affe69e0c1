# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Steps of the scanner: fields by their numbers, entries of maps, and what is noted of a record."""

import numpy as np

from flink_masking.kernels import INLINED, JIT, njit
from flink_masking.kernels.memory import at, int32, put32
from flink_masking.records.protobuf.layout_kernels import (
    FRAME,
    M_COUNT,
    M_NODE,
    M_OTHER,
    M_PAIRS,
    M_TEXT,
    O_ENTRY,
    O_FRAME,
    OWNER,
    R_ENTRY,
    R_PARENT,
    R_PREFIX,
    R_ROW,
    R_STOP,
    R_TAG,
    R_VALUE,
    S_COUNT,
    S_DENSE,
    S_MORE,
    S_SPARSE,
    varint,
)
from flink_masking.records.span_kernels import (
    F_END,
    F_NODE,
    F_REASON,
    F_START,
    FATAL,
    N_COLUMNS,
    N_WILD,
    SPAN,
    child,
    put_span,
)

# An open message: where it ends and begins, scope, its number and that of a group (0: none), which are noted when another one is opened
# within; of a group, its own span and that of its array (-1); its frame, -1 for none, or PENDING: it is written with the first span in it;
# and for that, where the tag and the length begin.
T_END, T_START, T_SCOPE, T_SERIAL, T_GROUP, T_OWN, T_WHOLE, T_FRAME, T_TAG, T_PREFIX = range(10)
OPEN = 10
PENDING = -2


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
def is_named(index, numbers, value):
    """Whether the enumeration whose numbers are there in the index has this one."""
    number = ((value & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000
    for k in range(int32(index, numbers)):
        if int32(index, numbers + 1 + k) == number:
            return True
    return False


@njit(**JIT)
def put_frame(frames, nf, tag, prefix, value, stop, parent, row, entry):
    """Write frame number nf; the next number."""
    frame = frames + nf * (FRAME * 4)
    put32(frame, R_TAG, tag)
    put32(frame, R_PREFIX, prefix)
    put32(frame, R_VALUE, value)
    put32(frame, R_STOP, stop)
    put32(frame, R_PARENT, parent)
    put32(frame, R_ROW, row)
    put32(frame, R_ENTRY, entry)
    return nf + 1


@njit(**JIT)
def settled(bottom, t, end, frames, nf, row):
    """Write the pending frames of all open messages up to the one at t, which ends at `end`; the number of the last one, and the next.

    Where an outer message ends has been noted in its place when the one within was opened.
    """
    around = int32(bottom, T_FRAME)
    while bottom < t:
        bottom += OPEN * 4
        if int32(bottom, T_FRAME) == PENDING:
            if int32(bottom, T_TAG) < 0:  # a group has no length
                put32(bottom, T_FRAME, around)
            else:
                stop = end if bottom == t else int32(bottom, T_END)
                start = int32(bottom, T_START)
                nf = put_frame(frames, nf, int32(bottom, T_TAG), int32(bottom, T_PREFIX), start, stop, around, row, -1)
                put32(bottom, T_FRAME, nf - 1)
        around = int32(bottom, T_FRAME)
    return around, nf


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
