# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Numbers out of Avro's variable-length and big-endian encodings, and into them."""

import numpy as np

from flink_masking.kernels import I32, I64A, JIT, U8, W8, W32, W64, njit
from flink_masking.kernels.memory import at, int32, put8
from flink_masking.records.avro.scan_kernels import varint
from flink_masking.records.span_kernels import SPAN, VE, VS


@njit(**JIT)
def put_varint(o, v):
    """Write v as a zigzag number at o; the end."""
    z = (v << 1) ^ (v >> 63)
    while z & ~np.int64(127):
        put8(o, (z & 127) | 128)
        o += 1
        z = (z >> 7) & 0x1FFFFFFFFFFFFFF
    put8(o, z)
    return o + 1


@njit([(U8, I32, I32, W64)], **JIT)
def read_longs(data, spans_, order, out):
    """The numbers of the spans in `order`, int and long; 0 for null."""
    base, spans = np.int64(data.ctypes.data), np.int64(spans_.ctypes.data)
    for k in range(len(order)):
        s = spans + np.int64(order[k]) * (SPAN * 4)
        p, e = base + int32(s, VS), base + int32(s, VE)
        out[k] = varint(p, e)[0] if p < e else np.int64(0)


@njit([(U8, I32, I32, W8)], **JIT)
def read_wide(data, spans_, order, out):
    """The big-endian numbers of at most 16 bytes of the spans in `order`, as 16 bytes little-endian."""
    base, spans = np.int64(data.ctypes.data), np.int64(spans_.ctypes.data)
    for k in range(len(order)):
        s = spans + np.int64(order[k]) * (SPAN * 4)
        p, n = base + int32(s, VS), int32(s, VE) - int32(s, VS)
        fill = np.uint8(255) if n and at(p) >= 128 else np.uint8(0)
        for i in range(16):
            out[k * 16 + i] = np.uint8(at(p + n - 1 - i)) if i < n else fill


@njit([(I64A, W8, W32)], **JIT)
def write_longs(values, out_, ends):
    """Every number as int and long are written; 10 bytes a value are enough."""
    out = np.int64(out_.ctypes.data)
    o = out
    for k in range(len(values)):
        o = put_varint(o, values[k])
        ends[k + 1] = o - out
