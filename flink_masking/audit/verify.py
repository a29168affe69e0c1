"""Verifies a log: its checkpoint, every tile and entry, every chain, every event, and all of it against an older checkpoint."""

import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import orjson

from flink_masking.audit.checkpoint import Checkpoint
from flink_masking.audit.digests import read_leaves
from flink_masking.audit.entries import read_bundle, whole_event
from flink_masking.audit.events import START, link
from flink_masking.audit.macs import EventKeys
from flink_masking.audit.notes import NoteVerifier
from flink_masking.audit.schema import event_fault
from flink_masking.audit.sealer import CHECKPOINT
from flink_masking.audit.stores import LEAVES, Store
from flink_masking.audit.tiles import WIDTH, tile_path
from flink_masking.crypto.merkle import HASH_BYTES, leaf_hash, root_of
from flink_masking.errors import InputError
from flink_masking.keys.ring import KeyRing

MOST = 100
"""Faults that are told."""


@dataclass
class Verified:
    """What a verification found.

    Attributes:
        checkpoint: of the log; None where it has no sound one.
        faults: what is wrong, at most `MOST`; empty: nothing is.
        events: number of events by kind.
        chains: number of chains.
        unsigned: events of earlier releases, without a code.
        unknown: events whose code the given ring cannot check, since it lacks their key version.
        checked: whether codes were checked at all.
        untraced: views of batches whose leaf hashes are not in the log's folder.
        times: of the first and the last event.
    """

    checkpoint: Checkpoint | None = None
    faults: list[str] = field(default_factory=list)
    events: Counter[str] = field(default_factory=Counter)
    chains: int = 0
    unsigned: int = 0
    unknown: int = 0
    checked: bool = False
    untraced: int = 0
    times: tuple[str, str] | None = None

    def fault(self, text: str) -> None:
        """Note a fault."""
        if len(self.faults) < MOST:
            self.faults.append(text)


def verify(store: Store, keys: Sequence[NoteVerifier], since: bytes | None = None, ring: KeyRing | None = None,
           accept_unsigned: bool = False, told: Callable[[int, int], None] | None = None) -> Verified:
    """Verify a log.

    Args:
        store: of the log.
        keys: the log's public keys, any of which may have signed its checkpoint.
        since: a checkpoint that somebody kept: the log must have it as its beginning.
        ring: with it the codes of the events are checked.
        accept_unsigned: events of earlier releases are no fault.
        told: called with the entries checked so far and those of the log, after each bundle of them.
    """
    found = Verified(checked=ring is not None)
    note = store.read(CHECKPOINT)
    try:
        if note is None:
            raise InputError("it is missing. Hint: give the log's directory or address")
        found.checkpoint = Checkpoint.read(note, keys)
    except InputError as error:
        found.fault(f"checkpoint: {error}")
        return found
    leaves = _Events(found, store, EventKeys(ring) if ring is not None else None, accept_unsigned).read(found.checkpoint.size, told)
    if leaves is None:
        return found
    _check_tiles(found, store, leaves)
    if since is not None:
        try:
            before = Checkpoint.read(since, keys)
            if before.size > len(leaves):
                found.fault(f"the log has {len(leaves)} entries, and the older checkpoint has {before.size}: it was cut back")
            elif root_of(leaves[: before.size]) != before.root:
                found.fault(f"the first {before.size} entries are not those of the older checkpoint: the log was rewritten")
        except InputError as error:
            found.fault(f"the older checkpoint: {error}")
    return found


def _check_tiles(found: Verified, store: Store, leaves: np.ndarray) -> None:
    """Hold every tile against the entries, and the root against the checkpoint."""
    assert found.checkpoint is not None
    hashes, level = leaves, 0
    while len(hashes):
        above = []
        for start in range(0, len(hashes), WIDTH):
            mine = hashes[start : start + WIDTH]
            name = tile_path(level, start // WIDTH, len(mine))
            data = store.read(name)
            if data is None and len(mine) < WIDTH:  # a partial tile may be removed when the whole one is there
                whole = store.read(tile_path(level, start // WIDTH))
                data = whole if whole is None else whole[: len(mine) * HASH_BYTES]
            if data is None:
                found.fault(f"{name} is missing")
            elif data != mine.tobytes():
                found.fault(f"{name} does not fit the entries: it, or an entry below it, was changed")
            if len(mine) == WIDTH:
                above.append(np.frombuffer(root_of(mine), np.uint8))
        hashes, level = np.array(above, np.uint8).reshape(-1, HASH_BYTES), level + 1
    if root_of(leaves) != found.checkpoint.root:
        found.fault("the entries do not make the root that the checkpoint signs: entries were changed, removed, added or moved")


class _Events:
    """The entries of a log as events."""

    def __init__(self, found: Verified, store: Store, codes: EventKeys | None, accept_unsigned: bool) -> None:
        self._found, self._store, self._codes, self._accept = found, store, codes, accept_unsigned
        self._chains: dict[str, dict[int, tuple[str, str, bool]]] = {}
        self._roots: dict[tuple[str, int, str], tuple[bytes, int]] = {}

    def read(self, size: int, told: Callable[[int, int], None] | None = None) -> np.ndarray | None:
        """Check every entry; the leaf hashes, n by 32, or None where a bundle is missing."""
        hashes = np.empty((size, HASH_BYTES), np.uint8)
        for number in range(-(-size // WIDTH)):
            try:
                entries = read_bundle(self._store, number, min(WIDTH, size - number * WIDTH))
            except InputError as error:
                self._found.fault(str(error).partition(" Hint:")[0])
                return None
            for place, entry in enumerate(entries, number * WIDTH):
                hashes[place] = np.frombuffer(leaf_hash(entry), np.uint8)
                self._entry(place, entry)
            if told is not None:
                told(number * WIDTH + len(entries), size)
        self._links()
        self._leaves()
        return hashes

    def _entry(self, place: int, entry: bytes) -> None:
        found, where = self._found, f"entry {place}"
        try:
            line = whole_event(self._store, entry)
            chain, number, previous = link(line)
        except InputError as error:
            found.fault(f"{where}: {str(error).partition(' Hint:')[0]}")
            return
        if (fault := event_fault(line)) is not None:
            found.fault(f"{where}: {fault}")
            return
        event = orjson.loads(line)
        found.events[event["event"]] += 1
        first, last = found.times or (event["time"], event["time"])
        found.times = min(first, event["time"]), max(last, event["time"])
        signed = "format" in event
        finding = "unsigned" if not signed else "sound" if self._codes is None else self._codes.finding(line)
        if finding == "forged" or (signed and "mac" not in event):
            found.fault(f"{where}: the code of event {number} of chain {chain} does not fit: it was changed, or written without the key "
                        "ring")
        found.unsigned += finding == "unsigned"
        found.unknown += finding == "unknown_key"
        if finding == "unsigned" and self._codes is not None and not self._accept:
            found.fault(f"{where}: event {number} of chain {chain} has no code. Events of releases before 0.3 have none: --accept-unsigned")
        numbers = self._chains.setdefault(chain, {})
        if number in numbers:
            found.fault(f"{where}: event {number} of chain {chain} is a duplicate")
        numbers[number] = previous, hashlib.sha256(line).hexdigest(), signed
        for name, done in (event.get("segments") or {}).items():
            if isinstance(done, dict) and "root" in done:
                size = done["lines"] if "lines" in done else done.get("released", 0)
                self._roots[chain, number, name] = base64.b64decode(done["root"]), size

    def _links(self) -> None:
        self._found.chains = len(self._chains)
        for name, numbers in sorted(self._chains.items()):
            previous, kinds = START, set()
            for number in range(len(numbers)):
                if number not in numbers:
                    self._found.fault(f"chain {name}: event {number} is missing")
                    break
                before, digest, signed = numbers[number]
                if before != previous:
                    self._found.fault(f"chain {name}: event {number} does not follow the one before it: one of them was changed")
                    break
                previous = digest
                kinds.add(signed)
            if len(kinds) > 1:
                self._found.fault(f"chain {name}: some events have a code and some have none")

    def _leaves(self) -> None:
        """Hold the leaf hashes that are there against the roots of the events."""
        parts: dict[tuple[str, int, str], dict[int, bytes]] = {}
        for file in self._store.names(LEAVES):
            for line in (self._store.read(file) or b"").splitlines():
                try:
                    chain, of, views = read_leaves(line)
                except InputError:
                    self._found.fault(f"{file}: a line tells no leaf hashes")
                    continue
                for view, (start, hashes) in views.items():
                    parts.setdefault((chain, of, view), {})[start] = hashes
        for key, (root, size) in self._roots.items():
            if size < 2:
                continue
            hashes = b"".join(piece for _, piece in sorted(parts.pop(key, {}).items()))
            if len(hashes) != size * HASH_BYTES:
                self._found.untraced += 1
            elif root_of(np.frombuffer(hashes, np.uint8).reshape(-1, HASH_BYTES)) != root:
                chain, number, view = key
                self._found.fault(f"the leaf hashes of view {view} in event {number} of chain {chain} do not make its root: they were "
                                  "changed")

