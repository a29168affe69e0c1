"""Fields and views: what each audience sees of each field, and of what no field declares."""

from collections.abc import Collection, Iterable
from typing import Any

from flink_masking.compliance.subject import UNDECLARED, PolicyViews, Showing, limits
from flink_masking.errors import PolicyError
from flink_masking.policy.segments import GrantedView, MaskedSegment
from flink_masking.records.paths import format_path, parse_path
from flink_masking.techniques.base import Action

_ORDER = ("nothing", "random token", "stand-in", "noise", "coarser", "other records' values", "part", "exact")
_KEYS = "keys of "


def coverage(views: PolicyViews) -> dict[str, Any]:
    """A row a field: its class and type, and for each view what it tells and by which rule.

    Args:
        views: of the policy.

    Returns:
        ``segments``, ``granted``, the limits of those that are empty without a grant, ``rows`` and ``default``, what becomes of undeclared
        members. Where rules with selectors tell several things of a field, the most revealing counts. After the declared fields come the
        parts of a record that no field declares (class ``record``, ``keys``, ``undeclared``), as far as any view shows them.
    """
    policy = views.loaded.policy
    rows: list[dict[str, Any]] = [
        {"path": path, "class": field.role, "type": field.type, "cells": [_cell(views, name, path) for name in views.segments]}
        for path, field in views.fields.items()]
    rows += [{"path": path, "class": _class(path), "type": None, "cells": [other(views, name, path) for name in views.segments]}
             for path in others(views)]
    grants = {name: limits(segment) for name, segment in policy.segments.items() if isinstance(segment, GrantedView)}
    return {"segments": list(views.segments), "granted": grants, "rows": rows, "default": policy.unknown_fields, "tells": list(_ORDER)}


def others(views: PolicyViews) -> list[str]:
    """What views show besides declared fields: key, headers and timestamp of a record, keys of open objects, undeclared members."""
    found = dict.fromkeys(one.path for one in views.showings if one.field is None)
    for path in views.fields:
        if path.endswith("*") and any(_kept(views, name, path) for name in views.segments):
            found[f"{_KEYS}{path}"] = None
    return sorted(found, key=lambda path: ("record", "keys", "undeclared").index(_class(path)))


def other(views: PolicyViews, name: str, path: str) -> dict[str, Any]:
    """The cell of one view for one of `others`."""
    one = next((one for one in views.showings if one.field is None and (one.segment, one.path) == (name, path)), None)
    if one is not None:
        return _told(name, one.tell(), one.text)
    if path.startswith(_KEYS) and _kept(views, name, path.removeprefix(_KEYS)):
        return _told(name, "exact", "plain")
    return _told(name, "nothing", "drop" if isinstance(views.loaded.policy.segments[name], MaskedSegment) else "not released", default=True)


def _told(name: str, tells: str, rule: str, granted: bool = False, default: bool = False) -> dict[str, Any]:
    return {"segment": name, "tells": tells, "rule": rule, "granted": granted, "default": default}


def _cell(views: PolicyViews, name: str, path: str) -> dict[str, Any]:
    told = views.shown(name, path)
    most = max(told, key=lambda one: _ORDER.index(one.tell()), default=None)
    if most is None:
        return _told(name, "nothing", "drop")
    segment = views.loaded.policy.segments[name]
    granted = isinstance(segment, GrantedView) and any(_names(segment.may_show, one.path) for one in told)
    return _told(name, most.tell(), most.text, granted, _by_default(views, name, most))


def _by_default(views: PolicyViews, name: str, one: Showing) -> bool:
    """Whether no rule of the segment names the field."""
    segment = views.loaded.policy.segments[name]
    return not _names(segment.rules, one.path) if isinstance(segment, MaskedSegment) else one.hidden


def _names(rules: Collection[str], path: str) -> bool:
    """Whether a path, or what it lies in, is among some paths, however these are spelt."""
    return any(path == place or path.startswith((f"{place}.", f"{place}[")) for place in _spelt(rules))


def _spelt(rules: Iterable[str]) -> list[str]:
    """Paths as declarations spell them; ``"*"``, which names no field, is left out."""
    found = []
    for rule in rules:
        try:
            found += [format_path(parse_path(rule))] if rule != "*" else []
        except PolicyError:
            found.append(rule)
    return found


def _kept(views: PolicyViews, name: str, path: str) -> bool:
    """Whether members of an open object stay in a view, whatever becomes of their values: so do keys for which there is no technique."""
    return any(one.by_record and (one.rule is None or one.rule.technique.action is not Action.DROP) for one in views.shown(name, path))


def _class(path: str) -> str:
    return "keys" if path.startswith(_KEYS) else "undeclared" if path == UNDECLARED else "record"
