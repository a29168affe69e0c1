"""What monitors have looked through last, kept in memory so that canaries that come later are looked up in it, too."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from flink_masking.leaks.canaries import LOOK, WRITE

if TYPE_CHECKING:
    from flink_masking.leaks.monitor import Monitor

KEPT = WRITE + LOOK
"""Milliseconds after which the canaries of a batch's values have been written and read: then it is looked through again, once."""
MOST = 128 << 20
"""Bytes that are kept, at most: above, the oldest batches go without a second look."""
HIT = 256
"""Bytes of a hit in memory, about."""


@dataclass(frozen=True)
class Looked:
    """Values of a batch that canaries were looked up for.

    Attributes:
        monitor: looked.
        generation: of the canaries that were looked up.
        data: uint8.
        starts: int32 or int64, m: value i is ``data[starts[i]:ends[i]]``.
        ends: like `starts`.
        paths: int32, m: number of each value's path.
        place: uint8, m: what of it is looked for, a `Place`.
        binary: as for `Monitor.text_of`.
        hits: number of the value, stream and field of what was found.
    """

    monitor: "Monitor"
    generation: int
    data: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    paths: np.ndarray
    place: np.ndarray
    binary: bool
    hits: set[tuple[int, str, str]]

    @property
    def nbytes(self) -> int:
        """Bytes that it takes in memory."""
        arrays = self.data, self.starts, self.ends, self.paths, self.place
        return sum(array.nbytes for array in arrays) + HIT * len(self.hits)


class Recent:
    """The batches of the last seconds, of one monitor or of several."""

    def __init__(self, clock: Callable[[], int]) -> None:
        """Nothing is kept yet.

        Args:
            clock: ms since 1970.
        """
        self._clock, self._batches = clock, deque[tuple[int, Looked]]()
        self.nbytes = 0

    def add(self, batch: Looked) -> None:
        """Keep a batch until its second look."""
        self._batches.append((self._clock(), batch))
        self.nbytes += batch.nbytes
        while self.nbytes > MOST:
            self._next()

    def look_again(self, ended: bool = False) -> "list[Monitor]":
        """Give each batch whose time has come its second look, which is its last one; call it when new canaries have been read.

        Args:
            ended: all batches: nothing is looked through any more.

        Returns:
            The monitors that looked.
        """
        before = self._clock() - KEPT
        looked = dict["Monitor", None]()
        while self._batches and (ended or self._batches[0][0] <= before):
            batch = self._next()
            looked[batch.monitor] = None
            batch.monitor.look_up(batch)
        return list(looked)

    def __iter__(self) -> Iterator[Looked]:
        """The batches that wait for their second look, the oldest first."""
        return (batch for _, batch in self._batches)

    def _next(self) -> Looked:
        _, batch = self._batches.popleft()
        self.nbytes -= batch.nbytes
        return batch
