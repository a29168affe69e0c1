"""A dimension of equally spaced units (numbers, days), cut into at most 65,536 cells."""

from abc import abstractmethod

import numpy as np

from flink_masking.anonymity.dimensions.base import ROOT, UNKNOWN, Dimension
from flink_masking.errors import PolicyError

CELLS = 1 << 16
LIMIT = 1 << 62
"""Bounds stay below this, so that a difference of two units fits in int64."""


class Grid(Dimension):
    """Units low to high, in cells of `width` units; a code is the number of a cell.

    Labels round outwards to whole cells, cut at the ends of the domain: they always cover, and never tell more than the cells do.

    Attributes:
        low: first unit of the domain.
        high: last unit of the domain.
        width: units in a cell; 1 when the domain has at most 65,536 units (21,845 with categories).
        span: the last cell.
    """

    def __init__(self, low: int, high: int, signature: str, categories: bool = False) -> None:
        """Cut the domain into cells.

        Args:
            low: first unit.
            high: last unit.
            signature: see `Dimension`.
            categories: whether missing and unknown values have codes; these lie further from any cell than cells from each other.

        Raises:
            PolicyError: low is above high, a bound is beyond 2^62 units, or a domain of one unit has categories.
        """
        if low > high:
            raise PolicyError("domain: the lower bound is above the upper bound. Hint: domain: [low, high]")
        if max(-low, high) >= LIMIT:
            raise PolicyError("domain: a bound has more than 18 digits (with its decimals). Hint: a smaller scale or domain")
        self.low, self.high, self.signature = low, high, signature
        self.width = -(-(high - low + 1) // (CELLS // 3 if categories else CELLS))
        self.span = self.top = (high - low) // self.width
        if categories:
            if low == high:
                raise PolicyError("domain: only one value. Hint: domain: [low, high]")
            self.missing, self.unknown = 2 * self.span + 1, 3 * self.span + 2
            self.top, self.signature = self.unknown, f"{signature} categories"

    def cells(self, units: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cell numbers (uint16, 0 where not in the domain) of units (int64), and where valid units are in the domain."""
        ok = valid & (units >= self.low) & (units <= self.high)
        return np.where(ok, (np.where(ok, units, self.low) - self.low) // self.width, 0).astype(np.uint16), ok

    def bounds(self, low: int, high: int) -> tuple[int, int]:
        """First and last unit that the cells low to high cover."""
        return self.low + low * self.width, min(self.high, self.low + (high + 1) * self.width - 1)

    def label(self, low: int, high: int) -> str | None:
        """One unit as it is, a range from the first to the last unit, or ``*`` for the whole domain."""
        if high > self.span:
            return ROOT if low < high else None if low == self.missing else UNKNOWN
        first, last = self.bounds(low, high)
        if (first, last) == (self.low, self.high):
            return ROOT
        return self.unit(first) if first == last else self.range(self.unit(first), self.unit(last))

    def loss(self, low: int, high: int) -> float:
        """(u - l) / (U - L) over the units that the label covers."""
        if high > self.span:
            return float(low < high)
        first, last = self.bounds(low, high)
        return (last - first) / max(1, self.high - self.low)

    @abstractmethod
    def unit(self, unit: int) -> str:
        """The text of one unit."""

    @abstractmethod
    def range(self, first: str, last: str) -> str:
        """The text of a range, both ends included."""
