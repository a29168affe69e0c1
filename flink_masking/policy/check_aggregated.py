"""Checks of an aggregated segment against the fields, and the rules that its groups are made by."""

import json
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

from flink_masking.contract.forms import FORMS
from flink_masking.documents.document import Path, cut, listed
from flink_masking.documents.findings import Findings
from flink_masking.dp.spec import MOST_BINS, MOST_GROUPS, MOST_WINDOWS
from flink_masking.errors import PolicyError
from flink_masking.policy.aggregates import aggregate_spec
from flink_masking.policy.check_fields import check_single
from flink_masking.policy.fields import Field
from flink_masking.policy.model import Policy
from flink_masking.policy.rules import IDENTIFYING, Rule, RuleCompiler, bind
from flink_masking.policy.segments import AggregatedSegment, GroupKey, Metric, RuleSpec
from flink_masking.policy.tree import FieldTree
from flink_masking.records.kinds import NUMERIC, TEXT

LARGE_EPSILON = 3.0
ROW_NAMES = ("window_start", "window_end", "epsilon")
"""Members that every row has."""


def check_aggregated(
    name: str, segment: AggregatedSegment, policy: Policy, tree: FieldTree, compiler: RuleCompiler, findings: Findings
) -> tuple[Rule, ...]:
    """Report faults; returns the rules of `group_by`, in its order: keep or generalize."""
    loc: Path = ("segments", name)
    if policy.subject is None:
        findings.error(
            loc, "'subject' is missing: privacy is promised to people", "name the field that says whom a record is about", at_key=True
        )
    if policy.event_time is None:
        findings.error(loc, "'event_time' is missing: windows are of event time", "event_time: {field: timestamp}", at_key=True)
    _check_window((*loc, "window", "hopping"), segment, findings)
    _check_privacy((*loc, "privacy"), segment, findings)
    rules: list[Rule] = []
    taken = {row_name: "every row has it" for row_name in ROW_NAMES}
    for number, key in enumerate(segment.group_by):
        place = (*loc, "group_by", number)
        rule = _group(place, key, policy, tree, compiler, findings)
        if rule is not None and rule.path in taken:
            findings.error(place, f"'{cut(rule.path)}' is already in the row", taken[rule.path])
        elif rule is not None:
            rules.append(rule)
            taken[rule.path] = "it is in 'group_by'"
    for metric_name, metric in segment.metrics.items():
        place = (*loc, "metrics", metric_name)
        if metric_name in taken:
            findings.error(
                place, f"'{cut(metric_name)}' is already in the row: {taken[metric_name]}", "name the metric otherwise", at_key=True
            )
        _check_metric(place, metric, policy, tree, findings)
    _check_groups((*loc, "group_by"), segment, policy, findings)
    if not findings.errors:
        try:
            aggregate_spec(segment, policy, [rule.path for rule in rules])
        except PolicyError as error:
            findings.refused((*loc, "privacy"), error, at_key=True)
    return tuple(rules)


def _check_privacy(loc: Path, segment: AggregatedSegment, findings: Findings) -> None:
    privacy, hopping = segment.privacy, segment.window.hopping
    cost = Fraction(str(privacy.epsilon)) * (1 if hopping is None else Fraction(hopping.size, hopping.every))
    if privacy.lifetime_epsilon is not None and Fraction(str(privacy.lifetime_epsilon)) < cost:
        what = "one window" if hopping is None else f"the {hopping.size / hopping.every:g} windows that each record lies in"
        findings.error((*loc, "lifetime_epsilon"), f"a lifetime_epsilon of {privacy.lifetime_epsilon:g} does not reach for {what}",
                       f"{float(cost):g} or more, or a smaller epsilon")
    if privacy.epsilon > LARGE_EPSILON:
        text = f"an epsilon of {privacy.epsilon:g} promises little: {listed(segment.metrics)} tell much of a person"
        findings.warn((*loc, "epsilon"), text, "1 or less is usual")


def _check_window(loc: Path, segment: AggregatedSegment, findings: Findings) -> None:
    hopping = segment.window.hopping
    if hopping is None:
        return
    windows = hopping.size // hopping.every
    if hopping.size % hopping.every:
        findings.error((*loc, "every"), "a window's size is no multiple of it, so records would lie in different numbers of windows",
                       "such as {size: 1h, every: 10min}")
    elif windows > MOST_WINDOWS:
        findings.error((*loc, "every"), f"a record would lie in {windows:,} windows, and cost its person as many times epsilon",
                       f"{MOST_WINDOWS:,} windows at most; a longer 'every', or a shorter 'size'")


def _check_group_type(loc: Path, key: GroupKey, policy: Policy, findings: Findings) -> None:
    """Warn of public groups that no record is in, because they are texts and the field's values are not, or the other way round."""
    field = policy.fields.get(key.field)
    if field is None or any(isinstance(value, bool | None) for value in key.groups or ()):
        return
    if key.parameters and "round_to" not in key.parameters and "max" not in key.parameters and "min" not in key.parameters:
        textual: bool | None = True  # ranges, dates, prefixes and labels
    else:
        form = FORMS.get(field.type or "", None)
        declared = field.values is not None or field.pattern is not None or field.hierarchy is not None
        numeric = (form is not None and form.kinds == NUMERIC) or field.role == "measure"
        textual = False if numeric else True if declared or (form is not None and form.kinds == TEXT) else None
    wrong = [value for value in key.groups or () if isinstance(value, str) is not textual]
    if textual is None or not wrong or (key.parameters and not textual):
        return
    says, is_ = ("texts", "numbers") if textual else ("numbers", "texts")
    example = f"'{wrong[0]}'" if textual else str(wrong[0])[:40]
    findings.warn((*loc, key.field), f"the values of '{cut(key.field)}' are {says} here, and groups are {is_}: no record is in them",
                  f"write them as {says}, such as {example}")


def _check_groups(loc: Path, segment: AggregatedSegment, policy: Policy, findings: Findings) -> None:
    """A public list is for all fields or none: a combination with a field from the data is a group from the data."""
    listed = [number for number, key in enumerate(segment.group_by) if key.groups is not None]
    if not listed:
        return
    for number, key in enumerate(segment.group_by):
        place = (*loc, number)
        if key.groups is None:
            findings.error(place, f"'{cut(key.field)}' has no public list of groups, and other fields have",
                           "give every field of group_by its 'groups', or none")
        elif not key.groups or not all(value is None or isinstance(value, str | int | float) for value in key.groups):
            findings.error(place, f"the groups of '{cut(key.field)}' must be texts, numbers, true, false or null, and at least one")
        elif len({json.dumps(value) for value in key.groups}) != len(key.groups):
            findings.error(place, f"a group of '{cut(key.field)}' is a duplicate")
    for number in listed:
        _check_group_type((*loc, number), segment.group_by[number], policy, findings)
    count = math.prod(len(key.groups or ()) for key in segment.group_by)
    if count > MOST_GROUPS:
        findings.error((*loc, listed[0]), f"the public lists make {count:,} groups for each window", f"{MOST_GROUPS:,} at most")


def _check_bins(loc: Path, metric: Metric, field: Field, findings: Findings) -> None:
    assert field.bounds is not None
    scale, name = field.scale or 0, cut(metric.field or "")
    if any(Decimal(str(edge)).scaleb(scale) % 1 for edge in metric.bins):
        findings.error(loc, f"an edge of the bins is finer than the {scale} decimals of '{name}'", "scale: 2, or other bins")
    elif metric.bins[0] < field.bounds[0] or metric.bins[-1] > field.bounds[1]:
        low, high = field.bounds
        findings.error(loc, f"the bins reach beyond the bounds of '{name}'", f"values are clipped to {low:g} to {high:g}")
    elif len(metric.bins) > MOST_BINS + 1:
        findings.error(loc, f"there are {len(metric.bins) - 1:,} bins", f"{MOST_BINS:,} at most")


def _check_metric(loc: Path, metric: Metric, policy: Policy, tree: FieldTree, findings: Findings) -> None:
    if metric.field is not None:
        place: Path = (*loc, metric.kind, "field") if metric.bins else (*loc, metric.kind)
        field = check_single(policy, tree, findings, place, metric.field)
        if field is not None and field.role != "measure":
            findings.error(place, f"'{cut(metric.field)}' is of class {field.role}, not measure", "name a field of class measure")
        elif field is not None and field.bounds is None:
            hint = "values are clipped to public bounds: bounds: [0, 1000]"
            findings.error(place, f"'{cut(metric.field)}' has no bounds", hint)
        elif field is not None and metric.bins:
            _check_bins((*loc, metric.kind, "bins"), metric, field, findings)


def _group(loc: Path, key: GroupKey, policy: Policy, tree: FieldTree, compiler: RuleCompiler, findings: Findings) -> Rule | None:
    place: Path = (*loc, key.field)
    field = check_single(policy, tree, findings, place, key.field, objects="geohash" in key.parameters)
    if field is None:
        return None
    if field.role in IDENTIFYING or key.field == policy.subject:
        message = f"'{cut(key.field)}' is of class {field.role} and cannot be grouped by"
        findings.error(place, message, "group by a field that many people share")
        return None
    parameters = _written_out(key.parameters, place, key.field, field, findings)
    if parameters is None:
        return None
    spec = RuleSpec(technique="generalize", parameters=parameters) if parameters else RuleSpec(technique="keep")
    bound = bind(spec, place, findings)
    return compiler.rule(key.field, *bound, place) if bound else None


def _written_out(parameters: dict[str, Any], loc: Path, path: str, field: Field, findings: Findings) -> dict[str, Any] | None:
    """The parameters of generalize: ``generalize: n`` becomes a prefix on text and a width on numbers."""
    if "generalize" not in parameters:
        return parameters
    if len(parameters) > 1:
        findings.error(loc, "'generalize' stands alone", "or write a parameter of the technique generalize, such as width: 10")
    elif field.type in ("date", "datetime", "geo"):
        findings.error((*loc, "generalize"), f"'{cut(path)}' is of type {field.type}", "write date: hour, or geohash: 5")
    else:
        numeric = field.role == "measure" or field.type == "number" or (field.domain is not None and not isinstance(field.domain[0], str))
        return {"width" if numeric else "prefix": parameters["generalize"]}
    return None
