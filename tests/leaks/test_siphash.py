"""SipHash by the authors' vectors."""

import numpy as np

from flink_masking.kernels import JIT, njit
from flink_masking.leaks.siphash_kernels import siphash


@njit("uint64(uint64, uint64, uint64)", **JIT)
def hashed(low, high, message):
    """What only kernels call, for Python."""
    return siphash(low, high, message)


def test_the_vector_of_eight_bytes():
    """Key 00 … 0f and message 00 … 07 give the reference implementation's result."""
    low, high = (int.from_bytes(bytes(range(at, at + 8)), "little") for at in (0, 8))
    assert int(hashed(np.uint64(low), np.uint64(high), np.uint64(low))) == int.from_bytes(bytes.fromhex("6224939a79f5f593"), "little")
