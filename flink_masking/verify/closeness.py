"""t-closeness of classes: earth mover's distances of Li, Li and Venkatasubramanian (2007)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from flink_masking.verify.diversity import Occurrences
from flink_masking.verify.tree import Tree

CELLS = 1 << 22
"""Numbers of a block of shares at most."""


@dataclass(frozen=True)
class Ground:
    """Distances between values 0 to `size` - 1; the value `size` is none of them, and lies at distance 1.

    Attributes:
        size: values.
        parts: (first, last, weight): ranges of values; what has to leave or enter one costs its weight.
    """

    size: int
    parts: tuple[tuple[int, int, float], ...]

    @classmethod
    def equal(cls, size: int) -> "Ground":
        """All at distance 1: half the sum of what the shares differ by."""
        return cls(size, ())

    @classmethod
    def ordered(cls, size: int) -> "Ground":
        """Neighbours at distance 1 / (size - 1)."""
        step = 1 / max(1, size - 1)
        return cls(size, (*((0, v, step) for v in range(size - 1)), (size, size, 1.0)))

    @classmethod
    def hierarchical(cls, tree: Tree) -> "Ground":
        """By the level of the lowest common node."""
        size, parts = len(tree.paths), []
        for level in range(tree.levels):
            starts = [0, *(v for v in range(1, size) if tree.paths[v][level:] != tree.paths[v - 1][level:]), size]
            parts += [(low, high - 1, 0.5 / tree.levels) for low, high in pairwise(starts)]
        return cls(size, (*parts, (size, size, 0.5)))

    def distances(self, shares: np.ndarray, whole: np.ndarray) -> np.ndarray:
        """How far each row of shares, (rows, size + 1), lies from `whole`."""
        apart = shares - whole
        if not self.parts:
            return np.abs(apart).sum(1) / 2
        sums = np.concatenate((np.zeros((len(apart), 1)), np.cumsum(apart, 1)), 1)
        low, high = (np.array([part[i] for part in self.parts], np.int64) for i in (0, 1))
        weights = np.array([part[2] for part in self.parts])
        return np.abs(sums[:, high + 1] - sums[:, low]) @ weights


def distances(ground: Ground, found: Occurrences, whole: np.ndarray) -> np.ndarray:
    """The distance of every class from the shares of everybody, a block of classes at a time."""
    block = max(1, CELLS // (ground.size + 1 + len(ground.parts)))
    return np.concatenate([np.zeros(0), *(ground.distances(shares, whole) for shares in _blocks(found, ground.size + 1, block))])


def _blocks(found: Occurrences, width: int, block: int) -> Iterator[np.ndarray]:
    for start in range(0, len(found.size), block):
        size = found.size[start : start + block]
        a, b = np.searchsorted(found.owner, (start, start + len(size)))
        shares = np.zeros((len(size), width))
        shares[found.owner[a:b] - start, found.value[a:b]] = found.often[a:b]
        yield shares / size[:, None]


def drift(ground: Ground, values: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """How far the records up to some point can be from all records: the most, over all points from a given number of records on.

    A view that is compared with the running distribution was compared with that of the records that had come by then; a class that is
    further from everybody than t and this together was never close enough.

    Args:
        ground: the distances.
        values: int64, the value of each record in the order of their coming.
    """
    n, width = len(values), ground.size + 1
    points = np.unique(np.minimum(n, np.ceil(1.02 ** np.arange(0, 1 + np.log(max(2, n)) / np.log(1.02))).astype(np.int64)))
    seen, apart, before = np.zeros(width), [], 0
    whole = np.bincount(values, minlength=width) / max(1, n)
    for point in points:
        seen += np.bincount(values[before:point], minlength=width)
        before = int(point)
        apart.append(float(ground.distances(seen[None] / point, whole)[0]))
    farthest = 2 if whole[-1] else 1  # values at the far end of an order lie 2 apart from no value
    between = np.append(np.diff(points) / points[:-1], 0.0) * farthest  # a record moves 1/p of the shares of p records at most
    most = np.maximum.accumulate((np.array(apart) + between)[::-1])[::-1]
    return lambda records: most[np.clip(np.searchsorted(points, records, "right") - 1, 0, len(points) - 1)]
