"""Memory that ends where a page without access begins: reading or writing one byte too far ends the process."""

import ctypes
import mmap

import numpy as np
import pyarrow as pa

from flink_masking.kernels.memory import SLACK

LIBC, PAGE = ctypes.CDLL(None, use_errno=True), mmap.PAGESIZE


def guarded(size):
    """`size` writable bytes whose end is the start of a page that may not be touched: address and owner."""
    pages = -(-max(size, 1) // PAGE)
    memory = mmap.mmap(-1, (pages + 1) * PAGE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    assert LIBC.mprotect(ctypes.c_void_p(start + pages * PAGE), PAGE, 0) == 0
    return start + pages * PAGE - size, memory


def guarded_column(rows):
    """A binary array whose last data byte is the last readable one."""
    data = b"".join(rows)
    address, owner = guarded(len(data))
    ctypes.memmove(address, data, len(data))
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int32)
    return pa.Array.from_buffers(pa.binary(), len(rows), [None, pa.py_buffer(offsets), pa.foreign_buffer(address, len(data), owner)])


def guarded_output(size):
    """As arrow.output, at the end of readable memory."""
    address, owner = guarded(size + SLACK)
    view = np.frombuffer((ctypes.c_uint8 * (size + SLACK)).from_address(address), np.uint8)
    return pa.foreign_buffer(address, size + SLACK, owner), view
