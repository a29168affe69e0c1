"""The key version that people are hashed with, kept with the state that compares the hashes.

A person is known to a stateful segment by a keyed hash. Under another key everybody is someone else: a ledger of lifetime budgets would
begin anew and a person whose records wait in a buffer would count as two. So the version travels with every packet, is kept with the
state of the operator that counts people, and a state or packet of another version is refused.
"""

from collections.abc import Callable, Mapping

import pyarrow as pa

from flink_masking.engine.erased import orders_of
from flink_masking.errors import InputError, JobError
from flink_masking.logic import CountsPeople, Effects

MEMBER = b"people"
"""Metadata of a packed batch: the key version, as decimal digits."""
ENTRY = "people"
"""The state entry with the version."""
_TAG = b"people."
_FORMAT = 1
_NOBODY = frozenset({ENTRY, "closed"})
"""State entries that hold no hash of a person."""


def marked(batch: pa.RecordBatch, version: int) -> pa.RecordBatch:
    """A packed batch that names the key version its people are hashed with."""
    return batch.replace_schema_metadata({**(batch.schema.metadata or {}), MEMBER: b"%d" % version})


class PinnedPeople:
    """A logic that takes people of one key version only; everything else is passed on to the logic inside.

    The version is written with the first batch and deleted at the end of the input, where nothing is left that holds a hash. A state
    without it (of a release that did not keep it) is taken over and gets it with the next batch.
    """

    def __init__(self, make: Callable[[], CountsPeople], version: int, segment: str) -> None:
        """Start with an empty logic.

        Args:
            make: makes the logic inside.
            version: the key version that people are hashed with now.
            segment: the segment's name, for messages.
        """
        self._logic, self._version, self._segment, self._kept = make(), version, segment, False

    def on_batch(self, batch: pa.RecordBatch, now: int) -> Effects:
        """Pass on a batch; people to forget are taken out of the logic inside.

        Raises:
            JobError: its people are hashed with another key version.
        """
        named = (batch.schema.metadata or {}).get(MEMBER)  # absent in packets of a release that did not name it
        if named is not None and int(named) != self._version:
            raise JobError(f"segment '{self._segment}': a batch whose people are hashed with key version {int(named)} meets an operator "
                           f"that works with version {self._version}. Hint: give all TaskManagers the same key ring and restart the job")
        people = orders_of(batch)
        effects = Effects() if people is None or not self._kept else self._logic.forget(people, now)
        if people is not None and not batch.num_columns:
            return effects
        effects += self._logic.on_batch(batch.replace_schema_metadata(None), now)
        if not self._kept:
            effects.writes[ENTRY], self._kept = self._entry(), True
        return effects

    def on_timer(self, now: int) -> Effects:
        """See `Logic`."""
        return self._logic.on_timer(now)

    def on_watermark(self, watermark: int) -> Effects:
        """See `Logic`."""
        return self._logic.on_watermark(watermark)

    def on_end(self) -> Effects:
        """See `Logic`."""
        effects = self._logic.on_end()
        if self._kept and self._logic.snapshot().keys() <= _NOBODY:
            effects.writes[ENTRY], self._kept = None, False
        return effects

    def next_timer(self) -> int | None:
        """See `Logic`."""
        return self._logic.next_timer()

    def next_watermark(self) -> int | None:
        """See `Logic`."""
        return self._logic.next_watermark()

    def snapshot(self) -> dict[str, bytes]:
        """The state of the logic inside and the key version."""
        return {**self._logic.snapshot(), **({ENTRY: self._entry()} if self._kept else {})}

    def restore(self, entries: Mapping[str, bytes]) -> None:
        """Take over a state.

        Raises:
            InputError: its people are hashed with another key version, or the logic inside refuses it.
        """
        entry = entries.get(ENTRY)
        if entry is not None:
            self._compare(entry)
        self._kept = entry is not None
        self._logic.restore({name: blob for name, blob in entries.items() if name != ENTRY})

    def _entry(self) -> bytes:
        return _TAG + b"%d %d" % (_FORMAT, self._version)

    def _compare(self, entry: bytes) -> None:
        number, _, kept = entry.removeprefix(_TAG).partition(b" ")
        if not (entry.startswith(_TAG) and number.isdigit() and kept.isdigit()):
            raise InputError(f"segment '{self._segment}': the state is damaged. Hint: restore an earlier savepoint")
        if int(number) != _FORMAT:
            raise InputError(f"segment '{self._segment}': the state was written by a newer version. "
                             "Hint: restore with the version that wrote it")
        if int(kept) == self._version:
            return
        older = int(kept) < self._version
        step = f"enable version {int(kept)} again" if older else f"disable version {self._version} again"
        raise InputError(
            f"segment '{self._segment}': the people in its state are hashed with key version {int(kept)}, and the key ring's oldest "
            f"enabled version is {self._version}: everybody would count as a new person. Hint: {step} (flink-masking keys "
            f"{'enable' if older else 'disable'}) for as long as this state is used; or stop the job with --drain before, which empties "
            "buffers; or rename the segment: it starts without state, and lifetime budgets start anew")
