# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""SipHash-2-4 (Aumasson and Bernstein, 2012) of a message of eight bytes: a keyed hash that is fast on short input."""

import numpy as np

from flink_masking.kernels import JIT, njit

_INITIAL = (np.uint64(0x736F6D6570736575), np.uint64(0x646F72616E646F6D), np.uint64(0x6C7967656E657261), np.uint64(0x7465646279746573))
_LENGTH = np.uint64(8 << 56)
"""The last block of a message of eight bytes: its length, and no bytes that are left."""


@njit(**JIT)
def _turned(x, by):
    return (x << np.uint64(by)) | (x >> np.uint64(64 - by))


@njit(**JIT)
def _round(v0, v1, v2, v3):
    v0 += v1
    v2 += v3
    v1 = _turned(v1, 13) ^ v0
    v3 = _turned(v3, 16) ^ v2
    v0 = _turned(v0, 32)
    v2 += v1
    v0 += v3
    v1 = _turned(v1, 17) ^ v2
    v3 = _turned(v3, 21) ^ v0
    return v0, v1, _turned(v2, 32), v3


@njit(**JIT)
def siphash(low, high, message):
    """The hash of eight bytes; key and message as little-endian words."""
    v0, v1, v2, v3 = low ^ _INITIAL[0], high ^ _INITIAL[1], low ^ _INITIAL[2], high ^ _INITIAL[3]
    for block in (message, _LENGTH):
        v3 ^= block
        for _ in range(2):
            v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        v0 ^= block
    v2 ^= np.uint64(0xFF)
    for _ in range(4):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3
