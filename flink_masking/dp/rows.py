"""Published rows of an aggregated view, as JSON lines made from whole numbers.

All of it is post-processing of noisy numbers and of the public policy, so it costs no privacy.
"""

import json
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.arrow import parts
from flink_masking.dp.metric_texts import texts
from flink_masking.dp.spec import AggregateSpec, Quantity


def render(spec: AggregateSpec, start: int, groups: pa.BinaryArray, noisy: dict[Quantity, np.ndarray]) -> bytes:
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
    pieces = [pa.scalar(head), pc.if_else(pc.equal(pc.binary_length(groups), 0), "", ","), groups.cast(pa.string())]
    for metric in spec.metrics:
        measure = None if metric.measure is None else spec.measures[metric.measure]
        pieces.append(pa.scalar(f",{json.dumps(metric.name, ensure_ascii=False)}:"))
        pieces.append(texts(metric, measure, [noisy[quantity] for quantity in spec.used_by(metric)]))
    tail = pa.scalar(f',"epsilon":{json.dumps(float(spec.epsilon))}}}\n')
    data, offsets, _ = parts(pc.binary_join_element_wise(*pieces, tail, pa.scalar("")))
    return data[offsets[0] : max(offsets[0], offsets[-1] - 1)].tobytes()
