# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Numbers between the wire format and columns."""

import numpy as np

from flink_masking.kernels import I32, I64A, JIT, U8, W8, W32, W64, njit
from flink_masking.kernels.memory import at, put8
from flink_masking.records.protobuf.layout_kernels import varint


@njit([(U8, I32, I32, W64)], **JIT)
def read_numbers(data, starts, ends, out):
    """The bits of numbers: varints as they are, fixed ones of 4 or 8 bytes zero-extended; nothing where start and end are the same.

    Whether it is a varint is told by `out`, which is 1 for those and 0 for the others when it comes in.
    """
    base = np.int64(data.ctypes.data)
    for k in range(len(out)):
        p, e, v = base + starts[k], base + ends[k], np.int64(0)
        if p == e:
            out[k] = 0
            continue
        if out[k]:
            v, _ = varint(p, e)
        else:
            for b in range(e - p):
                v |= at(p + b) << (8 * b)
        out[k] = v


@njit([(I64A, W8, W32)], **JIT)
def write_varints(values, out_, offsets):
    """Numbers, by their 64 bits, as varints one after the other; offsets[k + 1] is the end of number k. Ten bytes each at most."""
    o = np.int64(out_.ctypes.data)
    begin = o
    for k in range(len(values)):
        v = values[k]
        while v >= 128 or v < 0:
            put8(o, (v & 127) | 128)
            o += 1
            v = (v >> 7) & ((np.int64(1) << 57) - 1)
        put8(o, v)
        o += 1
        offsets[k + 1] = o - begin
