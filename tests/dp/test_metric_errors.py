"""Every metric as published: exact without noise, and with noise off by what the theory says."""

import json
import math
import random
import statistics
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.dp.accuracy import deviation, rank_deviation, ratio_deviation, within_95
from flink_masking.dp.contribution import contributions
from flink_masking.dp.final import FinalLogic
from flink_masking.dp.partial import PartialLogic
from flink_masking.dp.partials import partial_schema, read_partial
from flink_masking.dp.spec import AggregateSpec, Measure, Metric

BINS = (0, 1000, 5000, 10_000)
METRICS = (Metric("n", "count"), Metric("people", "count_distinct_subjects"), Metric("sum", "sum", 0), Metric("mean", "mean", 0),
           Metric("variance", "variance", 0), Metric("spread", "histogram", 0, BINS),
           Metric("q", "quantiles", 0, BINS, (0.0, 0.25, 0.5, 1.0)))
SPEC = AggregateSpec(60_000, 1, 2, 1.0, 1e-6, METRICS, (Measure("amount", 0, 10_000, 2, True),), groups=(b"",))


def silent(scale, n, stream):
    """No noise."""
    return np.zeros(n, np.int64)


def row(values, spec=SPEC, sampler=silent):
    """The row of a window in which each value is one person's."""
    logic, final, n = PartialLogic(spec), FinalLogic(spec, sampler), len(values)
    valid = np.array([v is not None for v in values])
    logic.on_batch(contributions(spec, np.zeros(n, np.int64), np.arange(n, dtype=np.uint64), pa.array([""] * n),
                                 [np.array([v or 0 for v in values], np.int64)], [valid]), 0)
    for blob in logic.on_end().outputs:
        final.on_batch(read_partial(blob, spec), 0)
    return json.loads(final.on_end().outputs[0])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(-2000, 12_000)), min_size=1, max_size=40))
def test_metrics_are_exact_without_noise(values):
    """Mean, variance and histogram are those of the clipped values, and a quantile lies in the bin of the true one."""
    shown, clipped = row(values), [min(max(v, 0), 10_000) for v in values if v is not None]
    assert (shown["n"], shown["people"], shown["sum"]) == (len(values), len(values), sum(clipped) / 100)
    counts = [sum(low <= v < high for v in clipped) for low, high in zip(BINS, (*BINS[1:-1], 10_001), strict=False)]
    assert shown["spread"] == {"bins": [0, 10, 50, 100], "counts": counts}
    if not clipped:
        assert (shown["mean"], shown["variance"], set(shown["q"].values())) == (None, None, {None})
        return
    assert shown["mean"] == pytest.approx(statistics.fmean(clipped) / 100, abs=1e-4)
    assert shown["variance"] == pytest.approx(statistics.pvariance(clipped) / 10_000, abs=1e-6)
    quantiles = [shown["q"][share] for share in ("0.0", "0.25", "0.5", "1.0")]
    assert quantiles == sorted(quantiles)
    held = [k for k in range(3) if counts[k]]
    assert BINS[held[0]] <= quantiles[0] * 100 and quantiles[3] * 100 == BINS[held[-1] + 1]


def test_rows_with_lists_read_as_documented():
    """Histogram and quantiles are objects; edges and quantiles have the measure's decimals."""
    shown = row([500] * 2 + [3000] * 2)
    assert shown["q"] == {"0.0": 0, "0.25": 5, "0.5": 10, "1.0": 50}
    assert (shown["mean"], shown["variance"]) == (17.5, 156.25)


N = 12_000
GROUPS = tuple(b'"g":%d' % k for k in range(N))
PEOPLE = 50_000
COUNTS = (20_000, 20_000, 10_000)


def releases(spec):
    """The rows of one window with the same sums in 12,000 public groups: values 20, 20 and 60, in hundredths 2,000 and 6,000."""
    spec = replace(spec, groups=GROUPS)
    squares = 40_000 * (2000 - 5000) ** 2 + 10_000 * (6000 - 5000) ** 2
    sums = {"window_start": 0, "records": PEOPLE, "subjects": PEOPLE, "s0": 40_000 * 2000 + 10_000 * 6000, "n0": PEOPLE, "q0": squares,
            **{f"h0_{b}": n for b, n in enumerate(COUNTS)}}
    schema = partial_schema(spec)
    columns = [pa.array(GROUPS, pa.binary()) if name == "group" else pa.array(np.full(N, sums[name])) for name in schema.names]
    final = FinalLogic(spec, entropy=random.Random(1).randbytes)
    final.on_batch(pa.RecordBatch.from_arrays(columns, schema=schema), 0)
    return [json.loads(line) for line in final.on_end().outputs[0].split(b"\n")]


@pytest.mark.parametrize("mechanism", ["laplace", "gaussian"])
def test_errors_are_those_of_theory(mechanism):
    """Over 12,000 releases, the standard deviation of each metric is within 5 % of what `accuracy` says, and its mean is the truth."""
    spec = replace(SPEC, mechanism=mechanism)
    rows = releases(spec)
    mean, variance = 2800.0, 0.8 * 800**2 + 0.2 * 3200**2
    names = {metric.name: metric for metric in METRICS}
    noise = {name: deviation(spec, spec.used_by(names[name])[0]) for name in ("n", "people", "sum", "spread")}
    median = rank_deviation(spec, names["q"], 0.5, 1.25) * 4000 / COUNTS[1]
    expected = {"n": (PEOPLE, noise["n"]), "people": (PEOPLE, noise["people"]), "sum": (140e6 / 100, noise["sum"] / 100),
                "mean": (mean / 100, ratio_deviation(spec, names["mean"], PEOPLE, mean, variance) / 100),
                "variance": (variance / 1e4, ratio_deviation(spec, names["variance"], PEOPLE, mean, variance) / 1e4)}
    measured = {name: np.array([shown[name] for shown in rows], float) for name in expected}
    for b, count in enumerate(COUNTS):
        expected[f"bin {b}"] = count, noise["spread"]
        measured[f"bin {b}"] = np.array([shown["spread"]["counts"][b] for shown in rows], float)
    expected["median"] = 1000 / 100 + 0.25 * 40, median / 100
    measured["median"] = np.array([shown["q"]["0.5"] for shown in rows])
    for name, (truth, error) in expected.items():
        assert measured[name].std() == pytest.approx(error, rel=0.05), name
        assert measured[name].mean() == pytest.approx(truth, abs=error * 0.05), name
        within = (np.abs(measured[name] - truth) <= within_95(spec, error)).mean()
        assert within == pytest.approx(0.955, abs=0.017), name


def test_plausible_whatever_the_noise():
    """With clip counts are at least 0; variances are within what the bounds allow, quantiles within the bins, or null."""
    def sampler(shift):
        return lambda scale, n, stream: np.full(n, shift)

    clipped = replace(SPEC, clip=True)
    low, high = row([500], clipped, sampler(-(10**6))), row([500], clipped, sampler(10**9))
    assert (low["n"], low["variance"], low["spread"]["counts"], low["q"]["0.5"]) == (0, None, [0, 0, 0], None)
    assert 0 <= high["variance"] <= 2500 and 0 <= high["q"]["0.25"] <= high["q"]["1.0"] == 100


def test_histogram_and_quantiles_over_the_same_bins_share_their_noise():
    """They cost one part of the budget, and agree."""
    assert [q.kind for q in SPEC.quantities].count("bins") == 1
    assert len(SPEC.quantities) == 6
    assert math.isclose(sum(SPEC.sensitivity(q) / SPEC.scale(q) for q in SPEC.quantities), 1.0)
