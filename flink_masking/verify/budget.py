"""What an aggregated segment's privacy parameters mean for its figures: their noise, and the threshold of groups; reckoned anew.

Sources: Dwork and Roth 2014 (Laplace mechanism, composition); Canonne, Kamath and Steinke 2020 (discrete Gaussian, conversion of zCDP).
"""

import math
from collections.abc import Mapping
from functools import cached_property
from statistics import NormalDist
from typing import NamedTuple

from flink_masking.policy.fields import Field
from flink_masking.policy.segments import AggregatedSegment, Metric
from flink_masking.verify.noise import Noise

_STEPS = 120


class Quantity(NamedTuple):
    """A figure that takes noise of its own.

    Attributes:
        kind: subjects, records, sum, squares, values or bins.
        field: of which field; None for the first two.
        bins: edges, as the policy writes them.
    """

    kind: str
    field: str | None = None
    bins: tuple[float, ...] = ()


class Budget:
    """The noise of a segment's figures.

    Attributes:
        quantities: each takes an equal part of the budget.
        groups: groups that a person counts in, a window.
        records: records of a person that count in a group.
        public: whether groups are those of a public list.
    """

    def __init__(self, segment: AggregatedSegment, fields: Mapping[str, Field]) -> None:
        """Take the parameters."""
        self._privacy, self._fields = segment.privacy, fields
        self.public = bool(segment.group_by) and all(key.groups is not None for key in segment.group_by)
        self.groups = segment.privacy.max_groups_per_subject if segment.group_by else 1
        if self.public:
            self.groups = min(self.groups, math.prod(len(key.groups or ()) for key in segment.group_by))
        self.records = segment.privacy.max_records_per_group
        self._changes = 2 if segment.privacy.neighbours == "replace" else 1  # records of a person that go, and others that come
        wanted = [] if self.public else [Quantity("subjects")]
        for metric in segment.metrics.values():
            wanted += self.used_by(metric)
        self.quantities = tuple(dict.fromkeys(wanted))

    def used_by(self, metric: Metric) -> list[Quantity]:
        """The noisy figures that a metric is made of."""
        if metric.kind == "count":
            return [Quantity("records")]
        if metric.kind == "count_distinct_subjects":
            return [Quantity("subjects")]
        if metric.kind in ("histogram", "quantiles"):
            return [Quantity("bins", metric.field, tuple(metric.bins))]
        found = [Quantity("sum", metric.field)]
        if metric.kind == "variance":
            found.append(Quantity("squares", metric.field))
        return found if metric.kind == "sum" else [*found, self.divisor(metric)]

    def divisor(self, metric: Metric) -> Quantity:
        """What a mean divides its sum by: the records that have a value."""
        optional = metric.field is not None and self._fields[metric.field].optional
        return Quantity("values", metric.field) if optional else Quantity("records")

    def noise(self, quantity: Quantity) -> Noise:
        """What the policy promises to add to a figure, in its units."""
        parts, privacy = len(self.quantities), self._privacy
        each = self._each(quantity) * self._changes
        if privacy.mechanism == "laplace":
            return Noise("laplace", max(1 / 64, self.groups * each * parts / privacy.epsilon))
        return Noise("gaussian", max(1 / 64, math.sqrt(self.groups * each**2 * parts / (2 * self._rho))))

    @cached_property
    def _rho(self) -> float:
        """The zCDP loss of a window's Gaussian noise."""
        return _rho(self._privacy.epsilon, self._privacy.delta if self.public else self._privacy.delta / 2)

    @property
    def threshold(self) -> int:
        """The smallest noisy number of people with which a group from the data is published."""
        if self.public:
            return 1
        noise, share = self.noise(Quantity("subjects")), self._privacy.delta / (self._changes * self.groups)
        if noise.kind == "gaussian":
            return 2 + max(0, math.ceil(-NormalDist().inv_cdf(share / 2) * noise.scale * (1 - 1e-9)))
        return 1 + max(0, math.ceil(noise.scale * math.log(1 / (share * (1 + math.exp(-1 / noise.scale)))) * (1 - 1e-12)))

    def units(self, field: str, number: float) -> int:
        """A number of a measure in its units."""
        return round(number * 10 ** self.scale_of(field))

    def scale_of(self, field: str | None) -> int:
        """Decimals of a measure's units."""
        return 0 if field is None else self._fields[field].scale or 0

    def bounds(self, field: str) -> tuple[int, int]:
        """What a measure is clipped to, in its units."""
        low, high = self._fields[field].bounds or (0, 0)
        return self.units(field, low), self.units(field, high)

    def _each(self, quantity: Quantity) -> int:
        """What one person can change in one group."""
        if quantity.kind == "subjects":
            return 1
        if quantity.kind not in ("sum", "squares") or quantity.field is None:
            return self.records
        low, high = self.bounds(quantity.field)
        centre = (low + high) // 2
        largest = max(high - centre, centre - low) ** 2 if quantity.kind == "squares" else max(abs(low), abs(high))
        return self.records * max(largest, 1)


def _rho(epsilon: float, delta: float) -> float:
    """The zCDP loss that an epsilon and delta allow, by the conversion of Canonne, Kamath and Steinke (2020), corollary 13."""
    low, high = 0.0, epsilon + 2 * math.log(1 / delta) + 1
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _log_delta(middle, epsilon) <= math.log(delta) else (low, middle)
    return low


def _log_delta(rho: float, epsilon: float) -> float:
    """The least bound over all orders alpha above 1, whose logarithm is convex in alpha: by thirds."""

    def bound(alpha: float) -> float:
        return (alpha - 1) * (alpha * rho - epsilon) + alpha * math.log1p(-1 / alpha) - math.log(alpha - 1)

    low, high = 1 + 1e-9, max(2.0, (epsilon + 1) / max(rho, 1e-12) + 2)
    for _ in range(_STEPS):
        one, two = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, two) if bound(one) < bound(two) else (one, high)
    return min(0.0, bound(low))
