"""Replays quarantined records through the job: selects, decrypts and corrects entries, each once."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple

from flink_masking.engine.quarantine import Entry, QuarantineReader, RecordParts
from flink_masking.errors import DecryptionError, KeyRingError

__all__ = ["HEADER", "Replay", "Returned"]

HEADER = "flink-masking-replay"
"""Kafka header of a record that was sent again; its value is the entry's id."""


class Returned(NamedTuple):
    """A record that is sent again.

    Attributes:
        id: of its entry.
        value: the record, unchanged or corrected.
        parts: its key and headers, where the entry holds them.
    """

    id: str
    value: bytes
    parts: RecordParts


class Replay:
    """Decrypts entries one by one and counts their outcomes.

    Attributes:
        counts: entries by what became of them: ``replayed``; ``already`` (an earlier replay has sent them); ``cut`` (only the beginning
            of the record is held); ``empty`` (the record had no value); ``unopened`` (other keys, or a closed key version); ``left`` (the
            program of --mend has declined); ``unfit`` (too large for where it goes, or of several lines where a line is a record);
            ``not_chosen``.
        streams: of the records that were opened.
    """

    def __init__(self, reader: QuarantineReader, done: Collection[str], corrector: Callable[[bytes, Entry], bytes | None],
                 fits: Callable[[bytes, RecordParts], bool], reasons: Collection[str] = (), fields: Collection[str] = ()) -> None:
        """Get ready.

        Args:
            reader: opens the entries.
            done: ids of entries that were sent before.
            corrector: a record and its entry to the record that is sent, or None to leave it.
            fits: whether a record, with its parts, can go where it is sent to.
            reasons: only entries with one of these reasons; all where there is none.
            fields: only entries about one of these fields; likewise.
        """
        self._reader, self._corrector, self._fits = reader, corrector, fits
        self._reasons, self._fields = frozenset(reasons), frozenset(fields)
        self._done = set(done)
        self.counts: Counter[str] = Counter()
        self.streams: set[str] = set()

    def __call__(self, entries: Iterable[Entry]) -> Iterator[Returned]:
        """The records to send; an entry that comes twice is sent once."""
        for entry in entries:
            outcome = self._open(entry)
            if isinstance(outcome, Returned):
                self._done.add(outcome.id)
                self.counts["replayed"] += 1
                yield outcome
            else:
                self.counts[outcome] += 1

    def _open(self, entry: Entry) -> Returned | str:
        """The record, or the word for why there is none."""
        if (self._reasons and entry.reason not in self._reasons) or (self._fields and entry.path not in self._fields):
            return "not_chosen"
        if entry.id in self._done:
            return "already"
        if entry.size is not None:
            return "cut"
        try:
            record, parts = self._reader.payload(entry), self._reader.parts(entry)
        except (DecryptionError, KeyRingError):
            return "unopened"
        self.streams.add(entry.stream)
        if not record:
            return "empty"
        mended = self._corrector(record, entry)
        if not mended:
            return "left"
        return Returned(entry.id, mended, parts) if self._fits(mended, parts) else "unfit"
