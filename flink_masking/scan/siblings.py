"""Members such as type, system, url or key, whose value says what a sibling, or a member of it, holds: an address or a number."""

from typing import NamedTuple

import numpy as np

from flink_masking.records.kinds import Kind
from flink_masking.scan.members import Members
from flink_masking.scan.tree import Numbering

NAMES = frozenset((
    "type", "system", "url", "key", "kind", "name", "code", "use", "category", "field", "attribute", "scheme", "label", "property", "rel"))
"""Last keys, in small letters, of members that may discriminate."""
MOST = 64
"""Different values of one that discriminates, at most."""
LEAST = 5
"""Values of a sibling that say something, at least."""


class Discriminator(NamedTuple):
    """A member by which its sibling's values can be told apart.

    Attributes:
        path: number of its path.
        sibling: number of the sibling's path.
        different: how many different values it has.
        values: values of the sibling that were looked at.
        alone: how many of them are of the commonest class.
        explained: how many are of the commonest class among those with the same discriminating value.
        classes: how many values are of each class: shape, or `SHAPES` and the number of a type and 1.
    """

    path: int
    sibling: int
    different: int
    values: int
    alone: int
    explained: int
    classes: dict[int, int]


class Siblings:
    """Counts of sibling values by the hash of the discriminating value and by class."""

    def __init__(self, paths: Numbering) -> None:
        """Begin with nothing."""
        self._paths, self._parents, self._telling = paths, np.zeros(0, np.int32), np.zeros(0, bool)
        self._seen: dict[int, set[int]] = {}
        self._banned: set[int] = set()
        self._counts: dict[tuple[int, int], dict[tuple[int, int], int]] = {}

    def _grow(self) -> None:
        known, p = len(self._parents), self._paths
        if known < len(p):
            names = [isinstance(step, str) and step.lower() in NAMES for step in p.steps[known:]]
            self._parents = np.concatenate([self._parents, np.array(p.parents[known:], np.int32)])
            self._telling = np.concatenate([self._telling, np.array(names, bool)])

    def add(self, found: Members, hashes: np.ndarray, classes: np.ndarray) -> None:
        """Add a batch.

        Args:
            found: its members, n.
            hashes: uint64, n.
            classes: int, n, see `Discriminator.classes`.
        """
        self._grow()
        text = (found.kinds == Kind.STRING) | (found.kinds == Kind.ENCODED)
        telling = np.flatnonzero(self._telling[found.places] & text & (found.owners >= 0))
        if not len(telling):
            return
        value_of = np.zeros(len(found.starts), np.uint64)
        scalar = np.flatnonzero((found.kinds < Kind.NULL) & (found.owners >= 0))
        anchors = found.owners[scalar]
        deeper = (found.kinds[anchors] == Kind.OBJECT) & (found.owners[anchors] >= 0)  # {"key": …, "value": {"stringValue": …}}
        scalar, anchors = np.concatenate([scalar, scalar[deeper]]), np.concatenate([anchors, found.owners[anchors[deeper]]])
        above = found.places[anchors]
        for path in np.unique(found.places[telling]).tolist():
            if path in self._banned:
                continue
            own = telling[found.places[telling] == path]
            seen = self._seen.setdefault(path, set())
            seen.update(np.unique(hashes[own]).tolist()[: MOST + 1])
            if len(seen) > MOST:
                self._banned.add(path)
                continue
            value_of[found.owners[own]] = hashes[own]
            beside = np.flatnonzero((above == self._parents[path]) & (found.places[scalar] != path) & (value_of[anchors] != 0))
            others = scalar[beside]
            self._count(path, found.places[others], value_of[anchors[beside]], classes[others])
            value_of[found.owners[own]] = 0

    def _count(self, path: int, places: np.ndarray, values: np.ndarray, classes: np.ndarray) -> None:
        if not len(places):
            return
        rows = np.empty(len(places), [("place", np.int64), ("value", np.uint64), ("class", np.int64)])
        rows["place"], rows["value"], rows["class"] = places, values, classes
        order = np.lexsort((rows["class"], rows["value"], rows["place"]))
        rows = rows[order]
        edges = np.r_[0, np.flatnonzero(rows[1:] != rows[:-1]) + 1, len(rows)]
        for row, times in zip(rows[edges[:-1]].tolist(), np.diff(edges).tolist(), strict=True):
            counts = self._counts.setdefault((path, row[0]), {})
            counts[row[1:]] = counts.get(row[1:], 0) + times

    def found(self, targets: np.ndarray) -> list[Discriminator]:
        """The members that discriminate.

        Args:
            targets: for each path the one that it belongs to in the end, where maps have one path for all their members.
        """
        merged: dict[tuple[int, int], dict[tuple[int, int], int]] = {}
        for (path, sibling), counts in self._counts.items():
            if path not in self._banned:
                into = merged.setdefault((int(targets[path]), int(targets[sibling])), {})
                for key, times in counts.items():
                    into[key] = into.get(key, 0) + times
        results = []
        for (path, sibling), counts in merged.items():
            classes: dict[int, int] = {}
            by_value: dict[int, int] = {}
            for (value, kind), times in counts.items():
                classes[kind] = classes.get(kind, 0) + times
                by_value[value] = max(by_value.get(value, 0), times)
            total, alone, explained = sum(classes.values()), max(classes.values()), sum(by_value.values())
            if 2 <= len(by_value) <= MOST and total >= LEAST and explained >= 0.9 * total and explained - alone >= max(2, 0.05 * total):
                results.append(Discriminator(path, sibling, len(by_value), total, alone, explained, classes))
        return sorted(results)
