"""Random Protobuf schemas and records, and what upb makes of them: the oracle of the codec."""

import base64
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from flink_masking.records.edits import DROP, KEEP, Edit, Replace
from flink_masking.records.paths import Wild, format_path
from flink_masking.records.spans import SpanTable

F = descriptor_pb2.FieldDescriptorProto
SCALARS = [n for n in range(1, 19) if n not in (F.TYPE_GROUP, F.TYPE_MESSAGE)]
MESSAGES = (F.TYPE_GROUP, F.TYPE_MESSAGE)
KEYS = [F.TYPE_STRING, F.TYPE_STRING, F.TYPE_STRING, F.TYPE_INT32, F.TYPE_SINT64, F.TYPE_BOOL, F.TYPE_FIXED32]
TEXTS = ["", "a", "Jörg Müller", "x" * 127, "y" * 128, "日本語", "z" * 16_400, "john.doe@example.com", 'quote " and \\']


class Rule(NamedTuple):
    """What becomes of the values at a path: keep, drop or change; `undeclared` ones are dropped, too."""

    path: str
    what: str


def schema(rng: random.Random) -> descriptor_pb2.FileDescriptorProto:
    """A file with some messages, of which the first is that of the records."""
    old = rng.random() < 0.4
    file = descriptor_pb2.FileDescriptorProto(name="r.proto", package="r", syntax="proto2" if old else "proto3")
    enum = file.enum_type.add(name="E")
    for number, name in enumerate(("ZERO", "ONE", "TWO")):
        enum.value.add(name=name, number=number)
    count = rng.randint(1, 4)
    for at in range(count):
        message = file.message_type.add(name=f"M{at}")
        numbers = rng.sample([*range(1, 30), 255, 256, 257, 2047, 2048, 536_870_911], rng.randint(1, 8))
        oneof = rng.random() < 0.3
        if oneof:
            message.oneof_decl.add(name="choice")
        for number in numbers:
            _field(rng, file, message, number, old, oneof, count)
        for field in message.field:  # synthetic oneofs come last
            if field.proto3_optional:
                field.oneof_index = len(message.oneof_decl)
                message.oneof_decl.add(name=f"_{field.name}")
        if oneof and not any(field.HasField("oneof_index") and field.oneof_index == 0 for field in message.field):
            message.field.add(name="chosen", number=50, type=F.TYPE_STRING, label=1, oneof_index=0)
    return file


def _field(rng: random.Random, file: Any, message: Any, number: int, old: bool, oneof: bool, count: int) -> None:
    name, draw = f"f{number}", rng.random()
    field = message.field.add(name=name, number=number, label=1)
    if draw < 0.25:
        field.type, field.type_name = F.TYPE_MESSAGE, f".r.M{rng.randrange(count)}"
    elif draw < 0.37:
        entry = message.nested_type.add(name=f"F{number}Entry")
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, label=1, type=rng.choice(KEYS))
        value = entry.field.add(name="value", number=2, label=1, type=rng.choice([*SCALARS, F.TYPE_MESSAGE, F.TYPE_STRING]))
        _named(rng, value, count)
        field.type, field.type_name, field.label = F.TYPE_MESSAGE, f".r.{message.name}.F{number}Entry", 3
        return
    elif old and draw < 0.45:
        group = message.nested_type.add(name=f"G{number}")
        inner = group.field.add(name="g", number=1, label=rng.choice((1, 3)), type=rng.choice(SCALARS))
        _named(rng, inner, count)
        field.type, field.type_name, field.name = F.TYPE_GROUP, f".r.{message.name}.G{number}", f"g{number}"
    else:
        field.type = rng.choice([*SCALARS, F.TYPE_STRING, F.TYPE_STRING])
        _named(rng, field, count)
    if rng.random() < 0.35:
        field.label = 3
        if field.type in SCALARS and field.type not in (F.TYPE_STRING, F.TYPE_BYTES) and rng.random() < 0.5:
            field.options.packed = rng.random() < 0.5
    elif oneof and rng.random() < 0.5:
        field.oneof_index = 0
    elif not old and rng.random() < 0.3:
        field.proto3_optional = True


def _named(rng: random.Random, field: Any, count: int) -> None:
    if field.type == F.TYPE_ENUM:
        field.type_name = ".r.E"
    elif field.type == F.TYPE_MESSAGE:
        field.type_name = f".r.M{rng.randrange(count)}"


def classes(*files: descriptor_pb2.FileDescriptorProto) -> Any:
    """The class of the first message of the last file, in a pool of its own."""
    pool = descriptor_pool.DescriptorPool()
    for file in files:
        pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("r.M0"))


def value(rng: random.Random, field: Any) -> Any:
    """A random scalar of a field."""
    kind = field.type
    if kind == F.TYPE_STRING:
        return rng.choice(TEXTS)
    if kind == F.TYPE_BYTES:
        return rng.randbytes(rng.choice((0, 1, 5, 200)))
    if kind == F.TYPE_BOOL:
        return rng.random() < 0.5
    if kind == F.TYPE_ENUM:
        return rng.randrange(3)
    if kind in (F.TYPE_FLOAT, F.TYPE_DOUBLE):
        return rng.choice((0.0, 1.5, -2.25, 1e10, 0.1 if kind == F.TYPE_DOUBLE else 0.5))
    bits = 64 if kind in (F.TYPE_INT64, F.TYPE_UINT64, F.TYPE_FIXED64, F.TYPE_SFIXED64, F.TYPE_SINT64) else 32
    signed = kind not in (F.TYPE_UINT64, F.TYPE_UINT32, F.TYPE_FIXED64, F.TYPE_FIXED32)
    top = (1 << (bits - signed)) - 1
    return rng.choice((0, 1, 127, 128, 300, top, -top - 1 if signed else 5, -1 if signed else 6))


def fill(rng: random.Random, message: Any, depth: int = 0) -> Any:
    """Random contents for a message."""
    for field in message.DESCRIPTOR.fields:
        if rng.random() < 0.4:
            continue
        repeated = field.label == 3
        if is_map(field):
            inner = field.message_type.fields_by_number[2]
            for _ in range(rng.randint(0, 3)):
                key = value(rng, field.message_type.fields_by_number[1])
                if inner.type == F.TYPE_MESSAGE:
                    fill(rng, getattr(message, field.name)[key], depth + 1)
                else:
                    getattr(message, field.name)[key] = value(rng, inner)
        elif field.type in MESSAGES:
            if depth < 3:
                for _ in range(rng.randint(0, 3) if repeated else 1):
                    part = getattr(message, field.name).add() if repeated else getattr(message, field.name)
                    part.SetInParent()
                    fill(rng, part, depth + 1)
        elif repeated:
            getattr(message, field.name).extend(value(rng, field) for _ in range(rng.choice((0, 1, 2, 60))))
        else:
            setattr(message, field.name, value(rng, field))
    return message


def is_map(field: Any) -> bool:
    """Whether a field is a map."""
    return bool(field.type == F.TYPE_MESSAGE and field.message_type.GetOptions().map_entry)


def rules(rng: random.Random, message: Any, steps: tuple[Any, ...] = (), depth: int = 0) -> Iterator[Rule]:
    """Random rules for the fields of a message; what gets none is undeclared."""
    for field in message.fields:
        if rng.random() < 0.1:
            continue
        own = (*steps, field.name)
        if is_map(field):
            own, field = (*own, Wild.KEY), field.message_type.fields_by_number[2]
        elif field.label == 3:
            own = (*own, Wild.ELEMENT)
        if field.type in MESSAGES:
            found = list(rules(rng, field.message_type, own, depth + 1)) if depth < 2 else []
            if found and rng.random() < 0.9:
                yield from found
                if rng.random() < 0.2:
                    yield Rule(format_path(own), "drop")
            elif found == [] and rng.random() < 0.5:
                yield Rule(format_path(own), rng.choice(("whole", "drop whole")))
        else:
            yield Rule(format_path(own), rng.choice(("keep", "change", "change", "drop", "known")))


def changed(field: Any, found: Any) -> Any:
    """What a rule makes of a scalar."""
    kind = field.type
    if kind == F.TYPE_STRING:
        return f"<{found[:40]}>"
    if kind == F.TYPE_BYTES:
        return found[::-1] + b"!"
    if kind == F.TYPE_BOOL:
        return not found
    if kind == F.TYPE_ENUM:
        return 2
    if kind in (F.TYPE_FLOAT, F.TYPE_DOUBLE):
        return 0.25
    return abs(found) % 1000 * 7


def apply_to(message: Any, plan: dict[str, str], steps: tuple[Any, ...] = ()) -> None:
    """Carry out rules on a parsed message; fields without any are cleared, and fields that no schema knows."""
    for field in list(message.DESCRIPTOR.fields):
        own = (*steps, field.name)
        if is_map(field):
            inner, held = (*own, Wild.KEY), getattr(message, field.name)
            part, what = field.message_type.fields_by_number[2], plan.get(format_path(inner))
            if not declared(plan, inner) or what in ("drop", "drop whole"):
                message.ClearField(field.name)
            elif part.type == F.TYPE_MESSAGE:
                if what != "whole":
                    for key in held:
                        apply_to(held[key], plan, inner)
            elif what == "change":
                for key in list(held):
                    held[key] = changed(part, held[key])
            continue
        inner = (*own, Wild.ELEMENT) if field.label == 3 else own
        what = plan.get(format_path(inner))
        if not declared(plan, inner) or what in ("drop", "drop whole"):
            message.ClearField(field.name)
        elif field.type in MESSAGES:
            if what != "whole":
                for part in getattr(message, field.name) if field.label == 3 else ([getattr(message, field.name)]
                                                                                 if message.HasField(field.name) else []):
                    apply_to(part, plan, inner)
        elif what == "change":
            if field.label == 3:
                held = getattr(message, field.name)
                held[:] = [changed(field, one) for one in held]
            elif (message.HasField(field.name) if field.has_presence else getattr(message, field.name)):
                setattr(message, field.name, changed(field, getattr(message, field.name)))


def declared(plan: dict[str, str], steps: tuple[Any, ...]) -> bool:
    """Whether a rule is there for a path, or for one below."""
    path = format_path(steps)
    return any(name == path or name.startswith((path + ".", path + "[")) for name in plan)


def edits(table: SpanTable, plan: dict[str, str]) -> dict[str, Edit]:
    """The same rules as edits of a table, made of the texts that it gives."""
    found: dict[str, Edit] = {}
    for path in table.paths.names:
        what = plan[path]
        if what in ("drop", "drop whole"):
            found[path] = DROP
        elif what != "change":
            found[path] = KEEP
        else:
            import pyarrow as pa

            fields = [table.program.fields[entry] for entry in table.entries(table.paths.ids[path])]  # type: ignore[attr-defined]
            texts = [_changed_text(field.type, text) for field, text in zip(fields, table.values(path).text.to_pylist(), strict=True)]
            found[path] = Replace(pa.array(texts, pa.string()))
    return found


def _changed_text(kind: int, text: str) -> str:
    class Fake:
        type = kind

    if kind == F.TYPE_BYTES:
        return base64.b64encode(changed(Fake, base64.b64decode(text))).decode()
    if kind == F.TYPE_BOOL:
        return "false" if text == "true" else "true"
    if kind == F.TYPE_ENUM:
        return "TWO"
    if kind in (F.TYPE_FLOAT, F.TYPE_DOUBLE):
        return "0.25"
    return str(changed(Fake, text if kind == F.TYPE_STRING else int(text)))


def forget_defaults(made: Any, expected: Any) -> None:
    """Clear fields without presence that upb has as absent and that were on the wire with their default, which a rule has changed."""
    for field in made.DESCRIPTOR.fields:
        if is_map(field):
            if field.message_type.fields_by_number[2].type == F.TYPE_MESSAGE:
                for key in set(getattr(made, field.name)) & set(getattr(expected, field.name)):
                    forget_defaults(getattr(made, field.name)[key], getattr(expected, field.name)[key])
        elif field.type in MESSAGES:
            if field.label == 3:
                for one, other in zip(getattr(made, field.name), getattr(expected, field.name), strict=False):
                    forget_defaults(one, other)
            elif made.HasField(field.name):
                forget_defaults(getattr(made, field.name), getattr(expected, field.name))
        elif (field.label != 3 and not field.has_presence and not getattr(expected, field.name)
              and getattr(made, field.name) == changed(field, field.default_value)):
            made.ClearField(field.name)


def known_only(message: Any) -> bool:
    """Whether a message holds no field that its schema does not know, at any depth."""
    size = message.ByteSize()
    other = type(message)()
    other.CopyFrom(message)
    other.DiscardUnknownFields()
    return bool(other.ByteSize() == size)
