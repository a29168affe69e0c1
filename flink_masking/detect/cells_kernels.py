# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Arrays of 64-bit numbers and hash tables at absolute addresses: see `flink_masking.kernels.memory` for why not as arrays."""

import numpy as np

from flink_masking.kernels import JIT, njit
from flink_masking.kernels.wide import load_be32, load_raw64, store_raw64


@njit(**JIT)
def cell(a, k):
    """Number k of the int64 array at address a."""
    return np.int64(load_raw64(a + 8 * k))


@njit(**JIT)
def set_cell(a, k, x):
    """Store x as number k of the int64 array at address a."""
    store_raw64(a + 8 * k, np.uint64(x))


@njit(**JIT)
def found(table, h):
    """The value of a hash in the table at an address, or 0.

    A table is uint32, small so that it stays in the caches: its number of places less one, which is a power of two less one; 0; then a
    place each with 16 bits of the hash and 16 bits of the value, 0 where it is free. Of 65,536 hashes that are not in the table one finds a
    place that is another's.
    """
    mask = np.int64(load_be32(table))
    k, mark = np.int64(h) & mask, np.int64(h >> np.uint64(48)) << 16
    while True:
        place = np.int64(load_be32(table + 8 + 4 * k))
        if place & 0xFFFF0000 == mark and place:
            return place & 0xFFFF
        if place == 0:
            return np.int64(0)
        k = (k + 1) & mask
