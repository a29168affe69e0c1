# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Framings that were met before are found again by their bytes; keys of maps are found by the frames of their entries."""

import numpy as np

from flink_masking.kernels import I32, JIT, U8, W32, njit
from flink_masking.kernels.memory import at, int32
from flink_masking.records.protobuf.layout_kernels import FRAME, O_FRAME, OWNER, R_STOP, R_VALUE, varint


@njit([(U8, I32, I32, U8, I32, W32)], **JIT)
def match_prefixes(data, offsets, flags, prefixes, edges, found):
    """For each row without flags and with found[row] = -1 the number of the prefix that it begins with; the last one met is tried first.

    Prefix k is ``prefixes[edges[k]:edges[k + 1]]``; none is the beginning of another.
    """
    base, known, last = np.int64(data.ctypes.data), np.int64(prefixes.ctypes.data), 0
    count = len(edges) - 1
    for row in range(len(found)):
        if flags[row] or found[row] >= 0:
            continue
        p, size = base + offsets[row], offsets[row + 1] - offsets[row]
        for turn in range(count):
            k = last + turn
            if k >= count:
                k -= count
            n, place = edges[k + 1] - edges[k], known + edges[k]
            if n > size:
                continue
            same = True
            for b in range(n):
                if at(p + b) != at(place + b):
                    same = False
                    break
            if same:
                found[row], last = k, k
                break


@njit([(U8, I32, I32, I32, W32, W32)], **JIT)
def find_keys(data, frames_, owners_, order, starts, ends):
    """Where the contents of the keys lie of the map's entries around the spans in `order`; an entry without one: twice the same place."""
    base, frames, owners = np.int64(data.ctypes.data), np.int64(frames_.ctypes.data), np.int64(owners_.ctypes.data)
    for k in range(len(order)):
        frame = frames + np.int64(int32(owners, order[k] * OWNER + O_FRAME)) * (FRAME * 4)
        p, e = base + int32(frame, R_VALUE), base + int32(frame, R_STOP)
        first, last = p, p
        if p < e and at(p) >> 3 == 1:
            wire = at(p) & 7
            first = p + 1
            if wire == 2:
                n, first = varint(p + 1, e)
                last = first + n
            elif wire == 0:
                _, last = varint(first, e)
            else:
                last = first + (8 if wire == 1 else 4)
        starts[k], ends[k] = first - base, last - base
