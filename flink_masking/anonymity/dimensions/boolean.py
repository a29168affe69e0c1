"""Booleans as a dimension."""

import numpy as np
import pyarrow as pa

from flink_masking.anonymity.dimensions.base import of_kind
from flink_masking.anonymity.dimensions.tree import HierarchyDimension
from flink_masking.hierarchy import Hierarchy
from flink_masking.records.kinds import BOOLEAN


class BooleanDimension(HierarchyDimension):
    """``true`` and ``false``, released as these words, or ``*`` for both. A text "true" is not in the domain."""

    def __init__(self, categories: bool = False) -> None:
        """The two leaves."""
        super().__init__(Hierarchy([("false", "*"), ("true", "*")], "boolean"), categories)
        self.signature = "boolean" + " categories" * categories

    def encode(self, text: pa.StringArray, kinds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Dimension.encode`."""
        codes, ok = super().encode(text, kinds)
        return codes, ok & of_kind(kinds, BOOLEAN)
