"""How many records of one person an anonymized segment releases in any span of time; the rest are suppressed.

Groups of one record each may satisfy k and l and still tell a lot together: whoever knows when a person's records arrived intersects what
the groups of all of them leave possible. A limit on the releases of a person bounds how many sets there are to intersect.

A record counts from its arrival, and counts no more when it is suppressed for another reason. It is forgotten when a record that arrives
then is released `per` later at the earliest, rounded up to a 32nd of `per`: of the records of a person that are released within any
span of `per`, there are never more than `count`.

State entries: ``releases:<number>``, until when its records count (ms since 1970, int64) and the number of shards (int32), then people
(uint64) and how many records of each (int32), all little-endian. Entries add up; the counts of one may be below 0.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from flink_masking.anonymity import releases_kernels as kernel
from flink_masking.errors import InputError

PREFIX = "releases:"
"""Begins the names of the state entries."""
SLOTS = 32
"""Parts of `per` that arrivals are rounded up to."""
_TAG, _FORMAT, _FRONT = b"releases.", 1, 12
_SMALLEST = 1024


class _Piece(NamedTuple):
    """Records that count until the same time: people, ascending, and how many records of each."""

    until: int
    people: np.ndarray
    counts: np.ndarray


class ReleaseLimit:
    """The limit of one shard. Contract: `snapshot` equals the sum of all writes; what is admitted depends on no batch boundaries.

    Memory: 24 to 48 bytes for each person with a record in the last `per`, and 12 for each person and 32nd of `per`; state: the latter.
    """

    def __init__(self, per: int, count: int, max_delay: int, shards: int = 1) -> None:
        """Start with nobody.

        Args:
            per: ms.
            count: records of a person that are released within any `per`, at most.
            max_delay: ms between the arrival of a record and its release, at most.
            shards: over which people are spread.
        """
        self._per, self._count, self._delay, self._shards = per, count, max_delay, shards
        self._width = max(1, per // SLOTS)
        self._empty()

    def _empty(self) -> None:
        self._pieces: dict[int, _Piece] = {}
        self._number, self._earliest = 0, 1 << 62
        self._table(0)

    def _table(self, room: int) -> None:
        slots = 1 << max(_SMALLEST, 4 * room).bit_length()
        self._people, self._counts, self._used = np.zeros(slots, np.uint64), np.full(slots, kernel.FREE, np.int32), np.zeros(1, np.int64)

    def admit(self, subjects: np.ndarray, now: int, writes: dict[str, bytes | None]) -> np.ndarray:
        """Count records that arrive.

        Args:
            subjects: uint64, n, in the order of arrival.
            now: processing time, ms; never before that of an earlier call.
            writes: receives the state entries.

        Returns:
            bool, n: which records may be released; the others are over the limit.
        """
        self._forget(now, writes)
        self._make_room(len(subjects))
        kept = np.zeros(len(subjects), np.uint8)
        kernel.admit(self._people, self._counts, self._used, subjects, self._count, kept)
        mask = kept.view(bool)
        if mask.any():
            self._put(_piece(int(self._until(np.array(now))), subjects[mask], np.ones(int(mask.sum()), np.int32)), writes)
        return mask

    def give_back(self, subjects: np.ndarray, arrivals: np.ndarray, writes: dict[str, bytes | None]) -> None:
        """Records that were admitted, and then suppressed for another reason, count no more.

        Args:
            subjects: uint64, n.
            arrivals: int64, n: `now` of their `admit`.
            writes: receives the state entries.
        """
        until = self._until(arrivals)
        for end in np.unique(until).tolist():
            if end in {piece.until for piece in self._pieces.values()}:  # else it is forgotten already
                mine = subjects[until == end]
                less = np.full(len(mine), -1, np.int32)
                self._make_room(len(mine))
                kernel.add(self._people, self._counts, self._used, mine, less)
                self._put(_piece(end, mine, less), writes)

    def postpone(self, subjects: np.ndarray, arrivals: np.ndarray, now: int, writes: dict[str, bytes | None]) -> None:
        """Records that leave at `now`, more than `max_delay` after they came because a timer was late, count as if they had come later.

        Args:
            subjects: uint64, n.
            arrivals: int64, n: `now` of their `admit`.
            now: processing time, ms, before the next `admit`.
            writes: receives the state entries.
        """
        until = int(self._until(np.array(now - self._delay)))
        late = self._until(arrivals) < until
        if late.any():
            mine, more = subjects[late], np.ones(int(np.count_nonzero(late)), np.int32)
            self.give_back(mine, arrivals[late], writes)
            self._make_room(len(mine))
            kernel.add(self._people, self._counts, self._used, mine, more)
            self._put(_piece(until, mine, more), writes)

    def _until(self, arrival: np.ndarray) -> np.ndarray:
        """When records that arrive then count no more."""
        return np.asarray((arrival // self._width + 1) * self._width + self._per + self._delay)

    def _make_room(self, more: int) -> None:
        """Keep the table at most half full: people without a record that counts make room for others."""
        if 2 * (int(self._used[0]) + more) <= len(self._people):
            return
        live = self._counts > 0
        people, counts = self._people[live], self._counts[live]
        self._table(len(people) + more)
        kernel.add(self._people, self._counts, self._used, people, counts)

    def _put(self, piece: _Piece, writes: dict[str, bytes | None]) -> None:
        """Keep a piece; merge it with earlier ones of its time as long as they are not more than twice as large."""
        for number, other in sorted(self._pieces.items(), reverse=True):
            if other.until != piece.until:
                continue
            if len(other.people) > 2 * len(piece.people):
                break
            piece = _piece(piece.until, np.concatenate([other.people, piece.people]), np.concatenate([other.counts, piece.counts]))
            del self._pieces[number]
            writes[f"{PREFIX}{number}"] = None
        if len(piece.people):
            self._pieces[self._number] = piece
            writes[f"{PREFIX}{self._number}"] = self._entry(piece)
            self._number += 1
        self._earliest = min((piece.until for piece in self._pieces.values()), default=1 << 62)

    def _forget(self, now: int, writes: dict[str, bytes | None]) -> None:
        if now < self._earliest:
            return
        for number, piece in list(self._pieces.items()):
            if piece.until <= now:
                kernel.add(self._people, self._counts, self._used, piece.people, -piece.counts)
                del self._pieces[number]
                writes[f"{PREFIX}{number}"] = None
        self._earliest = min((piece.until for piece in self._pieces.values()), default=1 << 62)

    def _entry(self, piece: _Piece) -> bytes:
        head = _TAG + b"%d\n" % _FORMAT + piece.until.to_bytes(8, "little", signed=True) + self._shards.to_bytes(4, "little")
        return head + piece.people.astype("<u8").tobytes() + piece.counts.astype("<i4").tobytes()

    def snapshot(self) -> dict[str, bytes]:
        """All state entries."""
        return {f"{PREFIX}{number}": self._entry(piece) for number, piece in self._pieces.items()}

    def restore(self, entries: Mapping[str, bytes]) -> None:
        """Take over the entries of this class; others are left alone.

        Raises:
            InputError: an entry is damaged, of a newer version, or was kept for another number of shards.
        """
        self._empty()
        for name, entry in entries.items():
            if name.startswith(PREFIX):
                self._pieces[self._name(name)] = self._read(entry)
        self._number = max(self._pieces, default=-1) + 1
        self._earliest = min((piece.until for piece in self._pieces.values()), default=1 << 62)
        everyone = _piece(0, *(np.concatenate([getattr(piece, of) for piece in self._pieces.values()] or [np.empty(0, kind)])
                               for of, kind in (("people", np.uint64), ("counts", np.int32))))
        self._table(len(everyone.people))
        kernel.add(self._people, self._counts, self._used, everyone.people, everyone.counts)

    @staticmethod
    def _name(name: str) -> int:
        number = name.removeprefix(PREFIX)
        if not (number.isascii() and number.isdigit()):
            raise _damaged()
        return int(number)

    def _read(self, entry: bytes) -> _Piece:
        version, line, content = entry.removeprefix(_TAG).partition(b"\n")
        rows, rest = divmod(len(content) - _FRONT, 12)
        if not entry.startswith(_TAG) or not line or not version.isdigit() or (version == b"1" and (rest or rows < 0)):
            raise _damaged()
        if int(version) != _FORMAT:
            raise InputError("state of an anonymized segment: written by a newer version. Hint: restore with the version that wrote it")
        if int.from_bytes(content[8:_FRONT], "little") != self._shards:
            raise InputError("state of an anonymized segment: the releases of its people were counted for another number of shards, over "
                             "which people are spread in another way. Hint: keep 'shards', or start anew under another segment name")
        return _Piece(int.from_bytes(content[:8], "little", signed=True), np.frombuffer(content, "<u8", rows, _FRONT).astype(np.uint64),
                      np.frombuffer(content, "<i4", rows, _FRONT + 8 * rows).astype(np.int32))


def _piece(until: int, subjects: np.ndarray, counts: np.ndarray) -> _Piece:
    """A piece of these people, each once; without those whose records add up to none."""
    people, place = np.unique(subjects, return_inverse=True)
    sums = np.bincount(place, counts, len(people)).astype(np.int32)  # exact: far below 2**53
    return _Piece(until, people[sums != 0], sums[sums != 0])


def _damaged() -> InputError:
    return InputError("state of an anonymized segment: damaged. Hint: restore from an earlier savepoint")
