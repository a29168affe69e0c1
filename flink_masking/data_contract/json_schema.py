"""Fields and tags of a JSON Schema."""

import json
from collections.abc import Mapping
from typing import Any

from flink_masking.data_contract.found import DEEPEST, ELEMENT, MEMBER, Found
from flink_masking.errors import InputError
from flink_masking.records.paths import Step

_SCALARS = ("string", "number", "integer", "boolean")
_ALTERNATIVES = ("allOf", "anyOf", "oneOf")


def fields(text: str, references: Mapping[str, str], found: Found) -> None:
    """Gather the fields of a schema.

    Full names for tags beside the schema are ``$.customer.email``; elements of an array have the name of the array.

    Args:
        text: JSON.
        references: texts of the schemas that ``$ref`` leads to, by name.
        found: where they go.

    Raises:
        InputError: it is no JSON Schema of an object.
    """
    walk = _Walk(_read(text), {name: _read(inner) for name, inner in references.items()}, found)
    walk.value(walk.top, walk.top, (), "$", False, (), ())
    if not found.fields:
        raise InputError("JSON Schema: it declares no property. Hint: a stream's schema is an object with properties")


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        failure = InputError("JSON Schema: it is no JSON. Hint: see json-schema.org")
    raise failure


class _Walk:
    def __init__(self, top: Any, references: Mapping[str, Any], found: Found) -> None:
        self.top, self._references, self._found = top, references, found

    def value(self, schema: Any, document: Any, path: tuple[Step, ...], name: str, optional: bool, tags: tuple[str, ...],
              above: tuple[int, ...]) -> None:
        """Gather what a schema at a path declares."""
        if not isinstance(schema, dict):
            if path and schema is not False:
                self._found.add(path, "any", optional, tags)
            return
        if id(schema) in above or len(above) > DEEPEST:
            return
        above = (*above, id(schema))
        if isinstance(schema.get("$ref"), str):
            target, where = self._resolved(schema["$ref"], document)
            self.value(target, where, path, name, optional, (*tags, *self._found.tags(schema)), above)
        tags = (*tags, *self._found.tags(schema))
        for keyword in _ALTERNATIVES:
            for one in schema.get(keyword) or ():
                self.value(one, document, path, name, optional or keyword != "allOf", tags, above)
        types = schema.get("type")
        named = types if isinstance(types, list) else [types]
        optional = optional or "null" in named
        if "properties" in schema or "additionalProperties" in schema or "patternProperties" in schema or "object" in named:
            self._object(schema, document, path, name, optional, tags, above)
        elements = [schema[key] for key in ("items", "prefixItems") if key in schema]
        for one in elements:
            for inner in one if isinstance(one, list) else [one]:
                self.value(inner, document, (*path, ELEMENT), name, optional, tags, above)
        if path and "array" in named and not elements:
            self._found.add((*path, ELEMENT), "any", optional, tags)
        for kind in (kind for kind in named if kind in _SCALARS):
            self._found.add(path, _type(kind, schema), optional, tags)
        if path and types is None and ("enum" in schema or "const" in schema):
            self._found.add(path, "enum", optional, tags)
        elif path and types is None and not {"$ref", "properties", "items", "prefixItems", *_ALTERNATIVES} & schema.keys():
            self._found.add(path, "any", optional, tags)

    def _object(self, schema: dict[str, Any], document: Any, path: tuple[Step, ...], name: str, optional: bool, tags: tuple[str, ...],
                above: tuple[int, ...]) -> None:
        needed = {one for one in schema.get("required") or () if isinstance(one, str)}
        properties = schema.get("properties") if isinstance(schema.get("properties"), dict) else {}
        for key, inner in (properties or {}).items():
            own = (*tags, *self._found.tags({}, f"{name}.{key}"))
            self.value(inner, document, (*path, key), f"{name}.{key}", optional or key not in needed, own, above)
        others = [*(schema.get("patternProperties") or {}).values(), schema.get("additionalProperties")]
        for inner in others:
            if path and isinstance(inner, dict):
                self.value(inner, document, (*path, MEMBER), name, True, tags, above)

    def _resolved(self, reference: str, document: Any) -> tuple[Any, Any]:
        """What a reference leads to and the document that it lies in."""
        name, _, pointer = reference.partition("#")
        found = target = self._references.get(name) if name and name != document.get("$id") else document
        for part in filter(None, pointer.split("/")):
            key = part.replace("~1", "/").replace("~0", "~")
            found = found.get(key) if isinstance(found, dict) else None
        if found is None:
            raise InputError("JSON Schema: a $ref leads nowhere. Hint: register what it refers to, or write it under $defs")
        return found, target


def _type(kind: str, schema: dict[str, Any]) -> str:
    form = schema.get("format")
    return f"{kind} ({form})" if isinstance(form, str) else kind
