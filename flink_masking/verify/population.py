"""The raw records as points, and which of them lie in a box."""

from collections.abc import Sequence

import numpy as np

from flink_masking.verify.attributes import Attribute, Box

Corner = tuple[tuple[int, int], ...]
"""First and last position in every attribute: what a box says, without its loss."""


class Population:
    """Points in the space of the quasi-identifiers, sorted by each attribute, so that a box is searched from its narrowest side.

    Attributes:
        rows: int64, the record of each point.
        people: int64, the person of each point.
    """

    def __init__(self, positions: Sequence[np.ndarray], rows: np.ndarray, people: np.ndarray) -> None:
        """Take the points.

        Args:
            positions: for each attribute int64 (records, 2): first and last position of its value.
            rows: records that are points.
            people: the person of each record, of all records.
        """
        self.rows, self.people = rows, people[rows]
        columns, self._of, self._steps = [], [], []
        for number, places in enumerate(positions):
            for column in {0, 1} if (places[:, 0] != places[:, 1]).any() else {0}:  # of a set both ends must lie in the box
                steps, ranks = np.unique(places[rows, column], return_inverse=True)
                columns.append(ranks.astype(np.uint32))
                self._steps.append(steps)
                self._of.append(number)
        self._ranks = np.array(columns, np.uint32).reshape(len(columns), len(rows))
        self._order = [np.argsort(ranks, kind="stable") for ranks in self._ranks]
        self._sorted: dict[int, np.ndarray] = {}
        self._counts = [np.concatenate(([0], np.cumsum(np.bincount(ranks)))) for ranks in self._ranks]

    def within(self, corner: Corner) -> np.ndarray:
        """Numbers of the points in a box, in no particular order."""
        narrow: list[tuple[int, np.uint32, np.uint32]] = []
        best, start, stop = 0, 0, len(self.rows)
        for at, (number, steps) in enumerate(zip(self._of, self._steps, strict=True)):
            first, last = np.searchsorted(steps, corner[number][0]), np.searchsorted(steps, corner[number][1], "right")
            if first >= last:
                return np.zeros(0, np.int64)
            if last - first == len(steps):
                continue
            begin, end = int(self._counts[at][first]), int(self._counts[at][last])
            narrow.append((at, np.uint32(first), np.uint32(last - first)))
            if end - begin < stop - start:
                best, start, stop = at, begin, end
        if not narrow:
            return np.arange(len(self.rows))
        block, inside = self._by(best)[:, start:stop], np.ones(stop - start, np.bool_)
        for at, low, width in narrow:
            if at != best:  # below the range, the difference wraps around to a large number
                inside &= block[at] - low < width
        return self._order[best][start:stop][inside]

    def _by(self, column: int) -> np.ndarray:
        """All ranks in the order of one column; made when it is first asked for."""
        if column not in self._sorted:
            self._sorted[column] = self._ranks[:, self._order[column]]
        return self._sorted[column]


def boxes_of(attribute: Attribute, labels: Sequence[object]) -> list[Box | None]:
    """What each label of a release says."""
    return [attribute.box(label) for label in labels]


def combined(columns: Sequence[np.ndarray], size: int) -> np.ndarray:
    """One number a row (int64, from 0) for the combination of its numbers in all columns; 0 without columns."""
    whole = np.zeros(size, np.int64)
    for column in columns:
        whole = np.unique(whole * (int(column.max(initial=0)) + 1) + column, return_inverse=True)[1]
    return whole
