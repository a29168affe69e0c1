"""Fields and views: what each audience sees of each field."""

from typing import Any

from flink_masking.compliance.subject import PolicyViews

_ORDER = ("nothing", "random token", "stand-in", "noise", "coarser", "other records' values", "part", "exact")


def coverage(views: PolicyViews) -> dict[str, Any]:
    """A row a field: its class and type, and for each view what it tells and by which rule.

    Args:
        views: of the policy.

    Returns:
        ``segments``, ``rows`` and ``default``, what becomes of undeclared members. Where rules with selectors tell several things of a
        field, the most revealing counts.
    """
    policy = views.loaded.policy
    rows = []
    for path, field in views.fields.items():
        cells = []
        for name in views.segments:
            told = views.shown(name, path)
            most = max(told, key=lambda one: _ORDER.index(one.tell()), default=None)
            tells, rule = ("nothing", "drop") if most is None else (most.tell(), most.text)
            cells.append({"segment": name, "tells": tells, "rule": rule,
                          "default": most is not None and _by_default(views, name, most.path)})
        rows.append({"path": path, "class": field.role, "type": field.type, "cells": cells})
    return {"segments": list(views.segments), "rows": rows, "default": policy.unknown_fields, "tells": list(_ORDER)}


def _by_default(views: PolicyViews, name: str, path: str) -> bool:
    """Whether no rule of the segment names the field."""
    segment = views.loaded.policy.segments[name]
    if segment.view == "masked":
        rules = segment.rules
        return path not in rules and not any(path.startswith((f"{place}.", f"{place}[")) for place in rules)
    return next((one.hidden for one in views.shown(name, path)), False)
