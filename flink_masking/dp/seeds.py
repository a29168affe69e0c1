"""The secrets that noise is made from: one for each day of event time, drawn a day ahead and kept as state.

A seed is needed again only when a window of its day is computed again; once no such window can open any more, it is deleted, and what it
made can no longer be told from the sums. A savepoint holds the seeds of two days at most, besides those of days with open windows. Like
all state they are sealed before they leave the process. Until the first checkpoint of a new job nothing is durable, its seeds no more
than anything else.

State entries: ``seed:<day>``, day number since 1970.
"""

from collections.abc import Callable, Mapping

from flink_masking.dp.formats import numbers, payload

DAY = 86_400_000
_TAG, _BYTES = b"seed", 32


class Seeds:
    """Seeds by day. Contract: `snapshot` equals the sum of all writes."""

    def __init__(self, entropy: Callable[[int], bytes]) -> None:
        """Start without any.

        Args:
            entropy: n → n random bytes.
        """
        self._entropy = entropy
        self._seeds: dict[int, bytes] = {}

    def of(self, start: int, writes: dict[str, bytes | None]) -> bytes:
        """The seed for a window that starts at `start` (ms since 1970); it and that of the next day are drawn if they are not there."""
        day = start // DAY
        for number in (day, day + 1):
            if number not in self._seeds:
                self._seeds[number] = self._entropy(_BYTES)
                writes[_key(number)] = _TAG + b".1\n" + self._seeds[number]
        return self._seeds[day]

    def forget(self, before: int, writes: dict[str, bytes | None]) -> None:
        """Delete the seeds of the days that end at or before `before`, ms since 1970."""
        for number in [number for number in self._seeds if number < before // DAY]:
            del self._seeds[number]
            writes[_key(number)] = None

    def snapshot(self) -> dict[str, bytes]:
        """All state entries."""
        return {_key(number): _TAG + b".1\n" + seed for number, seed in self._seeds.items()}

    def restore(self, entries: Mapping[str, bytes]) -> None:
        """Take over the entries of this class; others are left alone.

        Raises:
            InputError: an entry is damaged or of a newer format.
        """
        self._seeds = {numbers(key, "seed", 1)[0]: payload(blob, _TAG, _BYTES) for key, blob in entries.items()
                       if key.startswith("seed:")}


def _key(number: int) -> str:
    return f"seed:{number}"
