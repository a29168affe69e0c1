"""Checks which fields of masked and anonymized segments let a reader of both join their records.

A masked view need not hold a pseudonym for that: whatever else it shows of a person (parts of a card number, an exact age, other
records under the same stand-in) is what the join leads to.
"""

import math
from collections.abc import Iterator, Mapping

from flink_masking.documents.document import Path, cut, listed
from flink_masking.documents.findings import Findings
from flink_masking.policy.facts import Facts
from flink_masking.policy.fields import Field
from flink_masking.policy.model import Policy
from flink_masking.policy.rules import DEFAULT, Rule
from flink_masking.policy.segments import AnonymizedSegment, MaskedSegment
from flink_masking.records.paths import parents
from flink_masking.techniques.base import span
from flink_masking.techniques.promises import Shows

FEW = 10
"""Kinds of records that shared fields may tell apart, together, without a warning."""


def check_joins(policy: Policy, rules: Mapping[str, Mapping[str, Rule]], facts: Facts, findings: Findings) -> None:
    """Warn of each masked segment that shows a quasi-identifier, or a released field, of an anonymized one finely enough to join them.

    Segments under `held_apart` are left out; ``flink-masking acl`` refuses a principal that reads one of them and another segment.

    Args:
        policy: without structural faults.
        rules: of masked segments, by name, by path.
        facts: what is declared of the fields.
        findings: where warnings go.
    """
    together = {name: segment for name, segment in policy.segments.items() if name not in policy.held_apart}
    for name, segment in together.items():
        for other, anonymized in together.items():
            if isinstance(segment, MaskedSegment) and isinstance(anonymized, AnonymizedSegment):
                _check_pair(name, segment, other, anonymized, policy, rules[name], facts, findings)


def _check_pair(name: str, segment: MaskedSegment, other: str, anonymized: AnonymizedSegment, policy: Policy, rules: Mapping[str, Rule],
                facts: Facts, findings: Findings) -> None:
    target = _target(policy, rules)
    apart = f"or, where nobody reads both: held_apart: [{cut(name)}]"
    counts = {path: told_apart(path, rules, policy, facts) for path in (*anonymized.quasi_identifiers, *anonymized.release)}
    shown = [path for path, count in counts.items() if count > 1]
    if math.prod(counts[path] for path in shown) > FEW:
        message = f"'{cut(name)}' and '{cut(other)}' can be joined by {listed(shown)}, and lead to {target or 'each other'}"
        findings.warn(_place(name, segment, shown[0]), message, f"show these fields in one of the two only, or coarser; {apart}")
    clock = policy.event_time.field if policy.event_time is not None else None
    if clock is not None and target is not None and _shows(clock, rules) is Shows.EXACT:
        message = f"'{cut(name)}' keeps the event time '{cut(clock)}' beside {target}, and '{cut(other)}' releases soon after"
        findings.warn(_place(name, segment, clock), message, f"{cut(clock)}: {{technique: generalize, date: hour}}; {apart}")


def told_apart(path: str, rules: Mapping[str, Rule], policy: Policy, facts: Facts) -> float:
    """How many values of a field the records of a masked segment tell apart: 1 for none, infinite where that is not known."""
    rule = _rule(path, rules)
    shows = _shows(path, rules)
    if rule is None or shows is Shows.NOTHING or path not in policy.fields:
        return 1
    many = values(policy.fields[path], path, facts)
    return many if shows is Shows.EXACT else min(many, rule.technique.resolution(rule.params, facts.of(path)))


def values(field: Field, path: str, facts: Facts) -> float:
    """How many values a field can have, by what is declared of it; infinite where that is not known."""
    declared = facts.of(path)
    if field.type == "boolean":
        return 2
    if declared.hierarchy is not None:
        return len(declared.hierarchy.leaves)
    if field.values is not None:
        return len(field.values)
    if field.prefix is not None:
        return 10.0**field.prefix
    scale = 0 if field.type == "integer" else field.scale
    return math.inf if scale is None else span(declared) * 10**scale + 1


def _target(policy: Policy, rules: Mapping[str, Rule]) -> str | None:
    """Describe what a masked view shows of a person: pseudonyms, else parts of direct identifiers, else other fields."""
    parts = []
    for path, field in policy.fields.items():
        rule = _rule(path, rules)
        if rule is None or not (path == policy.subject or field.role in ("identifier", "direct")):
            continue
        if rule.promises.stands_for_a_person:
            return f"'{cut(path)}'"
        if rule.promises.shows is not Shows.NOTHING:
            parts.append(path)
    if parts:
        return f"what is shown of {listed(parts)}"
    others = [path for path, field in policy.fields.items() if field.role == "quasi" and _shows(path, rules) is not Shows.NOTHING]
    return f"what is shown of {listed(others)}" if others else None


def _shows(path: str, rules: Mapping[str, Rule]) -> Shows:
    rule = _rule(path, rules)
    return Shows.NOTHING if rule is None else rule.promises.shows


def _rule(path: str, rules: Mapping[str, Rule]) -> Rule | None:
    """The rule that covers a field."""
    return next((rules[place] for place in _covering(path) if place in rules), None)


def _covering(path: str) -> Iterator[str]:
    yield path
    yield from reversed(parents(path))


def _place(name: str, segment: MaskedSegment, path: str) -> Path:
    return ("segments", name, "rules", next((place for place in _covering(path) if place in segment.rules), DEFAULT))
