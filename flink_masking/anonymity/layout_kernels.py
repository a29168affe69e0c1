"""The space and the groups as arrays, and the unit of loss: what several kernels are compiled with, and their callers use.

Compiled code holds the number and the order of fields, so they lie among the sources that the kernels' cache goes by.
"""

from typing import NamedTuple

import numpy as np

ONE = 1 << 20
"""The loss of one whole dimension, in the integers that the kernel adds up: sums are exact and the same on every machine."""


class Shape(NamedTuple):
    """The space as arrays. Grids and hierarchies have uint16 cells, prefixes uint64 words; each kind is numbered on its own.

    A node of a hierarchy is found by level and leaf: entry ``first + level * size + leaf``, levels from the leaves up, without the root.

    Attributes:
        size: int64, for each cell dimension: its number of cells or leaves.
        height: int64, likewise: levels below the root of a hierarchy, 0 for a grid.
        first: int64, likewise: where its nodes begin.
        span: int64, likewise: the last cell of a grid's domain (codes beyond it stand for no value in the domain), 0 for a hierarchy.
        scale: int32, likewise: loss of one cell of a grid, in 2^-10 loss units.
        node_low: uint16, for each node: its first leaf.
        node_high: uint16, for each node: its last leaf.
        node_rise: int32, for each node: how much more its parent loses.
        word_length: int64, for each prefix dimension: its characters.
        word_rise: int32, (prefix dimensions, 8): by characters cut: how much more is lost when one more is cut.
    """

    size: np.ndarray
    height: np.ndarray
    first: np.ndarray
    span: np.ndarray
    scale: np.ndarray
    node_low: np.ndarray
    node_high: np.ndarray
    node_rise: np.ndarray
    word_length: np.ndarray
    word_rise: np.ndarray


class Groups(NamedTuple):
    """What one call released and suppressed. Group g has the members ``seq[end[g - 1]:end[g]]``.

    Attributes:
        seq: int64, arrival numbers of the released records, group by group.
        end: int64, where each group ends in `seq`.
        low: uint64, (groups, dimensions): lower corner of each box, in the order of the space.
        high: uint64, likewise, the upper corner.
        at: int64, for each group the last arrival before it left.
        suppressed: int64, arrival numbers of the suppressed records.
        reason: int64, for each suppressed record 0 = fewer than k people, i + 1 = model i does not hold.
    """

    seq: np.ndarray
    end: np.ndarray
    low: np.ndarray
    high: np.ndarray
    at: np.ndarray
    suppressed: np.ndarray
    reason: np.ndarray
