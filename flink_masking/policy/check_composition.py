"""Checks what several segments of a policy reveal together beyond what each reveals alone."""

from collections.abc import Mapping
from itertools import combinations

from flink_masking.documents.document import cut, listed
from flink_masking.documents.faults import did_you_mean
from flink_masking.documents.findings import Findings
from flink_masking.policy.check_budget import check_budget
from flink_masking.policy.check_joins import check_joins
from flink_masking.policy.check_release import check_released
from flink_masking.policy.facts import Facts
from flink_masking.policy.model import Policy
from flink_masking.policy.rules import Rule
from flink_masking.policy.segments import AnonymizedSegment


def check_composition(policy: Policy, rules: Mapping[str, Mapping[str, Rule]], facts: Facts, findings: Findings) -> None:
    """Warn of segments that weaken each other's guarantees for one reader, and of guarantees that weaken over time.

    Segments under `held_apart` are left out of the comparisons: the policy says that whoever reads one of them reads no other, which
    ``flink-masking acl`` enforces.

    Args:
        policy: without structural faults.
        rules: of masked segments, by name, by path.
        facts: what is declared of the fields.
        findings: where warnings go.
    """
    _check_held_apart(policy, findings)
    together = {name: segment for name, segment in policy.segments.items() if name not in policy.held_apart}
    anonymized = {name: segment for name, segment in policy.segments.items() if isinstance(segment, AnonymizedSegment)}
    check_joins(policy, rules, facts, findings)
    check_released(policy, facts, findings)
    for (one, first), (two, second) in combinations(anonymized.items(), 2):
        if one in together and two in together:
            _check_pair(one, first, two, second, findings)
    check_budget(policy, findings)


def _check_held_apart(policy: Policy, findings: Findings) -> None:
    for number, name in enumerate(policy.held_apart):
        if name not in policy.segments:
            hint = did_you_mean(name, policy.segments, "segments")
            findings.error(("held_apart", number), f"'{cut(name)}' is not a segment", hint)


def _check_pair(one: str, first: AnonymizedSegment, two: str, second: AnonymizedSegment, findings: Findings) -> None:
    """Two anonymized views of the same records: their groups differ, and what lies in both boxes can be one person."""
    shared = [path for path in second.quasi_identifiers if path in first.quasi_identifiers]
    if shared:
        message = f"'{cut(two)}' and '{cut(one)}' release the same people in other groups, by {listed(shared)}: fewer than k may fit both"
        hint = f"give a reader one of the two, and say so: held_apart: [{cut(two)}]; verify --joint counts who is found"
        findings.warn(("segments", two, "quasi_identifiers"), message, hint)
