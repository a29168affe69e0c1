"""Arrow arrays as numpy views and back, without copying: the border between Arrow and the compiled kernels."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from flink_masking.kernels.memory import SLACK


class Parts(NamedTuple):
    """The buffers of a string or binary array.

    Attributes:
        data: uint8, read-only, all bytes of the buffer.
        offsets: int32, read-only, length n + 1; value i is ``data[offsets[i]:offsets[i + 1]]``.
        valid: uint8, length n, 0 where null; length 0 when nothing is null.
    """

    data: np.ndarray
    offsets: np.ndarray
    valid: np.ndarray


def parts(array: pa.Array) -> Parts:
    """The buffers of a string or binary array, slices included, without copying.

    Args:
        array: type string or binary (32-bit offsets).
    """
    _, offsets, data = array.buffers()
    n = len(array)
    at = np.frombuffer(offsets, np.int32, n + 1, array.offset * 4) if n else np.zeros(1, np.int32)
    flat = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(0, np.uint8)
    valid = array.is_valid().to_numpy(zero_copy_only=False).view(np.uint8) if array.null_count else np.zeros(0, np.uint8)
    return Parts(flat, at, valid)


def output(size: int) -> tuple[pa.Buffer, np.ndarray]:
    """An output buffer of `size` bytes with the slack that the kernels' vector copies need, and its writable uint8 view."""
    buffer = pa.allocate_buffer(size + SLACK)
    return buffer, np.frombuffer(buffer, np.uint8)


def assemble(kind: pa.DataType, buffer: pa.Buffer, offsets: np.ndarray, valid: np.ndarray | None = None) -> pa.Array:
    """An array of `kind` (string or binary) over a buffer that a kernel has filled.

    Args:
        kind: pa.string() or pa.binary().
        buffer: from `output`.
        offsets: int32, length n + 1.
        valid: n bytes, 0 where null; None or empty when nothing is null.
    """
    n, nulls, bits = len(offsets) - 1, 0, None
    if valid is not None and len(valid):
        nulls = n - int(np.count_nonzero(valid))
        bits = pa.py_buffer(np.packbits(valid, bitorder="little")) if nulls else None
    return pa.Array.from_buffers(kind, n, [bits, pa.py_buffer(offsets), buffer.slice(0, int(offsets[-1]))], nulls)
