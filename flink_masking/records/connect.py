"""Schemas of Kafka Connect beside a record, ``{schema, payload}``: what a view's payload is read by."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from flink_masking.records.codec import Outcome, Result, View
from flink_masking.records.kinds import Kind
from flink_masking.records.nodes import Trie
from flink_masking.records.span_kernels import UNDECLARED_NODE
from flink_masking.records.trie import Paths

SCHEMA, PAYLOAD = "schema", "payload"
_KEPT = Outcome(Result.KEEP)
_WHOLE = ("int8", "int16", "int32", "int64")
_SCALARS = (*_WHOLE, "float", "double", "boolean", "string", "bytes")
_MEMBERS: dict[str, type] = {**dict.fromkeys(("type", "field", "name", "doc"), str), "optional": bool, "version": int, "parameters": dict}
"""What a schema says of itself, and what that is; schemas within it and its default are looked at by themselves."""
_HOLDS = {"struct": ("fields",), "array": ("items",), "map": ("keys", "values")}
_DEEPEST = 128


class Site(NamedTuple):
    """How JsonConverter reads the values at a path.

    Attributes:
        text: as text.
        optional: null may stand there, or nothing.
        whole: as whole numbers.
    """

    text: bool
    optional: bool
    whole: bool


class Derived(NamedTuple):
    """The schema of a view's records with one schema.

    Attributes:
        text: as JSON.
        changed: whether it differs from that of the records.
        sites: by path number; of a path with values of several types, what holds of all of them.
    """

    text: bytes
    changed: bool
    sites: Mapping[int, Site]


def derive(raw: bytes, paths: Paths, view: View) -> Derived | None:
    """The schema of a view.

    Args:
        raw: the member ``schema`` of a record, as JSON.
        paths: of the records.
        view: that is written.

    Returns:
        The derived schema; None where it is no schema of an object, or no schema can hold what the rules make.
    """
    try:
        schema = json.loads(raw, object_pairs_hook=_once)
        walk = _Walk(paths, view)
        made = walk.part(schema, walk.trie.member(0, PAYLOAD), 0)
    except (_NoSchema, ValueError, RecursionError):
        return None
    if schema["type"] != "struct" or made is None:
        return None
    changed = made != schema
    text = json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode() if changed else raw
    return Derived(text, changed, walk.sites)


class _NoSchema(Exception):
    """What stands there is no schema of Connect."""


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object without duplicate members: readers differ in which of them counts."""
    found = dict(members)
    if len(found) < len(members):
        raise _NoSchema
    return found


class _Walk:
    def __init__(self, paths: Paths, view: View) -> None:
        self.trie = Trie(paths)
        self._outcomes = {paths.ids[path]: outcome for path, outcome in view.outcomes.items() if path in paths.ids}
        self._renamed = {paths.ids[path] for path in view.renamed if path in paths.ids}
        self.sites: dict[int, Site] = {}

    def part(self, schema: Any, node: int, depth: int) -> dict[str, Any] | None:
        """The schema of values at a node of the trie; None where they are removed."""
        kind = schema.get("type") if isinstance(schema, dict) else None
        if depth > _DEEPEST or kind not in (*_SCALARS, "struct", "array", "map"):
            raise _NoSchema
        written = self._objects(schema)
        what = Kind.OBJECT if written else Kind.ARRAY if kind in ("array", "map") else Kind.STRING
        path = self.trie.own(node, what)
        outcome = self._outcomes.get(path, _KEPT) if path >= 0 else _KEPT
        if outcome.result is Result.DROP:
            return None
        made = _told(schema, kind)
        if self._as_text(kind, outcome.result):
            made = {name: schema[name] for name in ("optional", "field") if name in schema}
            made = {"type": "string", **made}
        else:
            self._inner(made, kind, written, -1 if outcome.result is Result.NULL else self.trie.within(node, what), depth)
        if node == UNDECLARED_NODE and outcome.result is Result.KEEP:
            return None  # a record that has it goes to quarantine
        if outcome != _KEPT:
            made.pop("default", None)
        if outcome.nullable or outcome.absent or outcome.result is Result.NULL:
            made["optional"] = True
        if path >= 0:
            site = Site(made["type"] == "string", made.get("optional") is True, made["type"] in _WHOLE)
            other = self.sites.get(path, site)
            self.sites[path] = Site(site.text and other.text, site.optional and other.optional, site.whole or other.whole)
        return made

    @staticmethod
    def _as_text(kind: str, result: Result) -> bool:
        """Whether results are text, whatever the values were; what a rule makes of bytes is no base64."""
        return result is Result.TEXT or (kind == "bytes" and result in (Result.KIND, Result.SAME)) or (
            kind == "string" and result is Result.KIND)

    @staticmethod
    def _objects(schema: Mapping[str, Any]) -> bool:
        """Whether values are written as JSON objects: maps with other keys than text are arrays of pairs."""
        keys = schema.get("keys")
        return schema["type"] == "struct" or (schema["type"] == "map" and isinstance(keys, dict) and keys.get("type") == "string")

    def _inner(self, made: dict[str, Any], kind: str, written: bool, node: int, depth: int) -> None:
        """Put in what the schema of an object or array becomes."""
        if kind == "struct":
            fields = made.get("fields")
            if not isinstance(fields, list) or not all(isinstance(one, dict) and isinstance(one.get("field"), str) for one in fields):
                raise _NoSchema
            if self._renamed and self.trie.path(self.trie.other(node)) in self._renamed:
                raise _NoSchema  # its fields would have to be named as the members of each record are
            found = [self.part(one, self.trie.member(node, one["field"]), depth + 1) for one in fields]
            made["fields"] = [one for one in found if one is not None]
            if made["fields"] != fields:
                made.pop("default", None)
        elif kind == "array":
            made["items"] = self._held(made.get("items"), self.trie.element(node), depth)
        elif kind == "map":
            children = {-1}
            if written and node >= 0:
                children = {self.trie.member(node, key) for key in self.trie.named[node]} | {self.trie.other(node)}
            values = [self._held(made.get("values"), child, depth) for child in children]
            if any(one != values[0] for one in values):
                raise _NoSchema
            made["keys"], made["values"] = self._held(made.get("keys"), -1, depth), values[0]

    def _held(self, schema: Any, node: int, depth: int) -> dict[str, Any] | None:
        """The schema of elements or entries, which has to be there where all of them are removed, too."""
        return self.part(schema, node, depth + 1) or self.part(schema, -1, depth + 1)


def _told(schema: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """What readers of Connect look at in a schema, and nothing else: a record can bring anything along beside it.

    Raises:
        _NoSchema: a member is of another type than Connect's.
    """
    made: dict[str, Any] = {}
    for name, value in schema.items():
        if name in _MEMBERS:
            parameters = isinstance(value, dict) and not all(isinstance(one, str) for one in value.values())
            if value is not None and (not isinstance(value, _MEMBERS[name]) or (name == "version" and value is True) or parameters):
                raise _NoSchema
            made[name] = value
        elif name in _HOLDS.get(kind, ()) or (name == "default" and "field" in schema and _fits(value, schema, 0)):
            made[name] = value
    return made


def _fits(value: Any, schema: Any, depth: int) -> bool:
    """Whether a default is a value of its schema, with no member that the schema does not have."""
    kind = schema.get("type") if isinstance(schema, dict) else None
    if depth > _DEEPEST or isinstance(value, bool) or kind == "boolean":
        return kind == "boolean" and isinstance(value, bool)
    if kind == "struct" and isinstance(value, dict):
        fields = {one.get("field"): one for one in schema.get("fields") or () if isinstance(one, dict)}
        return all(name in fields and (one is None or _fits(one, fields[name], depth + 1)) for name, one in value.items())
    if kind == "array" and isinstance(value, list):
        return all(_fits(one, schema.get("items"), depth + 1) for one in value)
    types = {"string": str, "bytes": str, "float": int | float, "double": int | float, **dict.fromkeys(_WHOLE, int)}
    return kind in types and isinstance(value, types[kind])
