"""The smallest hashes of a set: how many different values there are, and how many two sets share, without keeping a value."""

import numpy as np

SIZE = 2048
"""Hashes that are kept of a set; up to so many different values counts are exact, beyond within some percent."""
_ALL = float(1 << 64)
NOTHING = np.zeros(0, np.uint64)
EVERYTHING = np.uint64(0xFFFFFFFFFFFFFFFF)


class Sketches:
    """For each path the `SIZE` smallest hashes of its values, which two paths keep of the same values.

    Attributes:
        below: uint64, for each path the hash from which on nothing is kept.
        hashes: by path, ascending.
    """

    def __init__(self, paths: int) -> None:
        """Begin with empty sets for so many paths."""
        self.below = np.full(paths, EVERYTHING, np.uint64)
        self.hashes: dict[int, np.ndarray] = {}

    def add(self, places: np.ndarray, hashes: np.ndarray) -> None:
        """Add hashes (uint64, n, not 0) to the sets of their paths (n)."""
        kept = hashes < self.below[places]
        places, hashes = places[kept], hashes[kept]
        if not len(places):
            return
        order = np.argsort(places, kind="stable")
        places, hashes = places[order], hashes[order]
        edges = np.flatnonzero(np.diff(places)) + 1
        for place, group in zip(places[np.r_[0, edges]].tolist(), np.split(hashes, edges), strict=True):
            self._merge(place, group)

    def _merge(self, place: int, group: np.ndarray) -> None:
        found = np.unique(np.concatenate([self.hashes.get(place, NOTHING), group]))
        if len(found) > SIZE:
            found = found[: SIZE + 1]
            self.below[place] = min(self.below[place], found[SIZE])
            found = found[:SIZE]
        self.hashes[place] = found

    def join(self, into: int, place: int) -> None:
        """Add the set of one path to that of another."""
        if place in self.hashes:
            self.below[into] = min(self.below[into], self.below[place])
            self._merge(into, self.hashes[place])
            self.hashes[into] = self.hashes[into][self.hashes[into] < self.below[into]]

    def of(self, place: int) -> np.ndarray:
        """The hashes kept of a path, ascending."""
        return self.hashes.get(place, NOTHING)

    def distinct(self, place: int) -> tuple[int, bool]:
        """How many different values a path has, and whether that is exact."""
        found = self.of(place)
        if self.below[place] == EVERYTHING:
            return len(found), True
        return max(SIZE, round(len(found) / (float(self.below[place]) / _ALL))), False
