# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Merkle tree hashes (RFC 6962, 2.1) over a column: SHA-256 of 0x00 and a record, of 0x01 and two nodes, sixteen in lock-step.

The work depends on the lengths of the records, never on their bytes. Scratch memory (`SCRATCH` bytes, aligned here): eight vectors of
state, sixteen of message words, eight of saved state, then a 64-byte block being padded and 64 bytes of slack.
"""

from flink_masking.kernels import I32, I64, JIT, U8, W8, njit, types
from flink_masking.kernels.memory import at, int32, memcpy, put8
from flink_masking.kernels.sha256_lanes import (
    LANES,
    VECTOR_BYTES,
    begin,
    block_to_lane,
    clear64,
    compress,
    lane_to_bytes,
    state_to_lane,
    swap_state,
    swap_words,
)

_WORDS, _SAVED, _BLOCK = 8 * VECTOR_BYTES, 24 * VECTOR_BYTES, 32 * VECTOR_BYTES
SCRATCH = _BLOCK + 128 + VECTOR_BYTES
FRONT = 64
"""Bytes before the first hash of an array of them: nodes are read from one byte before their children."""


@njit(**JIT)
def _put_length(block, length):
    bits = 8 * length
    for k in range(8):
        put8(block + 56 + k, bits >> (56 - 8 * k))


@njit(**JIT)
def _leaf_block(words, block, p, length, b):
    """Put block b of a leaf's message, 0x00 and `length` bytes at p, padded as SHA-256 has it, into the lane at `words`."""
    start = 64 * b - 1  # of the record
    rest = length - start
    if b > 0 and rest >= 64:
        block_to_lane(words, p + start)
        return
    if b == 0 and rest >= 64:
        memcpy(block + 1, p, 63)
        put8(block, 0)
        block_to_lane(words, block)
        return
    clear64(block)
    if b == 0:
        if length > 0:
            memcpy(block + 1, p, length)
        put8(block + 1 + length, 0x80)
        if length + 1 < 56:
            _put_length(block, length + 1)
    else:
        if rest > 0:
            memcpy(block, p + start, rest)
        if rest >= 0:
            put8(block + rest, 0x80)
        if rest < 56:
            _put_length(block, length + 1)
    block_to_lane(words, block)


@njit("void(int64, int64, int64, int64, int64)", **JIT)
def leaves_of(data, offsets, n, out, scratch):
    """The leaf hashes of n records → 32 bytes each at `out`; addresses of the arrays that `leaf_column` takes."""
    words, saved, block = scratch + _WORDS, scratch + _SAVED, scratch + _BLOCK
    for first in range(0, n, LANES):
        lanes = min(LANES, n - first)
        most, least = 1, 1 << 30
        for lane in range(lanes):
            blocks = (int32(offsets, first + lane + 1) - int32(offsets, first + lane) + 10 + 63) >> 6
            most, least = max(most, blocks), min(least, blocks)
        begin(scratch)
        for b in range(most):
            if b >= least:
                for k in range(8):
                    memcpy(saved + VECTOR_BYTES * k, scratch + VECTOR_BYTES * k, VECTOR_BYTES)
            for lane in range(lanes):
                start = int32(offsets, first + lane)
                length = int32(offsets, first + lane + 1) - start
                if b < (length + 10 + 63) >> 6:
                    _leaf_block(words + 4 * lane, block, data + start, length, b)
            swap_words(words)
            compress(scratch, words)
            if b >= least:  # a record that ended in an earlier block keeps its state
                for lane in range(lanes):
                    if (int32(offsets, first + lane + 1) - int32(offsets, first + lane) + 10 + 63) >> 6 <= b:
                        state_to_lane(scratch + 4 * lane, saved + 4 * lane)
        swap_state(scratch)
        for lane in range(lanes):
            lane_to_bytes(out + 32 * (first + lane), scratch + 4 * lane)


@njit("void(int64, int64, int64, int64)", **JIT)
def parents_of(p, pairs, out, scratch):
    """The nodes above pairs of hashes at p → 32 bytes each at `out`, which may be p; what stands before p is read and does not count."""
    words, block = scratch + _WORDS, scratch + _BLOCK
    for first in range(0, pairs, LANES):
        lanes = min(LANES, pairs - first)
        begin(scratch)
        for lane in range(lanes):
            block_to_lane(words + 4 * lane, p + 64 * (first + lane) - 1)
            put8(words + 4 * lane, 1)
        swap_words(words)
        for lane in range(lanes):  # the last byte is read before its place is written over
            put8(block + lane, at(p + 64 * (first + lane) + 63))
        compress(scratch, words)
        for k in range(VECTOR_BYTES * 16 // 64):
            clear64(words + 64 * k)
        for lane in range(lanes):
            put8(words + 4 * lane + 3, at(block + lane))
            put8(words + 4 * lane + 2, 0x80)
            put8(words + 15 * VECTOR_BYTES + 4 * lane, 520 & 0xFF)
            put8(words + 15 * VECTOR_BYTES + 4 * lane + 1, 520 >> 8)
        compress(scratch, words)
        swap_state(scratch)
        for lane in range(lanes):
            lane_to_bytes(out + 32 * (first + lane), scratch + 4 * lane)


@njit(types.void(U8, I32, W8, W8), **JIT)
def leaf_column(data, offsets, out, scratch):
    """The leaf hash of every record.

    data, offsets: as in `flink_masking.arrow.Parts`, of a column without nulls.
    out: 32 bytes a record. scratch: `SCRATCH` bytes.
    """
    aligned = (scratch.ctypes.data + VECTOR_BYTES - 1) & -VECTOR_BYTES
    leaves_of(data.ctypes.data, offsets.ctypes.data, len(offsets) - 1, out.ctypes.data, aligned)


@njit(types.void(W8, I64, W8), **JIT)
def fold(hashes, n, scratch):
    """Make the root of n > 0 leaf hashes, in place: it is the first hash afterwards.

    hashes: `FRONT` bytes, then 32 bytes a leaf. scratch: `SCRATCH` bytes.
    """
    aligned = (scratch.ctypes.data + VECTOR_BYTES - 1) & -VECTOR_BYTES
    p = hashes.ctypes.data + FRONT
    while n > 1:
        parents_of(p, n >> 1, p, aligned)
        if n & 1:  # without a sibling: it goes up as it is
            memcpy(p + 32 * (n >> 1), p + 32 * (n - 1), 32)
        n = (n + 1) >> 1
