"""A JSON Schema walked along the declared paths: what it says of each, and where schema and paths differ."""

from collections.abc import Iterator
from typing import Any

from flink_masking.records.json.schema import TYPES, target, types_of
from flink_masking.records.nodes import Trie
from flink_masking.records.span_kernels import DESCEND_ARRAY, DESCEND_OBJECT, MAY_ARRAY, MAY_OBJECT, MAY_SCALAR, UNDECLARED_NODE
from flink_masking.records.trie import Paths

_COMBINED = ("allOf", "anyOf", "oneOf")
_SILENT = frozenset({"$ref", "properties", "patternProperties", "items", "prefixItems", *_COMBINED})


class Walk:
    """See the module.

    Attributes:
        found: for each node of the trie the schemas of its values.
        unknown: a node and the name of a property of it that no path leads to.
        mismatched: nodes whose values have a type that the paths do not expect there.
        open: nodes below which a schema takes anything.
    """

    def __init__(self, top: Any, trie: Trie) -> None:
        """Walk through a schema whose references lead to places within it."""
        self._top, self._trie = top, trie
        self._met: set[tuple[int, int]] = set()
        self.found: dict[int, list[dict[str, Any]]] = {}
        self.unknown: dict[tuple[int, str], None] = {}
        self.mismatched: dict[int, None] = {}
        self.open: set[int] = set()
        self._visit(top, 0)

    def missing(self, paths: Paths) -> Iterator[str]:
        """The paths that a record of the schema never has."""
        below = self._below(self.open)
        for name in paths.names:
            nodes = self._trie.places(name)
            if nodes and not any(node in self.found or node in below for node in nodes):
                yield name

    def _below(self, nodes: set[int]) -> set[int]:
        found, rest = set[int](), list(nodes)
        while rest:
            node = rest.pop()
            if node > UNDECLARED_NODE or node == 0:
                if node in found:
                    continue
                found.add(node)
                rest += [self._trie.member(node, key) for key in self._trie.named[node]]
                rest += [child for child in (self._trie.element(node), self._trie.other(node)) if child > UNDECLARED_NODE]
        return found

    def _visit(self, schema: Any, node: int) -> None:
        if node < 0:
            return
        if not isinstance(schema, dict):
            if schema is not False:
                self.open.add(node)
            return
        if (id(schema), node) in self._met:
            return
        self._met.add((id(schema), node))
        if isinstance(schema.get("$ref"), str):
            self._visit(target(self._top, schema["$ref"]), node)
        for keyword in _COMBINED:
            for one in schema[keyword] if isinstance(schema.get(keyword), list) else ():
                self._visit(one, node)
        types, flags = types_of(schema), self._trie.flags(node)
        self.found.setdefault(node, []).append(schema)
        if not types and not _SILENT & schema.keys():
            self.open.add(node)
        may = {"null"} | ({"object"} if flags & MAY_OBJECT else set()) | ({"array"} if flags & MAY_ARRAY else set())
        if flags & MAY_SCALAR:
            may |= TYPES - {"object", "array"}
        if types and node != UNDECLARED_NODE and types - {"null"} and not types & (may - {"null"}):
            self.mismatched[node] = None
        if flags & DESCEND_OBJECT and (not types or "object" in types):
            self._object(schema, node, bool(types))
        if flags & DESCEND_ARRAY and (not types or "array" in types):
            elements = [schema[key] for key in ("items", "prefixItems", "additionalItems") if key in schema]
            for one in elements:
                for inner in one if isinstance(one, list) else [one]:
                    self._visit(inner, self._trie.element(node))
            if types and not elements:
                self.open.add(self._trie.element(node))

    def _object(self, schema: dict[str, Any], node: int, typed: bool) -> None:
        properties = schema.get("properties") if isinstance(schema.get("properties"), dict) else {}
        patterns = schema.get("patternProperties") if isinstance(schema.get("patternProperties"), dict) else {}
        for key, inner in (properties or {}).items():
            child = self._trie.member(node, key)
            if child == UNDECLARED_NODE:
                self.unknown[node, key] = None
            self._visit(inner, child)
        others = [*(patterns or {}).values()] + ([schema["additionalProperties"]] if "additionalProperties" in schema else [])
        if not others and not properties and typed and not _SILENT & schema.keys():
            others = [True]
        places = [self._trie.member(node, key) for key in self._trie.named[node] if key not in (properties or {})]
        for child in [*places, self._trie.other(node)]:
            for inner in others:
                self._visit(inner, child)


def takes(top: Any, schema: Any, value: str | None) -> bool:
    """Whether a schema takes a text, or null, as far as can be told without evaluating patterns: in doubt, it does not."""
    return _takes(top, schema, value, 64)


def _takes(top: Any, schema: Any, value: str | None, depth: int) -> bool:
    if not isinstance(schema, dict) or depth == 0:
        return schema is True
    if isinstance(schema.get("$ref"), str):
        return _takes(top, target(top, schema["$ref"]), value, depth - 1)
    types = types_of(schema)
    if types and ("null" if value is None else "string") not in types:
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "const" in schema and schema["const"] != value:
        return False
    if value is not None and ("pattern" in schema or not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))):
        return False
    if "not" in schema or "if" in schema:
        return False
    inner = {keyword: [_takes(top, one, value, depth - 1) for one in schema[keyword]] for keyword in _COMBINED
             if isinstance(schema.get(keyword), list)}
    return (all(inner.get("allOf", ())) and any(inner.get("anyOf", (True,)))
            and ("oneOf" not in inner or inner["oneOf"].count(True) == 1))
