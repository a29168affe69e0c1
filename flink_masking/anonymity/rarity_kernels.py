# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Kernel that tells how hard a record will be to place: its mean loss against all records so far.

The mean is taken over running counts of past records alone: by node for hierarchies, in 64 bins for grids, by hashed prefix for texts.
Counts are halved when they get large, so they never overflow and slowly forget.
"""

from typing import NamedTuple

import numpy as np

from flink_masking.anonymity.layout_kernels import ONE
from flink_masking.kernels import JIT, W64, njit, types

BINS, BUCKETS, OTHERS = 64, 256, 2
ELDEST = 1 << 24
"""Records at which all counts are halved."""


class Seen(NamedTuple):
    """Running counts of past records.

    Attributes:
        records: int64, one.
        nodes: int64, by node of a hierarchy (`layout_kernels.Shape`), kept at its first leaf.
        bins: int64, BINS + OTHERS for each cell dimension: by part of a grid, then records without a value in it.
        prefixes: int64, 8 x BUCKETS for each prefix dimension: by characters cut and hashed prefix.
    """

    records: np.ndarray
    nodes: np.ndarray
    bins: np.ndarray
    prefixes: np.ndarray


SEEN = types.NamedUniTuple(W64, 4, Seen)


@njit(**JIT)
def _halve(counts):
    for i in range(counts.size):
        counts[i] >>= 1


@njit(**JIT)
def rarity(cells, words, v, shape, seen):
    """Count the record in slot v; its mean loss against all records so far, itself included, in `ONE` a dimension."""
    seen.records[0] += 1
    if seen.records[0] >= ELDEST:
        seen.records[0] >>= 1
        _halve(seen.nodes)
        _halve(seen.bins)
        _halve(seen.prefixes)
    records, total = seen.records[0], np.int64(0)
    inverse = (np.int64(1) << 40) // records
    for a in range(shape.size.size):
        cell, base = np.int64(cells[a, v]), a * (BINS + OTHERS)
        if shape.height[a] == 0:
            width = shape.span[a] // BINS + 1
            if cell > shape.span[a]:
                seen.bins[base + BINS + (cell > 2 * shape.span[a] + 1)] += 1
                total += ONE
                continue
            seen.bins[base + cell // width] += 1
            apart = np.int64(0)
            for q in range(BINS):
                apart += abs(cell - (2 * q + 1) * width // 2) * seen.bins[base + q]
            others = min(seen.bins[base + BINS] + seen.bins[base + BINS + 1], records)
            total += ((apart // records * shape.scale[a]) >> 10) + (((others * inverse) >> 20) * (ONE >> 10) >> 10)
            continue
        for q in range(shape.height[a]):
            p = shape.first[a] + q * shape.size[a] + cell
            at = shape.first[a] + q * shape.size[a] + shape.node_low[p]
            seen.nodes[at] += 1
            total += (shape.node_rise[p] * (((records - min(seen.nodes[at], records)) * inverse) >> 20)) >> 20
    for a in range(words.shape[0]):
        for cut in range(shape.word_length[a]):
            prefix = words[a, v] >> types.uint64(8 * cut)
            at = (a * 8 + cut) * BUCKETS + np.int64((prefix * types.uint64(0x9E3779B97F4A7C15)) >> types.uint64(56))
            seen.prefixes[at] += 1
            other = records - min(seen.prefixes[at], records)
            total += (shape.word_rise[a, cut] * ((other * inverse) >> 20)) >> 20
    return total
