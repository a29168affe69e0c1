"""The privacy budget of a person over all aggregated segments of a stream and its division among them."""

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from flink_masking.policy.durations import UNITS
from flink_masking.policy.segments import AggregatedSegment, Segment

_NANO = 1_000_000_000


class Together(NamedTuple):
    """The summed privacy loss of one person in aggregated segments.

    Attributes:
        per_window: epsilon of one window of each.
        per_record: epsilon of one record, in all windows that it lies in.
        per_day: epsilon of a person who is in every window of a day, as far as lifetime budgets reach.
        lifetime: epsilon of a lifetime; None where a segment sets no limit.
        delta_per_window: delta of one window of each.
    """

    per_window: float
    per_record: float
    per_day: float
    lifetime: float | None
    delta_per_window: float


def aggregated(segments: Mapping[str, Segment]) -> dict[str, AggregatedSegment]:
    """The aggregated segments, in the policy's order."""
    return {name: segment for name, segment in segments.items() if isinstance(segment, AggregatedSegment)}


def shares(lifetime: float, segments: Mapping[str, Segment]) -> dict[str, float]:
    """The parts of a stream's lifetime budget: what a segment asks for itself, and of the rest as much as it costs a day.

    Args:
        lifetime: epsilon for all aggregated segments together.
        segments: of the stream.

    Returns:
        By aggregated segment, in whole thousand millionths, never more than `lifetime` in all; 0 or less where nothing is left.
    """
    found = aggregated(segments)
    asked = {name: Fraction(str(s.privacy.lifetime_epsilon)) for name, s in found.items() if s.privacy.lifetime_epsilon is not None}
    rest = Fraction(str(lifetime)) - sum(asked.values())
    weights = {name: Fraction(str(s.privacy.epsilon)) / step(s) for name, s in found.items() if name not in asked}
    whole = sum(weights.values())
    parts = asked | {name: Fraction(rest * weight / whole * _NANO // 1, _NANO) for name, weight in weights.items()}
    return {name: float(parts[name]) for name in found}


def together(segments: Mapping[str, AggregatedSegment]) -> Together:
    """The sums over some aggregated segments."""
    days = {name: Fraction(UNITS["d"]) / step(s) * Fraction(str(s.privacy.epsilon)) for name, s in segments.items()}
    limits = {name: Fraction(str(s.privacy.lifetime_epsilon)) for name, s in segments.items() if s.privacy.lifetime_epsilon is not None}
    epsilon = {name: Fraction(str(s.privacy.epsilon)) for name, s in segments.items()}
    return Together(
        float(sum(epsilon.values())),
        float(sum(epsilon[name] * (size(s) // step(s)) for name, s in segments.items())),
        float(sum(min(days[name], limits.get(name, days[name])) for name in segments)),
        float(sum(limits.values())) if len(limits) == len(segments) else None,
        min(1.0, sum(s.privacy.delta for s in segments.values())),
    )


def size(segment: AggregatedSegment) -> int:
    """Milliseconds that a window is long."""
    return segment.window.hopping.size if segment.window.hopping is not None else segment.window.tumbling or UNITS["d"]


def step(segment: AggregatedSegment) -> int:
    """Milliseconds from the start of a window to that of the next."""
    return segment.window.hopping.every if segment.window.hopping is not None else size(segment)
