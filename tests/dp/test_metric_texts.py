"""Metrics as text, held against plain fractions, however large the numbers are."""

from bisect import bisect_left
from fractions import Fraction
from math import floor

import numpy as np
import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flink_masking.dp.metric_texts import decimals, texts
from flink_masking.dp.spec import Measure, Metric

SUMS = st.one_of(st.integers(-(10**6), 10**6), st.integers(-(2**62), 2**62))
COUNTS = st.one_of(st.integers(-5, 1000), st.integers(-(2**40), 2**40))
MEASURES = st.sampled_from([Measure("a", 0, 100_000, 2, False), Measure("b", -(2**53), 2**53, 0, False), Measure("c", -5, 90, 3, False),
                            Measure("d", -(2**30), 2**30, 9, False)])


def half_up(value):
    """The nearest whole number, of two the larger."""
    return floor(value + Fraction(1, 2))



@example([2**63 - 1], 19)
@given(st.lists(st.integers(-(2**63) + 1, 2**63 - 1), min_size=1, max_size=5), st.integers(0, 20))
def test_numbers_are_written_to_the_digit(units, scale):
    """Sign, leading zeros and all decimals are there, at every scale and size."""
    expected = [str(u) if scale == 0 else f"{'-' if u < 0 else ''}{abs(u) // 10**scale}.{abs(u) % 10**scale:0{scale}d}" for u in units]
    assert decimals(np.array(units), scale).to_pylist() == expected


@given(MEASURES, st.lists(st.tuples(SUMS, COUNTS), min_size=1, max_size=6))
def test_means_are_exact(measure, rows):
    """Rounded to two decimals more than the measure has, within its bounds; null without records."""
    found = texts(Metric("m", "mean", 0), measure, [np.array(column) for column in zip(*rows, strict=True)]).to_pylist()
    for (total, n), shown in zip(rows, found, strict=True):
        expected = None if n < 1 else min(max(half_up(Fraction(100 * total, n)), 100 * measure.low), 100 * measure.high)
        assert shown == ("null" if expected is None else decimals(np.array([expected]), measure.scale + 2)[0].as_py())


@given(MEASURES, st.lists(st.tuples(SUMS, SUMS, COUNTS), min_size=1, max_size=6))
@example(Measure("d", -(2**30), 2**30, 9, False), [(0, 2**62, 1)])
def test_variances_are_exact(measure, rows):
    """Mean square distance from the centre less the square of the mean distance, to two decimals, never below 0 or above what can be."""
    found = texts(Metric("v", "variance", 0), measure, [np.array(column) for column in zip(*rows, strict=True)]).to_pylist()
    for (total, square, n), shown in zip(rows, found, strict=True):
        if n < 1:
            assert shown == "null"
            continue
        variance = Fraction(square, n) - Fraction(total - measure.centre * n, n) ** 2
        expected = min(max(half_up(100 * variance), 0), 100 * (measure.high - measure.low) ** 2 // 4)
        assert int(shown.replace(".", "")) == expected
        assert len(shown.partition(".")[2]) == 2 * measure.scale + 2


@given(st.lists(st.lists(st.one_of(st.integers(-3, 20), st.integers(0, 2**58)), min_size=3, max_size=3), min_size=1, max_size=5),
       st.sampled_from([0.0, 0.25, 0.5, 0.999, 0.123456789, 1.0]))
def test_quantiles_are_exact(rows, share):
    """The value below which a share of the counted values lies, interpolated within its bin; null where nothing is counted."""
    measure, edges = Measure("a", 0, 1000, 1, False), (0, 10, 300, 1000)
    found = texts(Metric("q", "quantiles", 0, edges, (share,)), measure, [np.array(rows)]).to_pylist()
    for row, shown in zip(rows, found, strict=True):
        upto = np.maximum(np.array(row), 0).cumsum().tolist()
        value = orjson.loads(shown)[str(share)]
        if not upto[-1]:
            assert value is None
            continue
        wanted = Fraction(str(share)) * upto[-1]
        bin = bisect_left(upto, max(Fraction(1), Fraction(-(-wanted.numerator // wanted.denominator))))
        below = upto[bin - 1] if bin else 0
        units = edges[bin] + half_up((wanted - below) * (edges[bin + 1] - edges[bin]) / (upto[bin] - below))
        assert value == pytest.approx(units / 10)


@pytest.mark.parametrize(("clip", "low"), [(False, -3), (True, 0)])
def test_counts_and_histograms_are_cut_at_0_on_request_only(clip, low):
    """Noise that takes a count below 0 is shown, so that sums of rows are unbiased; with clip it shows as 0."""
    assert texts(Metric("n", "count"), None, [np.array([-3, 4])], clip).to_pylist() == [str(low), "4"]
    measure = Measure("a", 0, 100, 1, False)
    assert texts(Metric("h", "histogram", 0, (0, 50, 100)), measure, [np.array([[-3, 2], [3, -3]])], clip).to_pylist() == [
        f'{{"bins":[0.0,5.0,10.0],"counts":[{low},2]}}', f'{{"bins":[0.0,5.0,10.0],"counts":[3,{low}]}}']
    assert texts(Metric("s", "sum", 0), measure, [np.array([-12, 5])]).to_pylist() == ["-1.2", "0.5"]
