"""Values of a hierarchy as a dimension."""

import hashlib
import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.anonymity.dimensions.base import ROOT, Dimension, of_kind
from flink_masking.errors import PolicyError
from flink_masking.hierarchy import Hierarchy
from flink_masking.records.kinds import SCALAR


class HierarchyDimension(Dimension):
    """The leaves of a hierarchy in depth-first order; every node is a range of leaf numbers.

    A value is in the domain when its text is a leaf. The label is the lowest common node; the root's is ``*``, whatever the file
    calls it. A node loses (its leaves - 1) / (all leaves - 1).

    Attributes:
        hierarchy: the tree.
        nodes: for each level below the root, from the leaves up: first and last leaf of the node above each leaf (uint16, leaves).
    """

    def __init__(self, hierarchy: Hierarchy) -> None:
        """Number the leaves.

        Raises:
            PolicyError: more than 65,536 leaves.
        """
        if len(hierarchy.leaves) > 1 << 16:
            raise PolicyError("hierarchy: more than 65,536 values. Hint: generalise the lowest level in the file")
        self.hierarchy, self.top = hierarchy, len(hierarchy.leaves) - 1
        self.signature = "hierarchy " + hashlib.sha256(json.dumps(hierarchy.paths).encode()).hexdigest()
        self.nodes = tuple(_ranges(hierarchy.labels(level)) for level in range(hierarchy.height))
        self._leaves = pa.array(hierarchy.leaves, pa.string())

    def encode(self, text: pa.StringArray, kinds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Dimension.encode`."""
        found = pc.index_in(text, value_set=self._leaves).fill_null(-1).to_numpy(zero_copy_only=False)
        ok = (found >= 0) & of_kind(kinds, SCALAR)
        return np.where(ok, found, 0).astype(np.uint16), ok

    def level(self, low: int, high: int) -> int:
        """The level of the lowest node that has both leaves."""
        common = (level for level, (_, last) in enumerate(self.nodes) if last[low] >= high)
        return next(common, self.hierarchy.height)

    def label(self, low: int, high: int) -> str:
        """The label of the lowest common node."""
        level = self.level(low, high)
        return ROOT if level == self.hierarchy.height else self.hierarchy.paths[low][level]

    def loss(self, low: int, high: int) -> float:
        """(leaves of the lowest common node - 1) / (leaves of the root - 1)."""
        level = self.level(low, high)
        if level == self.hierarchy.height:
            return float(self.top > 0)
        first, last = self.nodes[level]
        return (int(last[low]) - int(first[low])) / max(1, self.top)


def _ranges(labels: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """For each leaf the first and the last leaf with the same label; equal labels are neighbours."""
    codes = np.unique(np.array(labels), return_inverse=True)[1]
    starts = np.flatnonzero(np.concatenate(([True], codes[1:] != codes[:-1])))
    sizes = np.diff(np.concatenate((starts, [len(codes)])))
    return np.repeat(starts, sizes).astype(np.uint16), np.repeat(starts + sizes - 1, sizes).astype(np.uint16)
