# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""The layout of programs and frames, and steps over the wire format that scanner and splicer share."""

import numpy as np

from flink_masking.kernels import INLINED, njit
from flink_masking.kernels.memory import at, put8

# A scope, a message at a place of the policy: dense and sparse index of its fields, the trie node, whether undeclared fields are told, and
# the fields whose default counts as a value where they are not on the wire.
S_DENSE, S_COUNT, S_SPARSE, S_MORE, S_NODE, S_DENY, S_DEFAULTS, S_N_DEFAULTS = range(8)
SCOPE = 8
NOTHING_ELSE = 2
"""In S_DENY: an entry of a map, in which nothing else may stand."""
EMPTY = 0
"""The scope of what is stepped over."""

# A field in a scope: its type and wire type, kind of its values (BOOLEAN: by the value), bits, path of the value or -1, path of the array
# or map that it is an element of or -1, scope of a message, trie node, and its tag. In place of the scope, where the index has the list of
# a map, or the numbers of a CLOSED enumeration behind their count.
E_TYPE, E_WIRE, E_KIND, E_BITS, E_PATH, E_WHOLE, E_SCOPE, E_NODE, E_TAG = range(9)
ENTRY = 9
BOOLEAN = -1
# PLAIN: a value by itself, of which nothing has to be known but where it is.
PACKABLE, ONCE, MISMATCHED, MAP, UTF8, OF_MAP, FIRST, REQUIRED, PLAIN, CLOSED = 1, 2, 4, 8, 16, 32, 64, 128, 256, 512

# A map in the index: node of the trie, whether keys are text, scope of an entry where the policy takes the map as a whole (or -1),
# number of known nodes; then pairs of a node and the scope of the entry.
M_NODE, M_TEXT, M_OTHER, M_COUNT, M_PAIRS = range(5)

# What has a length on the wire and may change it: starts of the tag, of the length and of the contents, their end, the frame around,
# the row; the field's entry of a packed array, -1 of a message.
R_TAG, R_PREFIX, R_VALUE, R_STOP, R_PARENT, R_ROW, R_ENTRY = range(7)
FRAME = 7
O_ENTRY, O_FRAME = range(2)
OWNER = 2
"""Beside each span: its field's entry, -1 for an undeclared one, and the frame that it is in, -1 for none."""
DEFAULT = -2
"""In a span's PE: the field is not on the wire, and this is its default."""
VARINT, FIXED64, LENGTH, GROUP, END_GROUP, FIXED32 = range(6)


@njit(**INLINED)
def varint(p, e):
    """The varint at p as int64, and the address behind it; -1: it is cut off, or has more than ten bytes."""
    v, shift = np.int64(0), np.int64(0)
    while p < e and shift < 70:
        b = at(p)
        p += 1
        v |= (b & 127) << shift
        if b < 128:
            return v, p
        shift += 7
    return v, np.int64(-1)


@njit(**INLINED)
def varint_size(v):
    """Bytes of a varint; v is not negative."""
    n = np.int64(1)
    while v >= 128:
        v >>= 7
        n += 1
    return n


@njit(**INLINED)
def put_varint(o, v):
    """Write v, not negative, at o; the end."""
    while v >= 128:
        put8(o, (v & 127) | 128)
        v >>= 7
        o += 1
    put8(o, v)
    return o + 1
