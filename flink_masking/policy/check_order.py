"""Checks of the order in which the records of a stream leave: two views in the same order can be joined line by line."""

from collections.abc import Mapping
from itertools import combinations

from flink_masking.documents.document import cut
from flink_masking.documents.findings import Findings
from flink_masking.policy.model import Policy
from flink_masking.policy.rules import Rule
from flink_masking.policy.segments import AnonymizedSegment, GrantedView, MaskedSegment
from flink_masking.techniques.promises import Shows


def check_order(policy: Policy, rules: Mapping[str, Mapping[str, Rule]], findings: Findings) -> None:
    """Refuse orders that cannot be kept secret, and warn of views that their order joins.

    Records leave a masked segment and an anonymized one of ``mode: zero_delay`` in the order they were read in, unless the segment is
    shuffled. Segments under `held_apart` are left out of the comparison.

    Args:
        policy: without structural faults.
        rules: of masked segments, by name, by path.
        findings: where faults and warnings go.
    """
    for name, segment in policy.segments.items():
        if isinstance(segment, MaskedSegment) and segment.order == "shuffled":
            _check_shuffled(name, segment, policy, rules[name], findings)
    ordered = [name for name, segment in policy.segments.items() if name not in policy.held_apart and _as_read(segment)]
    for one, two in combinations(ordered, 2):
        first, second = (_shown(policy.segments[name], rules.get(name, {})) for name in (one, two))
        if first - second and second - first:
            message = f"'{cut(one)}' and '{cut(two)}' hold the same records in the same order: who reads both can join them line by line"
            mixed = two if isinstance(policy.segments[two], MaskedSegment) else one
            hint = f"{cut(mixed)}: {{order: shuffled}}; or, where nobody reads both: held_apart: [{cut(mixed)}]"
            if not any(isinstance(policy.segments[name], MaskedSegment) for name in (one, two)):
                hint = f"where nobody reads both: held_apart: [{cut(two)}]"
            findings.warn(("segments", two), message, hint, at_key=True)


def _check_shuffled(name: str, segment: MaskedSegment, policy: Policy, rules: Mapping[str, Rule], findings: Findings) -> None:
    loc = ("segments", name, "order")
    if segment.record is not None and segment.record.timestamp == "keep":
        message = "'record: {timestamp: keep}' tells the order that is to be hidden, and does not move with shuffled records"
        findings.error(loc, message, "timestamp: drop, or order: as_read")
    clock = policy.event_time.field if policy.event_time is not None else None
    if clock is not None and (rule := rules.get(clock)) is not None and rule.promises.shows is Shows.EXACT:
        message = f"the event time '{cut(clock)}' is kept, by which shuffled records can be sorted again"
        findings.warn(loc, message, f"{cut(clock)}: {{technique: generalize, date: hour}}")


def _as_read(segment: object) -> bool:
    if isinstance(segment, GrantedView):
        return False  # single records: the numbers of their lines lead nowhere
    if isinstance(segment, MaskedSegment):
        return segment.order == "as_read"
    return isinstance(segment, AnonymizedSegment) and segment.mode == "zero_delay"


def _shown(segment: object, rules: Mapping[str, Rule]) -> set[tuple[str, str, str]]:
    """The values that a view shows of a record, as comparable entries."""
    if isinstance(segment, AnonymizedSegment):
        released = {(path, "keep", "on_error='redact'") for path in segment.release}
        return released | {(path, "anonymized", "") for path in segment.quasi_identifiers}
    return {(path, rule.technique.name, repr(rule.params)) for path, rule in rules.items() if not rule.promises.erases}
