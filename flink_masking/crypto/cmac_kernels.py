# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""The steps of CMAC (NIST SP 800-38B, RFC 4493) between two calls of the block cipher, over the rows that still have blocks.

Work and memory accesses depend on the lengths of the values, never on the values or the key.
"""

import numpy as np

from flink_masking.kernels import I32, I64, JIT, U8, W8, W32, njit, types
from flink_masking.kernels.memory import at
from flink_masking.kernels.wide import load_raw64, store_raw64


@njit(**JIT)
def partial_word(p, count, limit):
    """The first 0 to 8 bytes at p as a little-endian word, zeros behind them; nothing from `limit` on is read."""
    if count <= 0:
        return np.uint64(0)
    if p + 8 <= limit:
        x = load_raw64(p)
        return x if count >= 8 else x & ((np.uint64(1) << np.uint64(8 * count)) - np.uint64(1))
    x = np.uint64(0)
    for k in range(min(count, 8)):
        x |= np.uint64(at(p + k)) << np.uint64(8 * k)
    return x


@njit(**JIT)
def marker(place):
    """The byte 0x80 that ends a message, if it stands at byte 0 to 7 of this word."""
    return np.uint64(0x80) << np.uint64(8 * place) if 0 <= place < 8 else np.uint64(0)


@njit(types.void(U8, I32, I32, I32, I64, I64, U8, U8, W8), **JIT)
def absorb(data, starts, ends, active, count, step, subkeys, chain, blocks):
    """Block number `step` of every active row, exclusive-ored with its chain: what the block cipher is to be applied to.

    data, starts, ends: message i is ``data[starts[i]:ends[i]]``.
    active: the numbers of the rows that have this block; the first `count` count.
    subkeys: K1 and K2, 16 bytes each. chain: 16 bytes for each active row, not read at step 0. blocks: 16 bytes for each active row.
    """
    base, key, previous, out = data.ctypes.data, subkeys.ctypes.data, chain.ctypes.data, blocks.ctypes.data
    limit = base + len(data)
    whole_low, whole_high = load_raw64(key), load_raw64(key + 8)
    padded_low, padded_high = load_raw64(key + 16), load_raw64(key + 24)
    for j in range(count):
        row = active[j]
        p = base + starts[row] + 16 * step
        left = ends[row] - starts[row] - 16 * step
        if left >= 16:
            low, high = load_raw64(p), load_raw64(p + 8)
            if left == 16:
                low, high = low ^ whole_low, high ^ whole_high
        else:
            low = partial_word(p, left, limit) ^ marker(left) ^ padded_low
            high = partial_word(p + 8, left - 8, limit) ^ marker(left - 8) ^ padded_high
        if step:
            low ^= load_raw64(previous + 16 * j)
            high ^= load_raw64(previous + 16 * j + 8)
        store_raw64(out + 16 * j, low)
        store_raw64(out + 16 * j + 8, high)


@njit(I64(I32, I32, W32, I64, I64, W8, W8), **JIT)
def settle(starts, ends, active, count, step, chain, tags):
    """Write the tags of the rows that are through after `step`, close up the others; returns how many these are.

    chain: what the block cipher made of each block. tags: 16 bytes for each row of the column.
    """
    state, out, kept = chain.ctypes.data, tags.ctypes.data, 0
    for j in range(count):
        row = active[j]
        to = out + 16 * row
        if ends[row] - starts[row] > 16 * (step + 1):
            active[kept] = row
            to = state + 16 * kept
            kept += 1
        low, high = load_raw64(state + 16 * j), load_raw64(state + 16 * j + 8)
        store_raw64(to, low)
        store_raw64(to + 8, high)
    return kept
