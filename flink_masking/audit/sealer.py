"""Seals audit events into a log that others can verify: one writer, killed at any moment without a loss or a second version.

What a round adds is written to the state first, whole (`PENDING`), then to the log, its checkpoint last, then the state moves on. Whoever
finds a pending round does exactly that round again: same entries, same root, and with Ed25519 the same signature. So a size has one root,
whatever was interrupted. The state lies on a disk of this machine; where it is lost, it is made anew of the log itself.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson

from flink_masking.audit.checkpoint import Checkpoint
from flink_masking.audit.entries import large_path, load_tree, read_entries, short_digest, stub
from flink_masking.audit.events import is_leaves, link
from flink_masking.audit.notes import NoteSigner
from flink_masking.audit.stores import LEAVES, Directory, Store
from flink_masking.audit.tiles import LARGEST_ENTRY, Tree
from flink_masking.crypto.merkle import leaf_hash
from flink_masking.errors import InputError

CHECKPOINT, STATE, PENDING, LOCK = "checkpoint", "state", "pending", "lock"
ROUND = 50_000
"""Lines of a round at most."""
_ENTRY, _LEAVES, _LARGE = b"E", b"L", b"O"


@dataclass(frozen=True)
class Position:
    """What has been sealed.

    Attributes:
        size: of the log.
        root: of it.
        sources: how far each source has been read, by its name.
        chains: events of each chain that were sealed without a gap.
        beyond: numbers of events that were sealed beyond a gap, by chain.
        files: number of files with leaf hashes.
    """

    size: int
    root: bytes
    sources: Mapping[str, Any]
    chains: Mapping[str, int]
    beyond: Mapping[str, list[int]]
    files: int = 0

    def encode(self) -> bytes:
        """As JSON, one line."""
        return orjson.dumps({"format": 1, "size": self.size, "root": self.root.hex(), "sources": self.sources, "chains": self.chains,
                             "beyond": self.beyond, "files": self.files})

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """From `encode`.

        Raises:
            InputError: it is no such state, or a later release's.
        """
        try:
            body = orjson.loads(data)
            if body["format"] != 1:
                raise ValueError
            return cls(body["size"], bytes.fromhex(body["root"]), body["sources"], body["chains"], body["beyond"], body["files"])
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            raise InputError("the sealer's state is damaged. Hint: remove it; it is made anew of the log") from None


class Sealer:
    """The one writer of a log; a context manager.

    Attributes:
        position: what has been sealed.
        again: lines that had been sealed before and were left out.
    """

    def __init__(self, store: Store, signer: NoteSigner, state: Path) -> None:
        """Keep what is needed; nothing is read or written yet.

        Args:
            store: of the log.
            signer: of the checkpoints.
            state: a directory of this machine; see the module.
        """
        self._store, self._signer, self._folder = store, signer, state
        self._state: Store = Directory(state, 0o600)
        self._tree, self.position = Tree(), Position(0, Tree().root, {}, {}, {})
        self._known: dict[tuple[str, int], bytes] | None = None
        self._stale = True
        self.again = 0

    def __enter__(self) -> Self:
        """Take the lock, and finish a round that was interrupted.

        Raises:
            InputError: another sealer has the lock, or log and state do not fit each other.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise InputError(f"{self._folder}: another sealer writes this log. Hint: one is enough; end the other one first") from None
        try:
            self._load()
        except BaseException:
            os.close(self._lock)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Release the lock."""
        os.close(self._lock)

    def seal(self, lines: Iterable[bytes], sources: Mapping[str, Any]) -> bytes | None:
        """Append lines to the log and publish a checkpoint of it.

        Args:
            lines: audit events and lines of leaf hashes, in the order in which they are to stand; what is neither is sealed, too, since a
                log does not drop anything. Events that the log has already are left out.
            sources: how far each source has been read with these lines.

        Returns:
            The checkpoint; None where nothing was appended.

        Raises:
            InputError: the log is not as this sealer left it.
            OSError: something could not be written; nothing is lost, the next call finishes it.
        """
        if self._stale:
            self._load()
        entries, leaves, large, chains, beyond = list[bytes](), list[bytes](), list[bytes](), dict(self.position.chains), {
            name: list(numbers) for name, numbers in self.position.beyond.items()}
        mine: dict[tuple[str, int], bytes] = {}
        for line in lines:
            if is_leaves(line):
                leaves.append(line)
            elif self._is_new(line, chains, beyond, mine):
                if len(line) > LARGEST_ENTRY:
                    large.append(line)
                    line = stub(line)
                entries.append(line)
        tree = self._tree.copy()
        for entry in entries:
            for _ in tree.append(entry, leaf_hash(entry)):
                pass
        merged = {**self.position.sources, **sources}
        after = Position(tree.size, tree.root, merged, chains, beyond, self.position.files + bool(leaves))
        if not entries and not leaves:
            if merged != self.position.sources:
                self._state.write(STATE, after.encode())
                self.position = after
            return None
        body = [*(_ENTRY + entry for entry in entries), *(_LEAVES + line for line in leaves), *(_LARGE + line for line in large)]
        self._stale = True  # until it is finished
        self._state.write(PENDING, b"\n".join([orjson.dumps({"from": self._tree.size}), after.encode(), *body]))
        return self._finish()

    def _is_new(self, line: bytes, chains: dict[str, int], beyond: dict[str, list[int]], mine: dict[tuple[str, int], bytes]) -> bool:
        """Whether a line is not in the log yet; notes its number."""
        try:
            chain, number, _ = link(line)
        except InputError:
            return True
        if number < 0:
            return True
        digest, upto, further = hashlib.sha256(line).digest()[:8], chains.get(chain, 0), beyond.get(chain, [])
        if number < upto or number in further:
            sealed = mine[chain, number] if (chain, number) in mine else self._sealed().get((chain, number))
            if sealed == digest:
                self.again += 1
                return False
            return True  # another event of that number: whoever verifies has to see it
        mine[chain, number] = digest
        if number > upto:
            beyond[chain] = sorted([*further, number])
            return True
        upto += 1
        while upto in further:
            further = [other for other in further if other != upto]
            upto += 1
        chains[chain] = upto
        if further:
            beyond[chain] = further
        else:
            beyond.pop(chain, None)
        return True

    def _sealed(self) -> dict[tuple[str, int], bytes]:
        """Digests of all events in the log; read when a line may be one of them, which happens after failures only."""
        if self._known is None:
            self._known = {}
            for entry in read_entries(self._store, self._tree.size):
                try:
                    chain, number, _ = link(entry)
                except InputError:
                    continue
                self._known.setdefault((chain, number), short_digest(entry))
        return self._known

    def _load(self) -> None:
        """Bring tree and position to what log and state say, and finish a pending round.

        Raises:
            InputError: they do not fit each other.
        """
        self._stale, self._known = True, None
        note, state = self._store.read(CHECKPOINT), self._state.read(STATE)
        published = None if note is None else Checkpoint.read(note, [self._signer.verifier])
        pending = self._state.read(PENDING)
        if state is not None:
            self.position = Position.decode(state)
        elif published is not None:
            self.position, pending = self._made_anew(published), None
        else:
            self.position = Position(0, Tree().root, {}, {}, {})
        begun = None if pending is None else orjson.loads(pending.split(b"\n", 1)[0])["from"]
        if pending is not None and begun != self.position.size:  # its state was written: only its removal is missing
            self._state.remove(PENDING)
            pending = None
        after = self.position if pending is None else Position.decode(pending.split(b"\n", 2)[1])
        sound = {(self.position.size, self.position.root), (after.size, after.root)}
        if (published is None and self.position.size) or (published is not None and (published.size, published.root) not in sound):
            raise InputError("the log is not as this sealer left it: it was cut back, changed, or another sealer has written it. Hint: "
                             "verify it; restore it, or, where it is sound, remove the sealer's state, which is then made anew")
        self._tree = load_tree(self._store, self.position.size, self.position.root)
        if pending is not None:
            self._finish()
        self._stale = False

    def _finish(self) -> bytes | None:
        """Do the pending round."""
        pending = self._state.read(PENDING)
        if pending is None:
            raise InputError(f"{self._folder}: the sealer's state has vanished. Hint: start it again")
        _, encoded, *lines = pending.split(b"\n")
        after, tree = Position.decode(encoded), self._tree.copy()
        for line in lines:
            if line[:1] == _LARGE:
                self._store.write(large_path(line[1:]), line[1:])
        if leaves := [line[1:] for line in lines if line[:1] == _LEAVES]:
            self._store.write(f"{LEAVES}/{after.files:09d}.jsonl", b"\n".join(leaves) + b"\n")
        for line in lines:
            if line[:1] == _ENTRY:
                for name, data in tree.append(line[1:], leaf_hash(line[1:])):
                    self._store.write(name, data)
        if (tree.size, tree.root) != (after.size, after.root):
            raise InputError(f"{self._folder}: the sealer's state is damaged. Hint: remove it; it is made anew of the log")
        note = None
        if tree.size > self._tree.size:
            for name, data in tree.partial():
                self._store.write(name, data)
            note = Checkpoint(self._signer.verifier.name, tree.size, tree.root).signed(self._signer)
            self._unchanged(note)
            self._store.write(CHECKPOINT, note)
        self._state.write(STATE, after.encode())
        self._state.remove(PENDING)
        if self._known is not None:
            for line in lines:
                if line[:1] == _ENTRY:
                    self._note(line[1:])
        self._tree, self.position, self._stale = tree, after, False
        return note

    def _note(self, entry: bytes) -> None:
        assert self._known is not None
        try:
            chain, number, _ = link(entry)
        except InputError:
            return
        self._known.setdefault((chain, number), short_digest(entry))

    def _unchanged(self, note: bytes) -> None:
        """Look whether somebody else has published since."""
        found, key = self._store.read(CHECKPOINT), self._signer.verifier
        mine = Checkpoint(key.name, self.position.size, self.position.root)
        if found != note and found is not None and Checkpoint.read(found, [key]) != mine:
            raise InputError("the log is not as this sealer left it: another sealer has written it. Hint: end one of them, and verify it")

    def _made_anew(self, published: Checkpoint) -> Position:
        """The state of a log whose sealer's state was lost: all sources are read again, and nothing is sealed twice."""
        chains: dict[str, int] = {}
        beyond: dict[str, list[int]] = {}
        self._tree, self._known = Tree(), {}
        for entry in read_entries(self._store, published.size):
            self._is_new(entry, chains, beyond, {})
            self._note(entry)
        names = self._store.names(LEAVES)
        files = max((int(name.rpartition("/")[2].partition(".")[0]) for name in names), default=0)
        self._known = None
        return Position(published.size, published.root, {}, chains, beyond, files)
