"""slide-grow: the buffer of one shard, arrays in and groups out."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from flink_masking.anonymity import box_kernels as boxes
from flink_masking.anonymity import slide_grow_kernels as kernel
from flink_masking.anonymity.buffer import NEVER, Groups, Records
from flink_masking.anonymity.models import Models
from flink_masking.anonymity.rarity_kernels import BINS, BUCKETS, OTHERS, Seen
from flink_masking.anonymity.space import ONE, Space
from flink_masking.errors import PolicyError

__all__ = ["NO_PREFERENCE", "USUAL_PREFERENCE", "Groups", "Preference", "Records", "SlideGrow"]


class Preference(NamedTuple):
    """Which records join a group before others that would widen it as much.

    Attributes:
        rare: weight of a record's mean loss against all records before it, 0 to 1: rare ones are hard to place later.
        age: how much of a whole dimension's loss the newest record is dearer than the oldest, 0 to 1.
    """

    rare: float = 0.0
    age: float = 0.0


NO_PREFERENCE = Preference()
USUAL_PREFERENCE = Preference(rare=0.2)
"""Lowers the loss on all data it was tried on with a full buffer: census, clinical, generated (even, skewed, correlated, drifting)."""


class SlideGrow:
    """A buffer that lets the oldest record leave together with those that fit it best; see `Buffer` for the contract.

    At most `max_buffer` records stay, none longer than `max_delay` (as far as `expire` is called in time).
    """

    def __init__(self, space: Space, k: int, models: Models | None = None, max_buffer: int = 1000, max_delay: int | None = None,
                 preference: Preference = NO_PREFERENCE, max_arrivals: int | None = None) -> None:
        """An empty buffer.

        Args:
            space: the quasi-identifiers.
            k: people a group, at least 2.
            models: what a group must satisfy besides.
            max_buffer: records held at most, at least k. More of them lower the loss and raise delay, memory and time.
            max_delay: ms that a record is held at most; None = until the buffer is full or the input ends.
            preference: which records go first.
            max_arrivals: a record is due when this many have come, itself the first; None = as many as it takes.

        Raises:
            PolicyError: a number is out of range.
        """
        self.space, self.models = space, models or Models()
        check_limits(k, max_buffer, max_delay, self.models)
        if max_arrivals is not None and max_arrivals < k:
            raise PolicyError("max_arrivals: less than k. Hint: at least 20 times k keeps the loss low")
        self._limits = kernel.Limits(k, max_buffer, NEVER if max_delay is None else max_delay,
                                     NEVER if max_arrivals is None else max_arrivals, int(preference.rare * ONE), int(preference.age * ONE))
        shape = space.shape
        self._seen = Seen(np.zeros(1, np.int64), np.zeros(len(shape.node_low), np.int64),
                          np.zeros(len(space.cells) * (BINS + OTHERS), np.int64), np.zeros(len(space.words) * 8 * BUCKETS, np.int64))
        self._past = self.models.past()
        self._reset(0)

    def _reset(self, room: int) -> None:
        """An empty buffer with room for so many records."""
        cells, words = len(self.space.cells), len(self.space.words)
        self._held = kernel.Held(
            cells=np.empty((cells, room), np.uint16), words=np.empty((words, room), np.uint64),
            subject=np.empty(room, np.uint64), sensitive=np.empty((self.models.columns, room), np.uint64), seq=np.empty(room, np.int64),
            arrival=np.empty(room, np.int64), bias=np.empty(room, np.int32), gone=np.empty(room, np.int32),
            initial=np.empty(room, np.int32), cost=np.empty(room, np.int32), masked=np.empty(room, np.int32),
            member=np.empty(room, np.int64),
            people=np.empty(room, np.uint64))
        groups, d = room // self._limits.k + 1, cells + words  # one more: the box of a group that fails is written nowhere else
        self._left = Groups(
            seq=np.empty(room, np.int64), end=np.empty(groups, np.int64), low=np.empty((groups, d), np.uint64),
            high=np.empty((groups, d), np.uint64), at=np.empty(groups, np.int64), suppressed=np.empty(room, np.int64),
            reason=np.empty(room, np.int64))
        self._box = boxes.Box(
            low=np.empty(cells, np.int32), high=np.empty(cells, np.int32), level=np.empty(cells, np.int64),
            word=np.empty(words, np.uint64), cut=np.empty(words, np.int64))
        self._tally = self.models.tally(room)
        self._cursor = np.array([0, 0, 0, -1], np.int64)

    def push(self, records: Records, now: int) -> Groups:
        """See `Buffer`."""
        n, filled = len(records.seq), int(self._cursor[kernel.END])
        if filled + n > len(self._held.seq):
            kept, bias, last = self.held(), self._bias(), int(self._cursor[kernel.LAST])
            filled = len(kept.seq)
            self._reset(4 * (filled + n))
            self._fill(kept, 0)
            self._held.bias[:filled] = bias
            self._cursor[:] = 0, filled, 0, last
        self._fill(records, filled)
        return self._run(filled + n, now, False)

    def expire(self, now: int) -> Groups:
        """See `Buffer`."""
        return self._run(int(self._cursor[kernel.END]), now, False)

    def flush(self) -> Groups:
        """See `Buffer`."""
        return self._run(int(self._cursor[kernel.END]), 0, True)

    def held(self) -> Records:
        """See `Buffer`."""
        at = self._slots()
        codes: list[np.ndarray] = [np.zeros(0)] * len(self.space.dimensions)
        for columns, numbers in ((self._held.cells, self.space.cells), (self._held.words, self.space.words)):
            for column, number in zip(columns, numbers, strict=True):
                codes[number] = column[at]
        held = self._held
        return Records(codes, held.subject[at], held.sensitive[:, at], held.seq[at], held.arrival[at])

    def memory(self) -> dict[str, np.ndarray]:
        """See `Buffer`."""
        found = {f"past_{name}": array.copy() for name, array in zip(self._past._fields, self._past, strict=True) if len(array)}
        if self._limits.rare:
            found |= {f"seen_{name}": array.copy() for name, array in zip(self._seen._fields, self._seen, strict=True)}
            found["bias"] = self._bias()  # see PER_RECORD
        return found

    def load(self, records: Records, memory: Mapping[str, np.ndarray], last: int) -> None:
        """See `Buffer`."""
        n = len(records.seq)
        self._reset(2 * n)
        self._fill(records, 0)
        self._cursor[:] = 0, n, 0, last
        for prefix, arrays in (("past", self._past), ("seen", self._seen)):
            for name, array in zip(arrays._fields, arrays, strict=True):
                if f"{prefix}_{name}" in memory:
                    array[...] = memory[f"{prefix}_{name}"]
        self._held.bias[:n] = memory.get("bias", 0)

    def oldest(self) -> int | None:
        """See `Buffer`."""
        begin, end = int(self._cursor[kernel.BEGIN]), int(self._cursor[kernel.END])
        return int(self._held.arrival[begin]) if begin < end else None

    def _slots(self) -> np.ndarray:
        begin, end = int(self._cursor[kernel.BEGIN]), int(self._cursor[kernel.END])
        return begin + np.flatnonzero(self._held.gone[begin:end] == 0)

    def _bias(self) -> np.ndarray:
        bias: np.ndarray = self._held.bias[self._slots()]
        return bias

    def _fill(self, records: Records, at: int) -> None:
        window = slice(at, at + len(records.seq))
        for columns, numbers in ((self._held.cells, self.space.cells), (self._held.words, self.space.words)):
            for column, number in zip(columns, numbers, strict=True):
                column[window] = records.codes[number]
        self._held.subject[window], self._held.sensitive[:, window] = records.subject, records.sensitive
        self._held.seq[window], self._held.arrival[window], self._held.gone[window] = records.seq, records.arrival, 0

    def _run(self, filled: int, now: int, everything: bool) -> Groups:
        groups, released, suppressed = kernel.run(
            self._held, self._cursor, filled, self._limits, now, everything, self.models.rules, self._past, self._tally, self._seen,
            self.space.shape, self._box, self._left)
        order = np.argsort(np.array(self.space.cells + self.space.words))  # the kernel numbers cells before words
        left = self._left
        return Groups(left.seq[:released].copy(), left.end[:groups].copy(), left.low[:groups, order], left.high[:groups, order],
                      left.at[:groups].copy(), left.suppressed[:suppressed].copy(), left.reason[:suppressed].copy())


def check_limits(k: int, max_buffer: int, max_delay: int | None, models: Models) -> None:
    """Check the numbers that all buffers have.

    Raises:
        PolicyError: a number is out of range.
    """
    if k < 2:
        raise PolicyError("k: less than 2. Hint: 5 or more; a group of one person hides nothing")
    if max_buffer < max(k, models.distinct):
        raise PolicyError("max_buffer: too small for one group. Hint: at least 20 times k keeps the loss low")
    if max_delay is not None and max_delay <= 0:
        raise PolicyError("max_delay: not positive. Hint: max_delay: 30s")
