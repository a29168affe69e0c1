"""One aggregated view: its figures by window and group, and how far the promised noise takes them."""

import datetime
import math
from pathlib import Path
from typing import Any

from flink_masking.policy.model import Policy
from flink_masking.policy.segments import AggregatedSegment
from flink_masking.report.anonymized import view_figures
from flink_masking.verify.aggregated import verify_aggregated
from flink_masking.verify.budget import Budget
from flink_masking.verify.figures import instant
from flink_masking.verify.grouping import text_of
from flink_masking.verify.lines import Column, Table, member
from flink_masking.verify.records import Held, Records
from flink_masking.verify.report import Report

GROUPS, WINDOWS = 4, 200
"""Groups and windows that a series is told for, at most: those with most rows, and the first."""
_DRAWN = ("count", "count_distinct_subjects", "sum")
"""Metrics that are one noisy figure each."""
_NORMAL_95 = 1.959964


def aggregated(name: str, segment: AggregatedSegment, policy: Policy, raw: Path | Held,
               released: Path | Held) -> tuple[dict[str, Any], Report]:
    """Measure a view.

    Args:
        name: of the segment.
        segment: as in the policy.
        policy: that it belongs to.
        raw: raw records.
        released: the view.

    Returns:
        Plain values, and the verifier's report.
    """
    report = verify_aggregated(name, segment, policy, raw, released)
    keys = [key.field for key in segment.group_by]
    drawn = [one for one, metric in segment.metrics.items() if metric.kind in _DRAWN]
    names = ["window_start", *keys, *drawn]
    columns = [Column() for _ in names]
    getters = [(member(one), column) for one, column in zip(names, columns, strict=True)]
    rows = Table(Records(released, policy, flat=True, literals=drawn, once=True), getters)
    cells = [[column.values[code] for code in codes.tolist()] for column, codes in zip(columns, rows.codes, strict=True)]
    groups = [", ".join(_label(column[at]) for column in cells[1 : 1 + len(keys)]) or "all" for at in range(rows.size)]
    counted = {group: groups.count(group) for group in dict.fromkeys(groups)}
    chosen = sorted(counted, key=lambda group: (-counted[group], group))[:GROUPS]
    series = []
    for number, metric in enumerate(drawn, 1 + len(keys)):
        error = error_95(segment, policy, metric)
        points = [{"window": _time(cells[0][at]), "group": groups[at], "value": cells[number][at]} for at in range(rows.size)
                  if groups[at] in chosen and isinstance(cells[number][at], int | float)]
        points.sort(key=lambda point: (str(point["group"]), str(point["window"])))
        series.append({"metric": metric, "error_95": error, "points": _first(points)})
    told = view_figures(report)
    told["figures"].pop("people behind a row", None)  # an exact count: what the noise is there to hide
    told |= {"group_by": keys, "groups": len(counted), "groups_told": chosen, "series": series,
             "not_drawn": [one for one in segment.metrics if one not in drawn], "epsilon": segment.privacy.epsilon,
             "delta": segment.privacy.delta, "mechanism": segment.privacy.mechanism, "lifetime_epsilon": segment.privacy.lifetime_epsilon}
    return told, report


def error_95(segment: AggregatedSegment, policy: Policy, metric: str) -> float:
    """The distance that the promised noise keeps to in 95 of 100 draws, in the unit of the metric."""
    budget = Budget(segment, policy.fields)
    quantity = budget.used_by(segment.metrics[metric])[0]
    noise = budget.noise(quantity)
    units = noise.scale * (math.log(20) if noise.kind == "laplace" else _NORMAL_95)
    return float(units / 10 ** budget.scale_of(quantity.field)) if quantity.kind == "sum" else float(units)


def _label(value: Any) -> str:
    return value if isinstance(value, str) else text_of(value)


def _first(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    windows = set(sorted({str(point["window"]) for point in points})[:WINDOWS])
    return [point for point in points if point["window"] in windows]


def _time(value: Any) -> str:
    moment = instant(value)
    return datetime.datetime.fromtimestamp(moment / 1000, datetime.UTC).isoformat() if moment > 0 else ""
