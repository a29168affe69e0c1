"""Merkle trees of records (RFC 6962, 2.1): leaf hashes and roots of columns, proofs of inclusion and of consistency.

Deterministic, without a key: whoever has a record can compute its leaf hash, and whoever has a leaf hash can test guesses of the record.
"""

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa

from flink_masking.arrow import parts
from flink_masking.crypto import merkle_kernels as kernel

HASH_BYTES = 32
EMPTY = hashlib.sha256(b"").digest()
"""The root of no leaf."""


def leaf_hash(record: bytes) -> bytes:
    """The leaf hash of one record: SHA-256 of 0x00 and its bytes."""
    return hashlib.sha256(b"\0" + record).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node: SHA-256 of 0x01 and those of its children."""
    return hashlib.sha256(b"\1" + left + right).digest()


def leaf_hashes(records: pa.BinaryArray | pa.StringArray) -> np.ndarray:
    """The leaf hashes of a column.

    Args:
        records: any number; nulls are no records and are left out.

    Returns:
        uint8, shape (number of records, 32), in their order.
    """
    if records.null_count:
        records = records.drop_null()
    data, offsets, _ = parts(records)
    out = np.empty((len(records), HASH_BYTES), np.uint8)
    if len(records):
        kernel.leaf_column(data, offsets, out.reshape(-1), np.empty(kernel.SCRATCH, np.uint8), np.empty(len(records), np.int32))
    return out


def root_of(leaves: np.ndarray) -> bytes:
    """The root of a tree.

    Args:
        leaves: uint8, shape (n, 32).
    """
    if not len(leaves):
        return EMPTY
    hashes = np.empty(kernel.FRONT + leaves.size + kernel.BACK, np.uint8)
    hashes[kernel.FRONT : kernel.FRONT + leaves.size] = leaves.reshape(-1)
    kernel.fold(hashes, len(leaves), np.empty(kernel.SCRATCH, np.uint8))
    return hashes[kernel.FRONT : kernel.FRONT + HASH_BYTES].tobytes()


def inclusion_path(leaves: np.ndarray, index: int) -> list[bytes]:
    """The audit path of a leaf (RFC 6962, 2.1.1): the siblings from the leaf to the root.

    Args:
        leaves: uint8, shape (n, 32).
        index: of the leaf, below n.
    """
    return path_over(lambda start, stop: root_of(leaves[start:stop]), index, len(leaves))


def path_over(root: Callable[[int, int], bytes], index: int, size: int) -> list[bytes]:
    """The audit path of leaf `index` in a tree of `size` leaves.

    Args:
        root: gives the hash of the tree over leaves start to stop.
        index: of the leaf, below `size`.
        size: number of leaves.
    """
    start, stop, found = 0, size, list[bytes]()
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            found.append(root(middle, stop))
            stop = middle
        else:
            found.append(root(start, middle))
            start = middle
    return found[::-1]


def root_by_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that an audit path leads to (RFC 9162, 2.1.3.2), or None where the path has no such length.

    Args:
        leaf: hash of the leaf.
        index: of the leaf.
        size: number of leaves.
        path: from the leaf to the root.
    """
    if not 0 <= index < size:
        return None
    place, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    return found if last == 0 else None


def _split(n: int) -> int:
    """The largest power of two below n, which is at least 2."""
    return 1 << (n - 1).bit_length() - 1
