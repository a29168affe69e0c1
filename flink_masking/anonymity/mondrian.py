"""Window Mondrian: collects a window of records and cuts it into groups, all at once."""

from collections.abc import Mapping, Sequence

import numpy as np

from flink_masking.anonymity import mondrian_kernels as kernel
from flink_masking.anonymity.buffer import Groups, Records
from flink_masking.anonymity.models import Models
from flink_masking.anonymity.slide_grow import check_limits
from flink_masking.anonymity.space import Space


class WindowMondrian:
    """A buffer that lets all its records leave together; see `Buffer` for the contract.

    A window ends when it has `max_buffer` records, when its oldest one has been held for `max_delay`, or with the input. When the window
    as a whole has too few people or does not satisfy the models, all its records are suppressed. Records of a person may lie in several
    groups of a window, each with k people.
    """

    def __init__(self, space: Space, k: int, models: Models | None = None, max_buffer: int = 1000, max_delay: int | None = None) -> None:
        """An empty window.

        Args:
            space: the quasi-identifiers.
            k: people a group, at least 2.
            models: what a group must satisfy besides.
            max_buffer: records of a window, at least k.
            max_delay: ms that a record is held at most; None = until the window is full or the input ends.

        Raises:
            PolicyError: a number is out of range.
        """
        self.space, self.models = space, models or Models()
        check_limits(k, max_buffer, max_delay, self.models)
        self._k, self._most, self._delay = k, max_buffer, max_delay
        self._order = space.cells + space.words
        self._past, self._tally = self.models.past(), self.models.tally(max_buffer)
        self._pieces: list[Records] = []
        self._last = -1

    def push(self, records: Records, now: int) -> Groups:
        """See `Buffer`."""
        left, n, at = [self.expire(now)], len(records.seq), 0
        while at < n:
            some = slice(at, min(n, at + self._most - self._count()))
            piece = Records([codes[some] for codes in records.codes], records.subject[some],
                            np.ascontiguousarray(records.sensitive[:, some]), records.seq[some], records.arrival[some])
            kernel.learn(self.models.rules, self._past, piece.sensitive)
            self._pieces.append(piece)
            at, self._last = some.stop, int(piece.seq[-1])
            if self._count() == self._most:
                left.append(self.flush())
        return joined(left)

    def expire(self, now: int) -> Groups:
        """See `Buffer`."""
        oldest = self.oldest()
        due = oldest is not None and self._delay is not None and now - oldest >= self._delay
        return self.flush() if due else self._left(np.zeros(0, np.int64), 0, -1, self.held())

    def flush(self) -> Groups:
        """See `Buffer`."""
        held = self.held()
        self._pieces = []
        n, d = len(held.seq), len(self._order)
        if not n:
            return self._left(held.seq, 0, -1, held)
        rank, code = np.empty((n, d), np.int32), np.zeros((d, n), np.uint64)
        for a, number in enumerate(self._order):
            values, which = np.unique(held.codes[number], return_inverse=True)
            rank[:, a], code[a, : len(values)] = which, values
        slots = 1 << (2 * n).bit_length()
        window = kernel.Window(
            rank=rank, code=code, subject=np.array(held.subject), sensitive=np.array(held.sensitive), row=np.arange(n),
            spare=np.empty_like(rank), spare_row=np.empty(n, np.int64), tallied=np.zeros(n + 1, np.int64),
            people=np.zeros(slots, np.uint64), taken=np.zeros(slots, np.int64))
        self._end, self._low, self._high = np.empty(n, np.int64), np.empty((n, d), np.uint64), np.empty((n, d), np.uint64)
        groups, lacks = kernel.partition(
            window, self._k, self.models.rules, self._past, self._tally, self.space.shape, self._end, self._low, self._high)
        return self._left(window.row, groups, lacks, held)

    def _left(self, row: np.ndarray, groups: int, lacks: int, held: Records) -> Groups:
        """The groups of a window, or all its records suppressed, or (without rows) nothing."""
        nothing, d = np.zeros(0, np.int64), len(self._order)
        if not len(row) or not groups:
            gone = held.seq if len(row) else nothing
            box = np.zeros((0, d), np.uint64)
            return Groups(nothing, nothing, box, box, nothing, gone, np.full(len(gone), lacks))
        order = np.argsort(np.array(self._order))  # the kernel numbers cells before words
        low, high = self._low[:groups, order], self._high[:groups, order]
        return Groups(held.seq[row], self._end[:groups], low, high, np.full(groups, self._last), nothing, nothing)

    def held(self) -> Records:
        """See `Buffer`."""
        if len(self._pieces) != 1:
            empty = Records([np.zeros(0, dimension.dtype) for dimension in self.space.dimensions], np.zeros(0, np.uint64),
                            np.zeros((self.models.columns, 0), np.uint64), np.zeros(0, np.int64), np.zeros(0, np.int64))
            pieces = [empty, *self._pieces]
            codes = [np.concatenate(columns) for columns in zip(*(piece.codes for piece in pieces), strict=True)]
            self._pieces = [Records(codes, *(np.concatenate([piece[i] for piece in pieces], axis=-1) for i in range(1, 5)))]
        return self._pieces[0]

    def memory(self) -> dict[str, np.ndarray]:
        """See `Buffer`."""
        return {f"past_{name}": array.copy() for name, array in zip(self._past._fields, self._past, strict=True) if len(array)}

    def load(self, records: Records, memory: Mapping[str, np.ndarray], last: int) -> None:
        """See `Buffer`."""
        self._pieces, self._last = [records], last
        for name, array in zip(self._past._fields, self._past, strict=True):
            if f"past_{name}" in memory:
                array[...] = memory[f"past_{name}"]

    def oldest(self) -> int | None:
        """See `Buffer`."""
        return next((int(piece.arrival[0]) for piece in self._pieces if len(piece.seq)), None)

    def _count(self) -> int:
        return sum(len(piece.seq) for piece in self._pieces)


def joined(left: Sequence[Groups]) -> Groups:
    """What several calls let leave, as of one."""
    if len(left) == 1:
        return left[0]
    released = np.cumsum([0, *(len(groups.seq) for groups in left)])
    columns = [np.concatenate(arrays) for arrays in zip(*left, strict=True)]
    ends = np.concatenate([groups.end + before for groups, before in zip(left, released, strict=False)])
    return Groups(*columns)._replace(end=ends)
