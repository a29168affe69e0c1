"""Sensitive values with a declared domain: codes that closeness models can compare."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.anonymity.comparing import folded_text, number_text
from flink_masking.anonymity.dimensions.base import of_kind
from flink_masking.anonymity.dimensions.grid import Grid
from flink_masking.arrow import strings
from flink_masking.errors import PolicyError
from flink_masking.records.kinds import NUMERIC, SCALAR


class SensitiveDomain(ABC):
    """The values of a sensitive field, coded 0 to `size` - 1; `size` is the code of no value.

    Attributes:
        size: number of values.
    """

    size: int

    @abstractmethod
    def encode(self, text: pa.StringArray, kinds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Codes of values.

        Args:
            text: n values as text.
            kinds: n `Kind` codes.

        Returns:
            n codes (int64; any where not in the domain); n bools, whether the value is in the domain.
        """


class Listed(SensitiveDomain):
    """Values that are listed; a number counts by its value, a boolean as its text."""

    def __init__(self, values: Sequence[str], folded: bool = False) -> None:
        """Number the values in their order.

        Args:
            values: as written.
            folded: whether text counts without case and the blanks around it.

        Raises:
            PolicyError: a value is listed twice.
        """
        told_apart = [folded_text(value) for value in values] if folded else list(values)
        if len(set(told_apart)) != len(values):
            raise PolicyError("t_closeness: a value is listed twice. Hint: each value once, in order")
        self.values, self.size = tuple(values), len(values)
        self._set = strings(told_apart)
        self._numbers = strings(number_text(value) for value in told_apart)

    def encode(self, text: pa.StringArray, kinds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `SensitiveDomain`; texts in the form of `comparable`."""
        found = pc.index_in(text, value_set=self._set).fill_null(-1).to_numpy(zero_copy_only=False)
        numbers = of_kind(kinds, NUMERIC)
        if numbers.any():
            by_value = pc.index_in(text, value_set=self._numbers).fill_null(-1).to_numpy(zero_copy_only=False)
            found = np.where(numbers, by_value, found)
        return found.astype(np.int64), (found >= 0) & of_kind(kinds, SCALAR)


class Binned(SensitiveDomain):
    """Numbers or dates of a domain that is cut into equal parts."""

    def __init__(self, grid: Grid, bins: int) -> None:
        """Cut a domain into at most `bins` parts."""
        self.grid, self.size = grid, min(bins, grid.span + 1)

    def encode(self, text: pa.StringArray, kinds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `SensitiveDomain`."""
        cells, ok = self.grid.encode(text, kinds)
        return cells.astype(np.int64) * self.size // (self.grid.span + 1), ok
