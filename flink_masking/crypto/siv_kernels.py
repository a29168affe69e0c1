# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""What AES-SIV (RFC 5297) does around its block cipher, over a column: S2V's last message, counters, key stream, comparison.

Work and memory accesses depend on the lengths of the values, never on the values or the key.
"""

import numpy as np

from flink_masking.crypto.cmac_kernels import marker, partial_word
from flink_masking.kernels import I32, I64, JIT, U8, W8, W32, njit, types
from flink_masking.kernels.memory import at, copy, put8
from flink_masking.kernels.wide import load_raw64, store_raw64, swapped

CLEARED = ~(np.uint64(1 << 63) | np.uint64(1 << 31))


@njit(types.void(U8, I32, I32, U8, W8, W32), **JIT)
def last_messages(data, starts, ends, summed, out_, offsets):
    """S2V's last message for each plaintext: ``P xorend D``, or ``dbl(D) xor pad(P)`` where P is shorter than a block.

    data, starts, ends: plaintext i is ``data[starts[i]:ends[i]]``. summed: D and dbl(D), 16 bytes each.
    out_: the messages one behind the other, 16 bytes each at least; 64 bytes of slack. offsets: n + 1, the first one 0.
    """
    base, out, given = data.ctypes.data, out_.ctypes.data, summed.ctypes.data
    limit, o = base + len(data), out
    for k in range(len(starts)):
        p, length = base + starts[k], np.int64(ends[k] - starts[k])
        if length >= 16:
            o = copy(o, p, length, limit)
            store_raw64(o - 16, load_raw64(o - 16) ^ load_raw64(given))
            store_raw64(o - 8, load_raw64(o - 8) ^ load_raw64(given + 8))
        else:
            store_raw64(o, partial_word(p, length, limit) ^ marker(length) ^ load_raw64(given + 16))
            store_raw64(o + 8, partial_word(p + 8, length - 8, limit) ^ marker(length - 8) ^ load_raw64(given + 24))
            o += 16
        offsets[k + 1] = o - out


@njit(I64(U8, I32, I32, I32, W8), **JIT)
def counters(data, places, starts, ends, blocks):
    """The counter blocks of every value: its V with two bits cleared, plus 0, 1, …; returns how many there are.

    data, places: V of value i is the 16 bytes from ``data[places[i]]`` on. starts, ends: where its text is; the length counts.
    blocks: 16 bytes each.
    """
    base, out, o = data.ctypes.data, blocks.ctypes.data, 0
    for k in range(len(starts)):
        high, low = load_raw64(base + places[k]), swapped(load_raw64(base + places[k] + 8)) & CLEARED
        for i in range((ends[k] - starts[k] + 15) >> 4):
            store_raw64(out + o, high)
            store_raw64(out + o + 8, swapped(low + np.uint64(i)))  # 31 bits never run over into the cleared one
            o += 16
    return o >> 4


@njit(types.void(U8, I32, I32, U8, W8), **JIT)
def apply_stream(data, starts, ends, stream, out_):
    """Exclusive-or every value with its blocks of `stream`, to the same places of `out_`."""
    base, key, out, s = data.ctypes.data, stream.ctypes.data, out_.ctypes.data, 0
    for k in range(len(starts)):
        p, e = np.int64(starts[k]), np.int64(ends[k])
        i = p
        while i + 8 <= e:
            store_raw64(out + i, load_raw64(base + i) ^ load_raw64(key + s + i - p))
            i += 8
        while i < e:
            put8(out + i, at(base + i) ^ at(key + s + i - p))
            i += 1
        s += (e - p + 15) >> 4 << 4


@njit(types.void(U8, I32, U8, W8), **JIT)
def compare(data, places, tags, same):
    """Whether the 16 bytes from ``data[places[i]]`` on are tag i: 1 or 0, in the same time wherever they differ."""
    base, given = data.ctypes.data, tags.ctypes.data
    for k in range(len(places)):
        p, q = base + places[k], given + 16 * k
        same[k] = (load_raw64(p) ^ load_raw64(q)) | (load_raw64(p + 8) ^ load_raw64(q + 8)) == np.uint64(0)
