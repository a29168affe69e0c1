"""Arrow arrays as numpy views and back, without copying: the border between Arrow and the compiled kernels."""

import sys
import threading
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


class Blocks:
    """Memory for the arrays of a batch, used again once nothing refers to it.

    An allocator gives large blocks back to the operating system, and page faults on fresh ones cost a third of a batch's time.
    A block is free when this list has the only reference to it: views, Arrow buffers and slices of them all refer to their block.
    """

    SMALLEST, LIMIT = 1 << 16, 1 << 26

    def __init__(self) -> None:
        """No blocks yet."""
        self._blocks: dict[int, list[np.ndarray]] = {}
        self._held, self._lock = 0, threading.Lock()

    def take(self, size: int) -> np.ndarray:
        """`size` uninitialised bytes: uint8, writable. At most LIMIT bytes are held for another time."""
        if size < self.SMALLEST:
            return np.empty(size, np.uint8)
        room = 1 << (size - 1).bit_length()
        with self._lock:
            blocks = self._blocks.setdefault(room, [])
            for k in range(len(blocks)):
                if sys.getrefcount(blocks[k]) == 2:  # the list's and this call's
                    return blocks[k][:size]
            if self._held + room > self.LIMIT:
                return np.empty(size, np.uint8)
            blocks.append(np.empty(room, np.uint8))
            self._held += room
            return blocks[-1][:size]


_BLOCKS = Blocks()


def empty_int32(n: int) -> np.ndarray:
    """An uninitialised int32 array of n elements, in memory that is used again."""
    return _BLOCKS.take(4 * n).view(np.int32)


def output(size: int) -> tuple[pa.Buffer, np.ndarray]:
    """An output buffer of `size` bytes with the slack that the kernels' vector copies need, and its writable uint8 view."""
    out = _BLOCKS.take(size + SLACK)
    return pa.py_buffer(out), out


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
        nulls = 0 if valid.min() else n - int(np.count_nonzero(valid))  # the minimum takes a twentieth of the time of the count
        bits = pa.py_buffer(np.packbits(valid, bitorder="little")) if nulls else None
    return pa.Array.from_buffers(kind, n, [bits, pa.py_buffer(offsets), buffer.slice(0, int(offsets[-1]))], nulls)
