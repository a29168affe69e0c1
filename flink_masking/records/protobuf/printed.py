"""Descriptors as the text of a ``.proto`` file, which is what registries hold."""

import math
from collections.abc import Iterator
from typing import Any

from flink_masking.records.protobuf.program import BOOL, BYTES, ENUM, GROUP, MESSAGE, REPEATED, STRING

_NAMES = ("", "double", "float", "int64", "uint64", "int32", "fixed64", "fixed32", "bool", "string", "group", "", "bytes", "uint32", "",
          "sfixed32", "sfixed64", "sint32", "sint64")
_LABELS = ("", "optional ", "required ", "repeated ")
_LAST = 536_870_911


def proto_text(file: Any) -> str:
    """The text of a file that the compiler reads back as the same descriptor.

    Args:
        file: a FileDescriptorProto of proto2 or proto3 without services, extensions, and options other than ``packed``, ``deprecated`` and
            ``allow_alias``.
    """
    lines = [f'syntax = "{file.syntax or "proto2"}";']
    lines += [f"package {file.package};"] if file.package else []
    lines += [f'import "{name}";' for name in file.dependency]
    old = file.syntax != "proto3"
    for enum in file.enum_type:
        lines += ["", *_enum(enum)]
    for message in file.message_type:
        lines += ["", f"message {message.name} {{", *_indented(_body(message, old)), "}"]
    return "\n".join(lines) + "\n"


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def _body(message: Any, old: bool) -> Iterator[str]:
    """What stands between a message's braces."""
    inline = {field.type_name.rsplit(".", 1)[-1] for field in message.field if field.type == GROUP}
    entries = {nested.name: nested for nested in message.nested_type if nested.options.map_entry}
    yield from _reserved(message, _LAST)
    for enum in message.enum_type:
        yield from _enum(enum)
    for nested in message.nested_type:
        if not nested.options.map_entry and nested.name not in inline:
            yield f"message {nested.name} {{"
            yield from _indented(_body(nested, old))
            yield "}"
    groups = {nested.name: nested for nested in message.nested_type if nested.name in inline}
    written: set[int] = set()
    for field in message.field:
        if not field.HasField("oneof_index") or field.proto3_optional:
            yield from _field(field, old, entries, groups, True)
        elif field.oneof_index not in written:
            written.add(field.oneof_index)
            yield f"oneof {message.oneof_decl[field.oneof_index].name} {{"
            for member in message.field:
                if member.HasField("oneof_index") and member.oneof_index == field.oneof_index:
                    yield from _indented(_field(member, old, entries, groups, False))
            yield "}"


def _field(field: Any, old: bool, entries: dict[str, Any], groups: dict[str, Any], labelled: bool) -> Iterator[str]:
    """A field, and the body of a group."""
    short, label = field.type_name.rsplit(".", 1)[-1], ""
    if labelled:
        label = _LABELS[field.label] if old or field.label == REPEATED else "optional " if field.proto3_optional else ""
    told = _options(field)
    if field.type == GROUP:
        yield f"{label}group {short} = {field.number}{told} {{"
        yield from _indented(_body(groups[short], old))
        yield "}"
        return
    if field.type == MESSAGE and field.label == REPEATED and short in entries:
        key, value = sorted(entries[short].field, key=lambda one: one.number)
        yield f"map<{_NAMES[key.type]}, {_type(value)}> {field.name} = {field.number}{told};"
        return
    yield f"{label}{_type(field)} {field.name} = {field.number}{told};"


def _type(field: Any) -> str:
    return str(field.type_name) if field.type in (MESSAGE, ENUM) else _NAMES[field.type]


def _options(field: Any) -> str:
    """Options of a field in brackets."""
    found = []
    if field.HasField("default_value"):
        found.append(f"default = {_default(field)}")
    if field.HasField("json_name") and field.json_name != _json_name(field.name) and field.type != GROUP:
        found.append(f"json_name = {_quoted(field.json_name.encode())}")
    if field.options.HasField("packed"):
        found.append(f"packed = {str(field.options.packed).lower()}")
    if field.options.deprecated:
        found.append("deprecated = true")
    return f" [{', '.join(found)}]" if found else ""


def _default(field: Any) -> str:
    value = str(field.default_value)
    if field.type == STRING:
        return _quoted(value.encode())
    if field.type == BYTES:
        return f'"{value}"'  # escaped already
    if field.type in (BOOL, ENUM) or _NAMES[field.type] not in ("double", "float"):
        return value
    return value if math.isfinite(float(value)) else {"inf": "inf", "-inf": "-inf"}.get(value, "nan")


def _quoted(data: bytes) -> str:
    """Bytes as a literal: what is not printable ASCII in octal."""
    return '"' + "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03o}" for byte in data) + '"'


def _json_name(name: str) -> str:
    """The name that the compiler gives a field in JSON."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def _enum(enum: Any) -> Iterator[str]:
    yield f"enum {enum.name} {{"
    if enum.options.allow_alias:
        yield "  option allow_alias = true;"
    yield from _indented(_reserved(enum, (1 << 31) - 1, 0))
    for value in enum.value:
        yield f"  {value.name} = {value.number}{' [deprecated = true]' if value.options.deprecated else ''};"
    yield "}"


def _reserved(part: Any, last: int, beyond: int = 1) -> Iterator[str]:
    """Numbers and names that stay unused; the ends of a message's ranges are one beyond."""
    ranges = [(one.start, one.end - beyond) for one in part.reserved_range]
    told = [f"{a}" if a == b else f"{a} to {'max' if b >= last else b}" for a, b in ranges]
    if told:
        yield f"reserved {', '.join(told)};"
    if part.reserved_name:
        yield f"reserved {', '.join(_quoted(name.encode()) for name in part.reserved_name)};"
