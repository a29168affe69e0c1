# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Kernels of sweeps: which values lie in the members that are swept, and spans with others among them."""

import numpy as np

from flink_masking.kernels import I32, I64, I64A, JIT, U8, W32, W64, njit
from flink_masking.records.span_kernels import KIND, MS, NX, PATH, PE, ROW, SPAN, STRING, VE, VS


@njit(I64(I64A, U8, I64, I64A, I64A, W64), **JIT)
def inside(starts, kinds, without, first, last, chosen):
    """Write the numbers of the values that begin in one of the regions first…last, but not those of the kind `without`.

    Values and regions ascend; the regions do not overlap. The result is how many there are.
    """
    n, k = np.int64(0), np.int64(0)
    for v in range(len(starts)):
        while k < len(first) and last[k] <= starts[v]:
            k += 1
        if k == len(first):
            break
        if starts[v] >= first[k] and kinds[v] != without:
            chosen[n] = v
            n += 1
    return n


@njit(I64(I32, I64, I32, I64A, I64A, I64, W32), **JIT)
def merged(spans, used, rows, starts, ends, path, out):
    """Write the spans, and others as values of the path number `path` behind those that do not begin after them; both ascend."""
    k, n = np.int64(0), np.int64(0)
    for s in range(used + 1):
        until = np.int64(spans[s * SPAN + MS]) if s < used else np.int64(1) << 62
        while k < len(rows) and starts[k] < until:
            x = n * SPAN
            out[x + ROW], out[x + PATH], out[x + KIND], out[x + PE], out[x + NX] = rows[k], path, STRING, -1, -1
            out[x + VS], out[x + VE], out[x + MS] = starts[k], ends[k], starts[k]
            k += 1
            n += 1
        if s < used:
            for j in range(SPAN):
                out[n * SPAN + j] = spans[s * SPAN + j]
            n += 1
    return n
