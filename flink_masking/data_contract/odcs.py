"""Fields, tags and classifications of a data contract of the Open Data Contract Standard, 3.x."""

from typing import Any, get_args

from flink_masking.data_contract.found import DEEPEST, ELEMENT, Found, tags_of, words
from flink_masking.documents.document import Document, cut, listed
from flink_masking.documents.faults import PolicyFaults
from flink_masking.errors import InputError
from flink_masking.policy.fields import Role
from flink_masking.records.paths import Step

VERSIONS = ("v3.0", "v3.1", "v3.2")
CLASSIFICATION = "classification"
"""Begins the tag that a classification becomes: ``classification.restricted``."""
OWN = "flinkMasking."
"""Begins the custom properties of this library: ``flinkMasking.class``, ``flinkMasking.type``."""
_CLASSES: tuple[str, ...] = get_args(Role)


def fields(text: str, where: str, name: str | None, found: Found) -> str:
    """Gather the fields of a contract.

    Args:
        text: YAML.
        where: name of the file, for errors.
        name: of the schema object; None where there is only one.
        found: where they go; custom properties count as attributes.

    Returns:
        The name of the schema object.

    Raises:
        InputError: it is no data contract, or has no such schema object.
    """
    try:
        contract = Document(where, text).value
    except PolicyFaults as error:
        fault = error.faults[0]
        raise InputError(f"{where}:{fault.line}:{fault.column}: {fault.message}. Hint: {fault.hint}") from None
    if not isinstance(contract, dict) or contract.get("kind") != "DataContract":
        raise InputError(f"{where}: this is no data contract. Hint: kind: DataContract and apiVersion: v3.1.0")
    if not str(contract.get("apiVersion", "")).startswith(VERSIONS):
        raise InputError(f"{where}: a data contract of another version. Hint: apiVersion: v3.1.0")
    objects = {str(one.get("name")): one for one in contract.get("schema") or () if isinstance(one, dict)}
    if name is None and len(objects) != 1:
        raise InputError(f"{where}: the contract has {len(objects)} schema objects. Hint: tags.name: one of {listed(objects)}")
    chosen = next(iter(objects)) if name is None else name
    if chosen not in objects:
        raise InputError(f"{where}: the contract has no schema object '{cut(chosen)}'. Hint: tags.name: one of {listed(objects)}")
    _members(objects[chosen].get("properties"), (), (), found, 0)
    return chosen


def _members(properties: Any, path: tuple[Step, ...], tags: tuple[str, ...], found: Found, depth: int) -> None:
    for one in properties if isinstance(properties, list) else ():
        if isinstance(one, dict) and isinstance(one.get("name"), str) and depth < DEEPEST:
            _value(one, (*path, one["name"]), tags, found, depth + 1)


def _value(one: dict[str, Any], path: tuple[Step, ...], tags: tuple[str, ...], found: Found, depth: int) -> None:
    custom = {str(entry.get("property")): entry.get("value") for entry in one.get("customProperties") or () if isinstance(entry, dict)}
    tags = (*tags, *words(one.get("tags")), *tags_of(one.get(CLASSIFICATION), CLASSIFICATION), *found.tags(custom))
    kind = one.get("logicalType")
    if isinstance(one.get("properties"), list) and one["properties"]:
        _members(one["properties"], path, tags, found, depth)
    elif kind == "array":
        items = one.get("items")
        _value(items if isinstance(items, dict) else {}, (*path, ELEMENT), tags, found, depth + 1)
    else:
        role, holds = custom.get(f"{OWN}class"), custom.get(f"{OWN}type")
        if role is not None and role not in _CLASSES:
            raise InputError(f"data contract: {OWN}class is no class. Hint: one of {', '.join(_CLASSES)}")
        type_ = one.get("physicalType") or kind or "any"
        found.add(path, str(type_), one.get("required") is not True, tags, role=role, holds=holds if isinstance(holds, str) else None)
