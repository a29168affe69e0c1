"""How far noise alone moves a published number. Clipping, bounding and what is suppressed come on top.

Ratios (means, variances, quantiles) are by the delta method: right for groups that are large against the noise.
"""

import math
from statistics import NormalDist

from flink_masking.dp.spec import AggregateSpec, Metric, Quantity

_IN_95 = {"laplace": math.log(20) / math.sqrt(2), "gaussian": NormalDist().inv_cdf(0.975)}
"""Standard deviations that 95 of 100 draws lie within; of sums of Laplace draws, a few more do."""


def deviation(spec: AggregateSpec, quantity: Quantity) -> float:
    """Standard deviation of a quantity's noise, in its units (of bins: of each).

    Discrete Laplace noise of scale b: √(2p) / (1 - p), p = exp(-1/b), which is close to √2 · b. Discrete Gaussian noise: at most σ.
    """
    scale = spec.scale(quantity)
    if spec.mechanism == "gaussian":
        return scale
    return math.sqrt(2) * math.exp(-0.5 / scale) / -math.expm1(-1 / scale)


def ratio_deviation(spec: AggregateSpec, metric: Metric, records: float, mean: float, variance: float) -> float:
    """Standard deviation of a mean or variance, in units or units squared.

    Args:
        spec: the view.
        metric: a mean or a variance.
        records: that have a value, in the group.
        mean: of their values, in units.
        variance: of them, in units squared.
    """
    sums, *squares, counts = (deviation(spec, quantity) for quantity in spec.used_by(metric))
    if not squares:
        return math.hypot(sums, mean * counts) / records
    assert metric.measure is not None
    offset = mean - spec.measures[metric.measure].centre
    return math.hypot(squares[0], 2 * offset * sums, (2 * offset * mean - variance - offset * offset) * counts) / records


def rank_deviation(spec: AggregateSpec, metric: Metric, share: float, bins_below: float) -> float:
    """Standard deviation of a quantile's rank, in records.

    Args:
        spec: the view.
        metric: of kind quantiles.
        share: of the records that lie below, 0 to 1.
        bins_below: bins below the quantile, and the part of its own that is.
    """
    whole, bins = int(bins_below), len(metric.bins) - 1
    square = whole * (1 - share) ** 2 + (bins - whole) * share**2
    if whole < bins:
        square += (bins_below - whole - share) ** 2 - share**2
    return deviation(spec, spec.used_by(metric)[0]) * math.sqrt(square)


def within_95(spec: AggregateSpec, standard_deviation: float) -> float:
    """The distance that 95 of 100 published numbers keep to."""
    return standard_deviation * _IN_95[spec.mechanism]
