# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Values to plaintexts with a byte for their kind, and back."""

import numpy as np

from flink_masking.kernels import I32, JIT, U8, W8, W32, njit, types
from flink_masking.kernels.memory import at, copy, put8

TEXT, LITERAL = 0, 1
"""The byte in front of a plaintext: a text, or the text of a number, boolean, object or array."""


@njit(types.void(U8, I32, U8, I32, U8, W8, W32), **JIT)
def plaintexts(data, offsets, valid, kinds, marks, out_, ends):
    """The kind byte and the text of every value; nothing for null and "".

    marks: for each kind code TEXT or LITERAL. out_: the texts' bytes, one more a value, 64 of slack.
    """
    base, out = data.ctypes.data, out_.ctypes.data
    o, limit = out, base + len(data)
    for k in range(len(offsets) - 1):
        n = np.int64(offsets[k + 1] - offsets[k])
        if n and (len(valid) == 0 or valid[k]):
            put8(o, np.int64(marks[kinds[k]]))
            o = copy(o + 1, base + offsets[k], n, limit)
        ends[k + 1] = o - out


@njit(types.void(U8, I32, I32, W8, W8, W8, W32), **JIT)
def contents(data, starts, ends_, opened, literal, out_, offsets):
    """The text of every plaintext that was opened, without its kind byte.

    data, starts, ends_: plaintext i is ``data[starts[i]:ends_[i]]``. opened: 1 where it is one; set to 0 where it is not of the form.
    literal: gets 1 where it is a literal. out_: all bytes, 64 of slack.
    """
    base, out = data.ctypes.data, out_.ctypes.data
    o, limit = out, base + len(data)
    for k in range(len(starts)):
        literal[k] = 0
        if opened[k]:
            p, n = base + starts[k], np.int64(ends_[k] - starts[k])
            if n < 2 or at(p) > LITERAL:
                opened[k] = 0
            else:
                literal[k] = at(p) == LITERAL
                o = copy(o, p + 1, n - 1, limit)
        offsets[k + 1] = o - out
