"""What an aggregated view computes and promises, and the numbers that follow from it: sensitivities, scales, threshold.

Unit of protection: subject × window. Two windows' inputs are neighbours when they differ in all records of one subject.
"""

import json
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple

from flink_masking.errors import PolicyError


class Measure(NamedTuple):
    """A number field that metrics add up, in fixed point.

    Attributes:
        name: the field's path.
        low: public lower bound, in units of 10**-scale; smaller values are clipped to it.
        high: public upper bound, in the same units.
        scale: decimals of a unit, 0 or more.
        optional: whether a record may lack a value.
    """

    name: str
    low: int
    high: int
    scale: int
    optional: bool


class Metric(NamedTuple):
    """A published number.

    Attributes:
        name: its name in the row.
        kind: what it is.
        measure: index of its measure for ``sum`` and ``mean``, None for the others.
    """

    name: str
    kind: Literal["count", "count_distinct_subjects", "sum", "mean"]
    measure: int | None = None


class Quantity(NamedTuple):
    """A sum that takes noise of its own; metrics are computed from these.

    Attributes:
        kind: ``subjects`` (distinct), ``records``, ``sum`` of a measure, ``values`` (records that have a value of the measure).
        measure: index of the measure for ``sum`` and ``values``.
    """

    kind: Literal["subjects", "records", "sum", "values"]
    measure: int | None = None


@dataclass(frozen=True)
class AggregateSpec:
    """An aggregated view, checked for what the mechanisms rest on.

    Attributes:
        window_ms: length of the tumbling event-time windows, ms, aligned to 1970-01-01T00:00:00Z.
        max_groups_per_subject: c, groups of one window in which a subject counts. 1 when there is no group_by.
        max_records_per_group: r, records of a subject that count in one of these groups.
        epsilon: privacy loss of one subject in one window, over everything published about the window.
        delta: probability, per subject and window, that a group shows up only because of this subject.
        metrics: what is published, in the order of the row.
        measures: the fields that metrics refer to.

    Raises:
        PolicyError: a number out of range, a metric without its measure, or sensitivities beyond 64 bits.
    """

    window_ms: int
    max_groups_per_subject: int
    max_records_per_group: int
    epsilon: float
    delta: float
    metrics: tuple[Metric, ...]
    measures: tuple[Measure, ...] = ()

    def __post_init__(self) -> None:
        """Check the invariants."""
        for name in ("window_ms", "max_groups_per_subject", "max_records_per_group"):
            _require(getattr(self, name) >= 1, f"{name} is below 1")
        _require(math.isfinite(self.epsilon) and self.epsilon > 0, "epsilon is not a positive number")
        _require(0 < self.delta < 1, "delta is not between 0 and 1")
        _require(len(self.metrics) > 0, "there is no metric")
        for measure in self.measures:
            _require(measure.low <= measure.high and measure.scale >= 0, f"measure {measure.name!r}: bounds or scale are out of order")
            _require(max(-measure.low, measure.high) <= 2**53, f"measure {measure.name!r}: bounds exceed 2**53 units")
        for metric in self.metrics:
            known = range(len(self.measures)) if metric.kind in ("sum", "mean") else (None,)
            _require(metric.measure in known, f"metric {metric.name!r}: its measure does not fit its kind")
        _require(max(map(self.sensitivity, self.quantities)) < 2**62, "one subject can change a sum by 2**62 or more")

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """The distinct noisy quantities; the distinct subjects come first, because they decide which groups are published.

        Metrics share them: the mean and the sum of a field use one noisy sum, and the mean of a field that every record has
        divides by the noisy number of records.
        """
        wanted = [Quantity("subjects")]
        for metric in self.metrics:
            if metric.kind == "count":
                wanted.append(Quantity("records"))
            elif metric.kind in ("sum", "mean"):
                wanted.append(Quantity("sum", metric.measure))
            if metric.kind == "mean":
                wanted.append(self.divisor(metric))
        return tuple(dict.fromkeys(wanted))

    def divisor(self, metric: Metric) -> Quantity:
        """The quantity that a mean divides its sum by."""
        assert metric.measure is not None  # checked in the constructor
        return Quantity("values", metric.measure) if self.measures[metric.measure].optional else Quantity("records")

    def sensitivity(self, quantity: Quantity) -> int:
        """L1 sensitivity over all groups of a window: what one subject can change at most, after bounding, in units."""
        if quantity.kind == "subjects":
            return self.max_groups_per_subject
        records = self.max_groups_per_subject * self.max_records_per_group
        if quantity.kind != "sum" or quantity.measure is None:
            return records
        measure = self.measures[quantity.measure]
        return records * max(abs(measure.low), abs(measure.high), 1)

    def scale(self, quantity: Quantity) -> float:
        """Scale b of the quantity's discrete Laplace noise, in units: sensitivity / (epsilon / number of quantities).

        Rounded up where a float cannot hold it, so that the sum of the losses never exceeds epsilon, read as the decimal in the policy.
        """
        exact = self.sensitivity(quantity) * len(self.quantities) / Fraction(str(self.epsilon))
        scale = float(exact)
        return scale if Fraction(scale) >= exact else math.nextafter(scale, math.inf)

    @property
    def threshold(self) -> int:
        """The smallest noisy number of distinct subjects at which a group is published.

        A group that exists only because of one subject has a count of 1 and shows up if 1 + X ≥ τ. For discrete Laplace noise X of
        scale b, with p = exp(-1/b), P(X ≥ x) = p**x / (1 + p) for whole x ≥ 0. A subject makes at most c such groups, so the chance
        that any shows up is at most delta if P(X ≥ τ - 1) ≤ delta / c, that is τ = 1 + ⌈b · ln(c / (delta · (1 + p)))⌉. With
        b = c / ε this is 1 + (c/ε) · ln(c / 2·delta) of the continuous Laplace distribution, made exact for whole numbers, on which the
        continuous formula falls short by the factor 2 / (1 + p).

        Source: Korolova et al. 2009 (releasing search queries and clicks privately); Wilson et al. 2020 (differentially private SQL).
        """
        b = self.scale(Quantity("subjects"))
        needed = b * math.log(self.max_groups_per_subject / (self.delta * (1 + math.exp(-1 / b))))
        return 1 + max(0, math.ceil(needed * (1 + 1e-12)))

    def expected_error(self) -> dict[str, float]:
        """How far noise alone moves a published number in 95 of 100 groups, in the metric's own unit; means are left out.

        The error of a mean is about the error of its sum divided by the number of records. Clipping and bounding come on top.
        """
        errors = {}
        for metric in self.metrics:
            kinds = {"count": Quantity("records"), "count_distinct_subjects": Quantity("subjects"), "sum": Quantity("sum", metric.measure)}
            if metric.kind in kinds:
                decimals = self.measures[metric.measure].scale if metric.measure is not None else 0
                errors[metric.name] = self.scale(kinds[metric.kind]) * math.log(20) / 10**decimals
        return errors

    @property
    def shape(self) -> str:
        """What buffered contributions depend on; a state of another shape cannot be continued."""
        measures = [(m.low, m.high, m.scale) for m in self.measures]
        return json.dumps([self.window_ms, self.max_groups_per_subject, self.max_records_per_group, measures])


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise PolicyError(f"aggregated view: {what}. Hint: see window, privacy and the measures' bounds in the policy")
