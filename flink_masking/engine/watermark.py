"""Event time seen so far, a source partition at a time, and the watermark that follows from it."""

from collections.abc import Mapping

NO_TIME = -(1 << 63)
"""The watermark as long as nothing can be said."""


class EventClock:
    """The largest event time of each source partition; the smallest of them, less the allowed disorder, is the watermark.

    One clock over merged partitions would call a lagging partition late. A partition that was silent for `idle_after` of processing
    time does not hold the others back. Partitions are known by their records only: where there are several, the watermark waits for
    `idle_after` after the start, for a partition may be there of which nothing has been read yet.
    """

    def __init__(self, out_of_orderness: int, idle_after: int = 60_000, started: int | None = None) -> None:
        """Start without any partition.

        Args:
            out_of_orderness: ms by which a record may be older than the newest of its partition.
            idle_after: ms of processing time without a record after which a partition is left out.
            started: processing time in ms at which a source of several partitions began to be read; None: there is one only.
        """
        self._slack, self._idle_after = out_of_orderness, idle_after
        self._settled = None if started is None else started + idle_after
        self._latest: dict[int, tuple[int, int]] = {}
        self._watermark = NO_TIME

    def advance(self, event_time: int, partition: int = 0, now: int = 0) -> int:
        """Take note of a batch and return the watermark in ms; it never goes back.

        Args:
            event_time: the batch's largest event time, ms.
            partition: the source partition.
            now: processing time, ms.
        """
        return self.observe({partition: event_time}, now)

    def observe(self, event_times: Mapping[int, int], now: int) -> int:
        """Take note of a batch of several partitions and return the watermark in ms; it never goes back.

        Args:
            event_times: the batch's largest event time in ms by source partition.
            now: processing time, ms.
        """
        for partition, event_time in event_times.items():
            before = self._latest.get(partition, (event_time, now))[0]
            self._latest[partition] = (max(before, event_time), now)
        active = [latest for latest, seen in self._latest.values() if now - seen <= self._idle_after]
        if active and (self._settled is None or now > self._settled):
            self._watermark = max(self._watermark, min(active) - self._slack)
        return self._watermark
