"""From checked segments to the values that the anonymity and privacy mechanisms are built from."""

from collections.abc import Mapping
from decimal import Decimal

from flink_masking.anonymity.dimensions import DateDimension, Dimension, HierarchyDimension, NumberDimension, PrefixDimension
from flink_masking.dp import spec
from flink_masking.errors import PolicyError
from flink_masking.hierarchy import Hierarchy
from flink_masking.policy.fields import Field
from flink_masking.policy.model import Policy
from flink_masking.policy.segments import AggregatedSegment


def dimension(field: Field, hierarchies: Mapping[str, Hierarchy]) -> Dimension:
    """The dimension of a quasi-identifier.

    Args:
        field: has a domain, a hierarchy or a prefix.
        hierarchies: by file name, as written in the policy.

    Raises:
        PolicyError: the field has none of them, or the dimension cannot be built from it.
    """
    if field.hierarchy is not None:
        return HierarchyDimension(hierarchies[field.hierarchy])
    if field.prefix is not None:
        return PrefixDimension(field.prefix)
    if field.domain is None:
        raise PolicyError("a quasi-identifier needs a domain, a hierarchy or a prefix. Hint: domain: [low, high]")
    low, high = field.domain
    if isinstance(low, str) and isinstance(high, str):
        return DateDimension(low, high)
    return NumberDimension(low, high, field.scale or 0)


def aggregate_spec(segment: AggregatedSegment, policy: Policy) -> spec.AggregateSpec:
    """What an aggregated segment computes and promises.

    Args:
        segment: checked: a tumbling window, and metrics of declared measures with bounds.
        policy: the policy that it belongs to.

    Raises:
        PolicyError: the numbers are beyond what the mechanisms hold.
    """
    fields = list(dict.fromkeys(metric.field for metric in segment.metrics.values() if metric.field is not None))
    metrics = []
    for name, metric in segment.metrics.items():
        kind = metric.kind
        if kind == "variance" or kind == "histogram":
            raise PolicyError(f"metric {kind} is not available yet. Hint: use count, sum or mean")
        metrics.append(spec.Metric(name, kind, None if metric.field is None else fields.index(metric.field)))
    if segment.window.tumbling is None:
        raise PolicyError("a hopping window is not available yet. Hint: use {tumbling: 1min}")
    privacy = segment.privacy
    return spec.AggregateSpec(
        segment.window.tumbling,
        privacy.max_groups_per_subject if segment.group_by else 1,
        privacy.max_records_per_group,
        privacy.epsilon,
        privacy.delta,
        tuple(metrics),
        tuple(_measure(path, policy.fields[path]) for path in fields),
    )


def _measure(path: str, field: Field) -> spec.Measure:
    if field.bounds is None:
        raise PolicyError(f"{path}: a measure needs bounds. Hint: bounds: [0, 1000]")
    scale = field.scale or 0
    low, high = (int(Decimal(str(bound)).scaleb(scale)) for bound in field.bounds)
    return spec.Measure(path, low, high, scale, field.optional)
