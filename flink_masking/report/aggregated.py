"""One aggregated view: its figures by window and group, and how far the promised noise takes them."""

import datetime
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from flink_masking.dp.spec import AggregateSpec
from flink_masking.policy.model import Policy
from flink_masking.policy.segments import AggregatedSegment
from flink_masking.report.bands import Band, Bands
from flink_masking.verify.aggregated import verify_aggregated
from flink_masking.verify.budget import Budget
from flink_masking.verify.figures import instant
from flink_masking.verify.grouping import text_of
from flink_masking.verify.lines import Column, Table, member
from flink_masking.verify.passed_on import passed_on
from flink_masking.verify.records import Held, Records
from flink_masking.verify.report import Report

GROUPS, WINDOWS = 4, 200
"""Groups and windows that a series is told for, at most: those with most rows, and the first."""
_OF_ITSELF = ("count", "count_distinct_subjects", "sum", "histogram")
"""Metrics whose noise does not depend on other figures."""
_NORMAL_95 = 1.959964


class Row(NamedTuple):
    """A published row.

    Attributes:
        window: its start, ISO 8601, UTC.
        group: its label.
        figures: by metric, as published.
    """

    window: str
    group: str
    figures: dict[str, Any]


def aggregated(name: str, segment: AggregatedSegment, policy: Policy, raw: Path | Held, released: Path | Held,
               spec: AggregateSpec) -> tuple[dict[str, Any], Report]:
    """Measure a view.

    Args:
        name: of the segment.
        segment: as in the policy.
        policy: that it belongs to.
        raw: raw records.
        released: the view.
        spec: of the loaded policy, for the bands.

    Returns:
        Plain values, and the verifier's report as it may be passed on.
    """
    report = passed_on(verify_aggregated(name, segment, policy, raw, released), policy)
    keys, metrics, bands = [key.field for key in segment.group_by], list(segment.metrics), Bands(spec)
    errors = {one: error_95(segment, policy, one) for one, metric in segment.metrics.items() if metric.kind in _OF_ITSELF}
    names = ["window_start", *keys, *metrics]
    columns = [Column() for _ in names]
    getters = [(member(one), column) for one, column in zip(names, columns, strict=True)]
    rows = Table(Records(released, policy, flat=True, literals=metrics, once=True), getters)
    cells = [[column.values[code] for code in codes.tolist()] for column, codes in zip(columns, rows.codes, strict=True)]
    groups = [", ".join(_label(column[at]) for column in cells[1 : 1 + len(keys)]) or "all" for at in range(rows.size)]
    counted = {group: groups.count(group) for group in dict.fromkeys(groups)}
    chosen = sorted(counted, key=lambda group: (-counted[group], group))[:GROUPS]
    found = [Row(_time(cells[0][at]), groups[at], dict(zip(metrics, (column[at] for column in cells[1 + len(keys) :]), strict=True)))
             for at in range(rows.size) if groups[at] in chosen]
    found.sort(key=lambda row: (row.group, row.window))
    told = report.as_dict()
    told |= {"group_by": keys, "groups": len(counted), "groups_told": chosen, "epsilon": segment.privacy.epsilon,
             "series": [one for metric in metrics for one in series_of(metric, errors.get(metric), bands, found)],
             "histograms": [histogram_of(metric, errors[metric], found) for metric, declared in segment.metrics.items()
                            if declared.kind == "histogram"],
             "delta": segment.privacy.delta, "mechanism": segment.privacy.mechanism, "lifetime_epsilon": segment.privacy.lifetime_epsilon}
    return told, report


def error_95(segment: AggregatedSegment, policy: Policy, metric: str) -> float:
    """The distance that the promised noise keeps to in 95 of 100 draws, in the unit of the metric.

    Args:
        segment: as in the policy.
        policy: that it belongs to.
        metric: name of a count, a sum or a histogram, each of whose bins is a count.
    """
    budget = Budget(segment, policy.fields)
    quantity = budget.used_by(segment.metrics[metric])[0]
    noise = budget.noise(quantity)
    units = noise.scale * (math.log(20) if noise.kind == "laplace" else _NORMAL_95)
    return float(units / 10 ** budget.scale_of(quantity.field)) if quantity.kind == "sum" else float(units)


def series_of(metric: str, error: float | None, bands: Bands, rows: list[Row]) -> list[dict[str, Any]]:
    """The figures of a metric by window and group, one series for each quantile; none of a histogram.

    Args:
        metric: its name.
        error: half the width of its band where that is the same in all rows.
        bands: of the others.
        rows: by group and window.

    Returns:
        For each series ``error_95``, where it is the same for all points, and points with ``low`` and ``high``, where the row publishes
        what they depend on.
    """
    declared = bands.metrics[metric]
    if declared.kind == "histogram":
        return []
    if declared.kind == "quantiles":
        return [{"metric": f"{metric} {share:g}", "kind": "quantiles", "error_95": None, "points": _first([
            _point(row, (row.figures.get(metric) or {}).get(f"{share:g}"), bands.quantile(metric, share, row.figures)) for row in rows])}
            for share in declared.of]
    points = []
    for row in rows:
        value = row.figures.get(metric)
        if error is None:
            band = bands.ratio(metric, row.figures)
        else:
            band = Band(value - error, value + error) if isinstance(value, int | float) else None
        points.append(_point(row, value, band))
    return [{"metric": metric, "kind": declared.kind, "error_95": error, "points": _first(points)}]


def histogram_of(metric: str, error: float, rows: list[Row]) -> dict[str, Any]:
    """The last published histogram of each group: bins with their counts, and how far the noise takes each."""
    last = {row.group: row for row in rows if isinstance(row.figures.get(metric), Mapping)}
    bars = []
    for group, row in last.items():
        edges, counts = row.figures[metric]["bins"], row.figures[metric]["counts"]
        bars += [{"group": group, "window": row.window, "label": f"{low:g}–{high:g}", "value": count}
                 for low, high, count in zip(edges, edges[1:], counts, strict=False)]
    return {"metric": metric, "error_95": error, "bars": bars}


def _point(row: Row, value: Any, band: Band | None) -> dict[str, Any]:
    known = {} if band is None else {"low": band.low, "high": band.high}
    return {"window": row.window, "group": row.group, "value": value, **known}


def _label(value: Any) -> str:
    return value if isinstance(value, str) else text_of(value)


def _first(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    points = [point for point in points if isinstance(point["value"], int | float)]
    windows = set(sorted({str(point["window"]) for point in points})[:WINDOWS])
    return [point for point in points if point["window"] in windows]


def _time(value: Any) -> str:
    moment = instant(value)
    return datetime.datetime.fromtimestamp(moment / 1000, datetime.UTC).isoformat() if moment > 0 else ""
