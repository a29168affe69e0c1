"""Members such as type, system, url or key, whose value says what the members beside it hold: an address or a number."""

from typing import NamedTuple

import numpy as np

from flink_masking.records.kinds import Kind
from flink_masking.records.paths import Wild
from flink_masking.scan.members import Members
from flink_masking.scan.tree import Numbering, above

NAMES = frozenset((
    "type", "system", "url", "key", "kind", "name", "code", "use", "category", "field", "attribute", "scheme", "label", "property", "rel"))
"""Last keys, in small letters, of members that may discriminate."""
MOST = 64
"""Different values of one that discriminates, at most."""
LEAST = 5
"""Values of a sibling that say something, at least."""
UP, ARRAYS = 5, 2
"""Levels between a member and the object that holds it and what it discriminates, and arrays among them, at most."""


class Discriminator(NamedTuple):
    """A member by which others in the same object can be told apart.

    Attributes:
        path: number of its path.
        sibling: number of the other's path.
        anchor: number of the path of the object that holds both.
        values: values of the sibling that were looked at.
        alone: how many of them are of the commonest class.
        explained: how many are of the commonest class among those with the same discriminating value.
        classes: by discriminating value, how many values are of each class: shape, or `SHAPES` and the number of a type and 1.
    """

    path: int
    sibling: int
    anchor: int
    values: int
    alone: int
    explained: int
    classes: dict[str, dict[int, int]]

    @property
    def tells(self) -> bool:
        """Whether the values of one kind are told from the others."""
        return len(self.classes) > 1 and self.explained >= 0.9 * self.values and self.explained - self.alone >= max(2, 0.05 * self.values)


class Siblings:
    """Counts of members' values by the discriminating value and by class."""

    def __init__(self, paths: Numbering) -> None:
        """Begin with nothing."""
        self._paths, self._known = paths, 0
        self._telling: list[int] = []
        self._anchors: dict[int, dict[int, int]] = {}
        self._held: dict[int, list[tuple[int, int]]] = {}
        self._texts: dict[int, dict[int, str]] = {}
        self._banned: set[int] = set()
        self._holders: dict[tuple[int, int], list[int]] = {}
        self._counts: dict[tuple[int, int, int], dict[tuple[int, int], int]] = {}

    def _grow(self) -> None:
        """List for new paths which objects hold them, and how many levels above."""
        p = self._paths
        for number in range(max(1, self._known), len(p)):
            step, parent = p.steps[number], p.parents[number]
            found = {parent: 1} if parent else {}
            if parent and p.parents[parent] and p.steps[parent] is not Wild.ELEMENT:  # {"key": …, "value": {"stringValue": …}}
                found[p.parents[parent]] = 2
            up, arrays, at = 1, 0, parent
            while at > 0 and up <= UP and arrays < ARRAYS:
                if p.steps[at] is Wild.ELEMENT:
                    found[at] = up
                    arrays += 1
                at, up = p.parents[at], up + 1
            for anchor, levels in found.items():
                self._held.setdefault(anchor, []).append((number, levels))
            if isinstance(step, str) and step.lower() in NAMES:
                self._telling.append(number)
                able = {anchor: levels for anchor, levels in found.items() if levels == 1 or p.steps[anchor] is Wild.ELEMENT}
                self._anchors[number] = able
        self._known = len(p)

    def add(self, found: Members, hashes: np.ndarray, classes: np.ndarray) -> None:
        """Add a batch.

        Args:
            found: its members, n.
            hashes: uint64, n.
            classes: int, n, see `Discriminator.classes`.
        """
        self._grow()
        if not self._telling or not (found.owners >= 0).any():
            return
        scalar = np.flatnonzero(found.kinds < Kind.NULL)
        order = scalar[np.argsort(found.places[scalar], kind="stable")]
        sorted_places = found.places[order]
        edges = np.searchsorted(sorted_places, np.arange(self._known + 1))
        first, last = edges[:-1], edges[1:]
        value_of = np.zeros(len(found.starts), np.uint64)
        for path in self._telling:
            own = order[first[path] : last[path]]
            own = own[(found.kinds[own] == Kind.STRING) | (found.kinds[own] == Kind.ENCODED)]
            if path in self._banned or not len(own) or not self._remember(path, found, own, hashes):
                continue
            for anchor, levels in self._anchors[path].items():
                holders = above(found.owners, own, levels)
                value_of[holders] = hashes[own]
                times = self._holders.setdefault((path, anchor), [0, 0])
                times[0] += len(holders)
                times[1] += np.count_nonzero(value_of[holders] != hashes[own])
                for other, up in self._held[anchor]:
                    if other == path or first[other] == last[other]:
                        continue
                    others = order[first[other] : last[other]]
                    values = value_of[above(found.owners, others, up)]
                    beside = np.flatnonzero(values)
                    self._count((path, other, anchor), values[beside], classes[others[beside]])
                value_of[holders] = 0

    def _remember(self, path: int, found: Members, own: np.ndarray, hashes: np.ndarray) -> bool:
        """Remember the texts of the values that discriminate; whether they are few."""
        texts = self._texts.setdefault(path, {})
        different, index = np.unique(hashes[own], return_index=True)
        for h, k in zip(different.tolist()[: MOST + 1], index.tolist(), strict=False):
            if h not in texts:
                texts[h] = found.data[found.starts[own[k]] : found.ends[own[k]]].tobytes().decode("utf-8", "replace")
        if len(texts) <= MOST:
            return True
        self._banned.add(path)
        del self._texts[path]
        return False

    def _count(self, pair: tuple[int, int, int], values: np.ndarray, classes: np.ndarray) -> None:
        if not len(values):
            return
        counts = self._counts.setdefault(pair, {})
        different, inverse = np.unique(values, return_inverse=True)
        both, times = np.unique(inverse.astype(np.int64) << 20 | classes.astype(np.int64), return_counts=True)
        for one, more in zip(both.tolist(), times.tolist(), strict=True):
            key = int(different[one >> 20]), one & 0xFFFFF
            counts[key] = counts.get(key, 0) + more

    def found(self, targets: np.ndarray) -> list[Discriminator]:
        """The members that other members' classes can be compared by.

        Args:
            targets: for each path the one that it belongs to in the end, where maps have one path for all their members.
        """
        merged: dict[tuple[int, int, int], dict[str, dict[int, int]]] = {}
        for (path, sibling, anchor), counts in self._counts.items():
            held, several = self._holders[path, anchor]
            if path in self._banned or several > 0.1 * held:  # the keys of a list in it, not one that says what it is
                continue
            into = merged.setdefault((int(targets[path]), int(targets[sibling]), int(targets[anchor])), {})
            for (value, kind), times in counts.items():
                one = into.setdefault(self._texts[path][value], {})
                one[kind] = one.get(kind, 0) + times
        results = []
        for (path, sibling, anchor), values in merged.items():
            classes: dict[int, int] = {}
            for one in values.values():
                for kind, times in one.items():
                    classes[kind] = classes.get(kind, 0) + times
            total, explained = sum(classes.values()), sum(max(one.values()) for one in values.values())
            if path != sibling and len(values) <= MOST and total >= LEAST:
                results.append(Discriminator(path, sibling, anchor, total, max(classes.values()), explained, values))
        return sorted(results, key=lambda one: one[:3])
