# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Values out of records: the decoded contents of spans, one after the other."""

import numpy as np

from flink_masking.kernels import I32, JIT, U8, W8, W32, njit, types
from flink_masking.kernels.memory import copy, int32
from flink_masking.records.json.tokens_kernels import unescape
from flink_masking.records.span_kernels import ENCODED, KIND, NULL, SPAN, STRING, VE, VS


@njit([(U8, I32, I32, W8, W32, W8)], **JIT)
def gather_text(data, spans_, order, out_, offsets, valid):
    """Contents of the spans in `order`: strings decoded, everything else as its JSON text, null as invalid. Never longer than raw."""
    base, spans, out = np.int64(data.ctypes.data), np.int64(spans_.ctypes.data), np.int64(out_.ctypes.data)
    limit, cap, o = base + len(data), out + len(out_), out
    for k in range(len(order)):
        s = spans + np.int64(order[k]) * (SPAN * 4)
        kind, p, e = int32(s, KIND), base + int32(s, VS), base + int32(s, VE)
        if kind == STRING:
            o = copy(o, p + 1, e - p - 2, limit)
        elif kind == ENCODED:
            o = unescape(p + 1, e - 1, o, cap)
        elif kind != NULL:
            o = copy(o, p, e - p, limit)
        valid[k] = kind != NULL
        offsets[k + 1] = o - out


@njit(types.boolean(I32, I32, W32, W32), **JIT)
def place_contents(spans_, order, starts, ends):
    """Where the contents of the spans in `order` lie in the data; False when one of them has escapes, and so no contents in the data."""
    spans = np.int64(spans_.ctypes.data)
    for k in range(len(order)):
        s = spans + np.int64(order[k]) * (SPAN * 4)
        kind = int32(s, KIND)
        if kind == ENCODED:
            return False
        quote = kind == STRING
        starts[k], ends[k] = int32(s, VS) + quote, int32(s, VE) - quote
    return True
