"""Checks of the contract: the fields by themselves and against each other, the subject, the event time."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flink_masking.documents.document import Path, cut
from flink_masking.documents.faults import did_you_mean
from flink_masking.documents.findings import Findings
from flink_masking.errors import PolicyError
from flink_masking.hierarchy import Hierarchy
from flink_masking.policy.fields import KINDS, LARGEST, OBJECT_TYPES, WORDS, Field
from flink_masking.policy.model import Policy
from flink_masking.policy.near import near_field
from flink_masking.policy.segments import AnonymizedSegment
from flink_masking.policy.source import PolicySource
from flink_masking.policy.tree import FieldTree, several
from flink_masking.records.paths import Wild, format_path, parse_path, selects, unselected

GENERALISED_BY = ("domain", "hierarchy", "prefix")


def check_fields(policy: Policy, findings: Findings) -> FieldTree:
    """Check paths and declarations; the tree holds every path that can be used."""
    tree = FieldTree()
    for path, declared in policy.fields.items():
        loc = ("fields", path)
        try:
            if path == "*":
                raise PolicyError("'*' would declare every field. Hint: name the fields; unknown ones are for 'unknown_fields'")
            earlier = tree.add(path)
        except PolicyError as error:
            findings.refused(loc, error, at_key=True)
            continue
        if earlier is not None:
            findings.error(loc, f"'{cut(path)}' is the same field as '{cut(earlier)}'", "declare it once", at_key=True)
        _check_declaration(path, declared, findings)
    _check_conflicts(policy, tree, findings)
    if policy.unknown_fields == "redact":
        text = "the values of undeclared members are hidden, and their keys, which are data, are shown"
        findings.warn(("unknown_fields",), text, "unknown_fields: drop, or quarantine")
    return tree


def check_names(policy: Policy, tree: FieldTree, findings: Findings) -> None:
    """Check that subject and event time name fields that have one scalar value in a record."""
    if policy.subject is not None:
        check_single(policy, tree, findings, ("subject",), policy.subject)
    if policy.event_time is None:
        return
    loc = ("event_time", "field")
    field = check_single(policy, tree, findings, loc, policy.event_time.field)
    unit = policy.event_time.unit or (field.unit if field is not None else None)
    known = (None, "number", "integer", "text") if unit is not None else (None, "date", "datetime", "number")
    if field is not None and field.unit is not None and policy.event_time.unit not in (None, field.unit):
        findings.error(("event_time", "unit"), f"'{cut(policy.event_time.field)}' is declared in {field.unit}", "omit it here")
    if field is not None and field.role == "measure":
        findings.error(loc, f"'{cut(policy.event_time.field)}' is of class measure, not a time", "name the field that says when it was")
    elif field is not None and field.type not in known:
        findings.error(loc, f"'{cut(policy.event_time.field)}' is of type {cut(field.type)}, not a time", "declare it as 'datetime'")


def check_single(policy: Policy, tree: FieldTree, findings: Findings, loc: Path, path: str, objects: bool = False) -> Field | None:
    """The declaration of a field of which one scalar value of a record counts; None, with a fault at `loc`, if `path` is no such field.

    Of a path with selectors in the place of every ``[*]`` the first value that fits counts.

    These paths are used as they are written, so they must have the spelling of the declaration. With `objects`, a field that holds an
    object as a whole will do.
    """
    try:
        found = tree.find(path)
        repeated = several(path)
    except PolicyError as error:
        findings.refused(loc, error)
        return None
    name = cut(path)
    if found is None:
        findings.error(loc, f"'{name}' is not a declared field", near_field(path, policy.fields))
    elif found not in policy.fields:
        findings.error(loc, f"'{name}' holds other fields", f"name one of them: {', '.join(map(cut, tree.under(found)[:5]))}")
    elif repeated:
        hint = "name a field outside arrays, or select an element as in contacts[0].phone or contacts[type=home].phone"
        findings.error(loc, f"'{name}' has several values in a record", hint)
    elif found != path:
        findings.error(loc, f"'{name}' is spelt otherwise under 'fields'", f"write {cut(found)}")
    elif policy.fields[path].type in OBJECT_TYPES and not objects:
        findings.error(loc, f"'{name}' is of type {policy.fields[path].type}, not one value", "name a field that holds a text or a number")
    else:
        return policy.fields[path]
    return None


def read_hierarchies(policy: Policy, source: PolicySource, findings: Findings) -> dict[str, Hierarchy]:
    """The hierarchies of the fields, by file name; a fault where a file is missing or broken."""
    found: dict[str, Hierarchy] = {}
    for loc, name in _named_hierarchies(policy):
        if name in found:
            continue
        try:
            found[name] = Hierarchy.read(source.file(name), cut(name))
        except PolicyError as error:
            findings.refused(loc, error)
    return found


def _named_hierarchies(policy: Policy) -> Iterator[tuple[Path, str]]:
    """Where the policy names the file of a hierarchy, and its name."""
    for path, field in policy.fields.items():
        if field.hierarchy is not None:
            yield ("fields", path, "hierarchy"), field.hierarchy
    for name, segment in policy.segments.items():
        for number, rule in enumerate(segment.closenesses if isinstance(segment, AnonymizedSegment) else ()):
            if rule.hierarchy is not None:
                yield ("segments", name, "t_closeness", number, "hierarchy"), rule.hierarchy


def _check_declaration(path: str, declared: Field, findings: Findings) -> None:
    loc = ("fields", path)
    name = cut(path)
    if declared.type is not None and declared.type not in KINDS:
        hint = did_you_mean(declared.type, KINDS, "types") or f"known are {', '.join(KINDS)}"
        findings.warn((*loc, "type"), f"'{cut(declared.type)}' is not a known type and changes nothing", hint)
    ways = [way for way in GENERALISED_BY if getattr(declared, way) is not None]
    if len(ways) > 1:
        findings.error((*loc, ways[1]), f"'{name}' has {' and '.join(ways)}", "a field is generalised in one way")
    if declared.domain is not None and not _ascends(*declared.domain):
        words = WORDS if any(isinstance(end, str) and _time(end) is None for end in declared.domain) else ""
        hint = f"two numbers, or two dates: [0, 120]{words}"
        findings.error((*loc, "domain"), f"the domain of '{name}' is not a low and a higher value", hint)
    if declared.unit is not None and declared.type not in (None, "number", "integer", "text"):
        findings.error((*loc, "unit"), f"'{name}' is of type {cut(declared.type)}, and a unit is for numbers", "omit the unit")
    if declared.derive is not None and declared.role != "quasi":
        findings.error((*loc, "derive"), f"'derive' is for class quasi, '{name}' is {declared.role}", "omit it")
    elif declared.derive is not None and any(getattr(declared, way) is not None for way in ("hierarchy", "prefix")):
        findings.error((*loc, "derive"), f"'{name}' has a hierarchy or a prefix, too", "a field is generalised in one way")
    elif declared.derive is not None and declared.unit is None and declared.type not in (
            (None, "date", "datetime") if declared.derive.date is not None else (None, "date", "datetime", "partial_date")):
        findings.error((*loc, "derive"), f"'{name}' is of type {cut(declared.type or '')}, not a date", "type: date, or datetime")
    if declared.compare != "exact" and declared.role != "sensitive":
        findings.error((*loc, "compare"), f"'compare' is for class sensitive, '{name}' is {declared.role}", "omit it")
    if declared.bounds is None:
        return
    if declared.role != "measure":
        findings.error((*loc, "bounds"), f"bounds are for class measure, '{name}' is {declared.role}", "'domain' says where values lie")
    low, high = declared.bounds
    scale = declared.scale or 0
    if low >= high:
        findings.error((*loc, "bounds"), f"the bounds of '{name}' are not a low and a higher value", "such as [0, 1000]")
    elif any(Decimal(repr(bound)) * 10**scale % 1 for bound in (low, high)):
        findings.error((*loc, "bounds"), f"the bounds of '{name}' have more than {scale} decimals", "give 'scale', the decimals that count")
    elif max(abs(low), abs(high)) * 10**scale > LARGEST:
        findings.error((*loc, "bounds"), f"the bounds of '{name}' are too large for its scale", "at most 15 digits, decimals included")


def _ascends(low: Any, high: Any) -> bool:
    if isinstance(low, str) and isinstance(high, str):
        first, last = _time(low), _time(high)
        return first is not None and last is not None and first < last
    return not isinstance(low, str) and not isinstance(high, str) and low < high


def _time(text: str) -> float | None:
    """Days since year 1 of an ISO date or time; None when it is neither."""
    try:
        if len(text) == 10:
            return float(date.fromisoformat(text).toordinal())
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    offset = moment.utcoffset()
    seconds = moment.hour * 3600 + moment.minute * 60 + moment.second - (offset.total_seconds() if offset else 0.0)
    return moment.toordinal() + seconds / 86_400


def _check_conflicts(policy: Policy, tree: FieldTree, findings: Findings) -> None:
    for path, declared in policy.fields.items():
        try:
            below = () if declared.type in OBJECT_TYPES or tree.find(path) != path else tree.under(path)
        except PolicyError:  # noted where it was declared
            continue
        if below:
            inner = cut(below[0])
            findings.error(("fields", path), f"'{cut(path)}' holds '{inner}', so it is no single value", "omit it", at_key=True)
    for path in policy.fields:
        try:
            selected = tree.find(path) == path and selects(parse_path(path))
        except PolicyError:
            continue
        if selected:
            _check_selected(path, policy, tree, findings)
    for array, other in tree.mixed():
        message = f"'{cut(array)}' and '{cut(other)}' contradict each other"
        findings.error(("fields", array), message, "array or object, not both", at_key=True)


def _check_selected(path: str, policy: Policy, tree: FieldTree, findings: Findings) -> None:
    """Check a field with selectors: what else is in the array, and what decides, must be declared."""
    loc, whole = ("fields", path), tree.whole(path)
    steps = parse_path(path)
    if whole is None or whole not in policy.fields:
        missing = cut(format_path(unselected(steps)))
        findings.error(loc, f"nothing says what '{missing}' is in the other elements", f"declare {missing}, too", at_key=True)
    elif (policy.fields[whole].type in OBJECT_TYPES) != (policy.fields[path].type in OBJECT_TYPES):
        findings.error(loc, f"'{cut(path)}' and '{cut(whole)}' are not both of type json or geo", "declare the same type", at_key=True)
    if Wild.KEY in steps:
        findings.error(loc, "'*' and a selector do not go together in one path", "name the key, or select nothing", at_key=True)
    for told in tree.told_by(path):
        try:
            found = tree.find(told)
        except PolicyError:
            found = None
        if found not in policy.fields or policy.fields[found].type in OBJECT_TYPES:
            text = f"'{cut(path)}' is selected by '{cut(told)}', which is not a declared field with a value"
            findings.error(loc, text, f"declare {cut(told)}", at_key=True)
