"""Values of a hierarchy as a dimension."""

import hashlib
import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.anonymity.dimensions.base import ROOT, UNKNOWN, Dimension, of_kind
from flink_masking.arrow import strings
from flink_masking.errors import PolicyError
from flink_masking.hierarchy import Hierarchy
from flink_masking.records.kinds import SCALAR


class HierarchyDimension(Dimension):
    """The leaves of a hierarchy in depth-first order; every node is a range of leaf numbers.

    A value is in the domain when its text is a leaf. The label is the lowest common node; the root's is ``*``, whatever the file
    calls it. A node loses (its leaves - 1) / (all leaves - 1). Categories of missing and unknown values are leaves of their own
    right below the root, which count in no node's loss.

    Attributes:
        hierarchy: the tree.
        nodes: for each level below the root, from the leaves up: first and last leaf of the node above each leaf (uint16, leaves).
    """

    def __init__(self, hierarchy: Hierarchy, categories: bool = False) -> None:
        """Number the leaves.

        Args:
            hierarchy: the tree.
            categories: whether missing and unknown values have codes.

        Raises:
            PolicyError: more than 65,534 leaves.
        """
        self.hierarchy, count = hierarchy, len(hierarchy.leaves)
        if count > (1 << 16) - 2:
            raise PolicyError("hierarchy: more than 65,534 values. Hint: generalise the lowest level in the file")
        self.top = count - 1
        self.signature = "hierarchy " + hashlib.sha256(json.dumps(hierarchy.paths).encode()).hexdigest()
        self.nodes = tuple(_ranges(hierarchy.labels(level)) for level in range(hierarchy.height))
        self._leaves, self._last = strings(hierarchy.leaves), self.top
        if categories:
            self._add_categories()

    def _add_categories(self) -> None:
        self.missing, self.unknown = self.top + 1, self.top + 2
        self.top, self.signature = self.unknown, self.signature + " categories"
        alone = np.array([self.missing, self.unknown], np.uint16)
        self.nodes = tuple((np.append(first, alone), np.append(last, alone)) for first, last in self.nodes)

    def encode(self, text: pa.StringArray, kinds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Dimension.encode`."""
        found = pc.index_in(text, value_set=self._leaves).fill_null(-1).to_numpy(zero_copy_only=False)
        ok = (found >= 0) & of_kind(kinds, SCALAR)
        return np.where(ok, found, 0).astype(np.uint16), ok

    def level(self, low: int, high: int) -> int:
        """The level of the lowest node that has both leaves."""
        common = (level for level, (_, last) in enumerate(self.nodes) if last[low] >= high)
        return next(common, self.hierarchy.height)

    def label(self, low: int, high: int) -> str | None:
        """The label of the lowest common node."""
        if low > self._last:
            return ROOT if low < high else None if low == self.missing else UNKNOWN
        level = self.level(low, high)
        return ROOT if level == self.hierarchy.height else self.hierarchy.paths[low][level]

    def node_losses(self, level: int) -> np.ndarray:
        """What the node of a level above each leaf loses (float64, leaves)."""
        first, last = self.nodes[level]
        return (last.astype(np.float64) - first) / max(1, self._last)

    def loss(self, low: int, high: int) -> float:
        """(leaves of the lowest common node - 1) / (leaves of the root - 1)."""
        level = self.level(low, high)
        return float(self.top > 0) if level == self.hierarchy.height else float(self.node_losses(level)[low])


def _ranges(labels: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """For each leaf the first and the last leaf with the same label; equal labels are neighbours."""
    codes = np.unique(np.array(labels), return_inverse=True)[1]
    starts = np.flatnonzero(np.concatenate(([True], codes[1:] != codes[:-1])))
    sizes = np.diff(np.concatenate((starts, [len(codes)])))
    return np.repeat(starts, sizes).astype(np.uint16), np.repeat(starts + sizes - 1, sizes).astype(np.uint16)
