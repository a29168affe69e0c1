"""The forms in which a value can be released without a group: from the value itself to coarser and coarser labels."""

import numpy as np

from flink_masking.anonymity.dimensions import Dimension, Grid, HierarchyDimension, PrefixDimension


def rungs(dimension: Dimension) -> int:
    """Forms of a value below the root."""
    if isinstance(dimension, Grid):
        return dimension.span.bit_length()
    if isinstance(dimension, HierarchyDimension):
        return len(dimension.nodes)
    assert isinstance(dimension, PrefixDimension)
    return dimension.length


def climb(dimension: Dimension, codes: np.ndarray, rung: int) -> tuple[np.ndarray, np.ndarray]:
    """The range of codes that a form covers.

    Grids are cut into halves of halves: rung r holds 2^r cells. Hierarchies climb their levels, prefixes lose a character a rung.

    Args:
        dimension: of the codes.
        codes: n.
        rung: 0 for the value itself, up to `rungs` - 1.

    Returns:
        Lowest and highest code, n each (uint64).
    """
    if isinstance(dimension, HierarchyDimension):
        first, last = dimension.nodes[rung]
        return first[codes].astype(np.uint64), last[codes].astype(np.uint64)
    words = codes.astype(np.uint64)
    bits = np.uint64(rung if isinstance(dimension, Grid) else 8 * rung)
    low = words >> bits << bits
    high = low | ((np.uint64(1) << bits) - np.uint64(1))
    if isinstance(dimension, Grid):
        high = np.minimum(high, np.uint64(dimension.span))
    special = np.zeros(len(words), np.bool_)
    for code in (dimension.missing, dimension.unknown):
        special |= words == np.uint64(code) if code is not None else False
    return np.where(special, words, low), np.where(special, words, high)
