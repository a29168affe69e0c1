"""Quarantine entries: the reason, the field and the encrypted record."""

import base64
import binascii
import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import orjson
import pyarrow as pa

from flink_masking.arrow import parts
from flink_masking.engine.rejections import Rejections
from flink_masking.errors import ControlError, DecryptionError, InputError, VaultError
from flink_masking.keys.ring import KeyRing
from flink_masking.keys.sealer import Sealer
from flink_masking.records.survey import NONE, Members
from flink_masking.vault.base import Vault
from flink_masking.vault.day_keys import DAILY, DayKeys, DaySealer

PURPOSE = "quarantine"
_FRAME = 4_096
"""Bytes of a line besides the record, at most: the longest path and stream, the seal, and what Kafka adds."""


class MemberFault(NamedTuple):
    """What is wrong with a member of a quarantined record; see `flink_masking.records.survey.Member`.

    Attributes:
        reason: ``unknown_field``, ``type_mismatch``, ``contract`` or ``refused_value``.
        path: cleaned as that of an entry.
        found: what stands there.
        expected: what is declared; None where nothing is.
        position: byte in the record.
    """

    reason: str
    path: str
    found: str
    expected: str | None
    position: int


@dataclass(frozen=True)
class Entry:
    """A quarantined record.

    Attributes:
        time: when, ISO 8601 UTC.
        stream: the policy's stream.
        reason: a stable word (``malformed``, ``unknown_field``, ``out_of_domain``, …).
        path: the field concerned, cleaned of anything that could be a value; None when the record as a whole is.
        position: byte position in the record, where known.
        payload: the sealed record.
        size: bytes of the record, where only its beginning is in `payload`; None: all of it is.
        parts: the record's key and headers in Kafka, sealed; None where it had none, or they did not come along, and in entries of
            earlier releases.
        members: all members of the record that are undeclared, mistyped or refused, `flink_masking.records.survey.LISTED` of them at
            most; none in entries of earlier releases.
        unlisted: number of the others.
        expires: when the record can no longer be opened, ISO 8601 UTC; None: never, as long as the key ring opens it.
        approvals: of the grant that is needed to open the record; None: none is. The sealed record is bound to it.
    """

    time: str
    stream: str
    reason: str
    path: str | None
    position: int | None
    payload: bytes
    size: int | None = None
    parts: bytes | None = None
    members: tuple[MemberFault, ...] = ()
    unlisted: int = 0
    expires: str | None = None
    approvals: int | None = None

    @property
    def bound(self) -> bytes:
        """What the sealed record is bound to."""
        return _associated(self.stream, self.expires, self.approvals)

    @property
    def id(self) -> str:
        """What tells this entry from any other: the SHA-256 of its sealed record, which no two entries share, in hex."""
        return hashlib.sha256(self.payload).hexdigest()

    def encode(self) -> bytes:
        """One JSON line."""
        body = {"time": self.time, "stream": self.stream, "reason": self.reason, "path": self.path, "position": self.position}
        cut: dict[str, object] = {"members": [[*member] for member in self.members]} if self.members else {}
        cut |= {"unlisted": self.unlisted} if self.unlisted else {}
        cut |= {} if self.size is None else {"size": self.size}
        cut |= {} if self.expires is None else {"expires": self.expires}
        cut |= {} if self.approvals is None else {"approvals": self.approvals}
        parts = {} if self.parts is None else {"parts": base64.b64encode(self.parts).decode()}
        return orjson.dumps({**body, **cut, **parts, "payload": base64.b64encode(self.payload).decode()})

    @classmethod
    def decode(cls, line: bytes) -> "Entry":
        """Read one JSON line.

        Raises:
            InputError: the line is no quarantine entry.
        """
        try:
            body = orjson.loads(line)
            parts = None if body.get("parts") is None else base64.b64decode(body["parts"])
            return cls(body["time"], body["stream"], body["reason"], body["path"], body["position"], base64.b64decode(body["payload"]),
                       body.get("size"), parts, tuple(_member(*listed) for listed in body.get("members", ())), int(body.get("unlisted", 0)),
                       _text(body.get("expires")), None if body.get("approvals") is None else int(body["approvals"]))
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            raise InputError("a line is no quarantine entry. Hint: give the quarantine directory of a run") from None


def _text(text: object) -> str | None:
    """An optional text as read; raises TypeError for anything else."""
    if not isinstance(text, str | None):
        raise TypeError
    return text


def _member(reason: str, path: str, found: str, expected: str | None, position: int) -> MemberFault:
    """A member as read; raises TypeError for anything else."""
    texts = all(isinstance(text, str) for text in (reason, path, found))
    if not texts or not isinstance(expected, str | None) or type(position) is not int:
        raise TypeError
    return MemberFault(reason, path, found, expected, position)


@dataclass(frozen=True)
class RecordParts:
    """Key and headers of a record in Kafka.

    Attributes:
        key: None where there is none.
        headers: name and value, as far as rules name them; a value may be None.
    """

    key: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return self.key is not None or bool(self.headers)

    def encode(self) -> bytes:
        """As JSON, to be sealed."""
        headers = [[name, _armoured(value)] for name, value in self.headers]
        return orjson.dumps({"version": 1, "key": _armoured(self.key), "headers": headers})

    @classmethod
    def decode(cls, data: bytes) -> "RecordParts":
        """From `encode`.

        Raises:
            InputError: a later release has written it.
        """
        body = orjson.loads(data)
        if body["version"] != 1:
            raise InputError("key and headers of an entry were written by a later release. Hint: use that release")
        return cls(_unarmoured(body["key"]), tuple((name, _unarmoured(value)) for name, value in body["headers"]))


class QuarantineWriter:
    """Seals rejected records into entries.

    Where a line may have so many bytes only, of a longer record the beginning is sealed, as much as there is room for: a line that the
    topic of the quarantine refuses would fail the job again and again. The line then tells the record's size.
    """

    def __init__(self, ring: KeyRing, stream: str, limit: int | None = None, days: DayKeys | None = None,
                 approvals: int | None = None) -> None:
        """Derive the quarantine key of `stream`.

        Args:
            ring: seals where nothing expires.
            stream: the policy's.
            limit: what a line may have, in bytes; None: any.
            days: the keys of days, where records are kept for some time only.
            approvals: of the grant that is needed to open records; None: none is.
        """
        self._sealer, self._days, self._approvals = Sealer(ring, PURPOSE, stream), days, approvals
        self._stream = stream
        # Base64 makes four bytes of three; the rest is for the other members and the seal.
        self._most = None if limit is None else max(0, (limit - _FRAME) // 4 * 3)

    def entry(self, payload: bytes | None, reason: str, path: str | None, position: int | None, now: int,
              parts: "RecordParts | None" = None) -> bytes:
        """One JSON line for a rejected record.

        Args:
            payload: the raw record, None for a null one.
            reason: a stable word.
            path: the cleaned path of the field, if one is to blame.
            position: byte position in the record, if known.
            now: processing time, ms since 1970.
            parts: its key and headers, so far as they came along; left out where the line may be too long for them.
        """
        when = _time(now)
        whole = payload or b""
        beside = self._beside(parts)
        held = whole if self._most is None else whole[: self._most - len(beside)]
        sealer, expires = self._sealing(now)
        sealed = sealer.seal(held, _associated(self._stream, expires, self._approvals))
        size = len(whole) if len(held) < len(whole) else None
        entry = Entry(when, self._stream, reason, path, position, sealed, size, expires=expires,
                      approvals=self._approvals)
        if beside:
            entry = replace(entry, parts=sealer.seal(beside, _bound(self._stream, sealed)))
        return entry.encode()

    def entries(self, payloads: pa.Array, rows: np.ndarray, rejections: Rejections, now: int,
                beside: "Callable[[int], RecordParts | None] | None" = None, members: Members = NONE) -> list[tuple[int, bytes]]:
        """The lines of a batch's rejected records: what `entry` writes for each, made together.

        Args:
            payloads: string or binary array of the batch's raw records, null for a missing one.
            rows: the rejected rows.
            rejections: why.
            now: processing time, ms since 1970.
            beside: key and headers of a row; None where none came along.
            members: what is wrong with members of these rows.

        Returns:
            Pairs (row, JSON line), in the order of `rows`.
        """
        if not len(rows):
            return []
        data, offsets, _ = parts(payloads)  # nothing stands where a record is null
        whole, most = data.data, self._most
        extras = [b""] * len(rows) if beside is None else [self._beside(beside(row)) for row in rows.tolist()]
        starts, ends = offsets[rows].tolist(), offsets[rows + 1].tolist()
        listed = _listed(members, rows, None if most is None else most // 4)
        stops = ends
        if most is not None:
            room = most - np.fromiter(map(len, extras), np.int64, len(extras)) - np.fromiter(map(len, listed), np.int64, len(listed))
            stops = np.minimum(offsets[rows + 1], offsets[rows] + room).tolist()
        sealer, expires = self._sealing(now)
        bound = _associated(self._stream, expires, self._approvals)
        sealed = sealer.seal_all([whole[start:stop] for start, stop in zip(starts, stops, strict=True)], bound)
        when, kept = _time(now), {} if expires is None else {"expires": expires}
        asked = {} if self._approvals is None else {"approvals": self._approvals}
        front = {"time": when, **kept, **asked, "stream": self._stream}
        heads = [orjson.dumps({**front, "reason": reason, "path": path})[:-1] + b',"position":'
                 for reason, path in rejections.reasons]
        positions = [b"null" if position < 0 else b"%d" % position for position in rejections.positions[rows].tolist()]
        sizes = [told if stop == end else b'%b,"size":%d' % (told, end - start)
                 for told, start, stop, end in zip(listed, starts, stops, ends, strict=True)]
        if beside is not None:
            sizes = [size + self._sealed_parts(sealer, extra, blob) for size, extra, blob in zip(sizes, extras, sealed, strict=True)]
        rest = zip(rejections.codes[rows].tolist(), positions, sizes, sealed, strict=True)
        lines = [b'%b%b%b,"payload":"%b"}' % (heads[code], position, size, binascii.b2a_base64(blob, newline=False))
                 for code, position, size, blob in rest]
        return list(zip(rows.tolist(), lines, strict=True))

    def _beside(self, found: "RecordParts | None") -> bytes:
        """Key and headers as they are sealed; nothing where there are none, or where they would take too much of a line."""
        made = found.encode() if found else b""
        return made if self._most is None or len(made) <= self._most // 4 else b""

    def _sealing(self, now: int) -> tuple[Sealer | DaySealer, str | None]:
        """What seals now, and when that expires."""
        return (self._sealer, None) if self._days is None else (self._days.sealer(now), _time(self._days.expires(now)))

    def _sealed_parts(self, sealer: Sealer | DaySealer, beside: bytes, payload: bytes) -> bytes:
        """The member of a line that holds key and headers, bound to its sealed record; empty where there are none."""
        if not beside:
            return b""
        return b',"parts":"%b"' % binascii.b2a_base64(sealer.seal(beside, _bound(self._stream, payload)), newline=False)


def _listed(members: Members, rows: np.ndarray, most: int | None) -> list[bytes]:
    """For each row the part of a line that lists what is wrong with members of the record; empty where nothing is.

    Args:
        members: of these rows and others.
        rows: the rows.
        most: bytes that a list may have; members without room are counted only. None: any number.
    """
    fronts = [orjson.dumps([*kind])[:-1] + b"," for kind in members.kinds]
    room, unlisted, listed = dict.fromkeys(members.rows.tolist(), most), Counter(members.unlisted), dict[int, list[bytes]]()
    for row, code, position in zip(members.rows.tolist(), members.codes.tolist(), members.positions.tolist(), strict=True):
        member = b"%b%d]" % (fronts[code], position)
        left = room[row]
        if left is not None:
            room[row] = left = left - len(member) - 1
        if left is None or left >= 0:
            listed.setdefault(row, []).append(member)
        else:
            unlisted[row] += 1
    told = {row: b',"members":[%b]' % b",".join(found) for row, found in listed.items()}
    for row, count in unlisted.items():
        told[row] = told.get(row, b"") + b',"unlisted":%d' % count
    return [told.get(row, b"") for row in rows.tolist()]


def _time(now: int) -> str:
    """A processing time as it stands in a line."""
    return datetime.fromtimestamp(now / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class QuarantineReader:
    """Opens the payloads of entries for a key holder."""

    def __init__(self, ring: KeyRing, vault: Vault | None = None, clock: Callable[[], int] | None = None,
                 allowed: Callable[[Entry], bool] | None = None) -> None:
        """Keep the ring; sealers are made for each stream that is met.

        Args:
            ring: opens entries, and unwraps the keys of days.
            vault: holds the keys of days; None: entries that expire cannot be opened.
            clock: processing time in ms since 1970; the system's when None.
            allowed: whether a grant allows to open an entry that needs one; None: none does.
        """
        self._allowed = allowed
        self._ring, self._vault, self._clock = ring, vault, clock or (lambda: time.time_ns() // 1_000_000)
        self._sealers: dict[tuple[str, bool], Sealer | DayKeys] = {}

    def payload(self, entry: Entry) -> bytes:
        """The raw record.

        Raises:
            DecryptionError: another key ring sealed it, it was changed, or it has expired.
            VaultError: it expires, and no vault was given.
            ControlError: a grant is needed, and none allows it.
        """
        return self._sealer(entry).open(entry.payload, entry.bound)

    def parts(self, entry: Entry) -> "RecordParts":
        """The record's key and headers; none where the entry holds none.

        Raises:
            DecryptionError: as for `payload`, or they belong to another entry.
        """
        if entry.parts is None:
            return RecordParts()
        return RecordParts.decode(self._sealer(entry).open(entry.parts, _bound(entry.stream, entry.payload)))

    def _sealer(self, entry: Entry) -> Sealer | DayKeys:
        if entry.approvals is not None and not (self._allowed is not None and self._allowed(entry)):
            raise ControlError(f"a grant with {entry.approvals} approvals is needed to open records of {entry.stream}. Hint: flink-masking "
                               "grant request --reverse --segment quarantine, and --grants DEPLOYMENT")
        daily = entry.payload[:1] == DAILY
        if daily and entry.expires is not None and entry.expires <= _time(self._clock()):
            raise DecryptionError("the record has expired")
        if (entry.stream, daily) not in self._sealers:
            if daily and self._vault is None:
                raise VaultError("the record is sealed under the key of a day, which is in the vault. Hint: --vault, or vault: in the "
                                 "deployment")
            made = day_keys(self._vault, self._ring, entry.stream) if daily and self._vault is not None else Sealer(
                self._ring, PURPOSE, entry.stream)
            self._sealers[entry.stream, daily] = made
        return self._sealers[entry.stream, daily]


def day_keys(vault: Vault, ring: KeyRing, stream: str, keep: int | None = None) -> DayKeys:
    """The keys of days of a stream's quarantine; `keep` as for `DayKeys`."""
    return DayKeys(vault, ring, f"{PURPOSE}:{stream}", keep)


def _associated(stream: str, expires: str | None, approvals: int | None) -> bytes:
    """What a sealed record is bound to."""
    bound = stream.encode() if expires is None else stream.encode() + b"\0expires\0" + expires.encode()
    return bound if approvals is None else bound + b"\0approvals\0%d" % approvals


def _bound(stream: str, payload: bytes) -> bytes:
    """What sealed key and headers are bound to: the stream and the entry's own sealed record."""
    return b"parts\0" + stream.encode() + b"\0" + hashlib.sha256(payload).digest()


def _armoured(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def _unarmoured(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


def read_entries(lines: Iterator[bytes]) -> Iterator[Entry]:
    """Entries of JSON lines; blank lines are skipped.

    Raises:
        InputError: a line is no quarantine entry.
    """
    return (Entry.decode(line) for line in lines if line.strip())


__all__ = ["DecryptionError", "Entry", "MemberFault", "QuarantineReader", "QuarantineWriter", "RecordParts", "read_entries"]
