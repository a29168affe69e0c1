"""Published rows of an aggregated view, as JSON lines made from whole numbers.

All of it is post-processing of noisy numbers and of the public policy, so it costs no privacy.
"""

import json
from bisect import bisect_left
from collections.abc import Iterable
from fractions import Fraction
from typing import Literal

import numpy as np

from flink_masking.dp.spec import AggregateSpec, Measure, Metric, Quantity

MEAN_DECIMALS = 2
"""Decimals that a mean has beyond those of its measure, and a variance beyond those of its square."""


def decimal(units: int, scale: int) -> str:
    """A fixed-point number as JSON text.

    >>> decimal(-5, 2), decimal(1234, 0)
    ('-0.05', '1234')
    """
    if scale == 0:
        return str(units)
    text = str(units)
    if units > 0 and len(text) > scale:  # the usual case, at half the time
        return f"{text[:-scale]}.{text[-scale:]}"
    digits = str(abs(units)).rjust(scale + 1, "0")
    return f"{'-' if units < 0 else ''}{digits[:-scale]}.{digits[-scale:]}"


def rounded(numerator: int, denominator: int) -> int:
    """The nearest whole number, of two the larger; the denominator is above 0.

    >>> rounded(7, 2), rounded(-7, 3)
    (4, -2)
    """
    return (2 * numerator + denominator) // (2 * denominator)


def render(spec: AggregateSpec, start: int, groups: list[bytes], noisy: dict[Quantity, np.ndarray]) -> bytes:
    """The rows of one window.

    Args:
        spec: the view.
        start: the window's start, ms since 1970.
        groups: the published groups, each as JSON members without braces.
        noisy: for each quantity, int64 by published group (and bin).

    Returns:
        JSON objects joined by newlines, members in the order window_start, window_end, the group's, metrics as in the policy, epsilon.
        Counts are whole and at least 0. Sums have the measure's decimals and may lie beyond what is possible, because cutting them would
        bias totals. Means have two decimals more and stay within the measure's bounds; variances, in the measure's unit squared, stay
        between 0 and what the bounds allow; both are null where the noisy count is below 1. A histogram is
        ``{"bins": [edges], "counts": [one less]}``. Quantiles are by their share, interpolated within their bin, null where all bins are
        empty.
    """
    unit: Literal["s", "ms"] = "s" if spec.window_ms % 1000 == 0 and spec.step % 1000 == 0 else "ms"
    bounds = [f"{np.datetime_as_string(np.datetime64(at, 'ms'), unit=unit)}Z" for at in (start, start + spec.window_ms)]
    head = f'{{"window_start":"{bounds[0]}","window_end":"{bounds[1]}"'
    columns = []
    for metric in spec.metrics:
        name = f",{json.dumps(metric.name, ensure_ascii=False)}:"
        columns.append([name + text for text in _metric(spec, metric, [noisy[q].tolist() for q in spec.used_by(metric)])])
    tail = f',"epsilon":{json.dumps(float(spec.epsilon))}}}'
    members = [f",{group.decode()}" if group else "" for group in groups]
    return "\n".join(head + "".join(cells) + tail for cells in zip(members, *columns, strict=True)).encode()


def _metric(spec: AggregateSpec, metric: Metric, numbers: list[list[int]]) -> Iterable[str]:
    """The JSON text of a metric by published group, from the noisy numbers of its quantities."""
    if metric.measure is None:
        return [str(max(0, n)) for n in numbers[0]]
    measure = spec.measures[metric.measure]
    match metric.kind:
        case "sum":
            return [decimal(units, measure.scale) for units in numbers[0]]
        case "mean":
            return _means(measure, *numbers)
        case "variance":
            return _variances(measure, *numbers)
        case "histogram":
            edges = ",".join(decimal(edge, measure.scale) for edge in metric.bins)
            counts: list[list[int]] = numbers[0]  # type: ignore[assignment]
            return [f'{{"bins":[{edges}],"counts":[{",".join(str(max(0, n)) for n in row)}]}}' for row in counts]
    shares = [(json.dumps(str(q)), Fraction(str(q))) for q in metric.of]
    rows: list[list[int]] = np.maximum(np.array(numbers[0]), 0).cumsum(axis=1).tolist()
    return ["{" + ",".join(f"{name}:{_quantile(measure, metric.bins, row, share)}" for name, share in shares) + "}" for row in rows]


def _means(measure: Measure, sums: list[int], counts: list[int]) -> Iterable[str]:
    finer, decimals = 10**MEAN_DECIMALS, measure.scale + MEAN_DECIMALS
    low, high = measure.low * finer, measure.high * finer
    for total, n in zip(sums, counts, strict=True):
        yield decimal(min(max(rounded(total * finer, n), low), high), decimals) if n >= 1 else "null"


def _variances(measure: Measure, sums: list[int], squares: list[int], counts: list[int]) -> Iterable[str]:
    """Mean square distance from the centre less the square of the mean distance."""
    finer, decimals = 10**MEAN_DECIMALS, 2 * measure.scale + MEAN_DECIMALS
    largest = finer * (measure.high - measure.low) ** 2 // 4
    for total, square, n in zip(sums, squares, counts, strict=True):
        variance = rounded((square * n - (total - measure.centre * n) ** 2) * finer, n * n) if n >= 1 else 0
        yield decimal(min(max(variance, 0), largest), decimals) if n >= 1 else "null"


def _quantile(measure: Measure, edges: tuple[int, ...], upto: list[int], share: Fraction) -> str:
    """The quantile, given how many values lie in each bin or below it."""
    if not upto[-1]:
        return "null"
    wanted, parts = share.numerator * upto[-1], share.denominator
    bin = bisect_left(upto, max(1, -(-wanted // parts)))
    below = upto[bin - 1] if bin else 0
    inside = (wanted - parts * below) * (edges[bin + 1] - edges[bin])
    return decimal(edges[bin] + rounded(inside, parts * (upto[bin] - below)), measure.scale)
