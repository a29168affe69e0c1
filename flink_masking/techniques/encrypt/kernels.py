# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Values to plaintexts with a byte for their kind, and back."""

import numpy as np

from flink_masking.kernels import I32, JIT, U8, W8, W32, njit, types
from flink_masking.kernels.memory import at, copy, put8

TEXT, JSON = 0, 1
"""The byte in front of a plaintext: the contents of a string, or JSON text as it stands."""


@njit(types.void(U8, I32, U8, I32, U8, W8, W32), **JIT)
def plaintexts(data, offsets, valid, kinds, marks, out_, ends):
    """The kind byte and the text of every value; nothing for null and "".

    marks: for each kind code TEXT or JSON. out_: the texts' bytes, one more a value, 64 of slack.
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
def contents(data, starts, ends_, opened, json, out_, offsets):
    """The text of every plaintext that was opened, without its kind byte.

    data, starts, ends_: plaintext i is ``data[starts[i]:ends_[i]]``. opened: 1 where it is one; set to 0 where it is not of the form.
    json: gets 1 where the text is JSON. out_: all bytes, 64 of slack.
    """
    base, out = data.ctypes.data, out_.ctypes.data
    o, limit = out, base + len(data)
    for k in range(len(starts)):
        json[k] = 0
        if opened[k]:
            p, n = base + starts[k], np.int64(ends_[k] - starts[k])
            if n < 2 or at(p) > JSON:
                opened[k] = 0
            else:
                json[k] = at(p) == JSON
                o = copy(o, p + 1, n - 1, limit)
        offsets[k + 1] = o - out
