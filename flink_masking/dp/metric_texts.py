"""Metrics of published groups as JSON text: whole columns of numbers in, columns of text out.

All of it is exact. Products that could leave 64 bits are made of Python's whole numbers (arrays of objects) by the same expressions.
"""

import json
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.dp.spec import Measure, Metric

MEAN_DECIMALS = 2
"""Decimals that a mean has beyond those of its measure, and a variance beyond those of its square."""
LARGEST = (1 << 63) - 1
_SAFE = 1 << 62


def decimal(units: int, scale: int) -> str:
    """A fixed-point number as JSON text.

    >>> decimal(-5, 2), decimal(1234, 0)
    ('-0.05', '1234')
    """
    return str(decimals(np.array([units]), scale)[0])


def decimals(units: np.ndarray, scale: int) -> pa.StringArray:
    """Fixed-point numbers as JSON text.

    Args:
        units: n whole numbers, int64 above -2⁶³ or Python's.
        scale: decimals of a unit.
    """
    if scale == 0:
        return _digits(units)
    size, unit = np.abs(units if 10**scale <= LARGEST else units.astype(object)), 10**scale
    whole, part = _digits(size // unit), _digits(size % unit)
    sign = pc.if_else(pa.array(units < 0), "-", "") if (units < 0).any() else pa.scalar("")
    return pc.binary_join_element_wise(sign, whole, pa.scalar("."), pc.utf8_lpad(part, scale, "0"), pa.scalar(""))


def _digits(numbers: np.ndarray) -> pa.StringArray:
    return pa.array(map(str, numbers), pa.string()) if numbers.dtype == object else pc.cast(pa.array(numbers), pa.string())


def texts(metric: Metric, measure: Measure | None, numbers: Sequence[np.ndarray], clip: bool = False) -> pa.StringArray:
    """The JSON text of a metric by published group.

    Args:
        metric: the metric.
        measure: its measure; None for the counts.
        numbers: for each quantity that the metric is computed from int64, n, or of bins (n, bins).
        clip: counts below 0 are shown as 0. Means, variances and quantiles are made of the same numbers either way.
    """
    if measure is None:
        return decimals(np.maximum(numbers[0], 0) if clip else numbers[0], 0)
    match metric.kind:
        case "sum":
            return decimals(numbers[0], measure.scale)
        case "mean":
            return _means(measure, *numbers)
        case "variance":
            return _variances(measure, *numbers)
        case "histogram":
            front = f'{{"bins":[{",".join(decimal(edge, measure.scale) for edge in metric.bins)}],"counts":['
            counts = [decimals(column, 0) for column in (np.maximum(numbers[0], 0) if clip else numbers[0]).T]
            return _joined(front, counts, ",", "]}")
    upto = np.maximum(numbers[0], 0).cumsum(axis=1)
    quantiles = [_quantiles(measure, np.array(metric.bins), upto, Fraction(str(share))) for share in metric.of]
    named = [_joined(f"{json.dumps(str(share))}:", [column], "", "") for share, column in zip(metric.of, quantiles, strict=True)]
    return _joined("{", named, ",", "}")


def _joined(front: str, columns: Sequence[pa.StringArray], between: str, end: str) -> pa.StringArray:
    pieces: list[pa.Array | pa.Scalar] = [pa.scalar(front)]
    for number, column in enumerate(columns):
        pieces += [column] if number == 0 else [pa.scalar(between), column]
    return pc.binary_join_element_wise(*pieces, pa.scalar(end), pa.scalar(""))


def _null_where(nothing: np.ndarray, column: pa.StringArray) -> pa.StringArray:
    return pc.if_else(pa.array(nothing), "null", column) if nothing.any() else column


def _of_64_bits(largest: int, *columns: np.ndarray) -> tuple[np.ndarray, ...]:
    """The columns, as Python's whole numbers where a result could be larger than 64 bits hold."""
    return columns if largest < _SAFE else tuple(column.astype(object) for column in columns)


def _largest(column: np.ndarray) -> int:
    return max(abs(int(column.max(initial=0))), abs(int(column.min(initial=0))))


def _rounded(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """The nearest whole numbers, of two the larger; denominators are above 0."""
    return np.asarray((2 * numerator + denominator) // (2 * denominator))


def _clipped(values: np.ndarray, low: int, high: int) -> np.ndarray:
    clipped = np.minimum(np.maximum(values, low), high if values.dtype == object else min(high, LARGEST))
    return clipped if _largest(clipped) > LARGEST else clipped.astype(np.int64)


def _means(measure: Measure, sums: np.ndarray, counts: np.ndarray) -> pa.StringArray:
    finer, nothing, n = 10**MEAN_DECIMALS, counts < 1, np.maximum(counts, 1)
    sums, n = _of_64_bits(max(2 * finer * _largest(n), finer * (_largest(sums) + 1)), sums, n)
    whole, rest = sums // n, sums % n  # what is left is below n, so that no product is much larger than what goes in
    means = _clipped(whole * finer + _rounded(rest * finer, n), measure.low * finer, measure.high * finer)
    return _null_where(nothing, decimals(means, measure.scale + MEAN_DECIMALS))


def _variances(measure: Measure, sums: np.ndarray, squares: np.ndarray, counts: np.ndarray) -> pa.StringArray:
    """Mean square distance from the centre less the square of the mean distance d / n, (square · n - d²) / n².

    With d = whole · n + rest it is (square - 2 · whole · rest) / n - whole² - rest² / n².
    """
    finer, nothing, n = 10**MEAN_DECIMALS, counts < 1, np.maximum(counts, 1)
    largest = _largest(sums) + (abs(measure.centre) + 1) * _largest(n)
    sums, squares, n = _of_64_bits(max(finer * (largest + 1), 4 * finer * _largest(n) ** 2), sums, squares, n)
    apart = sums - measure.centre * n
    whole, rest = apart // n, apart % n
    most = finer * (_largest(squares) + 2 * _largest(whole) * _largest(n) + _largest(whole) ** 2 + 1)
    squares, n, whole, rest = _of_64_bits(most, squares, n, whole, rest)
    squares = squares - 2 * whole * rest
    mean, left = squares // n, squares % n
    variances = (mean - whole * whole) * finer + _rounded((left * n - rest * rest) * finer, n * n)
    clipped = _clipped(variances, 0, finer * (measure.high - measure.low) ** 2 // 4)
    return _null_where(nothing, decimals(clipped, 2 * measure.scale + MEAN_DECIMALS))


def _quantiles(measure: Measure, edges: np.ndarray, upto: np.ndarray, share: Fraction) -> pa.StringArray:
    """Interpolated within the bin, given how many values lie in each bin or below it."""
    wanted, parts, rows = share.numerator, share.denominator, np.arange(len(upto))
    most = max(wanted, parts) * (_largest(upto) + 1) * 2 * (int(np.diff(edges).max()) + 1)
    total, = _of_64_bits(most, upto[:, -1])
    bins = (upto < np.maximum(1, -(-total * wanted // parts))[:, None]).sum(axis=1)
    bins = np.minimum(bins, upto.shape[1] - 1)
    below, reached, low, width = np.where(bins > 0, upto[rows, bins - 1], 0), upto[rows, bins], edges[bins], np.diff(edges)[bins]
    below, reached, width = _of_64_bits(most, below, reached, width)
    inside = _rounded((total * wanted - parts * below) * width, parts * np.maximum(reached - below, 1))
    return _null_where(upto[:, -1] == 0, decimals((low + inside).astype(np.int64), measure.scale))
