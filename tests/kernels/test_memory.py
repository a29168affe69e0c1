"""The pieces that kernels are made of, called one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_masking.kernels import memory


def padded(data: bytes) -> np.ndarray:
    """The bytes with SLACK behind them."""
    return np.frombuffer(bytearray(data + bytes(memory.SLACK)), np.uint8)


@given(st.binary(max_size=300), st.integers(0, 100))
def test_copy(data, skip):
    """copy moves exactly the bytes asked for, by vectors or not, and returns the end."""
    source, target = padded(data), np.zeros(len(data) + memory.SLACK, np.uint8)
    skip = min(skip, len(data))
    n = len(data) - skip
    end = memory.copy(target.ctypes.data, source.ctypes.data + skip, n, source.ctypes.data + len(data))
    assert n == end - target.ctypes.data
    assert data[skip:] == target[:n].tobytes()


@given(st.binary(max_size=80), st.binary(max_size=80), st.booleans())
def test_equal(one, two, readable):
    """equal tells whether n bytes are the same, on both ways through it."""
    for other in (two, one, one[:-1] + b"?"):
        n = min(len(one), len(other))
        a, b = padded(one), padded(other)
        limit = a.ctypes.data + len(one) + (32 if readable else 0)
        assert (one[:n] == other[:n]) == memory.equal(a.ctypes.data, b.ctypes.data, n, limit)


def test_equal_does_not_look_behind_the_limit():
    """Bytes that reach over the readable end are not equal to anything."""
    data = padded(b"abc")
    assert not memory.equal(data.ctypes.data, data.ctypes.data, 4, data.ctypes.data + 3)


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 127, 128, 129])
def test_copy_at_the_borders_of_vectors(size):
    """Copies of lengths around the vector's size leave what lies before the target alone."""
    source, target = padded(bytes(range(1, size + 1))), np.full(size + 8 + memory.SLACK, 255, np.uint8)
    memory.copy(target.ctypes.data + 8, source.ctypes.data, size, source.ctypes.data + len(source))
    assert b"\xff" * 8 + bytes(range(1, size + 1)) == target[: size + 8].tobytes()
