"""Contracts of views in the Open Data Contract Standard, v3.1.0."""

import uuid
from collections.abc import Iterable
from typing import Any

from flink_masking.data_contract.odcs import CLASSIFICATION, OWN
from flink_masking.data_contract.views import ViewField, view_fields
from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.segments import AggregatedSegment, AnonymizedSegment, MaskedSegment
from flink_masking.records.paths import Step, Wild, format_path, parse_path
from flink_masking.techniques.promises import Shows

API_VERSION = "v3.1.0"
LEVELS = ("public", "internal", "confidential", "restricted")
"""Classifications, the least protected first."""
_OF_CLASS = {"identifier": 3, "direct": 3, "free_text": 3, "sensitive": 3, "quasi": 2, "measure": 1, "plain": 1}
_LOGICAL = {"integer": "integer", "number": "number", "boolean": "boolean", "date": "date", "datetime": "timestamp", "time": "time",
            "json": "object", "geo": "object"}  # fmt: skip
_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "flink-masking:data-contract")


def contract(loaded: LoadedPolicy, segment: str) -> dict[str, Any]:
    """The contract of a view.

    Args:
        loaded: the policy.
        segment: its name.

    Returns:
        The document; the same policy always gives the same, with the same id.

    Raises:
        KeyError: there is no such segment.
    """
    policy, view = loaded.policy, loaded.policy.segments[segment]
    fields = view_fields(loaded, segment)
    quality, promised = _promised(view)
    return {
        "apiVersion": API_VERSION, "kind": "DataContract", "id": str(uuid.uuid5(_SPACE, f"{policy.stream}/{segment}")), "name": segment,
        "version": f"{policy.version}.0.0", "status": "active",
        "description": {"purpose": f"View {segment} ({view.view}) of the stream {policy.stream}.",
                        "limitations": f"Made by a policy of flink-masking. {_others(loaded, segment)}"},
        "schema": [{
            "name": segment, "logicalType": "object", "physicalType": "topic", "properties": _properties(loaded, fields),
            **({"quality": quality} if quality else {}),
        }],
        "customProperties": [_custom("stream", policy.stream), _custom("view", view.view), _custom("policyDigest", loaded.source.digest),
                             *(_custom(name, value) for name, value in promised.items())],
    }


def _others(loaded: LoadedPolicy, segment: str) -> str:
    """What becomes of the fields that a contract does not list."""
    if isinstance(loaded.policy.segments[segment], MaskedSegment) and loaded.sweep(segment).undeclared is not None:
        return "Members that are not listed may be there, with what is detected in their texts replaced."
    return "Fields that are not listed do not leave the raw stream."


def classification(field: ViewField, stated: str | None = None) -> str:
    """How a field of a view is classified: as its class in the raw stream, lowered by what the technique hides.

    Args:
        field: of the view.
        stated: classification of the raw field, where its contract has one; it stays where values leave as they are.
    """
    level = _OF_CLASS[field.role]
    if field.shows is Shows.EXACT:
        return stated or LEVELS[level]
    if field.lasting:  # still personal data: it stands for a person
        return LEVELS[min(level, 2)]
    return LEVELS[0] if field.shows is Shows.NOTHING else LEVELS[min(level, 1)]


def _promised(view: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Checks of quality and custom properties for what the view promises about people."""
    if isinstance(view, AnonymizedSegment):
        name = "k-anonymity" if view.mode == "buffered" else "zero delay"
        promised: dict[str, Any] = {"k": view.k}
        if view.diversities:
            promised["lDiversity"] = [f"{one.field}: {one.l:g}" for one in view.diversities]
        text = f"At least {view.k} people share the quasi-identifiers of every record."
        if view.mode != "buffered":
            promised, text = {"z": view.k}, f"Every value shown was shown by at least {view.k} people."
    elif isinstance(view, AggregatedSegment):
        name = "differential privacy"
        promised = {"epsilon": view.privacy.epsilon, "delta": view.privacy.delta}
        text = "Records of one person in one window change the chance of any outcome by a factor of at most exp(epsilon), but for delta."
    else:
        return [], {}
    check = {"name": name, "type": "custom", "engine": "flink-masking", "description": text, "dimension": "conformity",
             "severity": "error", "implementation": {"verify": promised}}
    return [check], promised


def _properties(loaded: LoadedPolicy, fields: Iterable[ViewField]) -> list[dict[str, Any]]:
    top: dict[str, Any] = {"properties": []}
    for field in fields:
        node = top
        for step in _levels(field.path):
            node = _below(node, step)
        node.update(_described(loaded, field))
    return list(top["properties"])


def _levels(path: str) -> list[str | None]:
    """The names that lead to a property; None: the elements of an array. Selectors and ``*`` are part of the name."""
    levels: list[str | None] = []
    try:
        steps: tuple[Step, ...] = parse_path(path)
    except ValueError:  # the name of a metric
        return [path]
    for step in steps:
        if step in (Wild.ELEMENT, Wild.MAYBE):
            levels.append(None)
        elif isinstance(step, str):
            levels.append(step)
        elif step is Wild.KEY:
            levels.append("*")
        else:
            levels[-1] = f"{levels[-1]}{format_path(('x', step))[1:]}"
    return levels


def _below(node: dict[str, Any], step: str | None) -> dict[str, Any]:
    """The property or the items under a node, made if need be."""
    if step is None:
        node["logicalType"] = "array"
        items: dict[str, Any] = node.setdefault("items", {})
        return items
    node.setdefault("logicalType", "object")
    members: list[dict[str, Any]] = node.setdefault("properties", [])
    for one in members:
        if one["name"] == step:
            return one
    members.append({"name": step})
    return members[-1]


def _described(loaded: LoadedPolicy, field: ViewField) -> dict[str, Any]:
    tags = [tag for path in field.inputs for tag in loaded.tagged.tags_of(path)]
    stated = next((tag.removeprefix(f"{CLASSIFICATION}.") for tag in tags if tag.startswith(f"{CLASSIFICATION}.")), None)
    lock = loaded.tagged.lock
    locked = lock.fields.get(field.inputs[0]) if lock is not None and field.inputs else None
    described: dict[str, Any] = {}
    if field.shows is Shows.EXACT or field.role == "measure":
        logical = _LOGICAL.get(field.type or "")
        described |= {"logicalType": logical} if logical else {}
        if field.shows is Shows.EXACT and locked is not None:
            described["physicalType"] = locked.type
    elif field.shows is not Shows.NOISE:
        described["logicalType"] = "string"
    if len(field.inputs) == 1 and field.inputs[0] in loaded.policy.fields and field.shows is Shows.EXACT:
        described["required"] = not loaded.policy.fields[field.inputs[0]].optional
    described["classification"] = classification(field, stated)
    kept = [tag for tag in dict.fromkeys(tags) if not tag.startswith(f"{CLASSIFICATION}.")]
    if kept:
        described["tags"] = kept
    described["transformSourceObjects"] = [f"{loaded.policy.stream}.{path}" for path in field.inputs] or [loaded.policy.stream]
    described["transformLogic"] = field.logic
    described["transformDescription"] = field.summary
    described["customProperties"] = [_custom("class", field.role), _custom("technique", field.technique),
                                     _custom("shows", field.shows.value)]
    return described


def _custom(name: str, value: Any) -> dict[str, Any]:
    return {"property": f"{OWN}{name}", "value": value}
