# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Steps of the scanner (`scan_kernels`), on addresses and numbers alone: a compiled function that took arrays would count references."""

from typing import NamedTuple

import numpy as np

from flink_masking.kernels import INLINED, JIT, njit
from flink_masking.kernels.memory import at, equal, int32, put32
from flink_masking.records.json.tokens_kernels import key_hash, literal, space, string, unescape
from flink_masking.records.scalar_kernels import number
from flink_masking.records.span_kernels import (
    ARRAY,
    DUPLICATE,
    ENCODED,
    F_END,
    F_NODE,
    F_REASON,
    F_START,
    FALSE,
    N_COLUMNS,
    N_KEY,
    N_LENGTH,
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
)

SEEN = 4  # int32 a slot of the set of undeclared keys: object number, hash (two), unused

# An open container: trie node, closing bracket, its own span, last span among its members, object number, last named child.
C_NODE, C_CLOSE, C_SPAN, C_LAST, C_SERIAL, C_PREVIOUS = range(6)
CONTAINER = 8
KEY_BYTES = 256  # of scratch for an unescaped key: more than the longest key of a path

VALUE, KEY, END, BROKEN, AFTER = range(5)
"""What follows in a record: a value, a member's key, nothing more, something that JSON does not allow; or it is not known yet."""


class Trie(NamedTuple):
    """Addresses of the trie of declared paths, and what is remembered of its nodes while scanning.

    Attributes:
        nodes: see `span_kernels`.
        table: hash tables of the nodes' children.
        keys: the children's keys.
        total: number of nodes, no address.
        stamps: by node, the number of the object in which it was seen last.
        follow: by node, the child that came next after it last time; at `total` + node, the first child.
        scratch: `KEY_BYTES` to unescape keys in.
    """

    nodes: int
    table: int
    keys: int
    total: int
    stamps: int
    follow: int
    scratch: int


class Met(NamedTuple):
    """The set of the keys that no node stands for.

    Attributes:
        slots: address.
        mask: slots less one.
        secret: that hashes start from.
        floor: number of the first object of this record; slots of earlier ones are free.
    """

    slots: int
    mask: int
    secret: int
    floor: int


class Verdict(NamedTuple):
    """Addresses of a record's flags and of its fault."""

    flags: int
    fault: int


@njit(**JIT)
def seen_before(met, h, serial):
    """Whether hash h is in the set for object `serial`; it is added if not."""
    slots, mask, _, floor = met
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


@njit(**JIT)
def blame(verdict, reason, node, start, end):
    """Note a fault of the record at start..end of the column; the first one stands, but anything goes before an unknown member."""
    flags, fault = verdict
    known = int32(fault, F_REASON)
    better = known == 0 or (known == UNKNOWN and reason != UNKNOWN)
    if better or reason == UNKNOWN:
        put32(flags, 0, int32(flags, 0) | reason)
    if better:
        put32(fault, F_REASON, reason)
        put32(fault, F_NODE, node)
        put32(fault, F_START, start)
        put32(fault, F_END, end)


@njit(**INLINED)
def token(p, e, limit, deeper):
    """The kind of the value at p, and where it ends or, of a container, where its members begin; -1 where it is none.

    `deeper` tells whether a container may be opened here.
    """
    c = at(p)
    if c == 34:
        p = string(p + 1, e, limit)
        return (ENCODED if p & 1 else STRING), p >> 1
    if c == 123 or c == 91:
        return (OBJECT if c == 123 else ARRAY), (p + 1 if deeper else -1)
    if c == 45 or 48 <= c <= 57:
        return NUMBER, number(p, e, limit)
    if c == 116:
        return TRUE, literal(p, e, 0x657572, 4)
    if c == 102:
        return FALSE, literal(p, e, 0x65736C61, 5)
    if c == 110:
        return NULL, literal(p, e, 0x6C6C75, 4)
    return NULL, -1


@njit(**JIT)
def skipped(p, e, limit, breaks, frame, deepest, kind):
    """Check a container none of whose members is declared; p is behind its opening bracket, `frame` that of the container around it.

    Returns:
        The address behind its closing bracket, and the last value in it; -1, and the address of what is wrong.
    """
    floor, vs = frame, p - 1
    while True:
        if kind >= OBJECT:
            frame += CONTAINER * 4
            close = np.int64(125) if kind == OBJECT else np.int64(93)
            put32(frame, C_CLOSE, close)
        p = space(p, e, breaks)
        if kind < OBJECT or (p < e and at(p) == close):
            while True:
                if p >= e:
                    return np.int64(-1), p
                c = at(p)
                if c == 44:
                    p = space(p + 1, e, breaks)
                    break
                if c != close:
                    return np.int64(-1), p
                p += 1
                frame -= CONTAINER * 4
                if frame == floor:
                    return p, vs
                close = int32(frame, C_CLOSE)
                p = space(p, e, breaks)
        if close == 125:
            if p >= e or at(p) != 34:
                return np.int64(-1), p
            p = string(p + 1, e, limit) >> 1
            if p < 0:
                return np.int64(-1), vs
            p = space(p, e, breaks)
            if p >= e or at(p) != 58:
                return np.int64(-1), p
            p = space(p + 1, e, breaks)
        if p >= e:
            return np.int64(-1), p
        vs = p
        kind, p = token(p, e, limit, frame < deepest)
        if p < 0:
            return np.int64(-1), vs


@njit(**INLINED)
def opened(frame, kind, node, span, serial):
    """Open a container within that of `frame`; its frame."""
    frame += CONTAINER * 4
    put32(frame, C_NODE, node)
    put32(frame, C_CLOSE, 125 if kind == OBJECT else 93)
    put32(frame, C_SPAN, span)
    put32(frame, C_LAST, -1)
    put32(frame, C_SERIAL, serial)
    put32(frame, C_PREVIOUS, -1)
    return frame


@njit(**INLINED)
def proceed(p, e, breaks, base, spans, frames, frame, whole):
    """Go on behind a value (`whole`), or from the bracket that ends an empty container: close containers up to the next comma.

    Returns:
        What follows, where it begins, where the member before it ends (counted from base), and the frame that it is in.
    """
    while True:
        ve = p
        if whole:
            p = space(p, e, breaks)
            if frame == frames:
                return (END if p == e else BROKEN), p, np.int64(-1), frame
        if p >= e:
            return BROKEN, p, np.int64(-1), frame
        c = at(p)
        if c == 44 and whole:
            p = space(p + 1, e, breaks)
            last = int32(frame, C_LAST)
            if last >= 0:
                put32(spans + last * (SPAN * 4), NX, p - base)
                put32(frame, C_LAST, -1)
            return (KEY if int32(frame, C_CLOSE) == 125 else VALUE), p, ve - base, frame
        if c != int32(frame, C_CLOSE):
            return BROKEN, p, np.int64(-1), frame
        p += 1
        own = int32(frame, C_SPAN)
        if own >= 0:
            put32(spans + own * (SPAN * 4), VE, p - base)
        frame -= CONTAINER * 4
        whole = True


@njit(**INLINED)
def named(trie, t, p, e, limit, frame):
    """The child of node t for the key in quotes at p, or -1, and where the key ends, -1 where it is none.

    Looked up first by guess: the child that followed last time.
    """
    nodes, _, keys, total, _, follow, scratch = trie
    previous = int32(frame, C_PREVIOUS)
    slot = previous if previous >= 0 else total + t
    found = int32(follow, slot)
    n = int32(nodes, found * N_COLUMNS + N_LENGTH) if found >= 0 else 0
    if found >= 0 and equal(p + 1, keys + int32(nodes, found * N_COLUMNS + N_KEY), n + 1, limit):
        return found, (p + n + 2 if p + n + 2 <= e else -1)
    q = string(p + 1, e, limit)
    escaped = q & 1
    q >>= 1
    if q < 0:
        return np.int64(-1), q
    if escaped:
        n = unescape(p + 1, q - 1, scratch, scratch + KEY_BYTES - 32) - scratch
        return child(nodes, trie.table, keys, t, scratch, n, scratch + KEY_BYTES), q
    found = child(nodes, trie.table, keys, t, p + 1, q - p - 2, limit)
    if found >= 0 and int32(nodes, found * N_COLUMNS + N_LENGTH) >= 0:
        put32(follow, slot, found)  # never a key with a quote or backslash: those are not found unescaped
    return found, q


@njit(**INLINED)
def unnamed(trie, met, verdict, t, found, ms, p, base, serial):
    """Note the key at ms..p, that no node stands for; the node that its value goes by. It counts among the keys met."""
    h = key_hash(ms + 1, p - 1, met.secret + serial * -7046029254386353131, trie.scratch)
    twice = seen_before(met, h, serial)
    if found >= 0:
        if twice:
            blame(verdict, DUPLICATE, found, ms - base, ms - base)
        return found
    blame(verdict, DUPLICATE if twice else UNKNOWN, t, ms - base, p - base)
    return np.int64(UNDECLARED_NODE)
