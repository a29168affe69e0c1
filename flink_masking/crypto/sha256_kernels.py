# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""SHA-256 (FIPS 180-4) and HMAC (RFC 2104) over a column, sixteen messages in lock-step.

The work depends on the lengths of the values, never on the values or the key: see `flink_masking.kernels.sha256_lanes`.

Scratch memory (`SCRATCH` bytes, aligned here): eight vectors of state, sixteen of message words, eight of saved state, then a 64-byte
block being padded and 64 bytes of slack.
"""

from flink_masking.kernels import I32, JIT, U8, W8, njit, types
from flink_masking.kernels.memory import at, int32, memcpy, put8
from flink_masking.kernels.sha256_lanes import (
    LANES,
    VECTOR_BYTES,
    begin,
    block_to_lane,
    broadcast,
    clear64,
    compress,
    digest_block,
    lane_to_bytes,
    state_to_lane,
    swap_state,
    swap_words,
)

_WORDS, _SAVED, _BLOCK = 8 * VECTOR_BYTES, 24 * VECTOR_BYTES, 32 * VECTOR_BYTES
SCRATCH = _BLOCK + 128 + VECTOR_BYTES
KEY_STATES = 64
"""Bytes of a prepared key: the states after the inner and after the outer key block, eight words each."""


@njit(**JIT)
def pad(block, p, length, b):
    """Put bytes 64 b to 64 b + 63 of a message, padded as SHA-256 has it and counted as if one block went before, at `block`."""
    start = 64 * b
    rest = length - start
    if rest >= 64:
        memcpy(block, p + start, 64)
        return
    clear64(block)
    if rest > 0:
        memcpy(block, p + start, rest)
    if rest >= 0:
        put8(block + rest, 0x80)
    if rest < 56:
        bits = (length + 64) * 8
        for k in range(8):
            put8(block + 56 + k, bits >> (56 - 8 * k))


@njit("void(int64, int64, int64)", **JIT)
def prepare(key_block, states, scratch):
    """HMAC's two states after the key block: 64 bytes (RFC 2104's K) at `key_block` → `KEY_STATES` bytes at `states`."""
    words = scratch + _WORDS
    block = scratch + _BLOCK
    for lane in range(2):
        for k in range(64):
            put8(block + k, at(key_block + k) ^ (0x36 if lane == 0 else 0x5C))
        block_to_lane(words + 4 * lane, block)
    swap_words(words)
    begin(scratch)
    compress(scratch, words)
    for lane in range(2):
        lane_to_bytes(states + 32 * lane, scratch + 4 * lane)


@njit("void(int64, int64, int64, int64, int64, int64, int64, int64)", **JIT)
def digest_all(data, offsets, valid, has_valid, n, states, out, scratch):
    """HMAC-SHA-256 of n values → 32 bytes each at `out`; addresses of the arrays that `hmac_column` takes."""
    words = scratch + _WORDS
    saved = scratch + _SAVED
    block = scratch + _BLOCK
    for first in range(0, n, LANES):
        lanes = min(LANES, n - first)
        blocks = 1
        for lane in range(lanes):
            if not has_valid or at(valid + first + lane):
                length = int32(offsets, first + lane + 1) - int32(offsets, first + lane)
                blocks = max(blocks, (length + 9 + 63) >> 6)
        broadcast(scratch, states)
        for b in range(blocks):
            if b:
                for k in range(8):
                    memcpy(saved + VECTOR_BYTES * k, scratch + VECTOR_BYTES * k, VECTOR_BYTES)
            for lane in range(lanes):
                start = int32(offsets, first + lane)
                length = int32(offsets, first + lane + 1) - start
                if has_valid and not at(valid + first + lane):
                    length = 0
                pad(block, data + start, length, b)
                block_to_lane(words + 4 * lane, block)
            swap_words(words)
            compress(scratch, words)
            if b:  # a message that ended in an earlier block keeps its state
                for lane in range(lanes):
                    length = int32(offsets, first + lane + 1) - int32(offsets, first + lane)
                    if has_valid and not at(valid + first + lane):
                        length = 0
                    if (length + 9 + 63) >> 6 <= b:
                        state_to_lane(scratch + 4 * lane, saved + 4 * lane)
        digest_block(words, scratch)
        broadcast(scratch, states + 32)
        compress(scratch, words)
        swap_state(scratch)
        for lane in range(lanes):
            lane_to_bytes(out + 32 * (first + lane), scratch + 4 * lane)


@njit(types.void(U8, I32, U8, U8, W8, W8), **JIT)
def hmac_column(data, offsets, valid, states, out, scratch):
    """HMAC-SHA-256 of every value.

    data, offsets, valid: as in `flink_masking.arrow.Parts`; a null counts as no bytes.
    states: the key, from `prepare`.
    out: 32 bytes a value. scratch: `SCRATCH` bytes.
    """
    aligned = (scratch.ctypes.data + VECTOR_BYTES - 1) & -VECTOR_BYTES
    digest_all(data.ctypes.data, offsets.ctypes.data, valid.ctypes.data, len(valid), len(offsets) - 1, states.ctypes.data, out.ctypes.data,
               aligned)


@njit(types.void(U8, W8, W8), **JIT)
def prepare_key(key_block, states, scratch):
    """`prepare` over arrays: 64 bytes of key block → `KEY_STATES` bytes."""
    prepare(key_block.ctypes.data, states.ctypes.data, (scratch.ctypes.data + VECTOR_BYTES - 1) & -VECTOR_BYTES)
