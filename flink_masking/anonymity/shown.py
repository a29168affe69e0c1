"""Who showed which value lately, and the state entries that it is kept in.

A call writes the values that changed in it, not all that are known: ``shown:<number>`` holds rows of values, of which the one in the
entry with the largest number is valid; ``shown`` holds the times that go with them. When much more is written than is valid, or in many
entries, all values are written anew and the old entries deleted.
"""

import re
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from flink_masking.anonymity import zero_delay_kernels as kernel
from flink_masking.errors import InputError
from flink_masking.ipc import from_ipc

ENTRY = "shown"
FORMAT = b"z-anonymity 2"
WHOLE = b"z-anonymity 1"
"""The format of earlier releases: everything in one entry, an Arrow IPC stream."""
ROWS, ENTRIES = 32_768, 256
"""Rows of an entry at most; and entries from which on all is written anew."""


class ShownValues:
    """The values of one shard. Contract: `snapshot` equals the sum of all writes; damaged state is refused.

    Attributes:
        clock: the latest time that was given, ms; it never goes back.
    """

    def __init__(self, most: int, z: int, signature: bytes) -> None:
        """Nothing was shown yet.

        Args:
            most: values remembered at most.
            z: people remembered of each.
            signature: of the settings, which a restored state must have.
        """
        self._most, self._z, self._signature = most, z, signature
        self._empty()

    def _empty(self) -> None:
        slots = 1 << (2 * self._most).bit_length()
        self._shown = kernel.Shown(
            np.zeros(self._most, np.uint64), np.zeros((self._most, self._z), np.uint64),
            np.full((self._most, self._z), kernel.NEVER, np.int64), np.zeros(self._most, np.uint8), np.zeros(slots, np.int64),
            np.array([0, 1 << 62, kernel.NEVER], np.int64))
        self.clock, self._fresh = kernel.NEVER, True
        self._entries: dict[str, bytes] = {}
        self._rows = self._number = 0
        self._whole: bytes | None = None

    def admit(self, keys: np.ndarray, first: np.ndarray, people: np.ndarray, now: int, window: int) -> np.ndarray:
        """Note the values of records; see `zero_delay_kernels.admit`. Returns the levels, int64, (n, attributes)."""
        self.clock, self._fresh = max(now, self.clock), False
        level = np.empty((len(keys), len(first) - 1), np.int64)
        kernel.admit(self._shown, keys, first, people, self.clock, window, level)
        return level

    def write(self, writes: dict[str, bytes | None]) -> None:
        """Put what changed since the last call into `writes`."""
        used = int(self._shown.cursor[kernel.USED])
        changed = np.flatnonzero(self._shown.changed[:used])
        if self._rows + len(changed) > 2 * used + ROWS or len(self._entries) >= ENTRIES:
            writes.update(dict.fromkeys(self._entries))
            self._entries, self._rows, changed = {}, 0, np.arange(used)
        changed = changed[np.argsort(self._shown.key[changed])]  # in an order that restarts do not change
        for begin in range(0, len(changed), ROWS):
            self._put(changed[begin : begin + ROWS], writes)
        self._shown.changed[:used], self._whole = 0, None
        writes[ENTRY] = self._facts()

    def _put(self, at: np.ndarray, writes: dict[str, bytes | None]) -> None:
        shown = self._shown
        rows = np.hstack([shown.key[at, None], shown.person[at], shown.time[at].view(np.uint64)])
        name = f"{ENTRY}:{self._number}"
        self._entries[name] = writes[name] = FORMAT + b"\n" + rows.astype("<u8").tobytes()
        self._rows, self._number = self._rows + len(at), self._number + 1

    def _facts(self) -> bytes:
        _, earliest, forgotten = self._shown.cursor.tolist()
        return FORMAT + b"\n%d %d %d %d\n" % (self.clock, earliest, forgotten, self._number) + self._signature

    def forget(self) -> dict[str, bytes | None]:
        """Forget everything; the writes that do so."""
        writes: dict[str, bytes | None] = {} if self._fresh else dict.fromkeys([ENTRY, *self._entries])
        self._empty()
        return writes

    def snapshot(self) -> dict[str, bytes]:
        """All entries; none before the first record and after the end."""
        if self._whole is not None:
            return {ENTRY: self._whole}
        return {} if self._fresh else {ENTRY: self._facts(), **self._entries}

    def restore(self, entries: Mapping[str, bytes]) -> None:
        """Take over the entries of this class; others are left alone.

        Raises:
            InputError: an entry is damaged, of another version, or of another segment.
        """
        self._empty()
        if ENTRY not in entries:
            return
        found = re.match(rb"z-anonymity (\d+)\n(-?\d+) (-?\d+) (-?\d+) (\d+)\n", entries[ENTRY])
        if found is None:
            self._restore_whole(entries[ENTRY])
            return
        if found[1] != FORMAT.split()[1]:
            raise _of_another_version()
        if entries[ENTRY][found.end() :] != self._signature:
            raise _of_other_settings()
        self._entries = {name: blob for name, blob in entries.items() if name.startswith(f"{ENTRY}:")}
        pieces = [self._read(self._entries[name]) for name in sorted(self._entries, key=lambda name: int(name.partition(":")[2]))]
        rows = np.concatenate([np.zeros((0, 1 + 2 * self._z), np.uint64), *pieces])
        self._rows, self._number = len(rows), int(found[5])
        _, last = np.unique(rows[::-1, 0], return_index=True)
        rows = rows[len(rows) - 1 - last]
        kept = rows[rows[:, 1 + self._z :].view(np.int64).max(axis=1, initial=kernel.NEVER) > int(found[4])]
        if len(kept) > self._most:
            raise _of_other_settings()
        self._fill(kept[:, 0], kept[:, 1 : 1 + self._z], kept[:, 1 + self._z :].view(np.int64))
        self._shown.cursor[:] = len(kept), int(found[3]), int(found[4])
        self.clock, self._fresh = int(found[2]), False

    def _read(self, blob: bytes) -> np.ndarray:
        width, content = 8 * (1 + 2 * self._z), blob.removeprefix(FORMAT + b"\n")
        if len(content) == len(blob) or len(content) % width:
            raise _damaged()
        return np.frombuffer(content, "<u8").astype(np.uint64).reshape(-1, 1 + 2 * self._z)

    def _restore_whole(self, blob: bytes) -> None:
        """Take over the single entry of an earlier release; the next call writes all of it in today's format."""
        try:
            batch = from_ipc(blob)
            facts = batch.schema.metadata or {}
            name, clock, earliest = facts[b"format"], int(facts[b"clock"]), int(facts[b"earliest"])
        except (pa.ArrowException, OSError, KeyError, ValueError, StopIteration):
            raise _damaged() from None
        if name != WHOLE:
            raise _of_another_version()
        if facts.get(b"of") != self._signature or batch.num_rows > self._most:
            raise _of_other_settings()
        people, times = (batch.column(column).flatten().to_numpy().reshape(-1, self._z) for column in ("person", "time"))
        self._fill(batch.column("key").to_numpy(), people, times)
        self._shown.changed[: batch.num_rows] = 1
        self._shown.cursor[:] = batch.num_rows, earliest, kernel.NEVER
        self.clock, self._fresh, self._whole = clock, False, blob

    def _fill(self, key: np.ndarray, person: np.ndarray, time: np.ndarray) -> None:
        shown, used = self._shown, len(key)
        shown.key[:used], shown.person[:used], shown.time[:used] = key, person, time
        shown.cursor[kernel.USED] = used
        kernel.index(shown)


def _damaged() -> InputError:
    return InputError("state of an anonymized segment: damaged. Hint: restore from an earlier savepoint")


def _of_another_version() -> InputError:
    return InputError("state of an anonymized segment: written by another version. Hint: restore with the version that wrote it")


def _of_other_settings() -> InputError:
    return InputError("state of an anonymized segment: of other settings. Hint: end the old job before these change")
