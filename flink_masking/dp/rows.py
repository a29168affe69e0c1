"""Published rows of an aggregated view, made from whole numbers.

All of it is post-processing of noisy numbers and of the public policy, so it costs no privacy.
"""

from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.arrow import parts
from flink_masking.dp.metric_texts import texts
from flink_masking.dp.spec import AggregateSpec, Quantity
from flink_masking.records.codec import rows_for


def render(spec: AggregateSpec, start: int, groups: pa.BinaryArray, noisy: dict[Quantity, np.ndarray]) -> bytes:
    """The rows of one window.

    Args:
        spec: the view.
        start: the window's start, ms since 1970.
        groups: the published groups, each as a list of members (`flink_masking.records.codec.Rows`).
        noisy: for each quantity, int64 by published group (and bin).

    Returns:
        Rows with the format's separator between, members in the order window_start, window_end, the group's, metrics as in the policy,
        epsilon. Counts are whole, and at least 0 where the view is to clip them. Sums have the measure's decimals; both may lie
        beyond what is possible, because cutting them would bias totals. Means have two decimals more and stay within the measure's
        bounds; variances, in the unit squared, stay between 0 and what the bounds allow; both are null where the noisy count is below 1.
        A histogram is ``{"bins": [edges], "counts": [one less]}``. Quantiles are by their share, interpolated within their bin, null
        where all bins are empty.
    """
    unit: Literal["s", "ms"] = "s" if spec.window_ms % 1000 == 0 and spec.step % 1000 == 0 else "ms"
    bounds = [f"{np.datetime_as_string(np.datetime64(at, 'ms'), unit=unit)}Z" for at in (start, start + spec.window_ms)]
    rows = rows_for(spec.format)
    head = rows.front + rows.first("window_start") + rows.value(bounds[0])
    head += rows.between + rows.member("window_end") + rows.value(bounds[1])
    pieces = [pa.scalar(head), pc.if_else(pc.equal(pc.binary_length(groups), 0), "", rows.lead), groups.cast(pa.string())]
    for metric in spec.metrics:
        measure = None if metric.measure is None else spec.measures[metric.measure]
        pieces.append(pa.scalar(rows.between + rows.member(metric.name)))
        found = texts(metric, measure, [noisy[quantity] for quantity in spec.used_by(metric)], spec.clip)
        pieces.append(pa.array([rows.literal(text) for text in found.to_pylist()], pa.string()) if rows.rewrites else found)
    tail = pa.scalar(rows.between + rows.member("epsilon") + rows.value(float(spec.epsilon)) + rows.end + rows.separator)
    data, offsets, _ = parts(pc.binary_join_element_wise(*pieces, tail, pa.scalar("")))
    return data[offsets[0] : max(offsets[0], offsets[-1] - 1)].tobytes()
