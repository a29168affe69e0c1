"""Quarantine entries: why a record was kept out of every view, and the record itself, encrypted."""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import orjson
import pyarrow as pa

from flink_masking.arrow import parts
from flink_masking.engine.rejections import Rejections
from flink_masking.errors import DecryptionError, InputError
from flink_masking.keys.ring import KeyRing
from flink_masking.keys.sealer import Sealer

PURPOSE = "quarantine"
_FRAME = 4_096
"""Bytes of a line besides the record, at most: the longest path and stream, the seal, and what Kafka adds."""


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
    """

    time: str
    stream: str
    reason: str
    path: str | None
    position: int | None
    payload: bytes
    size: int | None = None

    def encode(self) -> bytes:
        """One JSON line."""
        body = {"time": self.time, "stream": self.stream, "reason": self.reason, "path": self.path, "position": self.position}
        cut = {} if self.size is None else {"size": self.size}
        return orjson.dumps({**body, **cut, "payload": base64.b64encode(self.payload).decode()})

    @classmethod
    def decode(cls, line: bytes) -> "Entry":
        """Read one JSON line.

        Raises:
            InputError: the line is no quarantine entry.
        """
        try:
            body = orjson.loads(line)
            return cls(body["time"], body["stream"], body["reason"], body["path"], body["position"], base64.b64decode(body["payload"]),
                       body.get("size"))
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            raise InputError("a line is no quarantine entry. Hint: give the quarantine directory of a run") from None


class QuarantineWriter:
    """Seals rejected records into entries.

    Where a line may have so many bytes only, of a longer record the beginning is sealed, as much as there is room for: a line that the
    topic of the quarantine refuses would fail the job again and again. The line then tells the record's size.
    """

    def __init__(self, ring: KeyRing, stream: str, limit: int | None = None) -> None:
        """Derive the quarantine key of `stream`; `limit` is what a line may have, in bytes."""
        self._sealer = Sealer(ring, PURPOSE, stream)
        self._stream = stream
        # Base64 makes four bytes of three; the rest is for the other members and the seal.
        self._most = None if limit is None else max(0, (limit - _FRAME) // 4 * 3)

    def entry(self, payload: bytes | None, reason: str, path: str | None, position: int | None, now: int) -> bytes:
        """One JSON line for a rejected record.

        Args:
            payload: the raw record, None for a null one.
            reason: a stable word.
            path: the cleaned path of the field, if one is to blame.
            position: byte position in the record, if known.
            now: processing time, ms since 1970.
        """
        when = _time(now)
        whole = payload or b""
        held = whole if self._most is None else whole[: self._most]
        sealed = self._sealer.seal(held, self._stream.encode())
        return Entry(when, self._stream, reason, path, position, sealed, len(whole) if len(held) < len(whole) else None).encode()


    def entries(self, payloads: pa.Array, rows: np.ndarray, rejections: Rejections, now: int) -> list[tuple[int, bytes]]:
        """The lines of a batch's rejected records: what `entry` writes for each, made together.

        Args:
            payloads: string or binary array of the batch's raw records, null for a missing one.
            rows: the rejected rows.
            rejections: why.
            now: processing time, ms since 1970.

        Returns:
            Pairs (row, JSON line), in the order of `rows`.
        """
        if not len(rows):
            return []
        data, offsets, _ = parts(payloads)  # nothing stands where a record is null
        whole, most = data.data, self._most
        starts, ends = offsets[rows].tolist(), offsets[rows + 1].tolist()
        stops = ends if most is None else np.minimum(offsets[rows + 1], offsets[rows] + most).tolist()
        sealed = self._sealer.seal_all([whole[start:stop] for start, stop in zip(starts, stops, strict=True)], self._stream.encode())
        when = _time(now)
        heads = [orjson.dumps({"time": when, "stream": self._stream, "reason": reason, "path": path})[:-1] + b',"position":'
                 for reason, path in rejections.reasons]
        positions = [b"null" if position < 0 else b"%d" % position for position in rejections.positions[rows].tolist()]
        sizes = [b"" if stop == end else b',"size":%d' % (end - start) for start, stop, end in zip(starts, stops, ends, strict=True)]
        members = zip(rejections.codes[rows].tolist(), positions, sizes, sealed, strict=True)
        lines = [b'%b%b%b,"payload":"%b"}' % (heads[code], position, size, binascii.b2a_base64(blob, newline=False))
                 for code, position, size, blob in members]
        return list(zip(rows.tolist(), lines, strict=True))


def _time(now: int) -> str:
    """A processing time as it stands in a line."""
    return datetime.fromtimestamp(now / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class QuarantineReader:
    """Opens the payloads of entries for a key holder."""

    def __init__(self, ring: KeyRing) -> None:
        """Keep the ring; sealers are made for each stream that is met."""
        self._ring = ring
        self._sealers: dict[str, Sealer] = {}

    def payload(self, entry: Entry) -> bytes:
        """The raw record.

        Raises:
            DecryptionError: another key ring sealed it, or it was changed.
        """
        if entry.stream not in self._sealers:
            self._sealers[entry.stream] = Sealer(self._ring, PURPOSE, entry.stream)
        return self._sealers[entry.stream].open(entry.payload, entry.stream.encode())


def read_entries(lines: Iterator[bytes]) -> Iterator[Entry]:
    """Entries of JSON lines; blank lines are passed over.

    Raises:
        InputError: a line is no quarantine entry.
    """
    return (Entry.decode(line) for line in lines if line.strip())


__all__ = ["DecryptionError", "Entry", "QuarantineReader", "QuarantineWriter", "read_entries"]
