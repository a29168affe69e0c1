"""One value at a time: as text, as JSON, and back from a schema's default. What is too rare for a kernel, and what people read."""

import base64
import itertools
import json
import struct
import uuid
from collections.abc import Generator, Iterator
from datetime import date, timedelta
from typing import Any

from flink_masking.records.avro.program import kind_of
from flink_masking.records.avro.schema import DEEPEST, MISSING, Type
from flink_masking.records.kinds import Kind

_EPOCH = date(1970, 1, 1)
MOST_OF_DEFAULT = 10_000


def long_at(data: bytes, p: int) -> tuple[int, int]:
    """The zigzag number at p of a valid record, and where it ends."""
    value = shift = 0
    while True:
        byte = data[p]
        p += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return (value >> 1) ^ -(value & 1), p
        shift += 7


def put_long(value: int) -> bytes:
    """A number as int and long are written."""
    value, out = (value << 1) ^ (value >> 63), bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def contents(part: Type, data: bytes, p: int) -> tuple[int, int]:
    """Where the contents of a scalar at p begin and end."""
    if part.kind in ("string", "bytes"):
        n, p = long_at(data, p)
        return p, p + n
    if part.kind in ("int", "long", "enum"):
        return p, long_at(data, p)[1]
    return p, p + {"null": 0, "boolean": 1, "float": 4, "double": 8}.get(part.kind, part.size)


def scalar_text(part: Type, raw: bytes) -> str:
    """The contents of a scalar other than null as text."""
    if part.logical == "decimal":
        return decimal_text(int.from_bytes(raw, "big", signed=True), part.scale)
    match part.kind:
        case "string":
            return raw.decode()
        case "boolean":
            return "true" if raw[0] else "false"
        case "enum":
            return part.symbols[long_at(raw, 0)[0]]
        case "int" | "long":
            value = long_at(raw, 0)[0]
            return date_text(value) if part.logical == "date" else str(value)
        case "double":
            return repr(struct.unpack("<d", raw)[0])
        case "float":
            import numpy as np

            return str(np.frombuffer(raw, np.float32)[0])
    if part.kind == "fixed" and part.logical == "uuid":
        return str(uuid.UUID(bytes=raw))
    return base64.b64encode(raw).decode()


def decimal_text(unscaled: int, scale: int) -> str:
    """A decimal without an exponent."""
    digits = str(abs(unscaled)).zfill(scale + 1)
    whole = f"{digits[:-scale]}.{digits[-scale:]}" if scale else digits
    return f"-{whole}" if unscaled < 0 else whole


def date_text(days: int) -> str:
    """Days since 1970 as an ISO date; as a number where there is none."""
    try:
        return (_EPOCH + timedelta(days)).isoformat()
    except OverflowError:
        return str(days)


def json_at(part: Type, data: bytes, p: int) -> tuple[str, int]:
    """The value at p of a valid record as JSON, and where it ends; as deep as records may be, which is deeper than calls may be."""
    open_, found = [_written(part, data, p)], None
    while open_:
        try:
            inner = open_[-1].send(found)
        except StopIteration as end:
            open_.pop()
            found = end.value
        else:
            open_.append(_written(inner[0], data, inner[1]))
            found = None
    assert found is not None
    return found


_Writing = Generator[tuple[Type, int], Any, tuple[str, int]]
"""Asks for a value by its type and where it begins, is sent its text and where it ends, and comes to its own text and end."""


def _written(part: Type, data: bytes, p: int) -> _Writing:
    if part.kind == "union":
        branch, p = long_at(data, p)
        return (yield part.branches[branch], p)
    if part.kind == "record":
        members = []
        for field in part.fields:
            text, p = (yield field.type, p)
            members.append(f"{_quoted(field.name)}:{text}")
        return f"{{{','.join(members)}}}", p
    if part.kind in ("array", "map"):
        return (yield from _blocks(part, data, p))
    start, end = contents(part, data, p)
    if part.kind == "null":
        return "null", end
    text = scalar_text(part, data[start:end])
    plain = kind_of(part) in (Kind.NUMBER, Kind.TRUE) and text.lstrip("-") not in ("nan", "inf")
    return text if plain else _quoted(text), end


def _blocks(part: Type, data: bytes, p: int) -> _Writing:
    assert part.items is not None
    items: list[str] = []
    while True:
        count, p = long_at(data, p)
        if count < 0:
            _, p = long_at(data, p)
        if count == 0:
            return (f"[{','.join(items)}]" if part.kind == "array" else f"{{{','.join(items)}}}"), p
        for _ in range(abs(count)):
            key = ""
            if part.kind == "map":
                n, p = long_at(data, p)
                key, p = _quoted(data[p : p + n].decode()) + ":", p + n
            text, p = (yield part.items, p)
            items.append(key + text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def default_bytes(part: Type, value: Any) -> bytes | None:
    """A field's default as it is written; None where it is none of the type, or needs more than `MOST_OF_DEFAULT` values within it."""
    return _default(part, value, itertools.repeat(None, MOST_OF_DEFAULT), 0)


def _default(part: Type, value: Any, left: Iterator[None], depth: int) -> bytes | None:
    """The default; `left` is used up by one with each value, since defaults of fields can have defaults of fields in them."""
    if depth > DEEPEST or next(left, MISSING) is MISSING:
        return None

    def inner_bytes(inner: Type | None, held: Any) -> bytes | None:
        return None if inner is None else _default(inner, held, left, depth + 1)

    if part.kind == "union":
        for branch, inner in enumerate(part.branches):
            if (made := inner_bytes(inner, value)) is not None:
                return put_long(branch) + made
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match part.kind:
        case "null" if value is None:
            return b""
        case "boolean" if isinstance(value, bool):
            return bytes([value])
        case "int" | "long" if number and isinstance(value, int) and -(1 << (31 if part.kind == "int" else 63)) <= value < 1 << (
                31 if part.kind == "int" else 63):
            return put_long(value)
        case "float" | "double" if number:
            try:
                return struct.pack("<f" if part.kind == "float" else "<d", value)
            except (OverflowError, struct.error):
                return None
        case "string" if isinstance(value, str):
            return _sized(value.encode())
        case "bytes" if isinstance(value, str) and all(ord(c) < 256 for c in value):
            return _sized(value.encode("latin-1"))
        case "fixed" if isinstance(value, str) and len(value) == part.size and all(ord(c) < 256 for c in value):
            return value.encode("latin-1")
        case "enum" if value in part.symbols:
            return put_long(part.symbols.index(value))
        case "array" if isinstance(value, list):
            return _listed([inner_bytes(part.items, held) for held in value])
        case "map" if isinstance(value, dict):
            entries = [(key, inner_bytes(part.items, held)) for key, held in value.items()]
            return _listed([None if body is None else _sized(key.encode()) + body for key, body in entries])
        case "record" if isinstance(value, dict):
            fields = []
            for field in part.fields:
                fields.append(inner_bytes(field.type, value.get(field.name, field.default)))
                if fields[-1] is None:
                    return None
            return b"".join(body for body in fields if body is not None)
    return None


def _sized(data: bytes) -> bytes:
    return put_long(len(data)) + data


def _listed(items: list[bytes | None]) -> bytes | None:
    if None in items:
        return None
    return (put_long(len(items)) if items else b"") + b"".join(item for item in items if item is not None) + b"\0"
