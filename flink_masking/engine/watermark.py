"""Event time seen so far, a source partition at a time, and the watermark that follows from it."""


class EventClock:
    """The largest event time of each source partition; the smallest of them, less the allowed disorder, is the watermark.

    One clock over merged partitions would call a lagging partition late. A partition that was silent for `idle_after` of processing
    time does not hold the others back.
    """

    def __init__(self, out_of_orderness: int, idle_after: int = 60_000) -> None:
        """Start without any partition.

        Args:
            out_of_orderness: ms by which a record may be older than the newest of its partition.
            idle_after: ms of processing time without a record after which a partition is left out.
        """
        self._slack, self._idle_after = out_of_orderness, idle_after
        self._latest: dict[int, tuple[int, int]] = {}
        self._watermark = -(1 << 63)

    def advance(self, event_time: int, partition: int = 0, now: int = 0) -> int:
        """Take note of a batch and return the watermark in ms; it never goes back.

        Args:
            event_time: the batch's largest event time, ms.
            partition: the source partition.
            now: processing time, ms.
        """
        before = self._latest.get(partition, (event_time, now))[0]
        self._latest[partition] = (max(before, event_time), now)
        active = [latest for latest, seen in self._latest.values() if now - seen <= self._idle_after]
        self._watermark = max(self._watermark, min(active) - self._slack)
        return self._watermark
