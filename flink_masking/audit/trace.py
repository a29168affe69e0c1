"""Finds when a record was sent and what was done to it, with a proof that stands alone."""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import orjson
import pyarrow as pa

from flink_masking.audit.checkpoint import Checkpoint
from flink_masking.audit.digests import read_leaves
from flink_masking.audit.entries import read_entries, whole_event
from flink_masking.audit.notes import NoteVerifier
from flink_masking.audit.salted import SALT_BYTES, SALTED, salted, salting
from flink_masking.audit.sealer import CHECKPOINT
from flink_masking.audit.stores import LEAVES, Store
from flink_masking.crypto.merkle import HASH_BYTES, inclusion_path, leaf_hash, root_by_path, root_of
from flink_masking.errors import InputError
from flink_masking.keys.ring import KeyRing

T = TypeVar("T")
PROOF_FORMAT = "flink-masking audit proof 1"
_TLOG_PROOF = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True)
class Sent:
    """One time that a record was sent.

    Attributes:
        view: the view it is in.
        event: the audit event of its batch.
        entry: number of the event in the log.
        index: of the record in the batch's view, from 0.
        size: records of the batch's view.
        proof: JSON that stands alone, see `check_proof`.
    """

    view: str
    event: dict[str, Any]
    entry: int
    index: int
    size: int
    proof: bytes

    @property
    def done(self) -> dict[str, Any]:
        """What was done in this view."""
        found: dict[str, Any] = self.event["segments"][self.view]
        return found


_Batch = tuple[np.ndarray, bytes, bytes | None]
"""The leaf hashes of a batch's view, n by 32; the record's own, and its salt in a granted view."""


class _Leaves:
    """The leaf hashes that a record of a view can have.

    Attributes:
        plain: in views that are not granted.
        closed: granted views were met, and there is no key ring.
    """

    def __init__(self, view: str, record: bytes, ring: KeyRing | None) -> None:
        self._record = pa.array([record], pa.binary())
        self._salting = {} if ring is None else {version: salting(ring, view, version) for version in ring.versions}
        self.plain, self.closed = leaf_hash(record), False

    def salted(self, version: int, chain: str, number: int) -> tuple[bytes, bytes] | None:
        """The leaf hash and the salt in the batch of an event of a granted view; None without the event's key version."""
        self.closed |= not self._salting
        if (prf := self._salting.get(version)) is None:
            return None
        whole = bytes(salted(prf, self._record, chain, number)[0].as_py())
        return leaf_hash(whole), whole[:SALT_BYTES]

    def all(self, chain: str, number: int) -> set[bytes]:
        """Those in the batch of an event that is not known yet."""
        made = (self.salted(version, chain, number) for version in self._salting)
        return {self.plain, *(one[0] for one in made if one is not None)}


class Watched(Protocol):
    """Gives the items on, and shows how far they are."""

    def __call__(self, label: str, items: Iterable[T], noun: str, total: int | None = None) -> Iterator[T]:
        """Items with what is done with them, their noun, and how many there are."""
        ...


def trace(store: Store, view: str, record: bytes, ring: KeyRing | None = None, watched: Watched | None = None) -> list[Sent]:
    """Every time that a record was sent in a view.

    Args:
        store: of the log, with its leaf hashes.
        view: a segment's name.
        record: its bytes as they left.
        ring: the job's key ring, for granted views: it makes the salts of their leaves.
        watched: shows how far it is; None: nothing does.

    Raises:
        InputError: the log has no checkpoint, its entries do not make its root, or the view is a granted one and there is no ring.
    """
    note = store.read(CHECKPOINT)
    if note is None:
        raise InputError("the log has no checkpoint. Hint: give the log's directory or address")
    size = _claimed(note)
    leaves = _Leaves(view, record, ring)
    each = watched or _unwatched
    hits = _hits(store, view, leaves, each)
    tree, batches = np.empty((size, HASH_BYTES), np.uint8), list[tuple[int, bytes, bytes, _Batch]]()
    for number, entry in enumerate(each("Reading the log", read_entries(store, size), "entries", size)):
        tree[number] = np.frombuffer(leaf_hash(entry), np.uint8)
        line = whole_event(store, entry)
        if (batch := _batch(line, view, leaves, hits)) is not None:
            batches.append((number, entry, line, batch))
    if root_of(tree) != _root(note):
        raise InputError("the entries do not make the root of the checkpoint. Hint: flink-masking audit verify tells what is wrong")
    found = []
    for number, entry, line, (hashes, leaf, salt) in batches:
        beside = {} if salt is None else {"salt": base64.b64encode(salt).decode()}
        for index in np.flatnonzero((hashes == np.frombuffer(leaf, np.uint8)).all(axis=1)).tolist():
            path = [base64.b64encode(node).decode() for node in inclusion_path(hashes, index)]
            proof = {"format": PROOF_FORMAT, "view": view, "record": {"index": index, "size": len(hashes), **beside, "path": path},
                     "entry": base64.b64encode(entry).decode(), "log": _log_proof(number, inclusion_path(tree, number), note)}
            if line != entry:
                proof["event"] = base64.b64encode(line).decode()
            written = orjson.dumps(proof, option=orjson.OPT_INDENT_2) + b"\n"
            found.append(Sent(view, orjson.loads(line), number, index, len(hashes), written))
    if leaves.closed and not found:
        raise InputError(f"view {view} is a granted one: to find a record in it needs the key ring. Hint: --keys, the job's")
    return found


def _batch(line: bytes, view: str, leaves: _Leaves, hits: dict[tuple[str, int], list[tuple[int, bytes]]]) -> _Batch | None:
    """What an event tells of the view, where the record may be in it and the leaf hashes make its root."""
    try:
        event = orjson.loads(line)
        done, place, leaf, salt = event["segments"][view], (event["chain"], event["number"]), leaves.plain, None
        root = base64.b64decode(done["root"])
        if done.get("leaves") == SALTED:
            if (made := leaves.salted(event["key_version"], *place)) is None:
                return None
            leaf, salt = made
        joined = leaf if root == leaf else b"".join(piece for _, piece in sorted(hits.get(place, [])))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None
    hashes = np.frombuffer(joined, np.uint8).reshape(-1, HASH_BYTES)
    return (hashes, leaf, salt) if len(hashes) and root_of(hashes) == root else None


def check_proof(proof: bytes, record: bytes, keys: Sequence[NoteVerifier]) -> tuple[dict[str, Any], Checkpoint]:
    """Check a proof against nothing but the record and the log's public key.

    Args:
        proof: from `Sent.proof`.
        record: its bytes as they left.
        keys: public keys of the log, any of which may have signed the checkpoint.

    Returns:
        The audit event of the record's batch, and the checkpoint that commits to it.

    Raises:
        InputError: it proves nothing of this record.
    """
    try:
        body = orjson.loads(proof)
        entry, place, text = base64.b64decode(body["entry"], validate=True), body["record"], str(body["log"])
        line = base64.b64decode(body["event"], validate=True) if "event" in body else entry
        at, of = int(place["index"]), int(place["size"])
        path = [base64.b64decode(node, validate=True) for node in place["path"]]
        front, _, note = text.partition("\n\n")
        header, index, *nodes = front.split("\n")
        number, above = int(index.removeprefix("index ")), [base64.b64decode(node, validate=True) for node in nodes]
        if body["format"] != PROOF_FORMAT or header != _TLOG_PROOF:
            raise ValueError
        event = orjson.loads(line)
        done = event["segments"][body["view"]]
        root, size = base64.b64decode(done["root"], validate=True), int(done["lines"] if "lines" in done else done["released"])
        salt = base64.b64decode(place["salt"], validate=True) if "salt" in place else b""
        if len(salt) != (SALT_BYTES if done.get("leaves") == SALTED else 0):  # or a piece of the record could be called a salt
            raise ValueError
        named = orjson.loads(entry).get("large") if line != entry else None
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError, binascii.Error):
        raise InputError("not a proof. Hint: give the file that 'flink-masking audit trace --proof' has written") from None
    checkpoint = Checkpoint.read(note.encode(), keys)
    if line != entry and named != _digest(line):
        raise InputError("the proof's event is not the one of its entry. Hint: do not trust it")
    if root_by_path(leaf_hash(entry), number, checkpoint.size, above) != checkpoint.root:
        raise InputError("the proof's event is not in the log that the checkpoint signs. Hint: do not trust it")
    if of != size or root_by_path(leaf_hash(salt + record), at, size, path) != root:
        raise InputError("the record is not in the batch of the proof's event. Hint: give the record's bytes as they left, without a line "
                         "break behind them")
    return event, checkpoint


def _unwatched(label: str, items: Iterable[T], noun: str, total: int | None = None) -> Iterator[T]:
    yield from items


def _hits(store: Store, view: str, leaves: _Leaves, each: Watched) -> dict[tuple[str, int], list[tuple[int, bytes]]]:
    """Leaf hashes of the batches that a record may be in, by chain and number of their event: numbers of first leaves, hashes joined."""
    wanted, parts = set(), list[tuple[tuple[str, int], int, bytes]]()
    text, files = orjson.dumps(view), store.names(LEAVES)
    for again in (False, True):  # first the batches, then all their parts, which may stand in several files
        for file in each("Searching" if not again else "Gathering", files, "files", len(files)):
            for line in (store.read(file) or b"").splitlines():
                if text not in line:
                    continue
                chain, of, views = read_leaves(line)
                if view not in views:
                    continue
                if again and (chain, of) in wanted:
                    parts.append(((chain, of), *views[view]))
                elif not again and any(_within(views[view][1], leaf) for leaf in leaves.all(chain, of)):
                    wanted.add((chain, of))
        if not wanted:
            break
    found: dict[tuple[str, int], dict[int, bytes]] = {}
    for place, start, hashes in parts:  # a line that a source repeated is there more than once
        found.setdefault(place, {})[start] = hashes
    return {place: list(pieces.items()) for place, pieces in found.items()}


def _within(hashes: bytes, leaf: bytes) -> bool:
    at = hashes.find(leaf)
    while at >= 0 and at % HASH_BYTES:
        at = hashes.find(leaf, at + 1)
    return at >= 0


def _log_proof(index: int, path: list[bytes], note: bytes) -> str:
    """Inclusion of an entry as C2SP tlog-proof has it."""
    return "\n".join([_TLOG_PROOF, f"index {index}", *(base64.b64encode(node).decode() for node in path)]) + "\n\n" + note.decode()


def _claimed(note: bytes) -> int:
    """The size in a checkpoint whose signature is not looked at."""
    try:
        return int(note.split(b"\n", 3)[1])
    except (IndexError, ValueError):
        raise InputError("checkpoint: it is no checkpoint. Hint: restore the log") from None


def _root(note: bytes) -> bytes:
    try:
        return base64.b64decode(note.split(b"\n", 3)[2], validate=True)
    except (IndexError, ValueError):
        raise InputError("checkpoint: it is no checkpoint. Hint: restore the log") from None


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()
