"""What may be written at the cursor, by the JSON Schema of policies, the fields that are declared, and the members of the sample."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from flink_masking.policy.schema import Schema, json_schema
from flink_masking.scan.propose import quoted
from flink_masking.studio.cursor import Cursor, Path, cursor_at

_FIELDS = frozenset({"subject", "field", "sum", "mean", "variance"})
"""Keys whose value is a declared field."""
_FIELD_LISTS = frozenset({"quasi_identifiers", "release", "group_by", "sensitive"})
"""Keys whose items are declared fields."""
_SCALAR_TYPES = frozenset({"string", "integer", "number", "boolean"})


class Option(NamedTuple):
    """One completion.

    Attributes:
        label: what is offered.
        apply: what is written in its place; ``${}`` is where the cursor goes on.
        kind: ``key``, ``value``, ``field`` or ``rule``, for its sign.
        detail: in a few words beside it.
        info: a sentence about it.
        required: whether the mapping lacks it.
    """

    label: str
    apply: str
    kind: str
    detail: str = ""
    info: str = ""
    required: bool = False


class Completion(NamedTuple):
    """Options for the word at the cursor.

    Attributes:
        length: characters in front of the cursor that an option replaces.
        options: in the order that they are offered.
    """

    length: int
    options: list[Option]


def complete(text: str, line: int, column: int, proposed: Mapping[str, str] | None = None) -> Completion:
    """The completions at a place.

    Args:
        text: the policy, as far as it is written.
        line: from 1.
        column: characters in front of the cursor.
        proposed: by path of a member of the sample a declaration for it, such as ``{class: plain}``.
    """
    cursor = cursor_at(text, line, column)
    if cursor is None:
        return Completion(0, [])
    options = list(_values(cursor) if cursor.value else _keys(cursor, proposed or {}))
    unique = {(option.label, option.apply): option for option in options}
    return Completion(len(cursor.prefix), list(unique.values()))


@cache
def _schema() -> Schema:
    return json_schema()


def _keys(cursor: Cursor, proposed: Mapping[str, str]) -> Iterator[Option]:
    """Keys that the mapping does not have yet."""
    there = cursor.keys.get(cursor.path, {})
    found: list[Option] = []
    for schema in _at(cursor.path, cursor.keys):
        for name, inner in schema.get("properties", {}).items():
            if name not in there or name == cursor.prefix:
                required = name in schema.get("required", ())
                kind = _kind(inner)
                found.append(Option(name, _written(name, kind, cursor.flow), "key", kind, _described(inner), required))
    yield from sorted(found, key=lambda option: not option.required)
    if cursor.path == ("fields",):
        for path, declaration in proposed.items():
            if path not in there:
                yield Option(path, f"{quoted(path)}: {declaration}", "field", declaration, "In the sample, and not declared yet.")
    elif cursor.path[-1:] == ("rules",) and len(cursor.path) == 3:
        declared = cursor.keys.get(("fields",), {})
        yield from (Option(path, f"{quoted(path)}: ${{}}", "field", "declared field") for path in declared if path not in there)
        if "*" not in there:
            yield Option("*", '"*": ${}', "field", "every other declared field")


def _values(cursor: Cursor) -> Iterator[Option]:
    """Values and items, rules with their parameters among them."""
    last = cursor.path[-1] if cursor.path else ""
    keys = {**cursor.keys, cursor.path[:-1]: {key: value for key, value in cursor.keys.get(cursor.path[:-1], {}).items() if key != last}}
    declared = cursor.keys.get(("fields",), {})
    if last in _FIELDS or last in _FIELD_LISTS:
        yield from (Option(path, quoted(path), "field", "declared field") for path in declared)
    for schema in _at(cursor.path, keys):
        if isinstance(schema.get("items"), dict):
            for item in _expanded(schema["items"], cursor.path, keys):
                yield from _scalars(item)
                if not cursor.flow:
                    yield from (Option(name, f"{name}: ${{}}", "key", _kind(one), _described(one))
                                for name, one in item.get("properties", {}).items())
        else:
            yield from _scalars(schema)
            if "technique" in schema.get("properties", {}):
                yield _rule(schema)


def _written(name: str, kind: str, flow: bool) -> str:
    """A key with what begins its value; the page indents further lines."""
    if kind == "keys":
        return f"{name}: {{${{}}}}" if flow else f"{name}:\n\t${{}}"
    return f"{name}: [${{}}]" if kind == "list" else f"{name}: ${{}}"


def _scalars(schema: Schema) -> Iterator[Option]:
    words = [schema["const"]] if "const" in schema else schema.get("enum", [])
    words = [*words, *(schema.get("examples", []) if schema.get("type") == "string" else [])]
    if schema.get("type") == "boolean":
        words = ["true", "false"]
    for word in words:
        text = str(word).lower() if isinstance(word, bool) else str(word)
        rule = f"technique_{text}"
        info = _described(_schema()["$defs"][rule]) if rule in _schema()["$defs"] else _described(schema)
        yield Option(text, text, "rule" if rule in _schema()["$defs"] else "value", "", info)


def _rule(schema: Schema) -> Option:
    """A technique with the parameters that it needs."""
    name = schema["properties"]["technique"]["const"]
    needed = [key for key in schema.get("required", ()) if key != "technique"]
    written = ", ".join([f"technique: {name}", *(f"{key}: ${{}}" for key in needed)]) + ("" if needed else "${}")
    told = _described(_schema()["$defs"].get(f"technique_{name}", schema))
    return Option(f"{{technique: {name}, …}}", f"{{{written}}}", "rule", ", ".join(needed), told)


def _at(path: Path, keys: Mapping[Path, Mapping[str, str]]) -> list[Schema]:
    """The schemas that the value at a path may follow, by what else its mappings hold."""
    found = list(_expanded(_schema(), (), keys))
    for depth, step in enumerate(path):
        inner: list[Schema] = []
        for schema in found:
            if isinstance(step, int):
                inner += [schema["items"]] if isinstance(schema.get("items"), dict) else []
            elif step in schema.get("properties", {}):
                inner.append(schema["properties"][step])
            elif isinstance(schema.get("additionalProperties"), dict):
                inner.append(schema["additionalProperties"])
            elif isinstance(schema.get("items"), dict):
                inner += [one["properties"][step] for one in _expanded(schema["items"], path[:depth], keys)
                          if step in one.get("properties", {})]
        found = [one for schema in inner for one in _expanded(schema, path[: depth + 1], keys)]
    return found


def _expanded(schema: Schema, path: Path, keys: Mapping[Path, Mapping[str, str]]) -> Iterator[Schema]:
    """A schema without references and alternatives; alternatives that the mapping at the path contradicts are left out."""
    if "$ref" in schema:
        target: Any = _schema()
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        described = {"description": schema["description"]} if "description" in schema else {}
        yield from _expanded({**target, **described}, path, keys)
        return
    branches = [branch for word in ("anyOf", "oneOf", "allOf") for branch in schema.get(word, ()) if branch != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key not in ("anyOf", "oneOf", "allOf")}
    if (not branches or "properties" in rest or "enum" in rest) and not _contradicts(rest, keys.get(path, {})):
        yield rest
    carried: Schema = {key: rest[key] for key in ("description", "examples") if key in rest}
    for branch in branches:
        if branch.keys() - {"required", "not"}:  # one of several groups of required keys has nothing to offer
            yield from _expanded({**carried, **branch}, path, keys)


def _contradicts(schema: Schema, there: Mapping[str, str]) -> bool:
    properties = schema.get("properties", {}).items()
    return any("const" in inner and there.get(name) not in (None, "", inner["const"]) for name, inner in properties)


def _kind(schema: Schema) -> str:
    """In a word or two what a value is."""
    if "$ref" in schema:
        target = _schema()["$defs"].get(schema["$ref"].rpartition("/")[2], {})
        return "keys" if "properties" in target else "rule" if schema["$ref"].endswith("RuleSpec") else ""
    if "enum" in schema or "const" in schema:
        return " | ".join(str(word) for word in schema.get("enum", [schema.get("const")])[:4])
    described: dict[str, Callable[[], str]] = {"array": lambda: "list", "object": lambda: "keys"}
    if (kind := schema.get("type")) in described:
        return described[str(kind)]()
    if kind in _SCALAR_TYPES:
        return str(kind)
    kinds = [_kind(branch) for word in ("anyOf", "oneOf") for branch in schema.get(word, ()) if branch != {"type": "null"}]
    return next((one for one in kinds if one), "")


def _described(schema: Schema) -> str:
    text = str(schema.get("description", "")).replace("``", "")
    if not text and "$ref" in schema:
        text = str(_schema()["$defs"].get(schema["$ref"].rpartition("/")[2], {}).get("description", ""))
    return text[:1].upper() + text[1:]
