# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Base64 (RFC 4648, 4) of many bytes at once."""

import numpy as np

from flink_masking.crypto.envelope_kernels import encode
from flink_masking.kernels import I64, JIT, U8, U16, W8, njit, types
from flink_masking.kernels.memory import put8

SLACK = 16
"""Bytes behind the data that are read, and behind the text that are written."""


@njit(types.void(U8, I64, U16, W8), **JIT)
def base64_text(data, n, pairs, out):
    """Write the text of the first n bytes of `data`, padded.

    data: with `SLACK` bytes more. pairs: for each number of twelve bits its two characters, the first one in the low byte.
    out: four bytes for each three begun, and `SLACK` more.
    """
    start = np.int64(out.ctypes.data)
    o = encode(start, np.int64(data.ctypes.data), n, np.int64(pairs.ctypes.data))
    for k in range(o - start, (n + 2) // 3 * 4):
        put8(start + k, 61)  # =
