"""Published rows of an aggregated view, as JSON lines made from whole numbers.

All of it is post-processing of noisy numbers and of the public policy, so it costs no privacy.
"""

import json
from fractions import Fraction
from typing import Literal

import numpy as np

from flink_masking.dp.spec import AggregateSpec, Metric, Quantity

MEAN_DECIMALS = 2
"""Decimals that a mean has beyond those of its measure."""


def decimal(units: int, scale: int) -> str:
    """A fixed-point number as JSON text.

    >>> decimal(-5, 2), decimal(1234, 0)
    ('-0.05', '1234')
    """
    if scale == 0:
        return str(units)
    whole, rest = divmod(abs(units), 10**scale)
    return f"{'-' if units < 0 else ''}{whole}.{rest:0{scale}d}"


def render(spec: AggregateSpec, start: int, groups: list[bytes], noisy: dict[Quantity, np.ndarray]) -> bytes:
    """The rows of one window.

    Args:
        spec: the view.
        start: the window's start, ms since 1970.
        groups: the published groups, each as JSON members without braces.
        noisy: for each quantity, int64 by published group.

    Returns:
        JSON objects joined by newlines, members in the order window_start, window_end, the group's, metrics as in the policy, epsilon.
        Counts are whole and at least 0; sums have the measure's decimals and may lie beyond what is possible, because cutting them would
        bias totals; means have two decimals more, stay within the measure's bounds, and are null where the noisy count is below 1.
    """
    unit: Literal["s", "ms"] = "s" if spec.window_ms % 1000 == 0 else "ms"
    bounds = [f"{np.datetime_as_string(np.datetime64(at, 'ms'), unit=unit)}Z" for at in (start, start + spec.window_ms)]
    head = f'{{"window_start":"{bounds[0]}","window_end":"{bounds[1]}"'
    columns = [[f",{json.dumps(m.name, ensure_ascii=False)}:{text}" for text in _metric(spec, m, noisy)] for m in spec.metrics]
    tail = f',"epsilon":{json.dumps(float(spec.epsilon))}}}'
    members = [f",{group.decode()}" if group else "" for group in groups]
    return "\n".join(head + "".join(cells) + tail for cells in zip(members, *columns, strict=True)).encode()


def _metric(spec: AggregateSpec, metric: Metric, noisy: dict[Quantity, np.ndarray]) -> list[str]:
    """The JSON text of a metric, by published group."""
    if metric.measure is None:
        quantity = Quantity("records" if metric.kind == "count" else "subjects")
        return [str(max(0, n)) for n in noisy[quantity].tolist()]
    measure, sums = spec.measures[metric.measure], noisy[Quantity("sum", metric.measure)].tolist()
    if metric.kind == "sum":
        return [decimal(units, measure.scale) for units in sums]
    finer, texts = 10**MEAN_DECIMALS, []
    for total, n in zip(sums, noisy[spec.divisor(metric)].tolist(), strict=True):
        mean = min(max(round(Fraction(total * finer, n)), measure.low * finer), measure.high * finer) if n >= 1 else None
        texts.append("null" if mean is None else decimal(mean, measure.scale + MEAN_DECIMALS))
    return texts
