# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Keys out of records: those of members whose name no path gives, so that the key itself is data."""

import numpy as np

from flink_masking.kernels import I32, I64, JIT, U8, W8, W32, njit
from flink_masking.kernels.memory import copy, int32
from flink_masking.records.json.tokens_kernels import string, unescape
from flink_masking.records.span_kernels import MS, SPAN


@njit([I64(U8, I32, I32)], **JIT)
def measure_keys(data, spans_, order):
    """Bytes of the keys of the spans in `order` as they stand in the records, and four a key."""
    base, spans, total = np.int64(data.ctypes.data), np.int64(spans_.ctypes.data), np.int64(0)
    limit = base + len(data)
    for k in range(len(order)):
        p = base + int32(spans + np.int64(order[k]) * (SPAN * 4), MS) + 1
        total += (string(p, limit, limit) >> 1) - p + 3
    return total


@njit([(U8, I32, I32, W8, W32)], **JIT)
def gather_keys(data, spans_, order, out_, offsets):
    """The keys of the spans in `order`, decoded, one after the other; offsets[k + 1] is the end of key k."""
    base, spans, out = np.int64(data.ctypes.data), np.int64(spans_.ctypes.data), np.int64(out_.ctypes.data)
    limit, cap, o = base + len(data), out + len(out_), out
    for k in range(len(order)):
        p = base + int32(spans + np.int64(order[k]) * (SPAN * 4), MS) + 1
        end = string(p, limit, limit)
        e = (end >> 1) - 1
        o = unescape(p, e, o, cap) if end & 1 else copy(o, p, e - p, limit)
        offsets[k + 1] = o - out
