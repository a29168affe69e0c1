"""Avro schemas (1.12) as trees of types, from their JSON and back."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flink_masking.errors import InputError

PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
NAMED = ("record", "enum", "fixed")
MOST_TYPES, DEEPEST = 20_000, 128
MOST_DIGITS = 1_000
"""Digits of a decimal; one of more counts as the bytes that it is."""
MISSING: Final = object()
"""The default of a field that has none."""
_STRUCTURE = {"type", "name", "namespace", "fields", "items", "values", "symbols", "size", "default"}
_LOGICAL = {
    ("int", "date"), ("int", "time-millis"), ("long", "time-micros"), ("bytes", "decimal"), ("fixed", "decimal"), ("string", "uuid"),
    ("fixed", "uuid"), ("fixed", "duration"),
    *(("long", f"{clock}-{unit}") for clock in ("timestamp", "local-timestamp") for unit in ("millis", "micros", "nanos")),
}  # fmt: skip
_SIZES = {"uuid": 16, "duration": 12}
_HINT = "Hint: see the Avro 1.12 specification, Schema Declaration"


@dataclass(eq=False)
class Field:
    """A field of a record.

    Attributes:
        name: its name.
        type: its type.
        default: as JSON, or `MISSING`.
        attributes: all else that is written beside it.
    """

    name: str
    type: "Type"
    default: Any = MISSING
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Type:
    """A type; compared by identity, because a record may hold itself.

    Attributes:
        kind: a primitive type, ``record``, ``enum``, ``fixed``, ``array``, ``map`` or ``union``.
        logical: the logical type, where it is one that this kind can have; otherwise empty.
        name: full name of a named type.
        fields: of a record.
        items: of an array, or the values of a map.
        branches: of a union.
        symbols: of an enum.
        size: bytes of a fixed.
        scale: decimals of a decimal.
        precision: digits of a decimal.
        attributes: all else that is written beside it.
    """

    kind: str
    logical: str = ""
    name: str = ""
    fields: "list[Field]" = field(default_factory=list)
    items: "Type | None" = None
    branches: "list[Type]" = field(default_factory=list)
    symbols: tuple[str, ...] = ()
    size: int = 0
    scale: int = 0
    precision: int = 0
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def inner(self) -> "list[Type]":
        """The types that it holds."""
        return [f.type for f in self.fields] or self.branches or ([self.items] if self.items is not None else [])

    @property
    def options(self) -> "list[Type]":
        """The branches of a union; any other type alone."""
        return self.branches if self.kind == "union" else [self]


NULL, STRING = Type("null"), Type("string")


def bytes_of_digits(digits: int) -> int:
    """Bytes that are enough for a signed number of so many decimal digits."""
    return digits * 107 // 256 + 2


def parse_schema(text: str, references: Mapping[str, str] | None = None) -> Type:
    """The type that a schema describes.

    Args:
        text: JSON, or the bare name of a primitive type.
        references: the schemas that it refers to, each behind those that it needs itself.

    Raises:
        InputError: it is no schema; the message tells the place, and never a default.
    """
    parser = _Parser()
    for inner in (references or {}).values():
        parser.parse(_read(inner), "", 0)
    return parser.parse(_read(text), "", 0)


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        if text.strip() in PRIMITIVES:
            return text.strip()
    raise InputError(f"Avro schema: it is no JSON. {_HINT}")


class _Parser:
    def __init__(self) -> None:
        self._named: dict[str, Type] = {}
        self._count = 0

    def parse(self, written: Any, namespace: str, depth: int) -> Type:
        """The type of a part of a schema."""
        self._count += 1
        if self._count > MOST_TYPES or depth > DEEPEST:
            raise InputError(f"Avro schema: more than {MOST_TYPES:,} types, or more than {DEEPEST} within each other. Hint: divide it")
        if isinstance(written, str):
            return self._reference(written, namespace)
        if isinstance(written, list):
            return self._union(written, namespace, depth)
        if not isinstance(written, dict) or "type" not in written:
            raise InputError(f"Avro schema: a type is a name, a list or an object with 'type'. {_HINT}")
        kind = written["type"]
        if kind in NAMED or kind == "error":
            return self._of_name(written, "record" if kind == "error" else kind, namespace, depth)
        attributes = {key: value for key, value in written.items() if key not in _STRUCTURE}
        if kind in ("array", "map"):
            inner = written.get("items" if kind == "array" else "values", MISSING)
            if inner is MISSING:
                raise InputError(f"Avro schema: {kind} without the type of what it holds. {_HINT}")
            return Type(kind, items=self.parse(inner, namespace, depth + 1), attributes=attributes)
        if not isinstance(kind, str) or kind not in PRIMITIVES:
            return self.parse(kind, namespace, depth + 1)
        return self._logical(Type(kind, attributes=attributes))

    def _reference(self, name: str, namespace: str) -> Type:
        if name in PRIMITIVES:
            return Type(name)
        for full in (name, f"{namespace}.{name}") if "." in name or not namespace else (f"{namespace}.{name}", name):
            if full in self._named:
                return self._named[full]
        raise InputError(f"Avro schema: the type {name[:80]!r} is not defined. Hint: define it before, or register it as a reference")

    def _union(self, written: list[Any], namespace: str, depth: int) -> Type:
        branches = [self.parse(inner, namespace, depth + 1) for inner in written]
        kinds = [branch.name or branch.kind for branch in branches]
        if not branches or "union" in kinds or len(set(kinds)) < len(kinds):
            raise InputError(f"Avro schema: a union without types, with a union in it, or with one type twice. {_HINT}")
        return Type("union", branches=branches)

    def _of_name(self, written: dict[str, Any], kind: str, namespace: str, depth: int) -> Type:
        name, space = written.get("name"), written.get("namespace", namespace)
        if not isinstance(name, str) or not name or not isinstance(space, str):
            raise InputError(f"Avro schema: {kind} without a name. {_HINT}")
        full = name if "." in name or not space else f"{space}.{name}"
        if full in self._named:
            raise InputError(f"Avro schema: the type {full[:80]!r} is defined twice. Hint: refer to it by its name")
        keep = _STRUCTURE - {"default"} if kind == "enum" else _STRUCTURE
        made = Type(kind, name=full, attributes={key: value for key, value in written.items() if key not in keep})
        self._named[full] = made
        if kind == "record":
            made.fields += self._fields(written.get("fields"), full, full.rpartition(".")[0], depth)
        elif kind == "enum":
            symbols = written.get("symbols")
            symbols = symbols if isinstance(symbols, list) and all(isinstance(s, str) for s in symbols) else []
            if not symbols or len({*symbols}) < len(symbols):
                raise InputError(f"Avro schema: enum {full[:80]!r} needs a list of different symbols. {_HINT}")
            made.symbols = tuple(symbols)
        else:
            size = written.get("size")
            if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 1 << 31:
                raise InputError(f"Avro schema: fixed {full[:80]!r} needs a size. {_HINT}")
            made.size = size
        return self._logical(made)

    def _fields(self, written: Any, full: str, namespace: str, depth: int) -> Iterator[Field]:
        if not isinstance(written, list):
            raise InputError(f"Avro schema: record {full[:80]!r} needs a list of fields. {_HINT}")
        met: set[str] = set()
        for one in written:
            name = one.get("name") if isinstance(one, dict) else None
            if not isinstance(name, str) or not name or name in met or "type" not in one:
                raise InputError(f"Avro schema: a field of record {full[:80]!r} lacks name or type, or has a name twice. {_HINT}")
            met.add(name)
            attributes = {key: value for key, value in one.items() if key not in ("name", "type", "default")}
            yield Field(name, self.parse(one["type"], namespace, depth + 1), one.get("default", MISSING), attributes)

    @staticmethod
    def _logical(made: Type) -> Type:
        """The type with its logical type, which is ignored where it does not fit, as the specification says."""
        logical = made.attributes.get("logicalType")
        if not isinstance(logical, str) or (made.kind, logical) not in _LOGICAL or _SIZES.get(logical, made.size) != made.size > 0:
            return made
        if logical == "decimal":
            precision, scale = made.attributes.get("precision"), made.attributes.get("scale", 0)
            if type(precision) is not int or type(scale) is not int or not 0 <= scale <= precision or not 1 <= precision <= MOST_DIGITS or (
                    made.size > bytes_of_digits(MOST_DIGITS)):
                return made
            made.precision, made.scale = precision, scale
        made.logical = logical
        return made


def to_json(top: Type) -> Any:
    """A type as the JSON of its schema: a named type in full where it stands first, by its name after that."""
    met: set[str] = set()

    def write(part: Type) -> Any:
        if part.name:
            if part.name in met:
                return part.name
            met.add(part.name)
            space, _, name = part.name.rpartition(".")
            written: dict[str, Any] = {"type": part.kind, "name": name, "namespace": space}
            if part.kind == "record":
                fields = []
                for one in part.fields:
                    default = {} if one.default is MISSING else {"default": one.default}
                    fields.append({"name": one.name, "type": write(one.type), **default, **one.attributes})
                written["fields"] = fields
            elif part.kind == "enum":
                written["symbols"] = [*part.symbols]
            else:
                written["size"] = part.size
            return {**written, **part.attributes}
        if part.kind == "union":
            return [write(branch) for branch in part.branches]
        if part.items is not None:
            return {"type": part.kind, "items" if part.kind == "array" else "values": write(part.items), **part.attributes}
        return {"type": part.kind, **part.attributes} if part.attributes else part.kind

    return write(top)


def to_text(top: Type) -> str:
    """A type as the text of its schema."""
    return json.dumps(to_json(top), ensure_ascii=False, separators=(",", ":"))


def canonical(top: Type) -> str:
    """A schema in parsing canonical form, as the specification defines it.

    >>> canonical(parse_schema('{"type": "array", "items": {"type": "fixed", "size": 4, "name": "a.F", "doc": "…"}}'))
    '{"type":"array","items":{"name":"a.F","type":"fixed","size":4}}'
    """
    met: set[str] = set()

    def write(part: Type) -> str:
        if part.kind in PRIMITIVES or part.name in met:
            return json.dumps(part.name or part.kind)
        if part.kind == "union":
            return f"[{','.join(map(write, part.branches))}]"
        if part.items is not None:
            return f'{{"type":"{part.kind}","{"items" if part.kind == "array" else "values"}":{write(part.items)}}}'
        met.add(part.name)
        head = f'{{"name":{json.dumps(part.name, ensure_ascii=False)},"type":"{part.kind}",'
        if part.kind == "record":
            fields = ",".join(f'{{"name":{json.dumps(one.name, ensure_ascii=False)},"type":{write(one.type)}}}' for one in part.fields)
            return f'{head}"fields":[{fields}]}}'
        if part.kind == "enum":
            return f'{head}"symbols":{json.dumps(part.symbols, ensure_ascii=False, separators=(",", ":"))}}}'
        return f'{head}"size":{part.size}}}'

    return write(top)


_EMPTY = 0xC15D213AA4D7A795


def _crc_table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (_EMPTY if value & 1 else 0)
        table.append(value)
    return table


def fingerprint(top: Type) -> int:
    """CRC-64-AVRO of the parsing canonical form, which single-object encoding names a schema by.

    >>> hex(fingerprint(parse_schema('"int"')))
    '0x7275d51a3f395c8f'
    """
    table, value = _crc_table(), _EMPTY
    for byte in canonical(top).encode():
        value = (value >> 8) ^ table[(value ^ byte) & 255]
    return value


def smallest(top: Type) -> int:
    """The fewest bytes that a value has: 0 or 1, which is all that matters to a bound; 0 also where a record leads back to itself."""
    known: dict[int, int] = {}

    def least(part: Type) -> int:
        if part.kind in ("null", "fixed"):
            return min(part.size, 1)
        if part.kind != "record":
            return 1
        if id(part) not in known:
            known[id(part)] = 0
            known[id(part)] = max((least(one.type) for one in part.fields), default=0)
        return known[id(part)]

    return least(top)


def recursive(top: Type) -> set[int]:
    """Identities of the records that hold themselves, directly or not."""
    found: set[int] = set()
    done: set[int] = set()

    def walk(part: Type, above: list[Type]) -> None:
        if part.kind == "record":
            if part in above:
                found.add(id(part))
                return
            if id(part) in done:
                return
            above = [*above, part]
        for inner in part.inner:
            walk(inner, above)
        done.add(id(part))

    walk(top, [])
    return found
