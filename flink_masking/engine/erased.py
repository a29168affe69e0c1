"""Erased subjects, as a running job knows them: whose records are left out, and what its keyed operators are told to forget."""

import logging
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from flink_masking.crypto.prf import Prf
from flink_masking.errors import VaultUnavailableError
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import LoadedPolicy
from flink_masking.vault.base import Vault
from flink_masking.vault.subjects import SUBJECT_BYTES, Mark

if TYPE_CHECKING:
    from flink_masking.control.watcher import ControlWatcher

REFRESH_MS = 5_000
"""Default interval between two looks at the vault, ms."""
IN_PACKET = 50_000
"""People in one packet to a keyed operator."""
IN_EVENT = 1_000
"""Erasures in one event of the audit."""
FORGET = b"forget"
"""Metadata of a packed batch: the keyed hashes of people to forget before its records are taken in."""
_log = logging.getLogger(__name__)


def write_mark(mark: Mark) -> str:
    """A subject as documents and audit have it: key version and keyed hash.

    >>> write_mark(Mark(1, bytes(16)))
    '1:00000000000000000000000000000000'
    """
    return f"{mark.version}:{mark.subject.hex()}"


def read_mark(text: str) -> Mark | None:
    """What `write_mark` wrote; None for anything else."""
    version, _, subject = text.partition(":")
    try:
        found = Mark(int(version), bytes.fromhex(subject))
    except ValueError:
        return None
    return found if write_mark(found) == text and found.version > 0 and len(found.subject) == SUBJECT_BYTES else None


def marks_of(ring: KeyRing, stream: str, subjects: pa.StringArray) -> list[Mark]:
    """Subjects as jobs recognise them: by the hash that people are counted with, under every version that opens.

    Args:
        ring: the keys.
        stream: the policy's.
        subjects: n texts, as records have them.

    Returns:
        A mark for each subject and version.
    """
    return [Mark(version, row.tobytes()[:SUBJECT_BYTES]) for version in ring.versions
            for row in Prf(ring.derive("subject", stream, version)).digests(subjects)]


def ordered(batch: pa.RecordBatch | None, people: np.ndarray) -> pa.RecordBatch:
    """A packed batch that has its receiver forget people first; without records where there is no batch.

    Args:
        batch: for the same receiver, or None.
        people: uint64, their keyed hashes.
    """
    if batch is None:
        batch = pa.RecordBatch.from_arrays([], schema=pa.schema([]))
    return batch.replace_schema_metadata({**(batch.schema.metadata or {}), FORGET: people.tobytes()})


def orders_of(batch: pa.RecordBatch) -> np.ndarray | None:
    """The people that a packed batch has its receiver forget: uint64; None where it is no order."""
    found = (batch.schema.metadata or {}).get(FORGET)
    return None if found is None else np.frombuffer(found, np.uint64)


class ErasedSubjects:
    """The erased subjects of a stream, known by the first 64 bits of their hashes, as people are in state.

    One thread works with it, between two batches and in them.
    """

    def __init__(self, stream: str) -> None:
        """Nobody yet.

        Args:
            stream: the policy's.
        """
        self._stream = stream
        self._marks: set[Mark] = set()
        self._left_out: dict[int, np.ndarray] = {}
        self._new: list[Mark] = []
        self._untold: deque[Mark] = deque()
        self._packets: dict[tuple[str, int], deque[np.ndarray]] = {}
        self._hashes: dict[tuple[int, int], Prf] = {}

    def __bool__(self) -> bool:
        """Whether records of anybody are left out."""
        return bool(self._left_out)

    @property
    def news(self) -> bool:
        """Whether there are erasures that segments have not been addressed with, since the last call of `told`."""
        return bool(self._new)

    def learn(self, marks: Iterable[Mark], drop: bool = True) -> bool:
        """Take note of erasures.

        Args:
            marks: of subjects.
            drop: whether their later records are left out.

        Returns:
            Whether any was new.
        """
        new = [mark for mark in dict.fromkeys(marks) if mark not in self._marks]
        self._marks.update(new)
        self._new += new
        self._untold += new
        if drop:
            for version in {mark.version for mark in new}:
                words = _words([mark for mark in new if mark.version == version])
                self._left_out[version] = np.union1d(self._left_out.get(version, words[:0]), words)
        return bool(new)

    def rows(self, subjects: pa.StringArray, ring: KeyRing) -> np.ndarray:
        """Which rows are an erased subject's: bool, n."""
        found = np.zeros(len(subjects), np.bool_)
        for version, erased in self._left_out.items():
            if version in ring.versions:
                words = self._prf(version, ring).words(subjects)
                places = np.minimum(np.searchsorted(erased, words), len(erased) - 1)
                found |= erased[places] == words
        return found

    def _prf(self, version: int, ring: KeyRing) -> Prf:
        key = version, id(ring)
        if key not in self._hashes:
            self._hashes = {key: Prf(ring.derive("subject", self._stream, version)),
                            **{other: prf for other, prf in self._hashes.items() if other[1] == id(ring)}}
        return self._hashes[key]

    def told(self) -> tuple[str, ...]:
        """Erasures that the audit has not been told of, at most `IN_EVENT`; the rest follows with later batches."""
        self._new = []
        return tuple(write_mark(self._untold.popleft()) for _ in range(min(IN_EVENT, len(self._untold))))

    def address(self, segment: str, shards: int, version: int) -> None:
        """Prepare what a stateful segment is told of the erasures that came since the last call of `told`.

        Args:
            segment: its name.
            shards: instances of its first stage.
            version: the key version that it knows people by.
        """
        words = _words([mark for mark in self._new if mark.version == version])
        for shard in range(shards):
            mine = words[words % np.uint64(shards) == shard] if shards > 1 else words
            waiting = self._packets.setdefault((segment, shard), deque())
            waiting += [mine[start : start + IN_PACKET] for start in range(0, len(mine), IN_PACKET)]

    def order(self, segment: str, shard: int) -> np.ndarray | None:
        """People that a packet for a shard can have its receiver forget: uint64; None where there are none."""
        waiting = self._packets.get((segment, shard))
        return waiting.popleft() if waiting else None

    def orders(self, segment: str, most: int) -> list[tuple[int, pa.RecordBatch]]:
        """Packets without records for the shards that are still to be told, as many as there is room for; the rest waits."""
        found: list[tuple[int, pa.RecordBatch]] = []
        for (name, shard), waiting in self._packets.items():
            while name == segment and waiting and len(found) < most:
                found.append((shard, ordered(None, waiting.popleft())))
        return found


class Erasures:
    """Learns of erasures, between two batches: from the vault, at most every so often, and from control documents.

    A vault that is away changes nothing of what is known.
    """

    def __init__(self, subjects: ErasedSubjects, vault: Vault | None, control: "ControlWatcher | None", stream: str,
                 refresh: int = REFRESH_MS) -> None:
        """Nothing is asked yet.

        Args:
            subjects: the erased ones.
            vault: open; None where there is none.
            control: the control documents, or None.
            stream: the policy's.
            refresh: ms between two looks at the vault.
        """
        self.subjects = subjects
        self._vault, self._control, self._stream, self._refresh = vault, control, stream, refresh
        self._point, self._next = 0, 0
        self._documents: set[str] = set()

    def follow(self, loaded: LoadedPolicy, now: int) -> None:
        """Look as the policy in force wants it; see `look`."""
        policy = loaded.policy
        if policy.subject is not None:
            self.look(now, policy.erasure is None or policy.erasure.later == "drop", loaded.erasable)

    def look(self, now: int, drop: bool, ask_vault: bool) -> None:
        """Take note of what has come; tokens and keys in the vault's caches are forgotten then, for they may have been deleted.

        Args:
            now: ms since 1970.
            drop: whether later records of subjects that were erased in the vault are left out; documents say so themselves.
            ask_vault: whether the policy has anything in the vault that an erasure destroys.

        Raises:
            VaultError: the vault is there and cannot be used.
        """
        new = False
        if self._vault is not None and ask_vault and now >= self._next:
            self._next = now + self._refresh
            try:
                marks, self._point = self._vault.subjects.erased(self._stream, self._point)
                new |= self.subjects.learn(marks, drop)
            except VaultUnavailableError as error:
                _log.warning("erasures could not be looked for: %s", error)
        for document in self._control.erasures_in_force(now) if self._control is not None else ():
            if document.id not in self._documents:
                self._documents.add(document.id)
                read = [read_mark(text) for text in document.body.subjects]
                if None in read:
                    _log.warning("erasure %s: %d subjects are no keyed hashes of this library. Hint: flink-masking erase makes documents",
                                 document.id, read.count(None))
                new |= self.subjects.learn((mark for mark in read if mark is not None), document.body.later == "drop")
        if new and self._vault is not None:
            self._vault.cache.clear()
            self._vault.keys.clear()


def _words(marks: Iterable[Mark]) -> np.ndarray:
    """The first eight bytes of the hashes as numbers, as `flink_masking.crypto.prf.Prf.words` has them, sorted: uint64."""
    return np.unique(np.array([int.from_bytes(mark.subject[:8], "big") for mark in marks], np.uint64))
