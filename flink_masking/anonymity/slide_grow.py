"""slide-grow: the buffer of one shard, arrays in and groups out."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from flink_masking.anonymity import slide_grow_kernel as kernel
from flink_masking.anonymity.space import Space
from flink_masking.errors import PolicyError

NEVER = 1 << 62


class Groups(NamedTuple):
    """What one call released and suppressed. Group g has the members ``seq[end[g - 1]:end[g]]``.

    Attributes:
        seq: int64, arrival numbers of the released records, group by group.
        end: int64, where each group ends in `seq`.
        low: uint64, (groups, dimensions): lower corner of each box, in the order of the space.
        high: uint64, likewise, the upper corner.
        at: int64, for each group the last arrival before it left.
        suppressed: int64, arrival numbers of the suppressed records.
    """

    seq: np.ndarray
    end: np.ndarray
    low: np.ndarray
    high: np.ndarray
    at: np.ndarray
    suppressed: np.ndarray


class Records(NamedTuple):
    """Records as columns, in the order of arrival.

    Attributes:
        codes: a column for each dimension of the space, uint16 or uint64.
        subject: uint64, a keyed hash of the person.
        sensitive: uint64, a code of the sensitive value (all 0 where none is asked for).
        seq: int64, number of arrival.
        arrival: int64, processing time of the arrival, ms.
    """

    codes: Sequence[np.ndarray]
    subject: np.ndarray
    sensitive: np.ndarray
    seq: np.ndarray
    arrival: np.ndarray


class SlideGrow:
    """Holds the records of one shard until they are due, and lets them leave in groups of at least k people.

    Contract: every record leaves once, released or suppressed. A released record lies in its group's box; a group has at least k
    distinct people and, among its records, l distinct sensitive values. Groups depend on the records, their order and their times
    alone. At most `max_buffer` records stay, none longer than `max_delay` (as far as `expire` is called in time).
    """

    def __init__(self, space: Space, k: int, l: int = 1, max_buffer: int = 1000, max_delay: int | None = None) -> None:  # noqa: E741
        """An empty buffer.

        Args:
            space: the quasi-identifiers.
            k: people a group, at least 2.
            l: distinct sensitive values a group; 1 = not asked for.
            max_buffer: records held at most, at least k and l. More of them lower the loss and raise delay, memory and time.
            max_delay: ms that a record is held at most; None = until the buffer is full or the input ends.

        Raises:
            PolicyError: a number is out of range.
        """
        if k < 2:
            raise PolicyError("k: less than 2. Hint: 5 or more; a group of one person hides nothing")
        if l < 1:
            raise PolicyError("l_diversity: less than 1. Hint: l: 2 asks for two different sensitive values a group")
        if max_buffer < max(k, l):
            raise PolicyError("max_buffer: too small for one group. Hint: at least 20 times k keeps the loss low")
        if max_delay is not None and max_delay <= 0:
            raise PolicyError("max_delay: not positive. Hint: max_delay: 30s")
        self.space = space
        self._limits = (k, l, max_buffer, NEVER if max_delay is None else max_delay)
        self._least = max(k, l)
        self._reset(0)

    def _reset(self, room: int) -> None:
        """An empty buffer with room for so many records."""
        cells, words = len(self.space.cells), len(self.space.words)
        self._held = kernel.Held(
            cells=np.empty((cells, room), np.uint16), words=np.empty((words, room), np.uint64),
            subject=np.empty(room, np.uint64), sensitive=np.empty(room, np.uint64), seq=np.empty(room, np.int64),
            arrival=np.empty(room, np.int64), gone=np.empty(room, np.int32), cost=np.empty(room, np.int32),
            member=np.empty(room, np.int64), people=np.empty(room, np.uint64))
        groups, d = room // self._least + 1, cells + words  # one more: the box of a group that fails is written nowhere else
        self._left = kernel.Left(
            seq=np.empty(room, np.int64), end=np.empty(groups, np.int64), low=np.empty((groups, d), np.uint64),
            high=np.empty((groups, d), np.uint64), at=np.empty(groups, np.int64), suppressed=np.empty(room, np.int64))
        self._box = kernel.Box(
            low=np.empty(cells, np.int32), high=np.empty(cells, np.int32), level=np.empty(cells, np.int64),
            word=np.empty(words, np.uint64), cut=np.empty(words, np.int64))
        self._cursor = np.array([0, 0, 0, -1], np.int64)

    def push(self, records: Records, now: int) -> Groups:
        """Admit records one by one; the groups that leave meanwhile.

        Args:
            records: their codes must lie in the space, their numbers and times must not descend, and numbers be above all earlier ones.
            now: processing time, ms; not before the time of any record.
        """
        n, filled = len(records.seq), int(self._cursor[kernel.END])
        if filled + n > len(self._held.seq):
            kept = self.held()
            filled = len(kept.seq)
            self._reset(4 * (filled + n))
            self._fill(kept, 0)
            self._cursor[kernel.END] = filled
        self._fill(records, filled)
        return self._run(filled + n, now, False)

    def expire(self, now: int) -> Groups:
        """The groups of records that are due at processing time now (ms)."""
        return self._run(int(self._cursor[kernel.END]), now, False)

    def flush(self) -> Groups:
        """End of input: everything is due; nothing is held afterwards."""
        return self._run(int(self._cursor[kernel.END]), 0, True)

    def held(self) -> Records:
        """A copy of the records held; a fresh buffer of the same arguments that is given them (`load`) continues as this one would."""
        begin, end = int(self._cursor[kernel.BEGIN]), int(self._cursor[kernel.END])
        at = begin + np.flatnonzero(self._held.gone[begin:end] == 0)
        codes: list[np.ndarray] = [np.zeros(0)] * len(self.space.dimensions)
        for columns, numbers in ((self._held.cells, self.space.cells), (self._held.words, self.space.words)):
            for column, number in zip(columns, numbers, strict=True):
                codes[number] = column[at]
        return Records(codes, self._held.subject[at], self._held.sensitive[at], self._held.seq[at], self._held.arrival[at])

    def load(self, records: Records, last: int | None = None) -> None:
        """Hold exactly these records; nothing leaves.

        Args:
            records: what `held` gave.
            last: number of the last arrival so far, which may have left already; the last record held if not given. Only `Groups.at`
                depends on it.
        """
        n = len(records.seq)
        self._reset(2 * n)
        self._fill(records, 0)
        self._cursor[:] = (0, n, 0, last if last is not None else records.seq[-1] if n else -1)

    def oldest(self) -> int | None:
        """Processing time of the arrival of the oldest record held, ms; None when nothing is held."""
        begin, end = int(self._cursor[kernel.BEGIN]), int(self._cursor[kernel.END])
        return int(self._held.arrival[begin]) if begin < end else None

    def _fill(self, records: Records, at: int) -> None:
        window = slice(at, at + len(records.seq))
        for columns, numbers in ((self._held.cells, self.space.cells), (self._held.words, self.space.words)):
            for column, number in zip(columns, numbers, strict=True):
                column[window] = records.codes[number]
        self._held.subject[window], self._held.sensitive[window] = records.subject, records.sensitive
        self._held.seq[window], self._held.arrival[window], self._held.gone[window] = records.seq, records.arrival, 0

    def _run(self, filled: int, now: int, everything: bool) -> Groups:
        groups, released, suppressed = kernel.run(
            self._held, self._cursor, filled, *self._limits, now, everything, self.space.shape, self._box, self._left)
        order = np.argsort(np.array(self.space.cells + self.space.words))  # the kernel numbers cells before words
        left = self._left
        return Groups(left.seq[:released].copy(), left.end[:groups].copy(), left.low[:groups, order], left.high[:groups, order],
                      left.at[:groups].copy(), left.suppressed[:suppressed].copy())
