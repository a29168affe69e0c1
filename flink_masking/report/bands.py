"""How far the promised noise takes the figures of an aggregated view: 95 of 100 draws lie in the band.

Counts and sums have one band for all rows, see `flink_masking.report.aggregated.error_95`. Means, variances and quantiles are ratios:
theirs follows from what the row publishes besides, by the delta method, as in ``dp explain``: it is right for groups that are large against
the noise. Nothing here reads raw records.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from flink_masking.dp.accuracy import rank_deviation, ratio_deviation, within_95
from flink_masking.dp.spec import AggregateSpec, Metric

Row = Mapping[str, Any]


class Band(NamedTuple):
    """Where a figure would be without noise, in 95 of 100 draws.

    Attributes:
        low: in the unit of the metric.
        high: likewise.
    """

    low: float
    high: float


class Bands:
    """The bands of the ratios of one view."""

    def __init__(self, spec: AggregateSpec) -> None:
        """Take the view.

        Args:
            spec: of the loaded policy.
        """
        self._spec = spec
        self.metrics = {metric.name: metric for metric in spec.metrics}

    def ratio(self, name: str, row: Row) -> Band | None:
        """The band of a mean or variance; None where the row does not publish how many records there are.

        Args:
            name: of the metric.
            row: published figures by metric.
        """
        metric, value = self.metrics[name], _number(row.get(name))
        records = self._records(metric, row)
        if value is None or records is None:
            return None
        unit = self._unit(metric)
        if metric.kind == "mean":
            half = ratio_deviation(self._spec, metric, records, value * unit, 0.0)
            return _around(value, within_95(self._spec, half) / unit)
        half = max(ratio_deviation(self._spec, metric, records, mean, value * unit**2) for mean in self._means(metric, row, records))
        low, high = _around(value, within_95(self._spec, half) / unit**2)
        return Band(max(0.0, low), high)

    def quantile(self, name: str, share: float, row: Row) -> Band | None:
        """The band of a quantile, in whole bins, since it is as fine as these.

        That of its rank is read off the published quantiles and the outermost edges, straight lines in between.

        Args:
            name: of the metric.
            share: the quantile's, 0 to 1, as the policy has it.
            row: published figures by metric.
        """
        metric = self.metrics[name]
        told = {float(one): number for one, value in (row.get(name) or {}).items() if (number := _number(value)) is not None}
        records = self._records(metric, row)
        if share not in told or records is None:
            return None
        unit = self._unit(metric)
        edges = [edge / unit for edge in metric.bins]
        error = within_95(self._spec, rank_deviation(self._spec, metric, share, _bins_below(told[share], edges))) / records
        ranks = [0.0, *sorted(told), 1.0]
        values = [edges[0], *(told[one] for one in sorted(told)), edges[-1]]
        low, high = _read(share - error, ranks, values), _read(share + error, ranks, values)
        return Band(max((edge for edge in edges if edge <= low), default=edges[0]),
                    min((edge for edge in edges if edge >= high), default=edges[-1]))

    def _unit(self, metric: Metric) -> float:
        return 1.0 if metric.measure is None else float(10 ** self._spec.measures[metric.measure].scale)

    def _records(self, metric: Metric, row: Row) -> float | None:
        """The published number of the records that a ratio is over, at least 1: a count, or all bins of a histogram of the field."""
        assert metric.measure is not None
        optional = self._spec.measures[metric.measure].optional
        for name, other in self.metrics.items():
            if other.kind == "count" and not optional and (count := _number(row.get(name))) is not None:
                return max(1.0, count)
            if other.kind == "histogram" and other.measure == metric.measure and isinstance(row.get(name), Mapping):
                return max(1.0, float(sum(row[name]["counts"])))
        return None

    def _means(self, metric: Metric, row: Row, records: float) -> list[float]:
        """What the mean may be, in units: the published one, or that of the published sum; else both bounds, of which the worse counts."""
        assert metric.measure is not None
        measure, unit = self._spec.measures[metric.measure], self._unit(metric)
        for name, other in self.metrics.items():
            if other.measure == metric.measure and other.kind in ("mean", "sum") and (value := _number(row.get(name))) is not None:
                return [value * unit / (records if other.kind == "sum" else 1.0)]
        return [float(measure.low), float(measure.high)]


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _around(value: float, half: float) -> Band:
    return Band(value - half, value + half)


def _bins_below(value: float, edges: Sequence[float]) -> float:
    """Bins below a value, and the part of its own that is."""
    for number, (low, high) in enumerate(pairwise(edges)):
        if value < high:
            return number + max(0.0, (value - low) / (high - low))
    return float(len(edges) - 1)


def _read(rank: float, ranks: Sequence[float], values: Sequence[float]) -> float:
    """The value at a rank, on straight lines between those that are known."""
    if rank <= 0:
        return values[0]
    for (low, high), (first, last) in zip(pairwise(ranks), pairwise(values), strict=True):
        if rank <= high:
            return first + (last - first) * ((rank - low) / (high - low) if high > low else 1.0)
    return values[-1]
