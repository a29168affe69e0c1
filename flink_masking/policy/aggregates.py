"""From a checked aggregated segment to what differential privacy computes and promises."""

import itertools
from collections.abc import Sequence
from decimal import Decimal

from flink_masking.dp import spec
from flink_masking.errors import PolicyError
from flink_masking.policy.fields import Field
from flink_masking.policy.model import Policy
from flink_masking.policy.segments import AggregatedSegment
from flink_masking.records.codec import rows_for


def aggregate_spec(segment: AggregatedSegment, policy: Policy, paths: Sequence[str]) -> spec.AggregateSpec:
    """What an aggregated segment computes and promises.

    Args:
        segment: checked: metrics of declared measures with bounds, public lists for all fields of `group_by` or for none.
        policy: the policy that it belongs to.
        paths: of the fields of `group_by`, as declared.

    Raises:
        PolicyError: the numbers are beyond what the mechanisms hold.
    """
    fields = list(dict.fromkeys(metric.field for metric in segment.metrics.values() if metric.field is not None))
    measures = tuple(_measure(path, policy.fields[path]) for path in fields)
    metrics = []
    for name, metric in segment.metrics.items():
        number = None if metric.field is None else fields.index(metric.field)
        bins = () if number is None else tuple(_units(edge, measures[number].scale) for edge in metric.bins)
        metrics.append(spec.Metric(name, metric.kind, number, bins, metric.of))
    groups = public_groups(segment, paths, policy.format)
    privacy, hopping = segment.privacy, segment.window.hopping
    c = privacy.max_groups_per_subject if segment.group_by else 1
    return spec.AggregateSpec(
        segment.window.tumbling or (hopping.size if hopping is not None else 0),
        c if groups is None else min(c, len(groups)),
        privacy.max_records_per_group,
        privacy.epsilon,
        privacy.delta,
        tuple(metrics),
        measures,
        0 if hopping is None else hopping.every,
        privacy.mechanism,
        groups,
        privacy.lifetime_epsilon,
        segment.shards,
        privacy.neighbours,
        policy.format,
        segment.clip,
    )


def public_groups(segment: AggregatedSegment, paths: Sequence[str], format: str) -> tuple[bytes, ...] | None:
    """All combinations of the public lists, as rows name them; None where there are none."""
    if not segment.group_by or any(key.groups is None for key in segment.group_by):
        return None
    rows = rows_for(format)
    members = [[rows.member(path) + rows.value(value) for value in key.groups or ()]
               for path, key in zip(paths, segment.group_by, strict=True)]
    return tuple(rows.between.join(combination).encode() for combination in itertools.product(*members))


def _measure(path: str, field: Field) -> spec.Measure:
    if field.bounds is None:
        raise PolicyError(f"{path}: a measure needs bounds. Hint: bounds: [0, 1000]")
    scale = field.scale or 0
    low, high = (_units(bound, scale) for bound in field.bounds)
    return spec.Measure(path, low, high, scale, field.optional)


def _units(number: float, scale: int) -> int:
    return int(Decimal(str(number)).scaleb(scale))
