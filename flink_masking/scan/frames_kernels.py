# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Cuts texts without blanks at separators, and hashes what stands around each part: ``Patient/`` and nothing around an identifier."""

import numpy as np

from flink_masking.kernels import I32, I64, I64A, JIT, U8, W8, W32, W64, WU64, njit
from flink_masking.kernels.memory import at
from flink_masking.scan.value_kernels import separates
from flink_masking.scan.walk_kernels import BASIS, ENCODED, PRIME, mixed

SLOTS, LAST = 6, 5
"""Parts of a text that are looked at: the first five, and the last."""
SHORTEST, LONGEST, MOST_PARTS = 3, 300, 24
"""Bytes of a text; parts of one."""


@njit(I64(U8, I64A, I64A, U8, I32, W8, I64, WU64, W32, W8, W64, W64, W64, W64), **JIT)
def frames(data, starts, ends, kinds, places, banned, first, hashes, of, slots, values, firsts, lasts, done):
    """List the parts of texts with a hash of what stands around each.

    Args:
        data: uint8.
        starts: int64, n: value k is ``data[starts[k]:ends[k]]``.
        ends: int64, n.
        kinds: uint8, n `Kind` codes.
        places: int32, n: number of the path.
        banned: uint8, `SLOTS` a path: 1 where a part is no longer looked at.
        first: value to begin with.
        hashes: uint64, m, of a part's surroundings.
        of: int32, m: path.
        slots: uint8, m: which part it is.
        values: int64, m: number of the value.
        firsts: int64, m: the part is ``data[firsts[i]:lasts[i]]``.
        lasts: int64, m.
        done: done[0] becomes the first value that there is no room for.

    Returns:
        The number of parts.
    """
    base, n = np.int64(data.ctypes.data), 0
    begins, stops, before = np.empty(MOST_PARTS + 1, np.int64), np.empty(MOST_PARTS + 1, np.int64), np.empty(MOST_PARTS + 1, np.uint64)
    for k in range(first, len(starts)):
        size = ends[k] - starts[k]
        if kinds[k] > ENCODED or size < SHORTEST or size > LONGEST:
            continue
        x, wanted = np.int64(places[k]) * SLOTS, False
        for slot in range(SLOTS):
            wanted = wanted or banned[x + slot] == 0
        if not wanted:
            continue
        if n + SLOTS > len(hashes):
            done[0] = k
            return n
        p, e = base + starts[k], base + ends[k]
        q, h, count, blank = p, BASIS, 0, False
        begins[0], before[0] = p, BASIS
        while q < e and count < MOST_PARTS:
            c = at(q)
            if c <= 32:
                blank = True
                break
            h = (h ^ np.uint64(c)) * PRIME
            if separates(c):
                stops[count] = q
                count += 1
                begins[count], before[count] = q + 1, h
            q += 1
        if blank or count == 0 or count >= MOST_PARTS:
            continue
        stops[count] = e
        for part in range(count + 1):
            slot = LAST if part == count else part
            if (part >= LAST and part < count) or banned[x + slot] or stops[part] == begins[part]:
                continue
            after, q = BASIS, stops[part]
            while q < e:
                after = (after ^ np.uint64(at(q))) * PRIME
                q += 1
            hashes[n] = mixed(before[part] * PRIME + mixed(after))
            of[n], slots[n], values[n] = places[k], slot, k
            firsts[n], lasts[n] = begins[part] - base, stops[part] - base
            n += 1
    done[0] = len(starts)
    return n
