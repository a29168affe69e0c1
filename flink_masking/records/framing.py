"""What stands in front of a record: the identifier of the schema that it was written with."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking import arrow
from flink_masking.records.framing_kernels import other_prefix
from flink_masking.registry.source import SchemaId

HEADER = "__value_schema_id"
"""The Kafka header that holds the GUID of a value's schema, as clients of Confluent Platform 8 write it."""
FRAMINGS = ("confluent", "apicurio4", "apicurio8", "single_object", "none")
_GUID = 17


class Framed(NamedTuple):
    """The framing of n records.

    Attributes:
        starts: int32, n: where the datum begins, in the column's data.
        numbers: int32, n: index into `identifiers`, -1 where the framing is not that of the policy.
        identifiers: the different ones.
    """

    starts: np.ndarray
    numbers: np.ndarray
    identifiers: list[SchemaId]


def read_frames(framing: str, data: np.ndarray, offsets: np.ndarray, usable: np.ndarray, headers: Mapping[str, pa.BinaryArray]) -> Framed:
    """Look at the first bytes of records.

    Args:
        framing: one of `FRAMINGS` but none.
        data: uint8.
        offsets: int32, n + 1.
        usable: bool, n: the records that are there.
        headers: columns of Kafka's headers, as far as they came along.
    """
    starts, numbers = offsets[:-1].copy(), np.full(len(offsets) - 1, -1, np.int32)
    found: dict[SchemaId, int] = {}
    if framing == "confluent":
        usable = usable & ~_guids_of_headers(headers.get(HEADER), usable, numbers, found)
        _prefixed(data, offsets, usable, b"\0", 4, starts, numbers, found, lambda raw: SchemaId("id", _big(raw)))
        if len(numbers) and numbers.min() < 0:
            _prefixed(data, offsets, usable & (numbers < 0), b"\1", 16, starts, numbers, found, _guid)
    elif framing == "apicurio4":
        _prefixed(data, offsets, usable, b"\0", 4, starts, numbers, found, lambda raw: SchemaId("content", _big(raw)))
    elif framing == "apicurio8":
        _prefixed(data, offsets, usable, b"\0", 8, starts, numbers, found, lambda raw: SchemaId("global", _big(raw)))
    else:
        _prefixed(data, offsets, usable, b"\xc3\x01", 8, starts, numbers, found,
                  lambda raw: SchemaId("fingerprint", int.from_bytes(raw, "little")))
    return Framed(starts, numbers, list(found))


def frame(identifier: SchemaId) -> bytes:
    """What stands in front of a datum of this schema; a GUID is written into the value, where readers look without a header."""
    value = identifier.value
    if identifier.kind == "guid":
        return b"\1" + uuid.UUID(str(value)).bytes
    if identifier.kind == "fingerprint":
        return b"\xc3\x01" + int(value).to_bytes(8, "little")
    return b"\0" + int(value).to_bytes(8 if identifier.kind == "global" else 4, "big")


def refronted(made: pa.BinaryArray, widths: np.ndarray, numbers: np.ndarray, prefixes: Sequence[bytes], live: np.ndarray) -> pa.BinaryArray:
    """Records with another framing.

    Args:
        made: n records.
        widths: int32, n: bytes at the beginning of each that are replaced.
        numbers: int32, n: which of the prefixes takes their place; those of records that are not live do not matter.
        prefixes: framings.
        live: bool, n: records that are there; the others are null.
    """
    sizes = np.array([*map(len, prefixes), 0], np.int32)[numbers]
    if (sizes[live] != widths[live]).any():
        joined = made
        for width in np.unique(widths[live]).tolist():
            cut = pc.binary_slice(made, width)
            for number in np.unique(numbers[live]).tolist():
                whole = pc.binary_join_element_wise(pa.scalar(prefixes[number], pa.binary()), cut, pa.scalar(b"", pa.binary()))
                joined = pc.if_else(pa.array(live & (widths == width) & (numbers == number)), whole, joined)
        return joined
    data, offsets, _ = arrow.parts(made)
    first, last = int(offsets[0]), int(offsets[-1])
    buffer, out = arrow.output(last - first)
    out[: last - first] = data[first:last]
    begins = (offsets - first).astype(np.int32)
    for number, prefix in enumerate(prefixes):
        rows = begins[:-1] if len(prefixes) == 1 and live.all() else begins[:-1][live & (numbers == number)]
        out[rows[:, None] + np.arange(len(prefix), dtype=np.int32)] = np.frombuffer(prefix, np.uint8)
    return arrow.assemble(pa.binary(), buffer, begins, None if live.all() else live.view(np.uint8))


def _big(raw: bytes) -> int:
    return int.from_bytes(raw, "big")


def _guid(raw: bytes) -> SchemaId:
    return SchemaId("guid", str(uuid.UUID(bytes=raw)))


def _prefixed(data: np.ndarray, offsets: np.ndarray, usable: np.ndarray, magic: bytes, size: int, starts: np.ndarray, numbers: np.ndarray,
              found: dict[SchemaId, int], read: Callable[[bytes], SchemaId]) -> None:
    """Note the records that begin with `magic` and an identifier of `size` bytes."""
    width = len(magic) + size
    n = len(offsets) - 1
    if n and bytes(data[offsets[0] : offsets[0] + len(magic)]) == magic and usable.all() and other_prefix(data, offsets, width) == n:
        raw = data[offsets[0] + len(magic) : offsets[0] + width].tobytes()  # one schema, as nearly always
        starts += width
        numbers[:] = found.setdefault(read(raw), len(found))
        return
    rows = np.flatnonzero(usable & (np.diff(offsets) >= width))
    for place, byte in enumerate(magic):
        rows = rows[data[offsets[rows] + place] == byte]
    if not len(rows):
        return
    keys = data[offsets[rows][:, None] + np.arange(len(magic), width)]
    starts[rows] += width
    packed = np.ascontiguousarray(keys).view(f"V{size}").ravel()
    values, inverse = np.unique(packed, return_inverse=True)
    numbers[rows] = np.array([found.setdefault(read(value.tobytes()), len(found)) for value in values], np.int32)[inverse]


def _guids_of_headers(column: pa.BinaryArray | None, usable: np.ndarray, numbers: np.ndarray, found: dict[SchemaId, int]) -> np.ndarray:
    """Note the records whose header tells the GUID of their schema; their values have no prefix.

    Returns:
        bool, n: the records that have the header, whatever it holds.
    """
    if column is None or column.null_count == len(column):
        return np.zeros(len(numbers), bool)
    data, offsets, _ = arrow.parts(column)
    there = column.is_valid().to_numpy(zero_copy_only=False)
    fitting = usable & there & (np.diff(offsets) == _GUID)
    _prefixed(data, offsets, fitting, b"\1", 16, np.zeros(len(numbers), np.int32), numbers, found, _guid)
    return there
