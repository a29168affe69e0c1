"""Fields and views: what each audience sees of each field."""

from typing import Any

from flink_masking.compliance.subject import PolicyViews, limits
from flink_masking.policy.segments import GrantedView, MaskedSegment

_ORDER = ("nothing", "random token", "stand-in", "noise", "coarser", "other records' values", "part", "exact")


def coverage(views: PolicyViews) -> dict[str, Any]:
    """A row a field: its class and type, and for each view what it tells and by which rule.

    Args:
        views: of the policy.

    Returns:
        ``segments``, ``granted``, the limits of those that are empty without a grant, ``rows`` and ``default``, what becomes of undeclared
        members. Where rules with selectors tell several things of a field, the most revealing counts.
    """
    policy = views.loaded.policy
    rows = []
    for path, field in views.fields.items():
        cells = []
        for name in views.segments:
            told = views.shown(name, path)
            most = max(told, key=lambda one: _ORDER.index(one.tell()), default=None)
            tells, rule = ("nothing", "drop") if most is None else (most.tell(), most.text)
            segment = policy.segments[name]
            cells.append({"segment": name, "tells": tells, "rule": rule,
                          "granted": isinstance(segment, GrantedView) and path in segment.may_show,
                          "default": most is not None and _by_default(views, name, most.path)})
        rows.append({"path": path, "class": field.role, "type": field.type, "cells": cells})
    grants = {name: limits(segment) for name, segment in policy.segments.items() if isinstance(segment, GrantedView)}
    return {"segments": list(views.segments), "granted": grants, "rows": rows, "default": policy.unknown_fields, "tells": list(_ORDER)}


def _by_default(views: PolicyViews, name: str, path: str) -> bool:
    """Whether no rule of the segment names the field."""
    segment = views.loaded.policy.segments[name]
    if isinstance(segment, MaskedSegment):
        rules = segment.rules
        return path not in rules and not any(path.startswith((f"{place}.", f"{place}[")) for place in rules)
    return next((one.hidden for one in views.shown(name, path)), False)
