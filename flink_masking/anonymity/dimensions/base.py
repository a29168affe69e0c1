"""What a dimension is: one quasi-identifier with a public, fixed domain."""

from abc import ABC, abstractmethod
from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from flink_masking.records.kinds import Kind

ROOT = "*"
"""The label of a whole domain."""
UNKNOWN = "unknown"
"""The label of values that lie in no domain, where they have a category of their own."""


class Dimension(ABC):
    """One quasi-identifier, coded so that what is close in the domain is close in code: a generalised value is a range of codes.

    Contract: nothing is learned from data (bounds that are learned give the extremes away); ``label(a, b)`` covers every value whose
    code lies in [a, b]; a label that covers more never loses less.

    Attributes:
        dtype: of the codes: uint16 (a number of at most 65,536 cells or leaves) or uint64 (text).
        top: the largest code.
        signature: one line that names the domain; codes of two dimensions of the same signature mean the same.
        missing: the code of records without a value, None where they have none. Together with anything else they lose everything.
        unknown: the code of values outside the domain, likewise.
    """

    dtype: type[np.uint16] | type[np.uint64] = np.uint16
    top: int
    signature: str
    missing: int | None = None
    unknown: int | None = None

    @abstractmethod
    def encode(self, text: pa.StringArray, kinds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The codes of values.

        Args:
            text: n values as text, as in `techniques.base.Values`; null is not in any domain.
            kinds: n `Kind` codes.

        Returns:
            n codes of `dtype`, 0 where not in the domain; n bools, whether the value is in the domain.
        """

    @abstractmethod
    def label(self, low: int, high: int) -> str | None:
        """The released form of the codes low to high, both included; None (JSON null) for records without a value among themselves."""

    @abstractmethod
    def loss(self, low: int, high: int) -> float:
        """What ``label(low, high)`` loses, 0 (one value) to 1 (the whole domain)."""


def of_kind(kinds: np.ndarray, wanted: Iterable[Kind]) -> np.ndarray:
    """Where the kind is one of those wanted (bool, n)."""
    table = np.zeros(len(Kind), np.bool_)
    table[[int(kind) for kind in wanted]] = True
    return table[kinds]


def not_null(text: pa.StringArray) -> np.ndarray:
    """Where an array has a value (bool, n)."""
    if not text.null_count:
        return np.ones(len(text), np.bool_)
    present: np.ndarray = text.is_valid().to_numpy(zero_copy_only=False)
    return present
