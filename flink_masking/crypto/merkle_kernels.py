# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Merkle tree hashes (RFC 6962, 2.1) over a column: SHA-256 of 0x00 and a record, of 0x01 and two nodes, sixteen in lock-step.

Records with equally many blocks share a step, so that no lane waits for a longer record beside it. The work depends on the lengths of the
records, never on their bytes.
"""

import numpy as np

from flink_masking.kernels import I32, I64, JIT, U8, W8, W32, njit, types
from flink_masking.kernels.memory import memcpy, put8
from flink_masking.kernels.sha256_lanes import (
    LANES,
    VECTOR_BYTES,
    begin,
    clear64,
    compress_at,
    copy64,
    digests_at,
    nodes,
    state_to_lane,
)
from flink_masking.kernels.wide import store_raw64, swapped

_SAVED, _PLACES, _BLOCKS, _BLOCK = 8 * VECTOR_BYTES, 16 * VECTOR_BYTES, 18 * VECTOR_BYTES, 192
SCRATCH = _BLOCKS + _BLOCK * LANES + VECTOR_BYTES
"""Bytes of scratch memory, aligned here: state and saved state, sixteen addresses, and for each lane a block with room behind it."""
FRONT, BACK = 64, 64 * LANES
"""Bytes before the first hash of an array of them and behind the last one, which are read when nodes are made, or written over."""
CLASSES = 64
"""Records are told apart by their blocks up to this number."""


@njit(**JIT)
def _blocks(offsets, k):
    """Blocks of the message of record k: 0x00, the record, 0x80, zeros and the length in eight bytes."""
    return np.int64(offsets[k + 1] - offsets[k] + 10 + 63) >> 6


@njit(**JIT)
def _block_of(block, p, length, b, limit):
    """Where block b of a leaf's message is, 0x00 and `length` bytes at p, padded: in the record, or made at `block` (two blocks).

    limit: the end of readable memory.
    """
    start = 64 * b - 1  # of the record
    rest = length - start
    if b > 0 and rest >= 64:
        return p + start
    to = block
    if b == 0:
        to, start, rest = block + 1, 0, length
    if rest > 0:
        if p + start + 64 <= limit:
            copy64(to, p + start)
        else:
            memcpy(to, p + start, min(rest, 64))
    if b == 0:
        put8(block, 0)
        if rest >= 63:
            return block
        rest += 1
    clear64(block + max(rest, 0))
    if rest >= 0:
        put8(block + rest, 0x80)
    if rest < 56:
        store_raw64(block + 56, swapped(np.uint64(8 * (length + 1))))
    return block


@njit(**JIT)
def _sort(offsets, order):
    """Record numbers by the number of blocks → `order`; those with `CLASSES` and more stand together."""
    starts = np.zeros(CLASSES + 1, np.int64)
    for k in range(len(offsets) - 1):
        starts[min(_blocks(offsets, k), CLASSES)] += 1
    total = 0
    for c in range(CLASSES + 1):
        total += starts[c]
        starts[c] = total - starts[c]
    for k in range(len(offsets) - 1):
        c = min(_blocks(offsets, k), CLASSES)
        order[starts[c]] = k
        starts[c] += 1


@njit(types.void(U8, I32, W8, W8, W32), **JIT)
def leaf_column(data_, offsets, out_, scratch_, order):
    """The leaf hash of every record.

    data_, offsets: as in `flink_masking.arrow.Parts`, of a column without nulls.
    out_: 32 bytes a record. scratch_: `SCRATCH` bytes. order: an element a record.
    """
    data, out, n = np.int64(data_.ctypes.data), np.int64(out_.ctypes.data), len(offsets) - 1
    limit = data + len(data_)
    state = (np.int64(scratch_.ctypes.data) + VECTOR_BYTES - 1) & -VECTOR_BYTES
    saved, places, blocks = state + _SAVED, state + _PLACES, state + _BLOCKS
    _sort(offsets, order)
    for first in range(0, n, LANES):
        lanes = min(LANES, n - first)
        most, least = 1, 1 << 30
        for lane in range(lanes):
            count = _blocks(offsets, order[first + lane])
            most, least = max(most, count), min(least, count)
        for lane in range(lanes, LANES):
            store_raw64(places + 8 * lane, np.uint64(blocks))
        begin(state)
        for b in range(most):
            if b >= least:
                memcpy(saved, state, 8 * VECTOR_BYTES)
            for lane in range(lanes):
                k = order[first + lane]
                if b < _blocks(offsets, k):
                    made = _block_of(blocks + _BLOCK * lane, data + offsets[k], np.int64(offsets[k + 1] - offsets[k]), b, limit)
                    store_raw64(places + 8 * lane, np.uint64(made))
            compress_at(state, places)
            if b >= least:  # a record that ended in an earlier block keeps its state
                for lane in range(lanes):
                    if _blocks(offsets, order[first + lane]) <= b:
                        state_to_lane(state + 4 * lane, saved + 4 * lane)
        for lane in range(LANES):
            to = out + 32 * order[first + lane] if lane < lanes else blocks + _BLOCK * lane
            store_raw64(places + 8 * lane, np.uint64(to))
        digests_at(state, places)


@njit(types.void(W8, I64, W8), **JIT)
def fold(hashes, n, scratch):
    """Make the root of n > 0 leaf hashes, in place: it is the first hash afterwards.

    hashes: `FRONT` bytes, 32 bytes a leaf, `BACK` bytes. scratch: `SCRATCH` bytes.
    """
    p, odd, some = np.int64(hashes.ctypes.data) + FRONT, np.int64(scratch.ctypes.data), np.int64(scratch.ctypes.data) + 32
    while n > 1:
        pairs = n >> 1
        if n & 1:
            memcpy(odd, p + 32 * (n - 1), 32)
        for first in range(0, pairs, LANES):
            if pairs - first >= LANES:
                nodes(p + 32 * first, p + 64 * first)
            else:
                nodes(some, p + 64 * first)
                memcpy(p + 32 * first, some, 32 * (pairs - first))
        if n & 1:  # without a sibling: it goes up as it is
            memcpy(p + 32 * pairs, odd, 32)
        n = (n + 1) >> 1
