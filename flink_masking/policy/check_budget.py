"""Checks of what the aggregated segments of a stream cost one person together."""

from flink_masking.documents.document import cut, listed
from flink_masking.documents.findings import Findings
from flink_masking.policy.budget import aggregated, shares, step, together
from flink_masking.policy.durations import UNITS, written
from flink_masking.policy.model import Policy
from flink_masking.policy.segments import AggregatedSegment

MANY_WINDOWS = 100
"""Windows a day that a person may be in before epsilon is worth a limit."""


def check_budget(policy: Policy, findings: Findings) -> None:
    """Warn of budgets that accumulate over time or over segments; report a stream's budget that is too small.

    Args:
        policy: without structural faults; where the stream has a budget, with the segments' parts of it.
        findings: where errors and warnings go.
    """
    found = aggregated(policy.segments)
    if policy.privacy is not None:
        _check_stream(policy.privacy.lifetime_epsilon, policy, findings)
    for name, segment in found.items():
        if segment.privacy.lifetime_epsilon is None:
            _check_lifetime(name, segment, findings)
    read_together = {name: segment for name, segment in found.items() if name not in policy.held_apart}
    if len(read_together) > 1 and policy.privacy is None:
        _warn_of_sum(read_together, findings)


def _check_stream(lifetime: float, policy: Policy, findings: Findings) -> None:
    if not aggregated(policy.segments):
        findings.warn(("privacy",), "the stream has no aggregated segment, so its budget limits nothing", "omit 'privacy'", at_key=True)
        return
    asked = aggregated(policy.segments)
    if min(shares(lifetime, policy.segments).values()) <= 0 or sum(s.privacy.lifetime_epsilon or 0 for s in asked.values()) > lifetime:
        text = f"a lifetime_epsilon of {lifetime:g} for the stream is less than its segments ask for"
        findings.error(("privacy", "lifetime_epsilon"), text, "raise it, or lower the segments' own lifetime_epsilon")


def _warn_of_sum(segments: dict[str, AggregatedSegment], findings: Findings) -> None:
    costs = together(segments)
    life = "without limit in a lifetime" if costs.lifetime is None else f"{costs.lifetime:,.5g} in a lifetime"
    message = (f"{listed(map(cut, segments))} promise each for itself; together they cost a person an epsilon of {costs.per_window:,.5g} "
               f"for a window of each, {costs.per_day:,.5g} a day, {life}")
    last = list(segments)[-1]
    hint = ("privacy: {lifetime_epsilon: 100} beside 'segments' limits all of them together; flink-masking dp explain prints the sum; or, "
            f"where nobody reads both: held_apart: [{cut(last)}]")
    findings.warn(("segments", last, "privacy"), message, hint, at_key=True)


def _check_lifetime(name: str, segment: AggregatedSegment, findings: Findings) -> None:
    """The same person in many windows: epsilon is spent in each."""
    windows = UNITS["d"] / step(segment)
    if windows <= MANY_WINDOWS:
        return
    spent = windows * segment.privacy.epsilon
    message = (f"a person can be in a window every {written(step(segment))} and spend an epsilon of {segment.privacy.epsilon:g} in each, "
               f"{spent:,.0f} a day, on {listed(segment.metrics)}")
    findings.warn(("segments", name, "privacy"), message, "lifetime_epsilon: 100, or longer windows")
