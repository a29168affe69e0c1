"""The kernel that turns text into JSON strings."""

import numpy as np

from flink_masking.kernels import I32, JIT, U8, W8, W32, njit
from flink_masking.kernels.memory import at, copy, put8
from flink_masking.records.json.tokens_kernels import escape

QUOTE = 34


@njit([(U8, I32, U8, W8, W32)], **JIT)
def quote_rows(data, offsets, valid, out_, ends):
    """Every valid value in quotes, escaped where it must be; nothing for the others. out_ has room for 6 bytes a byte plus 2 a row."""
    base, out = np.int64(data.ctypes.data), np.int64(out_.ctypes.data)
    limit, o = base + len(data), out
    for k in range(len(offsets) - 1):
        if len(valid) == 0 or valid[k] != 0:
            p, n = base + offsets[k], np.int64(offsets[k + 1]) - offsets[k]
            special = False
            for j in range(n):
                c = at(p + j)
                special |= (c < 32) | (c == 34) | (c == 92)
            put8(o, QUOTE)
            o = escape(p, n, o + 1) if special else copy(o + 1, p, n, limit)
            put8(o, QUOTE)
            o += 1
        ends[k + 1] = o - out
