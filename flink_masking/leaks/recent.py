"""What a monitor has looked through last, kept in memory so that canaries that come later are looked up in it, too."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

KEPT = 6_000
"""Milliseconds that a batch is kept: canaries are written every two seconds and read every two seconds."""
MOST = 64 << 20
"""Bytes that are kept, at most: above, the oldest batches go earlier."""


@dataclass
class Looked:
    """Values of a batch that canaries were looked up for.

    Attributes:
        at: when, ms since 1970.
        data: uint8.
        starts: int64, m: value i is ``data[starts[i]:ends[i]]``.
        ends: int64, m.
        paths: int32, m: number of each value's path.
        place: uint8, m: what of it is looked for, a `Place`.
        binary: as for `Monitor.text_of`.
        hits: number of the value, stream and field of what was found.
    """

    at: int
    data: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    paths: np.ndarray
    place: np.ndarray
    binary: bool
    hits: set[tuple[int, str, str]]


class Recent:
    """The batches of the last seconds."""

    def __init__(self, clock: Callable[[], int]) -> None:
        """Nothing is kept yet.

        Args:
            clock: ms since 1970.
        """
        self._clock, self._batches, self._bytes = clock, deque[Looked](), 0

    def add(self, data: np.ndarray, starts: np.ndarray, ends: np.ndarray, paths: np.ndarray, place: np.ndarray, binary: bool,
            hits: set[tuple[int, str, str]]) -> None:
        """Keep a batch; for the arguments see `Looked`."""
        self._batches.append(Looked(self._clock(), data, starts, ends, paths, place, binary, hits))
        self._bytes += data.nbytes
        self._drop()

    def __iter__(self) -> Iterator[Looked]:
        """The batches that are not too old, the oldest first."""
        self._drop()
        return iter(self._batches)

    def _drop(self) -> None:
        oldest = self._clock() - KEPT
        while self._batches and (self._batches[0].at < oldest or self._bytes > MOST):
            self._bytes -= self._batches.popleft().data.nbytes
