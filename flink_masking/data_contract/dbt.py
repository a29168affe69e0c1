"""Columns, tags and meta of a model or source in a dbt manifest."""

import json
from typing import Any

from flink_masking.data_contract.found import Found, words
from flink_masking.documents.document import cut, listed
from flink_masking.errors import InputError, PolicyError
from flink_masking.records.paths import parse_path


def fields(text: str, where: str, name: str | None, found: Found) -> str:
    """Gather the columns of a model or source.

    Args:
        text: of a manifest.json.
        where: name of the file, for errors.
        name: name or unique id of the model, seed, snapshot or source; None where there is only one.
        found: where they go; keys of meta count as attributes.

    Returns:
        The unique id.

    Raises:
        InputError: it is no manifest, or it has no such model.
    """
    try:
        manifest = json.loads(text)
        nodes = {**manifest.get("nodes", {}), **manifest.get("sources", {})}
        if "metadata" not in manifest:
            raise ValueError
    except (ValueError, RecursionError, AttributeError, TypeError):
        raise InputError(f"{where}: this is no manifest of dbt. Hint: target/manifest.json, written by dbt parse") from None
    known = {key: node for key, node in nodes.items() if isinstance(node, dict) and isinstance(node.get("columns"), dict)
             and (node.get("columns") or key == name)}
    chosen = [key for key, node in known.items() if name is None or name in (key, node.get("name"))]
    if len(chosen) != 1:
        what = "several models" if chosen else "no model"
        which = f" called '{cut(name)}'" if name is not None else " with columns"
        raise InputError(f"{where}: the manifest has {what}{which}. Hint: tags.name: the unique id, such as {listed(sorted(known)[:1])}")
    for column in known[chosen[0]]["columns"].values():
        _column(column, found, where)
    return chosen[0]


def _column(column: Any, found: Found, where: str) -> None:
    try:
        steps = parse_path(column["name"])
    except (PolicyError, KeyError, TypeError):
        raise InputError(f"{where}: a column has a name that is no path. Hint: nested columns are written customer.email") from None
    config = column.get("config") if isinstance(column.get("config"), dict) else {}
    meta = {**_mapping(column.get("meta")), **_mapping(config.get("meta"))}
    tags = [*words(column.get("tags")), *words(config.get("tags")), *found.tags(meta)]
    required = any(isinstance(one, dict) and one.get("type") == "not_null" for one in column.get("constraints") or ())
    found.add(steps, str(column.get("data_type") or "any"), not required, tags)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
