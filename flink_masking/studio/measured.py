"""What the sample tells of a policy: coverage, groups and loss of anonymized views, noise of aggregated views, joins."""

from typing import Any

from flink_masking.compliance.subject import PolicyViews
from flink_masking.errors import FlinkMaskingError
from flink_masking.policy.load import LoadedPolicy
from flink_masking.policy.model import Policy
from flink_masking.policy.privacy_account import account, groups_in_words
from flink_masking.policy.segments import AggregatedSegment, AnonymizedSegment
from flink_masking.report.aggregated import error_95
from flink_masking.report.anonymized import anonymized
from flink_masking.report.coverage import coverage
from flink_masking.studio.internal import message_of
from flink_masking.studio.outcome import Outcome
from flink_masking.verify.files import read_policy
from flink_masking.verify.joint import join_views

_ERRORS = (FlinkMaskingError, KeyError)
DRAWN = ("count", "count_distinct_subjects", "sum")
"""Metrics that are one noisy figure each."""


def coverage_of(loaded: LoadedPolicy) -> dict[str, Any]:
    """Fields and views: what each audience sees of each field; see `flink_masking.report.coverage`."""
    return coverage(PolicyViews(loaded))


def groups_of(outcome: Outcome) -> list[dict[str, Any]]:
    """Sizes of classes, loss, suppression and distributions of each anonymized view, budget and noise of each aggregated one.

    Of raw records there are counts of k people or more only, as in the report.
    """
    policy, why = _promises(outcome)
    if policy is None:
        return [{"segment": name, "view": segment.view, "note": why} for name, segment in outcome.loaded.policy.segments.items()
                if segment.view in ("anonymized", "aggregated")]
    found = []
    for name, segment in policy.segments.items():
        try:
            if isinstance(segment, AnonymizedSegment):
                told, _ = anonymized(name, segment, policy, outcome.loaded.source, outcome.raw, outcome.held[name])
                found.append({**told, "note": ""})
            elif isinstance(segment, AggregatedSegment):
                found.append(_figures(outcome, name, segment, policy))
        except _ERRORS as error:
            found.append({"segment": name, "view": segment.view, "note": message_of(error)})
    return found


def joins_of(outcome: Outcome) -> dict[str, Any]:
    """What joining the views, or the lines of one, tells of the people of the sample."""
    policy, why = _promises(outcome)
    if policy is None:
        return {"joins": [], "note": why}
    try:
        joins = join_views(policy, outcome.loaded.source, outcome.raw, outcome.held)
    except _ERRORS as error:
        return {"joins": [], "note": message_of(error)}
    return {"joins": [join.as_dict() for join in joins], "note": ""}


def _promises(outcome: Outcome) -> tuple[Policy | None, str]:
    """The policy as the verifier reads it, which counts people; or why it cannot."""
    if outcome.loaded.policy.subject is None:
        return None, "k counts people, and the policy has no subject: the field that says whom a record is about. Hint: subject: …"
    try:
        return read_policy(outcome.loaded.source), ""
    except _ERRORS as error:
        return None, message_of(error)


def _figures(outcome: Outcome, name: str, segment: AggregatedSegment, policy: Policy) -> dict[str, Any]:
    """Budget, noise and groups of an aggregated view."""
    spent = account(name, outcome.loaded.aggregate(name))
    return {"segment": name, "view": "aggregated", "note": "", "epsilon": segment.privacy.epsilon, "delta": segment.privacy.delta,
            "mechanism": segment.privacy.mechanism, "rows": len(outcome.lines[name]), "groups": groups_in_words(spent["groups"]),
            "per_day": spent["per_day"],
            "noise": [{"metric": metric, "error_95": error_95(segment, policy, metric)} for metric, one in segment.metrics.items()
                      if one.kind in DRAWN]}
