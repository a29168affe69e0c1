"""What raw records add up to in a window and group, once each person's contributions are bounded.

Which groups of a person count, and which records in them, is decided by keyed hashes, which an auditor does not have. By the promise each
choice is as likely as any other: so where a bound bites, the raw figure is known as a mean and a variance, and as a range; else exactly.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Figure:
    """A raw figure of every cell, a window and group.

    Attributes:
        mean: float64, what it is on average over the choices.
        variance: float64, over the choices; 0 where it is known.
        low: float64, at least.
        high: float64, at most.
    """

    mean: np.ndarray
    variance: np.ndarray
    low: np.ndarray
    high: np.ndarray


class Contributions:
    """Records by cell (window and group) and person.

    Attributes:
        cells: int64 (2, cells): window start and group, ascending.
        unsure: bool, a cell: late records, or people beyond their lifetime budget, may be missing from it.
        people: the number of distinct people of each cell.
        records: the number of records.
    """

    def __init__(self, start: np.ndarray, group: np.ndarray, person: np.ndarray, groups_each: int, records_each: int,
                 unsure: np.ndarray) -> None:
        """Sort records.

        Args:
            start: int64, the window's start, a record (a record in several windows is there several times).
            group: int64, its group.
            person: int64, its person.
            groups_each: groups of a window that a person counts in.
            records_each: records of a person that count in one of them.
            unsure: bool, whether the record may not count at all.
        """
        self._most, self.records = records_each, len(start)
        self._order = np.lexsort((person, group, start))
        start, group, person = start[self._order], group[self._order], person[self._order]
        new_cell = _changes(start, group)
        new_part = new_cell | _changes(person)
        self._part = np.cumsum(new_part) - 1  # a person's records in a cell
        first = np.flatnonzero(new_part)
        self._cell = (np.cumsum(new_cell) - 1)[first]
        self.cells = np.stack((start[new_cell], group[new_cell]))
        self._size = np.bincount(self._part, minlength=len(first))
        self._kept = np.minimum(self._size, records_each)
        of_window = np.unique(np.stack((start[first], person[first])), axis=1, return_inverse=True)[1].reshape(-1)
        groups = np.bincount(of_window, minlength=1)[of_window]
        self._chance = np.minimum(1.0, groups_each / np.maximum(groups, 1))
        self.unsure = np.zeros(self.cells.shape[1], np.bool_)
        maybe = unsure[self._order]
        self.unsure[self._cell[self._part[maybe]]] = True
        self._maybe = np.bincount(self._part, maybe, len(first)) > 0
        self.people = np.bincount(self._cell, minlength=self.cells.shape[1])

    def subjects(self) -> Figure:
        """Distinct people."""
        ones = np.ones(len(self._cell))
        return self._over(ones, np.zeros(len(ones)), ones, ones)

    def sums(self, numbers: np.ndarray) -> Figure:
        """The sum of a number, a record: of 1 it is the records, of a clipped value its sum."""
        number = numbers[self._order].astype(np.float64)
        total = np.bincount(self._part, number, len(self._size))
        square = np.bincount(self._part, number**2, len(self._size))
        n, kept = self._size.astype(np.float64), self._kept.astype(np.float64)
        spread = np.maximum(0.0, square - total**2 / np.maximum(n, 1)) / np.maximum(n - 1, 1)
        share = kept / np.maximum(n, 1)
        order = np.lexsort((number, self._part))
        rank = np.arange(len(number)) - np.concatenate(([0], np.cumsum(self._size)))[self._part]
        by_size = number[order]
        low = np.bincount(self._part, by_size * (rank < self._most), len(self._size))
        high = np.bincount(self._part, by_size * (rank >= self._size[self._part] - self._most), len(self._size))
        return self._over(share * total, kept * (1 - share) * spread, low, high)

    def _over(self, mean: np.ndarray, variance: np.ndarray, low: np.ndarray, high: np.ndarray) -> Figure:
        """By cell, from what each person adds where the cell is one of those that count."""
        chance, size = self._chance, self.cells.shape[1]
        certain = (chance >= 1) & ~self._maybe
        low, high = np.where(certain, low, np.minimum(low, 0)), np.where(certain, high, np.maximum(high, 0))
        whole = chance * mean
        spread = chance * (variance + mean**2) - whole**2
        return Figure(*(np.bincount(self._cell, part, size) for part in (whole, np.maximum(spread, 0), low, high)))


def _changes(*columns: np.ndarray) -> np.ndarray:
    """Where a row differs from the one before."""
    found = np.zeros(len(columns[0]), np.bool_)
    found[:1] = True
    for column in columns:
        found[1:] |= column[1:] != column[:-1]
    return found
