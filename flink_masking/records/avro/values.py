"""Text into values of Avro, a column at a time: what a technique made of a number, a date or a symbol and its schema still holds."""

import base64
import binascii
import struct
import uuid
from collections.abc import Callable
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking import arrow
from flink_masking.records.avro.decode import put_long
from flink_masking.records.avro.schema import Type
from flink_masking.records.avro.value_kernels import write_longs

_EPOCH = date(1970, 1, 1).toordinal()
_RANGES = {"int": (-(1 << 31), (1 << 31) - 1), "long": (-(1 << 63), (1 << 63) - 1)}

DIGITS = 1_000
"""Digits of a whole number, at most: of one with a large exponent the text is short and the number is not."""
_EXACT = Context(prec=4 * DIGITS)


def encoded(values: pa.StringArray, part: Type, branch: int) -> pa.BinaryArray:
    """Values as a type writes them.

    Args:
        values: n texts, none of them null.
        part: the type, no union.
        branch: of the union that it is in, written in front; below 0 for none.

    Returns:
        n values, null where the type has no such value.
    """
    front = put_long(branch) if branch >= 0 else b""
    made = _fast(values, part)
    if made is None:
        written = [_one(text, part) for text in values.to_pylist()]
        made = pa.array(written, pa.binary())
    return pc.binary_join_element_wise(pa.scalar(front), made, pa.scalar(b"")) if front else made


def longs(values: np.ndarray) -> pa.BinaryArray:
    """int64, n numbers as int and long are written."""
    buffer, out = arrow.output(10 * len(values))
    ends = np.zeros(len(values) + 1, np.int32)
    write_longs(np.ascontiguousarray(values, np.int64), out, ends)
    return arrow.assemble(pa.binary(), buffer, ends)


def _fast(values: pa.StringArray, part: Type) -> pa.BinaryArray | None:
    """The values by Arrow's own parsers; None where one of them is not for these."""
    try:
        if part.kind in ("float", "double"):
            found = values.cast(pa.float32() if part.kind == "float" else pa.float64()).to_numpy()
            flat = pa.py_buffer(np.ascontiguousarray(found, "<f4" if part.kind == "float" else "<f8"))
            return pa.Array.from_buffers(pa.binary(found.itemsize), len(found), [None, flat]).cast(pa.binary())
        if part.kind in _RANGES and part.logical != "date":
            numbers = values.cast(pa.int64()).to_numpy()
            low, high = _RANGES[part.kind]
            return longs(numbers) if len(numbers) == 0 or (low <= numbers.min() and numbers.max() <= high) else None
        if part.kind == "enum":
            found = pc.index_in(values, value_set=arrow.strings(part.symbols))
            made = longs(found.fill_null(0).to_numpy())
            return arrow.nulled(made, found.is_null().to_numpy(zero_copy_only=False)) if found.null_count else made
    except pa.ArrowInvalid:
        return None
    if part.kind == "string" and not part.logical:
        sizes = longs(pc.binary_length(values).to_numpy().astype(np.int64))
        return pc.binary_join_element_wise(sizes, values.cast(pa.binary()), pa.scalar(b""))
    return None


def _one(text: str, part: Type) -> bytes | None:
    try:
        return _WRITERS[part.logical if part.logical in ("date", "decimal", "uuid") else part.kind](text, part)
    except (ValueError, KeyError, InvalidOperation, OverflowError, binascii.Error, struct.error):
        return None


def _whole(text: str, part: Type) -> bytes | None:
    number = Decimal(text)
    low, high = _RANGES[part.kind]
    if number.adjusted() > DIGITS:
        return None
    return put_long(int(number)) if number == number.to_integral_value() and low <= number <= high else None


def _date(text: str, part: Type) -> bytes:
    return put_long(date.fromisoformat(text).toordinal() - _EPOCH)


def _decimal(text: str, part: Type) -> bytes | None:
    number = Decimal(text)
    if number.adjusted() > DIGITS:
        return None
    number = number.scaleb(part.scale, _EXACT).to_integral_value(ROUND_HALF_EVEN, _EXACT)
    if abs(number) >= 10**part.precision:
        return None
    whole = int(number)
    if part.kind == "fixed":
        return whole.to_bytes(part.size, "big", signed=True)
    raw = whole.to_bytes((whole + (whole < 0)).bit_length() // 8 + 1, "big", signed=True)
    return put_long(len(raw)) + raw


def _uuid(text: str, part: Type) -> bytes:
    found = uuid.UUID(text)
    return found.bytes if part.kind == "fixed" else put_long(len(text.encode())) + text.encode()


def _base64(text: str, part: Type) -> bytes | None:
    raw = base64.b64decode(text, validate=True)
    if part.kind == "fixed":
        return raw if len(raw) == part.size else None
    return put_long(len(raw)) + raw


_WRITERS: dict[str, Callable[[str, Type], bytes | None]] = {
    "int": _whole, "long": _whole, "date": _date, "decimal": _decimal, "uuid": _uuid, "bytes": _base64, "fixed": _base64,
    "boolean": lambda text, _: {"true": b"\1", "false": b"\0"}[text],
    "float": lambda text, _: struct.pack("<f", float(text)), "double": lambda text, _: struct.pack("<d", float(text)),
}  # fmt: skip
