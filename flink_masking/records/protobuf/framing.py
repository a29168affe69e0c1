"""What stands in front of a Protobuf message: which schema it is of, and which message of the schema."""

import uuid
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.registry.source import SchemaId

MOST_INDEXES, LONGEST = 32, 1_024
"""Depth of a message's index path; bytes of a framing."""
CONFLUENT, APICURIO_4, APICURIO_8, NONE = "confluent", "apicurio4", "apicurio8", "none"
_GUID = 17
"""Bytes of a version and a GUID."""
FRAMINGS = (CONFLUENT, APICURIO_4, APICURIO_8, NONE)


class Frame(NamedTuple):
    """The framing of a record.

    Attributes:
        prefix: its bytes.
        schema: the schema that it names.
        indexes: of the message, as `flink_masking.records.protobuf.schemas.Messages.at` takes them; empty where `name` tells it.
        name: of the message; empty where it is not told.
    """

    prefix: bytes
    schema: SchemaId
    indexes: tuple[int, ...] = ()
    name: str = ""


def parse(record: bytes, framing: str) -> Frame | int:
    """The framing at the beginning of a record, or the position at which it cannot be read.

    Args:
        record: its first `LONGEST` bytes at least.
        framing: one of `FRAMINGS` that name a schema.
    """
    size = 8 if framing == APICURIO_8 else 4
    if framing == CONFLUENT and record[:1] == b"\1":
        if len(record) < _GUID:
            return len(record)
        found = _indexes(record, _GUID)
        if isinstance(found, int):
            return found
        return Frame(record[: found[1]], SchemaId("guid", str(uuid.UUID(bytes=record[1:_GUID]))), found[0])
    if record[:1] != b"\0":
        return 0
    if len(record) < 1 + size:
        return len(record)
    number, p = int.from_bytes(record[1 : 1 + size]), 1 + size
    if framing == CONFLUENT:
        found = _indexes(record, p)
        return found if isinstance(found, int) else Frame(record[: found[1]], SchemaId("id", number), found[0])
    name, p = _reference(record, p)
    if p < 0:
        return -p
    return Frame(record[:p], SchemaId("content" if size == 4 else "global", number), name=name)


class Told(NamedTuple):
    """Records with the framing of their headers in front.

    Attributes:
        records: n.
        widths: int32, n: bytes that come from a header.
        wrong: bool, n: the header is no framing.
    """

    records: pa.BinaryArray
    widths: np.ndarray
    wrong: np.ndarray


def told(records: pa.BinaryArray, headers: pa.BinaryArray | None) -> Told | None:
    """Put what Kafka's headers tell in front of their records, where views have it; None where no record has such a header.

    A header is the whole framing, so that no byte of a value can become a part of it.
    """
    if headers is None or headers.null_count == len(headers):
        return None
    found = headers.dictionary_encode()
    whole = [isinstance(frame := parse(header[:LONGEST], CONFLUENT), Frame) and len(frame.prefix) == len(header) and header[:1] == b"\1"
             for header in found.dictionary.to_pylist()]
    good = pc.take(pa.array(whole, pa.bool_()), found.indices)
    front = pc.if_else(good.fill_null(False), headers, pa.scalar(b"", pa.binary()))
    widths = pc.binary_length(front).to_numpy(zero_copy_only=False).astype(np.int32)
    joined = pc.binary_join_element_wise(front, records, pa.scalar(b"", pa.binary()))
    return Told(joined, widths, pc.invert(good).fill_null(False).to_numpy(zero_copy_only=False))


def _varint(record: bytes, p: int) -> tuple[int, int]:
    """The varint at p and the position behind it, or -1."""
    value = 0
    for k in range(5):
        if p + k >= len(record):
            break
        value |= (record[p + k] & 127) << 7 * k
        if record[p + k] < 128:
            return value, p + k + 1
    return 0, -1


def _indexes(record: bytes, p: int) -> tuple[tuple[int, ...], int] | int:
    """The index path at p, zigzag numbers after their count; the path [0] is the single byte 0."""
    begin = p
    count, p = _varint(record, p)
    count = count >> 1 ^ -(count & 1)
    if p < 0 or not 0 <= count <= MOST_INDEXES:
        return begin
    found = []
    for _ in range(count):
        place = p
        value, p = _varint(record, p)
        if p < 0 or value & 1:
            return place
        found.append(value >> 1)
    return tuple(found) or (0,), p


def _reference(record: bytes, p: int) -> tuple[str, int]:
    """The message's name in Apicurio's ``Ref``, behind its length; and the position behind it, or minus that of what is wrong."""
    begin = p
    size, p = _varint(record, p)
    end = p + size
    if p < 0 or end > len(record):
        return "", -begin
    name = b""
    while p < end:
        tag, p = _varint(record, p)
        length, p = _varint(record, p) if p > 0 else (0, -1)
        if tag != 10 or p < 0 or p + length > end:
            return "", -begin
        name, p = record[p : p + length], p + length
    try:
        return name.decode(), end
    except UnicodeDecodeError:
        return "", -begin
