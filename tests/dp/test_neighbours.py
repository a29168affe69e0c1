"""What two inputs differ in that nobody can tell apart: one person's records added or removed, or replaced by others."""

import math
import random
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from flink_masking.dp.noise import Mechanisms, accounted_epsilon
from flink_masking.dp.partials import partial_schema
from flink_masking.dp.samplers import WordStream, discrete_gaussian, discrete_laplace
from flink_masking.dp.spec import AggregateSpec, Measure, Metric, Quantity

METRICS = (Metric("n", "count"), Metric("people", "count_distinct_subjects"), Metric("spend", "sum", 0))
SPEC = AggregateSpec(60_000, 2, 3, 1.0, 1e-9, METRICS, (Measure("amount", 0, 100_000, 2, False),))


@pytest.mark.parametrize("mechanism", ["laplace", "gaussian"])
@pytest.mark.parametrize("groups", [None, (b"a", b"b")])
def test_replacing_doubles_every_scale(mechanism, groups):
    """Two steps of adding or removing lie between neighbours, so all noise has twice the scale, and a window costs the same by OpenDP."""
    one = replace(SPEC, mechanism=mechanism, groups=groups)
    two = replace(one, neighbours="replace")
    for quantity in one.quantities:
        assert two.scale(quantity) == pytest.approx(2 * one.scale(quantity), rel=1e-9)
    assert accounted_epsilon(two) == pytest.approx(accounted_epsilon(one), rel=1e-9) and accounted_epsilon(two) <= two.epsilon * (1 + 1e-9)
    assert (two.window_cost, two.shape) == (one.window_cost, one.shape)


@pytest.mark.parametrize(("mechanism", "draw"), [("laplace", discrete_laplace), ("gaussian", discrete_gaussian)])
def test_the_threshold_counts_groups_on_both_sides(mechanism, draw):
    """Each of two neighbours has up to c groups that the other lacks: 2 c groups of one person pass with probability delta at most."""
    spec = replace(SPEC, mechanism=mechanism, neighbours="replace", delta=0.02, epsilon=4.0)
    x = 1 + draw(spec.scale(Quantity("subjects")), 400_000, WordStream(random.Random(1).randbytes(32)))
    passing = 2 * spec.max_groups_per_subject * (x >= spec.threshold).mean()
    assert 0 < passing <= spec.threshold_delta * 1.15
    assert spec.threshold > replace(spec, neighbours="add_remove").threshold


def released(spec, first, second, n=40_000):
    """Noisy counts of two groups in n independent windows, that hold so many records of one record a person."""
    names = pa.array([b"%d" % i for i in range(2 * n)], pa.binary())
    numbers = [pa.array(np.tile([first, second], n))] * (len(partial_schema(spec)) - 2)
    totals = pa.RecordBatch.from_arrays([pa.array(np.zeros(2 * n, np.int64)), names, *numbers], schema=partial_schema(spec))
    return Mechanisms(spec).draw(totals, random.Random(first).randbytes(32))[1][Quantity("records")].reshape(n, 2)


@pytest.mark.parametrize("neighbours", ["add_remove", "replace"])
def test_a_person_in_another_group_is_as_hidden_as_epsilon_says_only_with_replace(neighbours):
    """Moving a person from one group to another changes no event's probability by more than e^ε with replace, and by up to e^2ε without."""
    spec = AggregateSpec(60_000, 1, 1, 1.0, 1e-3, (Metric("n", "count"),), groups=(b"a", b"b"), neighbours=neighbours)
    here, there = released(spec, 11, 10), released(spec, 10, 11)
    worst = 0.0
    for low in range(8, 13):
        p, q = (((counts[:, 0] >= low) & (counts[:, 1] < low)).mean() for counts in (here, there))
        if q * len(here) >= 1500:
            worst = max(worst, math.log(p / q))
    assert (worst > 1.3 * spec.epsilon) if neighbours == "add_remove" else (0.5 * spec.epsilon < worst < 1.15 * spec.epsilon)
