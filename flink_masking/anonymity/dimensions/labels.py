"""Sets of categories as a dimension: an array of labels of one hierarchy."""

import numpy as np
import pyarrow as pa

from flink_masking.anonymity.dimensions.base import ROOT
from flink_masking.anonymity.dimensions.tree import HierarchyDimension
from flink_masking.errors import PolicyError
from flink_masking.hierarchy import Hierarchy


class LabelsDimension(HierarchyDimension):
    """Sets of leaves of a hierarchy. A set stands for the lowest node that holds all its labels.

    The released node covers every label of every record of the group: whoever reads ``East`` knows that each label of the record lies
    below East, and not how many there are. A set of one label is that leaf; one with labels below several nodes loses what their common
    node loses, even alone. An empty set counts as missing.

    Nodes that a set can stand for have a code of their own behind their leaves.
    """

    def __init__(self, hierarchy: Hierarchy, categories: bool = False) -> None:
        """Number leaves and nodes.

        Raises:
            PolicyError: more than 65,534 leaves and nodes.
        """
        super().__init__(hierarchy)
        leaves, height = len(hierarchy.leaves), hierarchy.height
        ranges = [*self.nodes, (np.zeros(leaves, np.uint16), np.full(leaves, leaves - 1, np.uint16))]
        order: list[tuple[int, int]] = []  # (leaf, level); level 0 is the leaf itself, another one the node of that level above it
        for leaf in range(leaves):
            order.append((leaf, 0))
            for level in range(1, height + 1):
                first, last = int(ranges[level][0][leaf]), int(ranges[level][1][leaf])
                if last == leaf and first < leaf and first < ranges[level - 1][0][leaf]:
                    order.append((leaf, level))
        if len(order) > (1 << 16) - 2:
            raise PolicyError("hierarchy: more than 65,534 values and nodes. Hint: generalise the lowest level in the file")
        self._order, number = order, np.arange(len(order), dtype=np.uint16)
        self._codes = np.array([code for code, (_, level) in enumerate(order) if level == 0], np.uint16)
        self._above = [np.zeros(leaves, np.uint16) for _ in range(height + 1)]
        nodes, self._losses = [], []
        ends = np.repeat(self._codes[None], height + 1, axis=0)
        tree, own = np.array([leaf for leaf, _ in order]), np.array([level for _, level in order])
        for code, (leaf, level) in enumerate(order):
            if level:
                self._above[level][ranges[level][0][leaf] : leaf + 1] = code
                ends[level:, leaf] = code
        for level in range(height):
            first, last = self._codes[ranges[level][0][tree]], ends[level][ranges[level][1][tree]]
            beyond = own > level  # a set wider than the nodes of this level stays what it is
            nodes.append((np.where(beyond, number, first), np.where(beyond, number, last)))
            at = np.maximum(own, level)
            widths = np.array([last.astype(np.float64) - first for first, last in ranges])
            self._losses.append(widths[at, tree] / max(1, leaves - 1))
        self._ranges, self.nodes, self.top = ranges, tuple(nodes), len(order) - 1
        self._last, self.signature = self.top, "sets " + self.signature
        if categories:
            self._add_categories()
            self._losses = [np.append(losses, [0.0, 0.0]) for losses in self._losses]

    def encode_sets(self, text: pa.StringArray, kinds: np.ndarray, rows: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The codes of sets.

        Args:
            text: all labels, row by row.
            kinds: their kinds.
            rows: int32, the row of each, ascending.
            n: number of rows.

        Returns:
            n codes, 0 where not in the domain; n bools, whether all labels of the row are in the hierarchy (true for an empty set);
            n bools, whether the set is empty.
        """
        leaves, known = self.encode(text, kinds)
        low, high, ok = np.full(n, len(self.hierarchy.leaves), np.int64), np.full(n, -1, np.int64), np.ones(n, np.bool_)
        np.minimum.at(low, rows, leaves)
        np.maximum.at(high, rows, leaves)
        ok[rows[~known]] = False
        empty = high < 0
        low, high = np.where(empty, 0, low), np.where(empty, 0, high)
        codes, pending = self._codes[low], low != high
        for level in range(1, self.hierarchy.height + 1):
            here = pending & (self._ranges[level][1][low] >= high)
            codes = np.where(here, self._above[level][low], codes)
            pending &= ~here
        return np.where(ok & ~empty, codes, 0).astype(np.uint16), ok, empty

    def label(self, low: int, high: int) -> str | None:
        """The label of the lowest node that holds all sets."""
        if low > self._last:
            return super().label(low, high)
        leaf, own = self._order[low]
        level = max(own, self.level(low, high)) if low != high else own
        return ROOT if level == self.hierarchy.height else self.hierarchy.paths[leaf][level]

    def node_losses(self, level: int) -> np.ndarray:
        """See `HierarchyDimension`."""
        return self._losses[level]
