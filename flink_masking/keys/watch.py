"""Hot reload: a running job picks up a promoted, disabled or destroyed version without a restart."""

import time
from collections.abc import Callable

from flink_masking.errors import KeyRingError, KeyRingUnavailableError
from flink_masking.keys.providers import fingerprint, open_ring, place
from flink_masking.keys.ring import KeyRing
from flink_masking.keys.succession import check_successor
from flink_masking.patience import SECONDS, persist


def _silent(_: KeyRingError) -> None:
    """Report nothing."""


def open_patiently(uri: str, seconds: float = SECONDS) -> tuple[str, KeyRing]:
    """The fingerprint and the ring at an address, for a process that cannot begin without: workers that start all at once are throttled.

    Args:
        uri: as for `open_ring`.
        seconds: for which a service that is away or asks to slow down is asked again.

    Raises:
        KeyRingUnavailableError: it still is.
        KeyRingError: the ring cannot be opened, at once.
    """
    # The fingerprint first: a change in between is then found at the next look.
    return persist(lambda: (fingerprint(uri), open_ring(uri)), lambda error: isinstance(error, KeyRingUnavailableError), seconds)


class RingWatcher:
    """The current key ring at an address, checked for changes after an interval. Not thread-safe.

    A ring that can be read takes effect as a whole, with what was promoted, disabled or destroyed in it. While the provider fails, or what
    it gives must not follow the ring in use (another root of a known version, an older ring), the ring before stays in use, each failure
    is reported, and the next attempt comes after the next interval. Nothing runs in the background: whoever does not ask gets no new ring.
    """

    def __init__(
        self,
        uri: str,
        interval_s: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
        report: Callable[[KeyRingError], None] = _silent,
        patience: float = SECONDS,
    ) -> None:
        """Open the ring, see `open_patiently`.

        Args:
            uri: address of the ring, as for `open_ring`.
            interval_s: seconds between looks, more than 0.
            clock: seconds that never go back.
            report: called with the error of each refresh that failed.
            patience: seconds for which the first opening waits for a service that is away; checks do not wait.

        Raises:
            ValueError: an interval that is not positive.
            KeyRingError: the ring cannot be opened; the first time there is none to keep.
        """
        if not interval_s > 0:
            raise ValueError("the interval between checks of a key ring must be more than 0 s")
        self._uri, self._interval, self._clock, self._report = uri, interval_s, clock, report
        self._seen, self._ring = open_patiently(uri, patience)
        self._next = clock() + interval_s
        self._failing_since: float | None = None

    def ring(self) -> KeyRing:
        """The ring to use now: the same object until a changed one was opened.

        Takes no time but where a look is due; then as long as the provider takes, which is bounded (see `flink_masking.keys.providers`).
        """
        if self._clock() >= self._next:
            try:
                self._refresh()
            except KeyRingError as error:
                self._report(error)
            self._next = self._clock() + self._interval
        return self._ring

    def look(self) -> KeyRing:
        """Check the address now: for a value of a version that the current ring lacks.

        Raises:
            KeyRingError: the provider failed, or its ring must not follow the one in use.
        """
        self._refresh()
        self._next = self._clock() + self._interval
        return self._ring

    def unreadable_s(self) -> float:
        """Seconds since the first of the consecutive failed checks; 0 if the last check succeeded."""
        return 0.0 if self._failing_since is None else max(0.0, self._clock() - self._failing_since)

    def _refresh(self) -> None:
        try:
            seen = fingerprint(self._uri)
            if seen != self._seen:
                found = open_ring(self._uri)
                check_successor(self._ring, found, place(self._uri))
                self._ring, self._seen = found, seen
        except KeyRingError:
            if self._failing_since is None:
                self._failing_since = self._clock()
            raise
        self._failing_since = None
