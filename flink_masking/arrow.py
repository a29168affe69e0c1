"""Arrow arrays as numpy views and back, without copying: the border between Arrow and the compiled kernels."""

import threading
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

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
    bits, offsets, data = array.buffers()
    n = len(array)
    at = np.frombuffer(offsets, np.int32, n + 1, array.offset * 4) if n else np.zeros(1, np.int32)
    flat = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(0, np.uint8)
    valid = np.zeros(0, np.uint8)
    if array.null_count:
        byte, bit = divmod(array.offset, 8)
        valid = np.unpackbits(np.frombuffer(bits, np.uint8, offset=byte), count=bit + n, bitorder="little")[bit:]
    return Parts(flat, at, valid)


def address(array: np.ndarray | None) -> int:
    """Where the elements of an array lie, which the caller keeps alive; 0 for none."""
    return 0 if array is None or not len(array) else int(array.__array_interface__["data"][0])  # `ctypes.data` takes four times as long


def nulled(array: pa.Array, where: np.ndarray) -> pa.Array:
    """The array with null in some places.

    ``pyarrow.compute.if_else`` with a null scalar gives bytes of other values where a string or binary array does not begin at its
    buffer's first byte (pyarrow 16.1): a slice, for one.

    Args:
        array: n values.
        where: bool, n.
    """
    return array.take(pa.array(np.arange(len(array), dtype=np.int64), mask=where)) if where.any() else array


def replaced(array: pa.Array, where: np.ndarray, instead: str | bytes | None) -> pa.Array:
    """The array with one value in some places; see `nulled`.

    Args:
        array: n values, string or binary.
        where: bool, n.
        instead: the value; None for null.
    """
    return nulled(array, where) if instead is None else pc.if_else(pa.array(where), pa.scalar(instead, array.type), array)


class _Lease:
    """One use of a block: arrays made of it keep it as their base, so it ends with the last array, view or Arrow buffer over the block."""

    __slots__ = ("__array_interface__", "_block", "_free")

    def __init__(self, free: list[np.ndarray], block: np.ndarray, interface: dict[str, Any]) -> None:
        self._free, self._block, self.__array_interface__ = free, block, interface

    def __del__(self) -> None:
        """Give the block back. No lock is taken: this may run at any point of any thread, and appending is atomic."""
        self._free.append(self._block)


class Blocks:
    """Memory for the arrays of a batch, leased and used again.

    An allocator gives large blocks back to the operating system, and page faults on fresh ones cost a third of a batch's time.
    """

    SMALLEST, LIMIT = 1 << 16, 1 << 26

    def __init__(self) -> None:
        """No blocks yet."""
        self._free: dict[int, list[np.ndarray]] = {}
        self._interfaces: dict[int, dict[str, Any]] = {}
        self._held, self._lock = 0, threading.Lock()

    def take(self, size: int) -> np.ndarray:
        """`size` uninitialised bytes: uint8, writable; leased until nothing refers to them. At most LIMIT bytes are kept for new leases."""
        if size < self.SMALLEST:
            return np.empty(size, np.uint8)
        room = 1 << (size - 1).bit_length()
        free = self._free.get(room) or self._free.setdefault(room, [])
        try:
            block = free.pop()
        except IndexError:
            with self._lock:
                if self._held + room > self.LIMIT:
                    return np.empty(size, np.uint8)
                self._held += room
            block = np.empty(room, np.uint8)
            self._interfaces[id(block)] = block.__array_interface__  # blocks are never dropped, so identities are not used again
        return np.asarray(_Lease(free, block, self._interfaces[id(block)]))[:size]


_BLOCKS = Blocks()


def strings(values: Iterable[str]) -> pa.StringArray:
    """A column of texts, made without ``pa.array``, which imports pandas to see whether it is given something of pandas."""
    encoded = [value.encode() for value in values]
    offsets = np.zeros(len(encoded) + 1, np.int32)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    return pa.StringArray.from_buffers(len(encoded), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded)))


def empty_int32(n: int) -> np.ndarray:
    """An uninitialised int32 array of n elements, in memory that is used again."""
    return _BLOCKS.take(4 * n).view(np.int32)


def doubled(array: np.ndarray) -> np.ndarray:
    """The same int32 numbers at the beginning of an array with as much room again."""
    larger = empty_int32(2 * len(array))
    larger[: len(array)] = array
    return larger


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
