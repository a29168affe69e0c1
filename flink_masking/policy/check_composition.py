"""Checks of what the segments of a policy give away together that none of them gives away alone."""

from collections.abc import Iterator, Mapping
from itertools import combinations

from flink_masking.policy.document import Path, cut, listed
from flink_masking.policy.durations import UNITS, written
from flink_masking.policy.faults import did_you_mean
from flink_masking.policy.findings import Findings
from flink_masking.policy.model import Policy
from flink_masking.policy.rules import DEFAULT, Rule
from flink_masking.policy.segments import AggregatedSegment, AnonymizedSegment, MaskedSegment
from flink_masking.records.paths import parents

SHOWN = ("keep", "generalize")
"""Techniques whose results can be held against a range or a value."""
TIMES = ("date", "datetime", "time")
MANY_WINDOWS = 100
"""Windows a day that a person may be in before epsilon is worth a limit."""


def check_composition(policy: Policy, rules: Mapping[str, Mapping[str, Rule]], findings: Findings) -> None:
    """Warn of segments that undo each other's promises in the hands of one reader, and of promises that wear out with time.

    Segments under `held_apart` are left out of the comparisons: the policy says that whoever reads one of them reads no other.

    Args:
        policy: without structural faults.
        rules: of masked segments, by name, by path.
        findings: where warnings go.
    """
    _check_held_apart(policy, findings)
    together = {name: segment for name, segment in policy.segments.items() if name not in policy.held_apart}
    anonymized = {name: segment for name, segment in policy.segments.items() if isinstance(segment, AnonymizedSegment)}
    for name, segment in together.items():
        if isinstance(segment, MaskedSegment):
            for other in anonymized.keys() & together.keys():
                _check_join(name, segment, other, anonymized[other], policy, rules[name], findings)
    for (one, first), (two, second) in combinations(anonymized.items(), 2):
        if one in together and two in together:
            _check_pair(one, first, two, second, findings)
    for name, segment in policy.segments.items():
        if isinstance(segment, AnonymizedSegment):
            _check_times(name, segment, policy, findings)
        elif isinstance(segment, AggregatedSegment):
            _check_lifetime(name, segment, findings)


def _check_held_apart(policy: Policy, findings: Findings) -> None:
    for number, name in enumerate(policy.held_apart):
        if name not in policy.segments:
            hint = did_you_mean(name, policy.segments, "segments")
            findings.error(("held_apart", number), f"'{cut(name)}' is not a segment", hint)


def _check_join(name: str, segment: MaskedSegment, other: str, anonymized: AnonymizedSegment, policy: Policy, rules: Mapping[str, Rule],
                findings: Findings) -> None:
    """A masked view with something that stays the same for a person, beside an anonymized view of the same records."""
    lasting = _lasting(policy, rules)
    if lasting is None:
        return
    apart = f"or, where nobody reads both: held_apart: [{cut(name)}]"
    shown = [path for path in anonymized.quasi_identifiers if _technique(path, rules) in SHOWN]
    shown += [path for path in anonymized.release if _technique(path, rules) == "keep"]
    if shown:
        message = f"'{cut(name)}' and '{cut(other)}' can be joined by {listed(shown)}, and lead to '{cut(lasting)}'"
        findings.warn(_place(name, segment, shown[0]), message, f"show these fields in one of the two only, or coarser; {apart}")
    clock = policy.event_time.field if policy.event_time is not None else None
    if clock is not None and _technique(clock, rules) == "keep":
        message = f"'{cut(name)}' keeps the event time '{cut(clock)}' beside '{cut(lasting)}', and '{cut(other)}' releases soon after"
        findings.warn(_place(name, segment, clock), message, f"{cut(clock)}: {{technique: generalize, date: hour}}; {apart}")


def _check_pair(one: str, first: AnonymizedSegment, two: str, second: AnonymizedSegment, findings: Findings) -> None:
    """Two anonymized views of the same records: their groups differ, and what lies in both boxes can be one person."""
    shared = [path for path in second.quasi_identifiers if path in first.quasi_identifiers]
    if shared:
        message = f"'{cut(two)}' and '{cut(one)}' release the same people in other groups, by {listed(shared)}: fewer than k may fit both"
        hint = f"give a reader one of the two, and say so: held_apart: [{cut(two)}]; verify --joint counts who is found"
        findings.warn(("segments", two, "quasi_identifiers"), message, hint)


def _check_times(name: str, segment: AnonymizedSegment, policy: Policy, findings: Findings) -> None:
    for number, path in enumerate(segment.release):
        field = policy.fields.get(path)
        if field is not None and field.type in TIMES:
            message = f"'{cut(path)}' is a time and is released as it is, which narrows down whose record it is"
            findings.warn(("segments", name, "release", number), message, "make it a quasi-identifier: class quasi with a domain of dates")


def _check_lifetime(name: str, segment: AggregatedSegment, findings: Findings) -> None:
    """The same person in many windows: epsilon is spent in each."""
    every = segment.window.hopping.every if segment.window.hopping is not None else segment.window.tumbling or UNITS["d"]
    windows = UNITS["d"] / every
    if segment.privacy.lifetime_epsilon is not None or windows <= MANY_WINDOWS:
        return
    spent = windows * segment.privacy.epsilon
    message = (f"a person can be in a window every {written(every)} and spend an epsilon of {segment.privacy.epsilon:g} in each, "
               f"{spent:,.0f} a day, on {listed(segment.metrics)}")
    findings.warn(("segments", name, "privacy"), message, "lifetime_epsilon: 100, or longer windows")


def _lasting(policy: Policy, rules: Mapping[str, Rule]) -> str | None:
    """The first field of a person that a masked view shows the same way every time: the subject, an identifier, a direct identifier."""
    for path, field in policy.fields.items():
        if path == policy.subject or field.role in ("identifier", "direct"):
            rule = _rule(path, rules)
            if rule is not None and rule.technique.name not in ("drop", "nullify", "redact", "partial", "generalize"):
                technique = rule.technique
                if technique.name == "keep" or technique.deterministic(rule.params):
                    return path
    return None


def _rule(path: str, rules: Mapping[str, Rule]) -> Rule | None:
    """The rule that covers a field."""
    return next((rules[place] for place in _covering(path) if place in rules), None)


def _covering(path: str) -> Iterator[str]:
    yield path
    yield from reversed(parents(path))


def _technique(path: str, rules: Mapping[str, Rule]) -> str:
    rule = _rule(path, rules)
    return "drop" if rule is None else rule.technique.name


def _place(name: str, segment: MaskedSegment, path: str) -> Path:
    return ("segments", name, "rules", next((place for place in _covering(path) if place in segment.rules), DEFAULT))
