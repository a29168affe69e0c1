"""Checks of an aggregated segment against the fields, and the rules that its groups are made by."""

from typing import Any

from flink_masking.errors import PolicyError
from flink_masking.policy.check_fields import check_single
from flink_masking.policy.document import Path, cut
from flink_masking.policy.fields import Field
from flink_masking.policy.findings import Findings
from flink_masking.policy.mechanisms import aggregate_spec
from flink_masking.policy.model import Policy
from flink_masking.policy.rules import IDENTIFYING, Rule, RuleCompiler, bind
from flink_masking.policy.segments import AggregatedSegment, GroupKey, Metric, RuleSpec
from flink_masking.policy.tree import FieldTree

LARGE_EPSILON = 3.0
ROW_NAMES = ("window_start", "window_end", "epsilon")
"""Members that every row has."""


def check_aggregated(
    name: str, segment: AggregatedSegment, policy: Policy, tree: FieldTree, compiler: RuleCompiler, findings: Findings
) -> tuple[Rule, ...]:
    """Note all that is wrong; returns the rules of `group_by`, in its order: keep or generalize."""
    loc: Path = ("segments", name)
    if policy.subject is None:
        findings.error(
            loc, "'subject' is missing: privacy is promised to people", "name the field that says whom a record is about", at_key=True
        )
    if policy.event_time is None:
        findings.error(loc, "'event_time' is missing: windows are of event time", "event_time: {field: timestamp}", at_key=True)
    if segment.window.hopping is not None:
        findings.later((*loc, "window", "hopping"), "a hopping window", "use {tumbling: 1min}")
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
    if not findings.errors:
        try:
            aggregate_spec(segment, policy)
        except PolicyError as error:
            findings.refused((*loc, "privacy"), error, at_key=True)
    return tuple(rules)


def _check_privacy(loc: Path, segment: AggregatedSegment, findings: Findings) -> None:
    privacy = segment.privacy
    if privacy.mechanism != "laplace":
        findings.later((*loc, "mechanism"), f"mechanism {privacy.mechanism}", "use laplace")
    if privacy.lifetime_epsilon is not None:
        findings.later((*loc, "lifetime_epsilon"), "lifetime_epsilon")
    if privacy.epsilon > LARGE_EPSILON:
        findings.warn((*loc, "epsilon"), f"an epsilon of {privacy.epsilon:g} promises little", "1 or less is usual")


def _check_metric(loc: Path, metric: Metric, policy: Policy, tree: FieldTree, findings: Findings) -> None:
    if metric.kind in ("variance", "histogram"):
        findings.later(loc, f"metric {metric.kind}")
    elif metric.field is not None:
        place = (*loc, metric.kind)
        field = check_single(policy, tree, findings, place, metric.field)
        if field is not None and field.role != "measure":
            findings.error(place, f"'{cut(metric.field)}' is of class {field.role}, not measure", "name a field of class measure")
        elif field is not None and field.bounds is None:
            hint = "values are clipped to public bounds: bounds: [0, 1000]"
            findings.error(place, f"'{cut(metric.field)}' has no bounds", hint)


def _group(loc: Path, key: GroupKey, policy: Policy, tree: FieldTree, compiler: RuleCompiler, findings: Findings) -> Rule | None:
    if key.groups is not None:
        findings.later(loc, "a public list of groups ('groups')")
        return None
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
