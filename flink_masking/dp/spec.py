"""What an aggregated view computes and promises, and the numbers that follow from it: sensitivities, scales, threshold.

Unit of protection: subject × window. Two windows' inputs are neighbours when they differ in all records of one subject: these are added or
taken away (``add_remove``), or others of the same subject stand in their place (``replace``).
"""

import json
import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from statistics import NormalDist
from typing import Literal, NamedTuple

from flink_masking.dp.accounting import rho_for
from flink_masking.errors import PolicyError

LARGEST_SCALE = 2**53
"""Noise of a larger scale could leave 64 bits together with an exact sum."""
SMALLEST_SCALE = Fraction(1, 64)
"""At this scale, noise other than 0 has a probability below 1e-27; a smaller one is never used."""
_SCALE_BITS = 46
MOST_WINDOWS = 1000
"""Hopping windows that a record may lie in."""
MOST_BINS = 1000
MOST_GROUPS = 100_000
NANO = 1_000_000_000
"""Parts of an epsilon that a ledger counts in."""


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

    @property
    def centre(self) -> int:
        """The middle of the bounds, that squares are taken from."""
        return (self.low + self.high) // 2

    @property
    def reach(self) -> int:
        """The largest distance of a value from the centre."""
        return max(self.high - self.centre, self.centre - self.low)


class Metric(NamedTuple):
    """A published number, or list of numbers.

    Attributes:
        name: its name in the row.
        kind: what it is.
        measure: index of its measure; None for the counts.
        bins: edges of a histogram's or of the quantiles' bins, in the measure's units, ascending. A bin holds its lower edge and not its
            upper one, but for the last; values outside count in the first or the last.
        of: the shares that the quantiles are for, 0 to 1.
    """

    name: str
    kind: Literal["count", "count_distinct_subjects", "sum", "mean", "variance", "histogram", "quantiles"]
    measure: int | None = None
    bins: tuple[int, ...] = ()
    of: tuple[float, ...] = ()


class Quantity(NamedTuple):
    """A sum (or, for ``bins``, a list of counts) that takes noise of its own; metrics are computed from these.

    Attributes:
        kind: ``subjects`` (distinct), ``records``, ``sum`` of a measure, ``squares`` of its distance from the centre, ``values`` (records
            that have a value of the measure), ``bins`` (how many of them lie in each bin).
        measure: index of the measure, None for the first two.
        bins: edges.
    """

    kind: Literal["subjects", "records", "sum", "squares", "values", "bins"]
    measure: int | None = None
    bins: tuple[int, ...] = ()


@dataclass(frozen=True)
class AggregateSpec:
    """An aggregated view, checked for what the mechanisms rest on.

    Attributes:
        window_ms: length of the event-time windows, ms, aligned to 1970-01-01T00:00:00Z.
        max_groups_per_subject: c, groups of one window in which a subject counts. 1 when there is no group_by.
        max_records_per_group: r, records of a subject that count in one of these groups.
        epsilon: privacy loss of one subject in one window, over everything published about the window.
        delta: probability, per subject and window, that this bound fails: that a group shows up only because of this subject, and with
            Gaussian noise that the loss is larger.
        metrics: what is published, in the order of the row.
        measures: the fields that metrics refer to.
        every_ms: ms from the start of a window to that of the next; 0: the length of a window (tumbling).
        mechanism: the noise.
        groups: the public list of groups, as lists of members (`flink_masking.records.codec.Rows`), all of which are published; None:
            groups are those in the data that pass the threshold.
        lifetime_epsilon: privacy loss of one subject in all windows, after which it no longer counts; None: no limit, and no ledger.
        shards: instances of the first stage, which a ledger is bound to.
        neighbours: what two inputs differ in that no reader shall tell apart.
        format: of the rows, a key of `flink_masking.records.codec.FORMATS`.
        clip: counts below 0 are shown as 0.

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
    every_ms: int = 0
    mechanism: Literal["laplace", "gaussian"] = "laplace"
    groups: tuple[bytes, ...] | None = None
    lifetime_epsilon: float | None = None
    shards: int = 1
    neighbours: Literal["add_remove", "replace"] = "add_remove"
    format: str = "json"
    clip: bool = False

    def __post_init__(self) -> None:
        """Check the invariants."""
        for name in ("window_ms", "max_groups_per_subject", "max_records_per_group"):
            _require(getattr(self, name) >= 1, f"{name} is below 1")
        _require(0 <= self.every_ms <= self.window_ms, "windows begin further apart than they are long")
        _require(self.window_ms % self.step == 0, "the length of a window is no multiple of the time from one to the next")
        _require(self.windows_per_record <= MOST_WINDOWS, f"a record lies in more than {MOST_WINDOWS} windows")
        _require(math.isfinite(self.epsilon) and self.epsilon > 0, "epsilon is not a positive number")
        _require(0 < self.delta < 1, "delta is not between 0 and 1")
        if self.lifetime_epsilon is not None:
            _require(math.isfinite(self.lifetime_epsilon) and self.lifetime_windows >= 1, "lifetime_epsilon does not reach for one window")
        if self.groups is not None:
            _require(0 < len(self.groups) <= MOST_GROUPS, f"the public list has no group, or more than {MOST_GROUPS:,}")
            _require(len(set(self.groups)) == len(self.groups), "a group is twice in the public list")
        _require(len(self.metrics) > 0, "there is no metric")
        for measure in self.measures:
            _require(measure.low <= measure.high and measure.scale >= 0, f"measure {measure.name!r}: bounds or scale are out of order")
            _require(max(-measure.low, measure.high) <= 2**53, f"measure {measure.name!r}: bounds exceed 2**53 units")
        for metric in self.metrics:
            self._check(metric)
        _require(max(map(self.sensitivity, self.quantities)) < 2**62, "one subject can change a sum by 2**62 or more")
        _require(max(map(self.scale, self.quantities)) <= LARGEST_SCALE, "the noise could leave 64 bits")

    def _check(self, metric: Metric) -> None:
        counts = metric.kind in ("count", "count_distinct_subjects")
        known = (None,) if counts else range(len(self.measures))
        _require(metric.measure in known, f"metric {metric.name!r}: its measure does not fit its kind")
        binned = metric.kind in ("histogram", "quantiles")
        _require(binned == bool(metric.bins), f"metric {metric.name!r}: bins do not fit its kind")
        ascending = all(a < b for a, b in zip(metric.bins, metric.bins[1:], strict=False))
        _require(not binned or (ascending and 2 <= len(metric.bins) <= MOST_BINS + 1), f"metric {metric.name!r}: its bins do not ascend, "
                 f"or are not 1 to {MOST_BINS:,}")
        _require((metric.kind == "quantiles") == bool(metric.of), f"metric {metric.name!r}: shares do not fit its kind")
        _require(all(0 <= q <= 1 for q in metric.of), f"metric {metric.name!r}: a quantile is not of 0 to 1")

    @property
    def step(self) -> int:
        """Ms from the start of a window to that of the next."""
        return self.every_ms or self.window_ms

    @property
    def windows_per_record(self) -> int:
        """Windows that a record lies in: 1 when they are tumbling."""
        return self.window_ms // self.step

    @cached_property
    def quantities(self) -> tuple[Quantity, ...]:
        """The distinct noisy quantities, each with an equal part of the budget.

        Where groups are not public, the distinct subjects come first, because they decide which groups are published. Metrics share
        quantities: mean, variance and sum of a field use one noisy sum, mean and variance of a field that every record has use the
        noisy number of records, histogram and quantiles over the same bins use the same counts.
        """
        wanted = [Quantity("subjects")] if self.groups is None else []
        for metric in self.metrics:
            wanted += self.used_by(metric)
        return tuple(dict.fromkeys(wanted))

    def used_by(self, metric: Metric) -> list[Quantity]:
        """The quantities that a metric is computed from."""
        match metric.kind:
            case "count":
                return [Quantity("records")]
            case "count_distinct_subjects":
                return [Quantity("subjects")]
            case "sum":
                return [Quantity("sum", metric.measure)]
            case "mean":
                return [Quantity("sum", metric.measure), self.divisor(metric)]
            case "variance":
                return [Quantity("sum", metric.measure), Quantity("squares", metric.measure), self.divisor(metric)]
        return [Quantity("bins", metric.measure, metric.bins)]

    def divisor(self, metric: Metric) -> Quantity:
        """The quantity that a mean divides its sum by."""
        assert metric.measure is not None  # checked in the constructor
        return Quantity("values", metric.measure) if self.measures[metric.measure].optional else Quantity("records")

    @cached_property
    def squared(self) -> tuple[int, ...]:
        """The measures whose squares are added up."""
        return tuple(sorted({q.measure for q in self.quantities if q.kind == "squares" and q.measure is not None}))

    @cached_property
    def binned(self) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """The measures and edges of the lists of bins, in the order of their columns."""
        return tuple((q.measure, q.bins) for q in self.quantities if q.kind == "bins" and q.measure is not None)

    def per_group(self, quantity: Quantity) -> int:
        """What one subject can change in one group at most, after bounding, in units; of bins, all together."""
        if quantity.kind == "subjects":
            return 1
        if quantity.measure is None or quantity.kind in ("values", "bins"):
            return self.max_records_per_group
        measure = self.measures[quantity.measure]
        largest = measure.reach**2 if quantity.kind == "squares" else max(abs(measure.low), abs(measure.high))
        return self.max_records_per_group * max(largest, 1)

    @property
    def changes(self) -> int:
        """Steps of adding or taking away one subject's records between neighbours: to replace them takes two."""
        return 2 if self.neighbours == "replace" else 1

    def sensitivity(self, quantity: Quantity) -> int:
        """L1 sensitivity over all groups of a window, in units."""
        return self.changes * self.max_groups_per_subject * self.per_group(quantity)

    def squared_sensitivity(self, quantity: Quantity) -> int:
        """The square of the L2 sensitivity over all groups of a window: each step is as long as one, and they may have one direction."""
        return self.changes**2 * self.max_groups_per_subject * self.per_group(quantity) ** 2

    @property
    def threshold_delta(self) -> float:
        """The part of delta that the threshold uses: none with public groups, all of it with Laplace noise, else half."""
        return 0.0 if self.groups is not None else self.delta if self.mechanism == "laplace" else self.delta / 2

    @property
    def noise_delta(self) -> float:
        """The part of delta that the noise uses."""
        return 0.0 if self.mechanism == "laplace" else self.delta - self.threshold_delta

    @cached_property
    def rho(self) -> float:
        """The zCDP loss that epsilon and the noise's delta allow for a window's Gaussian noise."""
        return rho_for(self.epsilon, self.noise_delta)

    def scale(self, quantity: Quantity) -> float:
        """Scale b of the quantity's discrete Laplace noise, or σ of its discrete Gaussian noise, in units.

        b = sensitivity / (epsilon / number of quantities); σ² = squared sensitivity / (2 · rho / number of quantities). Rounded up to a
        number that the samplers hold exactly, so that the sum of the losses never exceeds the budget, read as the decimal in the policy.
        """
        parts = len(self.quantities)
        if self.mechanism == "laplace":
            return _held(self.sensitivity(quantity) * parts / Fraction(str(self.epsilon)))
        return _held(Fraction(math.sqrt(self.squared_sensitivity(quantity) * parts / (2 * self.rho)) * (1 + 1e-12)))

    @cached_property
    def threshold(self) -> int:
        """The smallest noisy number of distinct subjects at which a group is published.

        A group that exists only because of one subject has a count of 1 and shows up if 1 + X ≥ τ. A subject makes at most c such
        groups, so the chance that any shows up is at most delta if P(X ≥ τ - 1) ≤ delta / c. Of neighbours by replacement each has up to
        c groups that the other lacks, so that it is delta / 2c.

        For discrete Laplace noise X of scale b, with p = exp(-1/b), P(X ≥ x) = p**x / (1 + p) for whole x ≥ 0: that is
        τ = 1 + ⌈b · ln(c / (delta · (1 + p)))⌉. With b = c / ε this is 1 + (c/ε) · ln(c / 2·delta) of the continuous Laplace
        distribution, made exact for whole numbers, on which the continuous formula falls short by the factor 2 / (1 + p).
        For discrete Gaussian noise, P(X ≥ x) is at most that of the continuous distribution at x - 1: τ = 2 + ⌈σ · z⌉, z the point
        beyond which delta / c of the normal distribution lies. 1 where groups are public.

        Source: Korolova et al. 2009 (releasing search queries and clicks privately); Wilson et al. 2020 (differentially private SQL);
        Canonne, Kamath and Steinke 2020 (tails of the discrete Gaussian).
        """
        if self.groups is not None:
            return 1
        c, scale = self.changes * self.max_groups_per_subject, self.scale(Quantity("subjects"))
        if self.mechanism == "gaussian":
            return 2 + max(0, math.ceil(-NormalDist().inv_cdf(self.threshold_delta / c) * scale * (1 + 1e-9)))
        needed = scale * math.log(c / (self.threshold_delta * (1 + math.exp(-1 / scale))))
        return 1 + max(0, math.ceil(needed * (1 + 1e-12)))

    @property
    def window_cost(self) -> int:
        """What a window takes of a subject's lifetime, in thousand millionths of an epsilon."""
        return math.ceil(Fraction(str(self.epsilon)) * NANO)

    @property
    def lifetime(self) -> int | None:
        """What a subject may spend in all, in the same parts."""
        return None if self.lifetime_epsilon is None else math.floor(Fraction(str(self.lifetime_epsilon)) * NANO)

    @property
    def lifetime_windows(self) -> int:
        """Windows that a subject counts in, at most; 0 where nothing limits them."""
        return 0 if self.lifetime is None else self.lifetime // self.window_cost

    @cached_property
    def shape(self) -> str:
        """What buffered contributions and partial aggregates depend on; a state of another shape cannot be continued."""
        measures = [(m.low, m.high, m.scale) for m in self.measures]
        parts: list[object] = [self.window_ms, self.max_groups_per_subject, self.max_records_per_group, measures]
        if self.every_ms or self.squared or self.binned:  # a view without them is written as it always was
            parts.append({"step": self.step, "squares": self.squared, "bins": self.binned})
        return json.dumps(parts)


def _held(exact: Fraction) -> float:
    """The smallest number t / 2**shift with t of at most 47 bits that is not below `exact` (nor below the smallest scale)."""
    exact = max(exact, SMALLEST_SCALE)
    shift = max(0, _SCALE_BITS - exact.numerator.bit_length() + exact.denominator.bit_length())
    return float(Fraction(math.ceil(exact * 2**shift), 2**shift))


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise PolicyError(f"aggregated view: {what}. Hint: see window, metrics, privacy and the measures' bounds in the policy")
