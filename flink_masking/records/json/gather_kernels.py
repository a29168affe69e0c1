# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Values out of records: the decoded contents of spans, one after the other."""

import numpy as np

from flink_masking.kernels import I32, I64, JIT, U8, W8, W32, njit
from flink_masking.kernels.memory import copy
from flink_masking.records.json.tokens_kernels import unescape
from flink_masking.records.span_kernels import ENCODED, NULL


@njit(I64(U8, I32, I32, I32, W8, W32, W8), **JIT)
def gather_text(data, firsts, lasts, kinds, out_, offsets, valid):
    """Contents that lie at firsts…lasts: strings decoded, everything else as its JSON text, null as invalid. Never longer than raw.

    The result is the number of nulls.
    """
    base, out = np.int64(data.ctypes.data), np.int64(out_.ctypes.data)
    limit, cap, o, nulls = base + len(data), out + len(out_), out, 0
    for k in range(len(kinds)):
        kind, p, e = kinds[k], base + firsts[k], base + lasts[k]
        if kind == ENCODED:
            o = unescape(p, e, o, cap)
        elif kind != NULL:
            o = copy(o, p, e - p, limit)
        valid[k] = kind != NULL
        nulls += kind == NULL
        offsets[k + 1] = o - out
    return nulls
