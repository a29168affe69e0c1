"""JSON Schemas as one document: what they refer to stands in them, and references are followed within."""

import json
from collections.abc import Mapping
from typing import Any

from flink_masking.errors import InputError

SCALARS = frozenset({"string", "number", "integer", "boolean", "null"})
TYPES = SCALARS | {"object", "array"}
_WITHIN = "$defs"


class Document:
    """A schema and the schemas that it refers to.

    Attributes:
        top: the schema; those that it refers to stand under ``$defs`` by their names.
        given: the schema as it was, without them.
    """

    def __init__(self, text: str, references: Mapping[str, str]) -> None:
        """Read.

        Args:
            text: JSON.
            references: texts of the schemas that ``$ref`` leads to, by name.

        Raises:
            InputError: it is no JSON Schema.
        """
        self.given = _read(text)
        self.top = self.given
        if references and isinstance(self.top, dict):
            others = {name: _read(inner) for name, inner in references.items()}
            own = _moved(self.top, others, "")
            known = own.get(_WITHIN) if isinstance(own.get(_WITHIN), dict) else {}
            self.top = {**own, _WITHIN: {**known, **{name: _moved(inner, others, name) for name, inner in others.items()}}}


def target(top: Any, reference: str) -> Any:
    """What a reference within a document leads to; None where it leads nowhere.

    >>> target({"$defs": {"a/b": {"type": "string"}}}, "#/$defs/a~1b")
    {'type': 'string'}
    """
    name, found = reference, top
    if not name.startswith("#") or (name[1:] and not name[1:].startswith("/")):
        return None
    for part in filter(None, name[1:].split("/")):
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and key.isdecimal() and int(key) < len(found):
            found = found[int(key)]
        elif isinstance(found, dict):
            found = found.get(key)
        else:
            return None
    return found


def types_of(schema: Mapping[str, Any]) -> frozenset[str]:
    """The types that a schema names; empty where it names none."""
    named = schema.get("type")
    return frozenset(name for name in (named if isinstance(named, list) else [named]) if isinstance(name, str))


def text_of(document: Any) -> str:
    """A schema as one line of JSON."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _read(text: str) -> Any:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict | bool):
        raise InputError("JSON Schema: it is no JSON object. Hint: see json-schema.org")
    return found


def _moved(schema: Any, names: Mapping[str, Any], under: str) -> Any:
    """A schema with references to the places that the others have in one document; `under` is its own place, empty for the top."""
    if isinstance(schema, list):
        return [_moved(one, names, under) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _moved(inner, names, under) for key, inner in schema.items() if not (under and key in ("$id", "$schema"))}
    reference = schema.get("$ref")
    if isinstance(reference, str):
        name, _, pointer = reference.partition("#")
        name = name or under
        if name in names:
            made["$ref"] = f"#/{_WITHIN}/{_escaped(name)}{pointer}"
    return made


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
