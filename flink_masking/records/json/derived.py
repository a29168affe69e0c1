"""The JSON Schema of a view: what follows from the writer's schema and the rules.

A derived schema takes every masked record of which the raw one was valid. Where rules and a keyword do not go together (``if``, ``not``,
``minProperties``, …) the keyword is left out, so that the schema says less, and never what is wrong.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from flink_masking.records.codec import Outcome, Result
from flink_masking.records.json.schema import Document, target, types_of
from flink_masking.records.nodes import Trie
from flink_masking.records.span_kernels import DESCEND_ARRAY, DESCEND_OBJECT, EITHER, UNDECLARED_NODE

KEPT = Outcome(Result.KEEP)
NULL: dict[str, Any] = {"type": "null"}
_TOLD = ("title", "description")
_COMBINED = ("allOf", "anyOf", "oneOf")
_OF_VALUES = frozenset({"enum", "const", "pattern", "format", "minLength", "maxLength", "contentEncoding", "contentMediaType",
                        "contentSchema", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "default",
                        "examples"})
_OF_OBJECTS = frozenset({"properties", "required", "patternProperties", "additionalProperties"})
_OF_ARRAYS = frozenset({"items", "prefixItems", "additionalItems", "minItems", "maxItems"})
_ACROSS = frozenset({"not", "if", "then", "else", "minProperties", "dependentRequired", "dependentSchemas", "dependencies",
                     "unevaluatedProperties", "unevaluatedItems", "contains", "minContains", "maxContains", "uniqueItems"})
"""Keywords whose meaning hangs on several values, or on what a value is not."""


class Derivation:
    """The schema of a view of records with one writer's schema.

    Attributes:
        schema: of the view; the document's own object where it takes all masked records as it is.
    """

    def __init__(self, document: Document, trie: Trie, outcomes: Mapping[int, Outcome], renamed: Collection[int] = (),
                 loose: Collection[int] = ()) -> None:
        """Derive.

        Args:
            document: the writer's schema.
            trie: of the declared paths.
            outcomes: by node of the trie; values at all others stay.
            renamed: nodes of members whose keys get other names.
            loose: nodes of values that several rules are for, by selectors.
        """
        self._document, self._trie, self._outcomes = document, trie, outcomes
        self._renamed, self._loose = frozenset(renamed), frozenset(loose)
        self._alive: dict[int, bool] = {}
        self._above: set[tuple[int, int]] = set()
        made = self.held(document.top, 0)
        self.schema = document.given if made is document.top else made

    def outcome(self, node: int) -> Outcome:
        """What becomes of the values at a node that are no containers."""
        return self._outcomes.get(node, KEPT)

    def held(self, schema: Any, node: int) -> Any:
        """The schema that takes the place of another one at a node of the trie; the same object where it can stay."""
        if node < 0 or not isinstance(schema, dict) or not self.alive(node):
            return schema
        if node in self._loose:
            return {keyword: schema[keyword] for keyword in _TOLD if keyword in schema}
        key = id(schema), node
        if key in self._above:
            return schema
        self._above.add(key)
        made = self._made(schema, node)
        self._above.discard(key)
        return schema if made == schema else made

    def _made(self, schema: dict[str, Any], node: int) -> dict[str, Any]:
        made, reference = dict(schema), schema.get("$ref")
        if isinstance(reference, str):
            meant = target(self._document.top, reference)
            found = self.held(meant, node)
            if meant is None or found is not meant:  # a reference that leads nowhere says nothing
                del made["$ref"]
                told = {key: made[key] for key in ("$schema", "$id", "$defs", "definitions", "title", "description") if key in made}
                return {**(found if isinstance(found, dict) else {}), **told}
        for keyword in _COMBINED:
            if isinstance(made.get(keyword), list):
                made[keyword] = [self.held(one, node) for one in made[keyword]]
        if isinstance(made.get("oneOf"), list) and not _disjoint(made["oneOf"]):
            several = made.pop("oneOf")
            made = {**made, "anyOf": several} if "anyOf" not in made else {**made, "allOf": [*made.get("allOf", ()), {"anyOf": several}]}
        self._value(made, node)
        flags = self._trie.flags(node)
        for keyword in _ACROSS & made.keys():
            del made[keyword]
        if flags & DESCEND_OBJECT:
            self._object(made, node)
        if flags & DESCEND_ARRAY:
            self._array(made, self._trie.element(node))
        return made

    def _value(self, made: dict[str, Any], node: int) -> None:
        """Change what a schema says of values that a rule of this very node takes."""
        outcome, flags = self.outcome(node), self._trie.flags(node)
        if outcome.result in (Result.KEEP, Result.DROP):
            return
        types = types_of(made)
        stays = {"null"} | ({"array"} if flags & EITHER else set())
        if outcome.result is Result.KIND:
            stays |= {"number", "integer", "boolean", "string"}
        closed = bool(types) or "enum" in made or "const" in made
        null = "null" in types or None in (made.get("enum") or ()) or ("const" in made and made["const"] is None)
        if outcome.result in (Result.TEXT, Result.KIND):
            for keyword in _OF_VALUES & made.keys():
                del made[keyword]
            if closed and outcome.result is Result.KIND and not types:
                closed = False
            kept = types & stays
            replaced = bool(types - stays) or not types
            wanted = sorted((kept - {"null"}) | ({"string"} if replaced else set()))
            for keyword in (_OF_OBJECTS if "object" not in kept else frozenset()) | (_OF_ARRAYS if "array" not in kept else frozenset()):
                if types:
                    made.pop(keyword, None)
        else:
            wanted = sorted(types - {"null"})
            if outcome.nullable and ("enum" in made or "const" in made) and not null:
                whole = {key: made.pop(key) for key in [*made] if key not in _TOLD}
                made["anyOf"] = [whole, NULL]
                return
        if closed:
            null = null or outcome.nullable
            if set(wanted) | ({"null"} if null else set()) != types:
                made["type"] = [*wanted, "null"] if null and wanted else "null" if null else wanted if len(wanted) > 1 else wanted[0]

    def _object(self, made: dict[str, Any], node: int) -> None:
        """Change what a schema says of the members of an object."""
        trie, other = self._trie, self._trie.other(node)
        named = [(key, trie.member(node, key)) for key in trie.named[node]]
        if other in self._renamed:
            known = {key for key, _ in named}
            for keyword in {"propertyNames", "patternProperties", "additionalProperties"} & made.keys():
                del made[keyword]
            if isinstance(made.get("properties"), dict):
                made["properties"] = {key: inner for key, inner in made["properties"].items() if key in known}
            if isinstance(made.get("required"), list):
                made["required"] = [key for key in made["required"] if key in known]
        properties = made.get("properties")
        if isinstance(properties, dict):
            made["properties"] = {key: self.held(inner, trie.member(node, key)) for key, inner in properties.items()}
        self._optional(made, node)
        patterns, open_ = made.get("patternProperties"), made.get("additionalProperties")
        places = [child for _, child in named] + [other]
        if isinstance(patterns, dict):
            made["patternProperties"] = {pattern: self._any(inner, places) for pattern, inner in patterns.items()}
        if isinstance(open_, dict):
            if isinstance(patterns, dict):
                made["additionalProperties"] = self._any(open_, places)
            else:
                beside = {key: self.held(open_, child) for key, child in named
                          if key not in (properties or {}) and self.outcome(child).result is not Result.DROP}
                made["additionalProperties"] = held = self.held(open_, other)
                if held is not open_ or any(inner is not open_ for inner in beside.values()):
                    made["properties"] = {**made.get("properties", {}), **beside}

    def _optional(self, made: dict[str, Any], node: int) -> None:
        """Members that can be missing in the view are not required; those that are always missing are no properties, either."""
        required, properties = made.get("required"), made.get("properties")
        if not isinstance(required, list):
            return
        gone = [key for key in required if isinstance(key, str) and self._absent(self._trie.member(node, key))]
        if gone:
            made["required"] = [key for key in required if key not in gone]
            if isinstance(properties, dict):
                dropped = [key for key in gone if self.outcome(self._trie.member(node, key)).result is Result.DROP]
                made["properties"] = {key: inner for key, inner in properties.items() if key not in dropped}

    def _array(self, made: dict[str, Any], element: int) -> None:
        """Change what a schema says of the elements of an array."""
        if self._absent(element):
            made.pop("minItems", None)
            if isinstance(made.get("prefixItems"), list) or isinstance(made.get("items"), list):  # the others move up
                for keyword in {"prefixItems", "items", "additionalItems"} & made.keys():
                    del made[keyword]
        for keyword in ("items", "prefixItems", "additionalItems"):
            inner = made.get(keyword)
            if isinstance(inner, list):
                made[keyword] = [self.held(one, element) for one in inner]
            elif isinstance(inner, dict):
                made[keyword] = self.held(inner, element)

    def _any(self, schema: Any, nodes: Sequence[int]) -> Any:
        """A schema for members at any of these nodes."""
        held = [self.held(schema, node) for node in nodes if node >= 0 and self.outcome(node).result is not Result.DROP]
        other = [one for one in held if one is not schema]
        different = [one for number, one in enumerate(other) if one not in other[:number]]
        return schema if not different else {"anyOf": [schema, *different]}

    def _absent(self, node: int) -> bool:
        """Whether a member at a node can be missing in a view though it is there in the record."""
        if node < 0:
            return False
        outcome = self.outcome(node)
        return outcome.result is Result.DROP or outcome.absent or node in self._loose

    def alive(self, node: int) -> bool:
        """Whether any value at or below a node does not stay as it is."""
        if node not in self._alive:
            outcome = self.outcome(node)
            own = outcome.result is not Result.KEEP or outcome.absent or node in self._renamed or node in self._loose
            self._alive[node] = own or any(map(self.alive, self._below(node)))
        return self._alive[node]

    def _below(self, node: int) -> list[int]:
        trie, flags, found = self._trie, self._trie.flags(node), []
        if node == UNDECLARED_NODE:
            return []
        if flags & DESCEND_OBJECT:
            found += [trie.member(node, key) for key in trie.named[node]] + [trie.other(node)]
        if flags & DESCEND_ARRAY:
            found.append(trie.element(node))
        return [child for child in found if child >= 0]


def _disjoint(schemas: Sequence[Any]) -> bool:
    """Whether no value has the type of two of these schemas, as far as their types tell."""
    met: set[str] = set()
    for one in schemas:
        types = set(types_of(one)) if isinstance(one, dict) else set()
        types |= {"number", "integer"} if types & {"number", "integer"} else set()
        if not types or types & met:
            return False
        met |= types
    return True

