"""Computes one watermark over all partitions of a source from the marks that each batch carries.

A record is late when its window was closed before it was read, so the watermark may pass an event time only when no partition can hold
unread records from before it. A partition that lags holds the watermark back; one that is silent does so until its silence proves that
nothing is there to be read.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from flink_masking.dp.formats import damaged, numbers, payload

NO_TIME = -(1 << 63)
"""The watermark as long as nothing can be said; the event time of a batch of which no record was accepted."""
PATIENCE = 30_000
"""Milliseconds at least for which a restored job waits for the partitions that its state knows: its consumers connect again first."""
LONGEST = 10
"""Times `idle_after` for which a silent partition holds windows up although its reader works off a backlog."""
_HEADER, _MARK = struct.Struct(">q?Hq"), struct.Struct(">qq")
_SENDERS = -1


class Marks(NamedTuple):
    """Event-time marks that accompany a batch.

    Attributes:
        sender: number of the instance of Protect, 0 or more; another one after each start.
        behind: the newest record of a partition has waited in its topic for longer than `idle_after`: its reader works off a backlog.
        times: the batch's largest event time in ms (or NO_TIME) by source partition; {} for a source that has none.
        time: the batch's largest event time in ms, or NO_TIME.
    """

    sender: int
    behind: bool
    times: Mapping[int, int]
    time: int

    def encode(self) -> bytes:
        """As bytes."""
        body = b"".join(_MARK.pack(*mark) for mark in self.times.items())
        return _HEADER.pack(self.sender, self.behind, len(self.times), self.time) + body

    @classmethod
    def decode(cls, blob: bytes) -> "Marks":
        """From bytes."""
        sender, behind, count, time = _HEADER.unpack_from(blob)
        return cls(sender, behind, dict(_MARK.iter_unpack(blob[_HEADER.size : _HEADER.size + count * _MARK.size])), time)


@dataclass
class _Partition:
    """Event time and silence of a partition.

    Attributes:
        latest: largest event time, ms, or NO_TIME.
        heard: live time at its last record.
        sender: who has read it; None since a restore.
    """

    latest: int
    heard: int
    sender: int | None


@dataclass
class EventClock:
    """One clock for all partitions of a source. Pure: times are passed in, state goes out as entries.

    Contract: the watermark never goes back, and is below the largest event time of every partition, less the allowed disorder, unless
    that partition is idle. Idle is a partition without a record for `idle_after` of *live time*: time in which every reader was at work
    and had nothing to deliver. Live time stands still while a reader is held up (a worker that starts, a slow batch), and a reader that
    works off a backlog makes none of its partitions idle (but for ten times `idle_after`). A partition that was idle counts again with its
    next record. Once all are idle, event time goes on with live time, so that a stream that falls silent closes its windows.

    Attributes:
        out_of_orderness: ms by which a record may be older than the newest of its partition.
        idle_after: ms of live time without a record after which a partition is left out.
        beat: ms between two beats that the readers send; a longer step counts as two, the rest as time that a reader was held up.
        senders: number of readers of a source without partitions, each of which counts as one; None for a source with partitions.
    """

    out_of_orderness: int
    idle_after: int
    beat: int
    senders: int | None = None
    _live: int = 0
    _last: int | None = None
    _watermark: int = NO_TIME
    _patience: int = 0
    _settled: bool = False
    _partitions: dict[int, _Partition] = field(default_factory=dict)
    _behind: dict[int, int] = field(default_factory=dict)

    def observe(self, marks: Marks) -> dict[str, bytes]:
        """Update the clock with a batch; returns the state entries to write."""
        times = marks.times if self.senders is None else {marks.sender: marks.time}
        if self.senders is not None:
            self._partitions.pop(_SENDERS, None)
        if marks.behind:
            self._behind[marks.sender] = self._live
        writes = {}
        for number, time in times.items():
            before = self._partitions.get(number)
            latest = time if before is None else max(before.latest, time)
            self._partitions[number] = _Partition(latest, self._live, marks.sender)
            if before is None or latest > before.latest:
                key, value = (f"p:{number}", latest) if self.senders is None else ("p:-1", self._newest())
                writes[key] = _entry(value)
        return writes

    def tick(self, time: int) -> None:
        """Every reader was at work at `time` (processing time, ms)."""
        if self._last is not None:
            self._live += max(0, min(time - self._last, 2 * self.beat))
        self._last = time if self._last is None else max(time, self._last)

    def watermark(self) -> int:
        """The watermark in ms, or NO_TIME."""
        if not self._is_settled():
            return self._watermark
        known = [partition for partition in self._partitions.values() if partition.latest != NO_TIME]
        active = [partition.latest for partition in known if not self._idle(partition)]
        if active:
            reached = min(active)
        elif known:
            silent = self._live - max(partition.heard for partition in known) - self.idle_after
            reached = max(partition.latest for partition in known) + max(0, silent)
        else:
            return self._watermark
        self._watermark = max(self._watermark, reached - self.out_of_orderness)
        return self._watermark

    def _newest(self) -> int:
        return max(partition.latest for partition in self._partitions.values())

    def _idle(self, partition: _Partition) -> bool:
        wait = max(self.idle_after, self._patience) if partition.sender is None else self.idle_after
        return self._quiet(partition.heard, wait, partition.sender)

    def _quiet(self, since: int, wait: int, sender: int | None) -> bool:
        """Whether a partition had no input for `wait` of live time; of an unknown sender, any instance may be the reader."""
        behind = max(self._behind.values(), default=0) if sender is None else self._behind.get(sender, 0)
        return self._live - max(since, behind) >= wait or self._live - since >= LONGEST * wait

    def _is_settled(self) -> bool:
        """Whether partitions without a mark since the start no longer hold back the watermark."""
        all_heard = self.senders is not None and len(self._partitions) >= self.senders and _SENDERS not in self._partitions
        self._settled = self._settled or all_heard or self._quiet(0, self.idle_after, None)
        return self._settled

    def snapshot(self) -> dict[str, bytes]:
        """The whole state: the largest event time of each partition (of a source without any, of all)."""
        if not self._partitions:
            return {}
        if self.senders is not None:
            return {f"p:{_SENDERS}": _entry(self._newest())}
        return {f"p:{number}": _entry(partition.latest) for number, partition in self._partitions.items()}

    def restore(self, entries: Mapping[str, bytes]) -> None:
        """Take over a state: its partitions are waited for.

        Raises:
            InputError: an entry is damaged, or of another (newer) version.
        """
        for key, entry in entries.items():
            (number,) = numbers(key, "p", 1)
            latest = payload(entry, b"clock", separator=b" ")
            if not latest.removeprefix(b"-").isdigit():
                raise damaged()
            self._partitions[number] = _Partition(int(latest), self._live, None)
        self._patience = PATIENCE
        self._settled = self.senders is None and bool(entries)


def beat_of(idle_after: int) -> int:
    """Milliseconds between two beats of a reader."""
    return max(50, min(1_000, idle_after // 10))




def _entry(latest: int) -> bytes:
    return f"clock.1 {latest}".encode()
