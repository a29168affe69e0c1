"""Values as text, as ProtoJSON has them, and text as values of a field's type."""

import base64
import binascii
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking import arrow
from flink_masking.records.protobuf import layout_kernels as layout
from flink_masking.records.protobuf.program import (
    BOOL,
    BYTES,
    DOUBLE,
    ENUM,
    FIXED32,
    FIXED64,
    FLOATS,
    GROUP,
    INT32,
    MESSAGE,
    SFIXED32,
    SINT32,
    SINT64,
    STRING,
    UINT32,
    UINT64,
    WIRE,
    Field,
)
from flink_masking.records.protobuf.value_kernels import read_numbers, write_varints

_UNSIGNED: dict[int, Any] = {UINT64: np.uint64, FIXED64: np.uint64, UINT32: np.uint32, FIXED32: np.uint32}
_NARROW: dict[int, Any] = {INT32: np.int32, SFIXED32: np.int32, SINT32: np.int32, ENUM: np.int32, UINT32: np.uint32, FIXED32: np.uint32}
_WHOLE = r"^-?(0|[1-9][0-9]{0,19})(\.0+)?$"
_DECIMAL = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$"


class Wire(NamedTuple):
    """Values of a field's type.

    Attributes:
        values: binary or string, n: contents on the wire, without length; null for null.
        unfit: bool, n: values that the type cannot hold, None: there are none.
    """

    values: pa.Array
    unfit: np.ndarray | None


def to_text(field: Field, data: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> pa.StringArray:
    """The values of a field that lie there; nothing on the wire is the default.

    Args:
        field: their type.
        data: uint8.
        starts: int32, n.
        ends: int32, n.
    """
    kind = field.type
    if kind in (STRING, BYTES, MESSAGE, GROUP):
        raw = [bytes(data[a:b]) for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
        return pa.array([base64.b64encode(value).decode() for value in raw] if kind != STRING else [value.decode() for value in raw],
                        pa.string())
    bits = np.full(len(starts), WIRE.get(kind, layout.VARINT) == layout.VARINT, np.int64)
    read_numbers(data, starts, ends, bits)
    if kind == BOOL:
        return pc.if_else(pa.array(bits != 0), "true", "false")
    if kind in FLOATS:
        return pa.array(bits.view(np.float64) if kind == DOUBLE else bits.astype(np.uint32).view(np.float32)).cast(pa.string())
    if kind in (SINT32, SINT64):
        bits = bits & 0xFFFFFFFF if kind == SINT32 else bits
        bits = (bits.view(np.uint64) >> np.uint64(1)).view(np.int64) ^ -(bits & 1)
    numbers = bits.astype(_NARROW[kind]) if kind in _NARROW else bits.view(_UNSIGNED.get(kind, np.int64))
    text = pa.array(numbers).cast(pa.string())
    if kind == ENUM and field.names:
        found = pc.index_in(pa.array(numbers), value_set=pa.array(list(field.names), pa.int32()))
        text = pc.coalesce(pa.array(list(field.names.values()), pa.string()).take(found), text)
    return text


def to_wire(field: Field, values: pa.Array) -> Wire:
    """Texts as values of a field.

    Args:
        field: their type.
        values: n, string or binary.
    """
    kind = field.type
    if kind == STRING:
        return Wire(values, None)
    if kind in (MESSAGE, GROUP):
        return Wire(values, _marked(values.is_valid()))
    text = values.cast(pa.string())
    if kind == BYTES:
        return _bytes(text)
    if kind in FLOATS:
        fit = pc.match_substring_regex(text, _DECIMAL)
        numbers = pc.if_else(fit, text, "0").cast(pa.float64()).fill_null(0).to_numpy(zero_copy_only=False)
        numbers = numbers if kind == DOUBLE else numbers.astype(np.float32)
        return _fixed(numbers, text, fit, ~np.isfinite(numbers))
    if kind == BOOL:
        numbers, fit = pc.equal(text, "true").fill_null(False).to_numpy(zero_copy_only=False).astype(np.int64), pc.is_in(
            text, pa.array(["true", "false"]))
        return _varints(numbers, text, fit, None)
    numbers, fit, outside = _integers(field, text)
    if WIRE.get(kind, layout.VARINT) != layout.VARINT:
        return _fixed(numbers.astype(_NARROW[kind]) if kind in _NARROW else numbers, text, fit, outside)
    if kind in (SINT32, SINT64):
        numbers = (numbers << 1) ^ (numbers >> 63)
    return _varints(numbers, text, fit, outside)


def _integers(field: Field, text: pa.StringArray) -> tuple[np.ndarray, pa.BooleanArray, np.ndarray]:
    """Numbers by their 64 bits, which of the texts are whole numbers, and which of those the type cannot hold."""
    kind = field.type
    if kind == ENUM and field.names:
        found = pc.index_in(text, value_set=pa.array(list(field.names.values()), pa.string()))
        text = pc.coalesce(pa.array([str(number) for number in field.names], pa.string()).take(found), text)
    fit = pc.match_substring_regex(text, _WHOLE)
    whole = pc.replace_substring_regex(pc.if_else(fit, text, "0").fill_null("0"), r"\.0+$", "")
    limits = np.iinfo(_NARROW.get(kind, _UNSIGNED.get(kind, np.int64)))
    long = pc.greater(pc.binary_length(whole), 18).to_numpy(zero_copy_only=False)
    numbers = pc.if_else(pa.array(~long), whole, "0").cast(pa.int64()).to_numpy(zero_copy_only=False).copy()
    outside = (numbers < max(int(limits.min), -(1 << 63))) | (numbers > min(int(limits.max), (1 << 63) - 1))
    for place in np.flatnonzero(long).tolist():  # 19 digits and more, which 64 bits may not hold
        value = int(whole[place].as_py())
        outside[place] = not limits.min <= value <= limits.max
        numbers[place] = np.uint64(value & 0xFFFFFFFFFFFFFFFF).astype(np.int64)
    return numbers, fit, outside


def _marked(mask: pa.BooleanArray) -> np.ndarray | None:
    found: np.ndarray = mask.fill_null(False).to_numpy(zero_copy_only=False)
    return found if found.any() else None


def _unfit(text: pa.StringArray, fit: pa.BooleanArray, outside: np.ndarray | None) -> np.ndarray | None:
    unfit = pc.invert(fit).fill_null(False).to_numpy(zero_copy_only=False)
    if outside is not None:
        unfit = unfit | (outside & text.is_valid().to_numpy(zero_copy_only=False))
    return unfit if unfit.any() else None


def _fixed(numbers: np.ndarray, text: pa.StringArray, fit: pa.BooleanArray, outside: np.ndarray) -> Wire:
    size = numbers.dtype.itemsize
    offsets = np.arange(0, (len(numbers) + 1) * size, size, dtype=np.int32)
    values = pa.Array.from_buffers(pa.binary(), len(numbers), [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(numbers))])
    return Wire(_nulled(values, text), _unfit(text, fit, outside))


def _varints(numbers: np.ndarray, text: pa.StringArray, fit: pa.BooleanArray, outside: np.ndarray | None) -> Wire:
    buffer, out = arrow.output(10 * len(numbers))
    offsets = np.zeros(len(numbers) + 1, np.int32)
    write_varints(np.ascontiguousarray(numbers), out, offsets)
    return Wire(_nulled(arrow.assemble(pa.binary(), buffer, offsets), text), _unfit(text, fit, outside))


def _nulled(values: pa.BinaryArray, text: pa.StringArray) -> pa.BinaryArray:
    return arrow.nulled(values, text.is_null().to_numpy(zero_copy_only=False)) if text.null_count else values


def _bytes(text: pa.StringArray) -> Wire:
    """Base64 decoded; Arrow has no function for it."""
    found: list[bytes | None] = []
    unfit = np.zeros(len(text), np.bool_)
    for place, value in enumerate(text.to_pylist()):
        try:
            found.append(None if value is None else base64.b64decode(value, validate=True))
        except (binascii.Error, ValueError):
            found.append(b"")
            unfit[place] = True
    return Wire(pa.array(found, pa.binary()), unfit if unfit.any() else None)


