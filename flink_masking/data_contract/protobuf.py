"""Fields and tags of a Protobuf message."""

from importlib import import_module
from typing import Any

from flink_masking.data_contract.found import DEEPEST, ELEMENT, MEMBER, Found
from flink_masking.errors import InputError
from flink_masking.records.paths import Step
from flink_masking.registry.source import Schema

META, TAGS = 1088, 3
"""Numbers of the options ``confluent.field_meta`` and ``message_meta``, and of their field ``tags``."""
_TYPES = ("", "double", "float", "int64", "uint64", "int32", "fixed64", "fixed32", "bool", "string", "group", "message", "bytes", "uint32",
          "enum", "sfixed32", "sfixed64", "sint32", "sint64")  # fmt: skip
_MESSAGE, _REQUIRED, _REPEATED = (10, 11), 2, 3
_WRAPPED = ("google.protobuf.Timestamp", "google.protobuf.Duration")


def fields(schema: Schema, name: str | None, found: Found) -> str:
    """Gather the fields of a message.

    Args:
        schema: a .proto file or a descriptor, with what it imports.
        name: of the message; None for the file's first.
        found: where they go.

    Returns:
        The full name of the message.

    Raises:
        InputError: it is no schema, or has no such message, or the compiler is not installed.
    """
    try:
        schemas = import_module("flink_masking.records.protobuf.schemas")
    except ModuleNotFoundError:
        failure = InputError("Protobuf schemas cannot be read by this version. Hint: tags.source: odcs or dbt, or declare the fields")
        raise failure from None
    known = schemas.messages(schema.text, tuple(schema.references.items()))
    message = known.at([0]) if name is None else known.named(name)
    if message is None:
        raise InputError("Protobuf: the schema has no such message. Hint: tags.name: the full name of a message")
    _message(message, (), (), (), found)
    return str(message.full_name)


def _message(message: Any, path: tuple[Step, ...], tags: tuple[str, ...], above: tuple[str, ...], found: Found) -> None:
    if message.full_name in above or len(above) > DEEPEST:
        return
    above = (*above, message.full_name)
    tags = (*tags, *option_tags(message.GetOptions().SerializeToString()))
    for field in message.fields:
        own = (*tags, *found.tags({}, field.full_name), *option_tags(field.GetOptions().SerializeToString()))
        steps: tuple[Step, ...] = (*path, field.name)
        inner = field.message_type
        if inner is not None and inner.GetOptions().map_entry:
            field, steps = inner.fields_by_name["value"], (*steps, MEMBER)
        elif field.label == _REPEATED:
            steps = (*steps, ELEMENT)
        _value(field, steps, own, above, found)


def _value(field: Any, steps: tuple[Step, ...], tags: tuple[str, ...], above: tuple[str, ...], found: Found) -> None:
    if field.type in _MESSAGE and field.message_type.full_name not in _WRAPPED:
        _message(field.message_type, steps, tags, above, found)
        return
    named = field.enum_type if field.enum_type is not None else field.message_type
    kind = _TYPES[field.type] + (f" {named.full_name}" if named is not None else "")
    found.add(steps, kind, field.label != _REQUIRED, tags)


def option_tags(options: bytes) -> list[str]:
    """The tags in the serialised options of a field or message, from the wire: whoever compiled the schema may not know the option."""
    return [tag.decode("utf-8", "replace") for meta in _members(options, META) for tag in _members(meta, TAGS)]


def _members(data: bytes, number: int) -> list[bytes]:
    """Contents of the fields of one number that are delimited by a length."""
    found, p = [], 0
    while p < len(data):
        key, p = _varint(data, p)
        if key & 7 == 2:
            size, p = _varint(data, p)
            if key >> 3 == number:
                found.append(data[p : p + size])
            p += size
        elif key & 7 == 0:
            _, p = _varint(data, p)
        elif key & 7 in (1, 5):
            p += 8 if key & 7 == 1 else 4
        else:  # a group: options have none that matter
            break
    return found


def _varint(data: bytes, p: int) -> tuple[int, int]:
    value = shift = 0
    while p < len(data):
        byte = data[p]
        value, shift, p = value | (byte & 127) << shift, shift + 7, p + 1
        if byte < 128:
            break
    return value, p
