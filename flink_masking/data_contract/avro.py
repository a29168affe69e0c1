"""Fields and tags of an Avro schema."""

import json
from collections.abc import Mapping
from typing import Any

from flink_masking.data_contract.found import DEEPEST, ELEMENT, MEMBER, Found
from flink_masking.errors import InputError
from flink_masking.records.paths import Step

_NAMED = ("record", "error", "enum", "fixed")
_PRIMITIVE = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
_HINT = "Hint: see the Avro specification, Schema Declaration"


def fields(text: str, references: Mapping[str, str], found: Found) -> None:
    """Gather the fields of a schema.

    A record that lies within itself is gathered once: what lies deeper is not declared.

    Args:
        text: JSON.
        references: texts of the schemas that it refers to, each behind those that it needs itself.
        found: where they go.

    Raises:
        InputError: it is no Avro schema of a record.
    """
    walk = _Walk(found)
    for inner in references.values():
        walk.define(_read(inner), "", 0)
    top = walk.define(_read(text), "", 0)
    if not isinstance(top, dict) or top.get("type") not in ("record", "error"):
        raise InputError("Avro schema: it is no record. Hint: a stream's schema is a record with fields")
    walk.record(top, (), False, tuple(found.tags(top)), ())


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        failure = InputError(f"Avro schema: it is no JSON. {_HINT}")
    raise failure


class _Walk:
    """Walks a schema whose named types are written out."""

    def __init__(self, found: Found) -> None:
        self._found, self._named = found, dict[str, dict[str, Any]]()

    def define(self, written: Any, space: str, depth: int) -> Any:
        """A type with full names; the types that it defines are known afterwards."""
        if depth > DEEPEST:
            raise InputError(f"Avro schema: more than {DEEPEST} types within each other. Hint: divide it")
        if isinstance(written, str):
            full = written if "." in written or not space or written in _PRIMITIVE else f"{space}.{written}"
            return full if full in self._named else written
        if isinstance(written, list):
            return [self.define(branch, space, depth + 1) for branch in written]
        if not isinstance(written, dict):
            raise InputError(f"Avro schema: a type is a name, a list or an object. {_HINT}")
        kind = written.get("type")
        if kind in _NAMED:
            return self._define(written, space, depth)
        if kind in ("array", "map"):
            of = "items" if kind == "array" else "values"
            return {**written, of: self.define(written.get(of), space, depth + 1)}
        return written if isinstance(kind, str) and kind in _PRIMITIVE else self.define(kind, space, depth + 1)

    def _define(self, written: dict[str, Any], space: str, depth: int) -> dict[str, Any]:
        name, space = written.get("name"), written.get("namespace", space)
        if not isinstance(name, str) or not isinstance(space, str):
            raise InputError(f"Avro schema: a record, enum or fixed without a name. {_HINT}")
        full = name if "." in name or not space else f"{space}.{name}"
        made = self._named[full] = {**written, "name": full}
        if written["type"] in ("record", "error"):
            members = written.get("fields")
            if not isinstance(members, list) or not all(isinstance(one, dict) and isinstance(one.get("name"), str) for one in members):
                raise InputError(f"Avro schema: record {full[:80]!r} needs a list of fields with names. {_HINT}")
            made["fields"] = [{**one, "type": self.define(one.get("type"), full.rpartition(".")[0], depth + 1)} for one in members]
        return made

    def record(self, record: dict[str, Any], path: tuple[Step, ...], optional: bool, tags: tuple[str, ...], above: tuple[str, ...]) -> None:
        """Gather the fields of a record."""
        if record["name"] in above or len(above) > DEEPEST:
            return
        for one in record["fields"]:
            own = (*tags, *self._found.tags(one, f"{record['name']}.{one['name']}"))
            self._value(one["type"], (*path, one["name"]), optional or "default" in one, own, (*above, record["name"]))

    def _value(self, written: Any, path: tuple[Step, ...], optional: bool, tags: tuple[str, ...], above: tuple[str, ...]) -> None:
        branches = written if isinstance(written, list) else [written]
        branches = [self._named.get(one, one) if isinstance(one, str) else one for one in branches]
        held = [one for one in branches if one != "null" and not (isinstance(one, dict) and one.get("type") == "null")]
        optional = optional or len(held) < len(branches)
        for one in held:
            kind = one.get("type") if isinstance(one, dict) else one
            inner = (*tags, *self._found.tags(one)) if isinstance(one, dict) else tags
            if kind in ("record", "error"):
                self.record(one, path, optional, inner, above)
            elif kind == "array":
                self._value(one["items"], (*path, ELEMENT), optional, inner, above)
            elif kind == "map":
                self._value(one["values"], (*path, MEMBER), optional, inner, above)
            else:
                self._found.add(path, _type(one), optional, inner)
        if not held:
            self._found.add(path, "null", True, tags)


def _type(written: Any) -> str:
    """A type without fields in words: ``long (timestamp-millis)``, ``enum com.acme.Status``, ``bytes (decimal 10, 2)``."""
    if not isinstance(written, dict):
        return str(written)
    kind, logical = written["type"], written.get("logicalType")
    name = f"{kind} {written['name']}" if kind in ("enum", "fixed") else str(kind)
    if kind == "fixed":
        name += f" of {written.get('size')}"
    if logical == "decimal":
        return f"{name} (decimal {written.get('precision')}, {written.get('scale', 0)})"
    return f"{name} ({logical})" if isinstance(logical, str) else name
