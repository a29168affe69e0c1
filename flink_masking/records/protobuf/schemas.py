"""Descriptors of messages from schemas: ``.proto`` files, compiled, or serialised descriptors."""

import base64
import binascii
import importlib.util
import tempfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from flink_masking.errors import InputError, JobError
from flink_masking.registry.source import Schema

ROOT = "schema.proto"
"""The name that a schema gets which is known by an identifier only."""
EXTRA = "flink-masking[protobuf]"
_META = """syntax = "proto3";
package confluent;
import "google/protobuf/descriptor.proto";
message Meta { string doc = 1; map<string, string> params = 2; repeated string tags = 3; }
extend google.protobuf.FileOptions { Meta file_meta = 1088; }
extend google.protobuf.MessageOptions { Meta message_meta = 1088; }
extend google.protobuf.FieldOptions { Meta field_meta = 1088; }
extend google.protobuf.EnumOptions { Meta enum_meta = 1088; }
extend google.protobuf.EnumValueOptions { Meta enum_value_meta = 1088; }
"""
_DECIMAL = 'syntax = "proto3";\npackage confluent.type;\nmessage Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }\n'
SHIPPED: Mapping[str, str] = {"confluent/meta.proto": _META, "confluent/type/decimal.proto": _DECIMAL}
"""What registries do not send although schemas import it."""


class Messages:
    """The messages of one schema.

    Attributes:
        file: descriptor of the schema's own file.
        serialized: descriptors of it and of all that it imports, a FileDescriptorSet.
        encoded: the schema was the descriptor of its file in Base64, and consumers expect schemas of this form.
        own: the file as FileDescriptorProto.
        others: those that it imports, by name.
    """

    def __init__(self, schema: Schema) -> None:
        """Read or compile a schema.

        Raises:
            InputError: it is no valid schema.
            JobError: the compiler is not installed.
        """
        from google.protobuf import descriptor_pb2, descriptor_pool

        self.serialized, self.encoded = _descriptors(schema), _is_descriptor(schema.text)
        found = descriptor_pb2.FileDescriptorSet.FromString(self.serialized)
        if not found.file:
            raise InputError("Protobuf: the schema holds no file. Hint: protoc --include_imports --descriptor_set_out=schema.desc")
        pool = descriptor_pool.DescriptorPool()
        try:
            for file in _ordered(found.file):
                pool.Add(file)
            self.own: Any = found.file[-1]
            self.others: Mapping[str, Any] = {file.name: file for file in _ordered(found.file) if file.name != self.own.name}
            self.file: Any = pool.FindFileByName(found.file[-1].name)
            self._messages = [pool.FindFileByName(file.name) for file in found.file]
        except (TypeError, KeyError, ValueError, RecursionError):
            failure = InputError("Protobuf: the schema's descriptors do not fit together. Hint: protoc --include_imports")
        else:
            return
        raise failure

    def at(self, indexes: Sequence[int]) -> Any:
        """The message at an index path: among the file's messages, then among those nested in it; None where there is none."""
        among, name = self.own.message_type, self.own.package
        found: Any = None
        for index in indexes:
            if not 0 <= index < len(among):
                return None
            found, name = among[index], f"{name}.{among[index].name}"
            among = found.nested_type
        return None if found is None or found.options.map_entry else self.named(name.lstrip("."))

    def named(self, name: str) -> Any:
        """The message with a full name, or with a name within the file's package; None where there is none."""
        for file in (self.file, *self._messages):
            for known in _all(file.message_types_by_name.values()):
                if known.full_name == name or (file is self.file and known.full_name == f"{file.package}.{name}".lstrip(".")):
                    return known
        return None

    def only(self) -> Any:
        """The file's only message; None where it has several or none."""
        found = list(self.file.message_types_by_name.values())
        return found[0] if len(found) == 1 else None


def _all(messages: Any) -> Any:
    for message in messages:
        yield message
        yield from _all(message.nested_types)


def _ordered(files: Any) -> list[Any]:
    """Files behind what they import."""
    by_name, done, ordered = {file.name: file for file in files}, set[str](), []

    def add(file: Any) -> None:
        if file.name not in done:
            done.add(file.name)
            for name in file.dependency:
                if name in by_name:
                    add(by_name[name])
                elif name.startswith("google/protobuf/"):
                    add(_well_known(name))
            ordered.append(file)

    for file in files:
        add(file)
    return ordered


def _well_known(name: str) -> Any:
    """A file that comes with Protobuf."""
    from google.protobuf import descriptor_pb2

    stem = name.removeprefix("google/protobuf/").removesuffix(".proto")
    if not stem.isidentifier() or importlib.util.find_spec(f"google.protobuf.{stem}_pb2") is None:
        raise KeyError(name)
    module = importlib.import_module(f"google.protobuf.{stem}_pb2")
    return descriptor_pb2.FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)


@lru_cache(maxsize=256)
def messages(text: str, references: tuple[tuple[str, str], ...]) -> Messages:
    """The messages of a schema; kept, because compiling takes a while.

    Args:
        text: of the schema.
        references: names and texts of what it imports.

    Raises:
        InputError: as `Messages`.
    """
    return Messages(Schema(text, "PROTOBUF", dict(references)))


def _descriptors(schema: Schema) -> bytes:
    """A serialised FileDescriptorSet, the schema's own file last."""
    from google.protobuf import descriptor_pb2
    from google.protobuf.message import DecodeError

    try:
        data = base64.b64decode(schema.text, validate=True)
    except (binascii.Error, ValueError):
        return _compiled(schema.text, schema.references)
    if (single := _single(data)) is not None:
        return bytes(descriptor_pb2.FileDescriptorSet(file=[*_referred(schema.references), single]).SerializeToString())
    try:
        descriptor_pb2.FileDescriptorSet.FromString(data)
    except DecodeError:
        raise InputError("Protobuf: the descriptor cannot be read. Hint: protoc --include_imports "
                         "--descriptor_set_out=schema.desc") from None
    return data


def _single(data: bytes) -> Any:
    """The descriptor of one file; None where the bytes are none."""
    from google.protobuf import descriptor_pb2
    from google.protobuf.message import DecodeError

    try:
        single = descriptor_pb2.FileDescriptorProto.FromString(data)
    except DecodeError:
        return None
    whole = isinstance(single.name, str) and single.name.isprintable() and single.name.endswith(".proto")  # of a set: a whole file
    return single if whole else None


def _is_descriptor(text: str) -> bool:
    """Whether a schema is the descriptor of one file in Base64, as some producers register it."""
    try:
        return _single(base64.b64decode(text, validate=True)) is not None
    except (binascii.Error, ValueError):
        return False


def _referred(references: Mapping[str, str]) -> list[Any]:
    """The files that a descriptor imports, each under the name that it has there; registries send them as text or as descriptors."""
    from google.protobuf import descriptor_pb2

    found: dict[str, Any] = {}
    for number, (name, text) in enumerate(references.items()):
        before = dict(list(references.items())[:number])
        files = descriptor_pb2.FileDescriptorSet.FromString(_descriptors(Schema(text, "PROTOBUF", before))).file
        files[-1].name = name
        for file in files:
            found.setdefault(file.name, file)
    return list(found.values())


def _compiled(text: str, references: Mapping[str, str]) -> bytes:
    """A .proto file compiled; references are written below a directory of their own, by their names."""
    if importlib.util.find_spec("grpc_tools") is None:
        raise JobError(f"Protobuf: the compiler for .proto files is not installed. Hint: pip install '{EXTRA}', or name a descriptor: "
                       "protoc --include_imports --descriptor_set_out=schema.desc")
    import grpc_tools
    from grpc_tools import protoc

    included = Path(next(iter(grpc_tools.__path__))) / "_proto"
    with tempfile.TemporaryDirectory(prefix="schema-") as folder:
        root = Path(folder)
        for name, content in {**SHIPPED, **references, ROOT: text}.items():
            parts = PurePosixPath(name)
            if parts.is_absolute() or ".." in parts.parts or not parts.parts or (included / parts).is_file():
                continue
            target = root / parts
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")
        out = root / "descriptors"
        done = protoc.main(["protoc", f"-I{folder}", f"-I{included}", "--include_imports", f"--descriptor_set_out={out}", ROOT])
        if done != 0 or not out.is_file():
            raise InputError("Protobuf: the schema cannot be compiled, or a file that it imports is missing. Hint: protoc tells the line")
        return out.read_bytes()
