# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""AES-SIV (RFC 5297) of values that each have a key of their own, row by row; for processors with AES-NI.

Work and memory accesses depend on the lengths of the values, never on the values or the keys.
"""

import numpy as np

from flink_masking.crypto.cmac_kernels import marker, partial_word
from flink_masking.crypto.siv_kernels import CLEARED
from flink_masking.kernels import I32, JIT, U8, W8, njit, types
from flink_masking.kernels.aes_blocks import SCHEDULE_BYTES, encrypt_block, expand_key
from flink_masking.kernels.memory import at, copy, put8
from flink_masking.kernels.wide import load_raw64, store_raw64, swapped

_SUMMED, _SUBKEYS, _TAG, _MESSAGE = SCHEDULE_BYTES, SCHEDULE_BYTES + 16, SCHEDULE_BYTES + 48, SCHEDULE_BYTES + 64
SCRATCH = _MESSAGE + 64
"""Bytes of scratch memory besides those of the longest value: round keys, S2V's D, CMAC's K1 and K2, a tag, a message."""


@njit(**JIT)
def _double(p, out):
    """16 bytes at p times x in GF(2¹²⁸) → 16 bytes at `out`; without a branch."""
    high, low = swapped(load_raw64(p)), swapped(load_raw64(p + 8))
    carry = high >> np.uint64(63)
    store_raw64(out, swapped((high << np.uint64(1)) | (low >> np.uint64(63))))
    store_raw64(out + 8, swapped((low << np.uint64(1)) ^ (carry * np.uint64(0x87))))


@njit(**JIT)
def _cmac(schedule, subkeys, p, length, limit, out):
    """The CMAC of `length` bytes at p → 16 bytes at `out`, which lies elsewhere; nothing from `limit` on is read."""
    low, high = np.uint64(0), np.uint64(0)
    left = length
    while left > 16:
        store_raw64(out, low ^ load_raw64(p))
        store_raw64(out + 8, high ^ load_raw64(p + 8))
        encrypt_block(schedule, out, out)
        low, high = load_raw64(out), load_raw64(out + 8)
        p, left = p + 16, left - 16
    key = subkeys if left == 16 else subkeys + 16
    store_raw64(out, low ^ partial_word(p, left, limit) ^ marker(left) ^ load_raw64(key))
    store_raw64(out + 8, high ^ partial_word(p + 8, left - 8, limit) ^ marker(left - 8) ^ load_raw64(key + 8))
    encrypt_block(schedule, out, out)


@njit(types.void(U8, U8, I32, I32, U8, W8, I32, W8), **JIT)
def seal_rows(keys, data, starts, ends, bound, out_, places, scratch):
    """V and ciphertext of every value.

    keys: 64 bytes a value. data, starts, ends: value i is ``data[starts[i]:ends[i]]``, not empty. bound: the associated data.
    out_, places: 16 bytes of V and the ciphertext of value i go to ``out_[places[i]:]``; eight bytes of slack.
    scratch: `SCRATCH` bytes and those of the longest value; holds keys meanwhile, and is cleared at the end.
    """
    base, tied = np.int64(data.ctypes.data), np.int64(bound.ctypes.data)
    limit, bounds = base + len(data), tied + len(bound)
    schedule = np.int64(scratch.ctypes.data)
    summed, subkeys, tag, message = schedule + _SUMMED, schedule + _SUBKEYS, schedule + _TAG, schedule + _MESSAGE
    end = schedule + len(scratch)
    for k in range(len(starts)):
        key, p, length = np.int64(keys.ctypes.data) + 64 * k, base + starts[k], np.int64(ends[k] - starts[k])
        expand_key(key, schedule)
        store_raw64(tag, np.uint64(0))
        store_raw64(tag + 8, np.uint64(0))
        encrypt_block(schedule, tag, tag)
        _double(tag, subkeys)
        _double(subkeys, subkeys + 16)
        encrypt_block(schedule, subkeys, summed)  # the CMAC of a block of zeros
        _double(summed, summed)
        _cmac(schedule, subkeys, tied, len(bound), bounds, tag)
        store_raw64(summed, load_raw64(summed) ^ load_raw64(tag))
        store_raw64(summed + 8, load_raw64(summed + 8) ^ load_raw64(tag + 8))
        if length >= 16:
            copy(message, p, length, limit)
            last = message + length - 16
            store_raw64(last, load_raw64(last) ^ load_raw64(summed))
            store_raw64(last + 8, load_raw64(last + 8) ^ load_raw64(summed + 8))
            _cmac(schedule, subkeys, message, length, end, tag)
        else:
            _double(summed, summed)
            store_raw64(message, partial_word(p, length, limit) ^ marker(length) ^ load_raw64(summed))
            store_raw64(message + 8, partial_word(p + 8, length - 8, limit) ^ marker(length - 8) ^ load_raw64(summed + 8))
            _cmac(schedule, subkeys, message, 16, end, tag)
        o = np.int64(out_.ctypes.data) + places[k]
        high, low = load_raw64(tag), load_raw64(tag + 8)
        store_raw64(o, high)
        store_raw64(o + 8, low)
        expand_key(key + 32, schedule)
        low = swapped(low) & CLEARED
        o += 16
        for i in range(0, length, 16):
            store_raw64(tag, high)
            store_raw64(tag + 8, swapped(low + np.uint64(i >> 4)))  # 31 bits never run over into the cleared one
            encrypt_block(schedule, tag, tag)
            if length - i >= 16:
                store_raw64(o + i, load_raw64(tag) ^ load_raw64(p + i))
                store_raw64(o + i + 8, load_raw64(tag + 8) ^ load_raw64(p + i + 8))
            else:
                for j in range(length - i):
                    put8(o + i + j, at(p + i + j) ^ at(tag + j))
    for k in range(len(scratch)):
        scratch[k] = 0
