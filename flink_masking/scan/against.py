"""Holds a sample against a policy: what is undeclared, of another kind or form, or sensitive and shown in clear."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Literal, NamedTuple

from flink_masking.policy.fields import OBJECT_TYPES
from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.segments import AnonymizedSegment, GrantedSegment, GrantedView, MaskedSegment
from flink_masking.records.paths import At, Step, Where, Wild, parse_path, selects
from flink_masking.scan.fits import Fits
from flink_masking.scan.report import PathReport, Report
from flink_masking.scan.weight import weighty
from flink_masking.techniques.base import Action

NEAR = 0.75
"""How alike, from 0 to 1, a declared name and a name of the sample must be for one to be the other misspelt."""

MOST = 300
"""Names of either kind that are compared, at most: each is with each."""


class Complaint(NamedTuple):
    """What a policy does not say rightly of a sample.

    Attributes:
        kind: what is wrong.
        path: in the sample.
        values: how many are concerned.
        of: values at the path.
        message: what was expected and what was found, never a value.
        segment: which shows it, "" where the contract of the stream is concerned.
    """

    kind: Literal["undeclared", "mistyped", "shown"]
    path: str
    values: int
    of: int
    message: str
    segment: str = ""


class _Node:
    def __init__(self) -> None:
        self.declared: str | None = None
        self.children: dict[Step, _Node] = {}


def compare(loaded: LoadedPolicy, report: Report, fits: Fits) -> list[Complaint]:
    """All that is wrong.

    Args:
        loaded: the policy.
        report: of the sample.
        fits: of the policy's contracts, for every batch of the sample.
    """
    root, meant = _tree(loaded), {near: name for name, near in unseen(loaded, report).items()}
    found: list[Complaint] = []
    declared: dict[str, str] = {}
    missing: list[tuple[Step, ...]] = []
    for path in report.paths:
        steps = _steps(path.path)
        if any(steps[: len(above)] == above for above in missing):
            continue
        place = _place(root, steps)
        if place is None:
            missing.append(steps)
            if steps[-1] is not Wild.KEY or fits.undeclared:  # a map to the scan, and each of its keys may be declared
                found.append(_undeclared(path, meant.get(path.path, "")))
            continue
        if place.declared is not None:
            declared[path.path] = place.declared
        found += _kinds(path, place, loaded)
    for name, count in fits.unfit.items():
        type_ = loaded.policy.fields[name].type
        what = f"not of type {type_}, or beyond what the policy declares" if type_ else "beyond what the policy declares"
        if not any(c.kind == "mistyped" and c.path == name for c in found):
            found.append(Complaint("mistyped", name, count, fits.values[name], what))
    return found + list(_shown(loaded, report, declared))


def unseen(loaded: LoadedPolicy, report: Report) -> dict[str, str]:
    """Declared fields that no record of the sample has.

    Left out are fields with selectors, and those inside of maps, of which the report has no members one by one.

    Returns:
        By field the path of the sample that it may have been meant for, which no field declares; "" for none.
    """
    root, seen, undeclared = _tree(loaded), set[str](), dict[str, None]()
    maps: list[tuple[Step, ...]] = []
    for path in report.paths:
        steps = _steps(path.path)
        if steps and steps[-1] is Wild.KEY:
            maps.append(steps[:-1])
        place = _place(root, steps)
        if place is None:
            undeclared[path.path] = None
        elif place.declared is not None:
            seen.add(place.declared)
    found: dict[str, str] = {}
    for name in loaded.policy.fields:
        steps = parse_path(name)
        if name not in seen and not selects(steps) and not any(steps[: len(above)] == above for above in maps):
            near = get_close_matches(name, list(undeclared)[:MOST], 1, NEAR) if len(found) < MOST else []
            found[name] = near[0] if near else ""
    return found


def _tree(loaded: LoadedPolicy) -> _Node:
    root = _Node()
    for name in loaded.policy.fields:
        node = root
        for step in parse_path(name):
            node = node.children.setdefault(step, _Node())
        node.declared = name
    return root


def _steps(path: str) -> tuple[Step, ...]:
    try:
        return parse_path(path)
    except ValueError:  # a key that no policy can name
        return (path,)


def _place(root: _Node, steps: tuple[Step, ...]) -> _Node | None:
    """The node that a path of the sample belongs to; None for none. A field that takes anything takes all below it."""
    node = root
    for step in steps:
        if not node.children and node.declared is not None:
            return node
        child = _below(node, step)
        if child is None:
            return None
        node = child
    return node


def _below(node: _Node, step: Step) -> _Node | None:
    """The node one step further; ``[*]?`` stands for an array and for what is there instead."""
    either = node.children.get(Wild.MAYBE)
    if step is Wild.ELEMENT or step is Wild.MAYBE:
        return node.children.get(step) or either or node.children.get(Wild.ELEMENT)
    found = node.children.get(step)
    if found is None and isinstance(step, Where | At):
        found = node.children.get(Wild.ELEMENT) or either
    if found is None and isinstance(step, str | Wild):
        found = node.children.get(Wild.KEY) or (None if either is None else _below(either, step))
    return found


def _undeclared(path: PathReport, meant: str) -> Complaint:
    kinds = ", ".join(f"{kind} in {count:,}" for kind, count in path.kinds.items())
    types = ", ".join(one.type for one in weighty(path)[:3])
    what = f"no field of the policy: {kinds}" + (f"; found: {types}" if types else "") + (
        f"; did you mean '{meant}', which is declared and never occurs?" if meant else "")
    return Complaint("undeclared", path.path, path.records, path.records, what)


def _kinds(path: PathReport, place: _Node, loaded: LoadedPolicy) -> Iterable[Complaint]:
    """Containers where the policy has a value, and the reverse."""
    objects, arrays = path.kinds.get("object", 0), path.kinds.get("array", 0)
    if place.children:
        inside = place.children.get(Wild.MAYBE)
        arrays_of = {Wild.ELEMENT, *(step for step in place.children if isinstance(step, Where | At))}
        takes_arrays = inside is not None or not arrays_of.isdisjoint(place.children)
        takes_objects = any(step not in arrays_of and step is not Wild.MAYBE for step in place.children) or bool(inside and inside.children)
        if inside is not None and inside.declared is not None:
            return
        wrong = path.scalars + (0 if takes_objects else objects) + (0 if takes_arrays else arrays)
        expected = "an array" if takes_arrays else "an object"
    elif place.declared is not None and loaded.policy.fields[place.declared].type in OBJECT_TYPES:
        return
    else:
        wrong, expected = objects + arrays, "one value"
    if wrong and _steps(path.path):
        yield Complaint("mistyped", path.path, wrong, path.values, f"the policy declares {expected}; found: " + ", ".join(
            f"{kind} in {count:,}" for kind, count in path.kinds.items()))


def _shown(loaded: LoadedPolicy, report: Report, declared: Mapping[str, str]) -> Iterable[Complaint]:
    for name, segment in loaded.policy.segments.items():
        if isinstance(segment, GrantedSegment | GrantedView):
            continue  # what is shown in clear there is meant, and needs a grant
        if isinstance(segment, MaskedSegment):
            rules = loaded.rules(name)
            kept = {field for path, rule in rules.items() if rule.technique.action is Action.KEEP for field in loaded.fields_at(path)}
        elif isinstance(segment, AnonymizedSegment):
            kept = set(segment.release)
        else:
            kept = {key.field for key in segment.group_by if not key.parameters}
        for path in report.paths:
            field = declared.get(path.path)
            if field not in kept or loaded.policy.fields[field].values is not None:  # of a list, no other value is shown
                continue
            for one in weighty(path, light=False)[:1]:
                what = f"{one.type} ({', '.join(one.reasons)}), shown in clear"
                yield Complaint("shown", path.path, one.values, path.scalars or path.values, what, name)
