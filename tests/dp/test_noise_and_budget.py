"""The budget's arithmetic, the threshold, and the real sampler's statistics."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import opendp.prelude as dp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.dp.noise import discrete_laplace
from flink_masking.dp.spec import AggregateSpec, Measure, Metric, Quantity
from flink_masking.errors import PolicyError

AMOUNT, NOTE = Measure("amount", 0, 100_000, 2, False), Measure("note", -300, 100, 0, True)
SPEC = AggregateSpec(60_000, 2, 3, 1.0, 1e-9, (Metric("n", "count"), Metric("people", "count_distinct_subjects"), Metric("spend", "sum", 0),
                                               Metric("mean", "mean", 0)), (AMOUNT, NOTE))


def test_metrics_share_their_quantities():
    """Mean and sum of a field share a sum, and the mean of a field that is always there shares the count."""
    assert SPEC.quantities == (Quantity("subjects"), Quantity("records"), Quantity("sum", 0))


def test_an_optional_field_has_its_own_count():
    """The mean of an optional field divides by the values that are there; subjects are always drawn."""
    spec = replace(SPEC, metrics=(Metric("m", "mean", 1),))
    assert spec.quantities == (Quantity("subjects"), Quantity("sum", 1), Quantity("values", 1))


@pytest.mark.parametrize(("quantity", "expected"), [(Quantity("subjects"), 2), (Quantity("records"), 6), (Quantity("values", 1), 6),
                                                    (Quantity("sum", 0), 600_000), (Quantity("sum", 1), 1800)])
def test_sensitivity_is_what_one_subject_can_change(quantity, expected):
    """c groups, r records in each, and the larger bound in absolute terms."""
    assert SPEC.sensitivity(quantity) == expected


@given(st.floats(1e-4, 50), st.integers(1, 20), st.integers(1, 50), st.integers(1, 2**40), st.integers(1, 4))
def test_losses_never_add_up_to_more_than_epsilon(epsilon, c, r, high, metrics):
    """Sensitivity / scale, summed exactly over the quantities, stays within the decimal epsilon and uses all of it."""
    spec = replace(SPEC, epsilon=epsilon, max_groups_per_subject=c, max_records_per_group=r, metrics=SPEC.metrics[:metrics],
                   measures=(Measure("a", 0, high, 0, False),))
    loss = sum(spec.sensitivity(q) / Fraction(spec.scale(q)) for q in spec.quantities)
    assert loss <= Fraction(str(epsilon))
    assert float(loss) == pytest.approx(epsilon, rel=1e-12)


def test_opendp_agrees_with_the_budget():
    """OpenDP's own privacy map gives each quantity its share of epsilon."""
    dp.enable_features("contrib")
    for quantity in SPEC.quantities:
        mechanism = dp.m.make_laplace(dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64"), SPEC.scale(quantity))
        assert mechanism.map(SPEC.sensitivity(quantity)) == pytest.approx(1 / 3, rel=1e-12)


@given(st.floats(0.01, 10), st.floats(1e-12, 0.2), st.integers(1, 10))
def test_the_threshold_is_the_smallest_that_keeps_delta(epsilon, delta, c):
    """The chance that one of a subject's own groups shows up is at most delta, and would exceed it one lower."""
    spec = replace(SPEC, epsilon=epsilon, delta=delta, max_groups_per_subject=c)
    p = math.exp(-1 / spec.scale(Quantity("subjects")))

    def chance(threshold):
        return c * p ** (threshold - 1) / (1 + p)

    assert chance(spec.threshold) <= delta * (1 + 1e-9)
    assert spec.threshold == 1 or chance(spec.threshold - 1) > delta * (1 - 1e-9)


def test_the_threshold_of_known_numbers():
    """c = 2, three quantities, epsilon 1 and delta 1e-9 give 126: the continuous formula's 125.3, in whole subjects."""
    assert SPEC.threshold == 126


@pytest.mark.parametrize("scale", [2.5, 18.0, 1_800_000.0])
def test_noise_is_discrete_laplace(scale):
    """Mean 0, mean absolute value and standard deviation of 20,000 draws within 5 % of theory, symmetric, whole numbers."""
    x = discrete_laplace(scale)(np.zeros(20_000, np.int64))
    p = math.exp(-1 / scale)
    assert x.dtype == np.int64
    assert np.abs(x).mean() == pytest.approx(2 * p / (1 - p * p), rel=0.05)
    assert x.std() == pytest.approx(math.sqrt(2 * p) / (1 - p), rel=0.05)
    assert abs(x.mean()) < 0.05 * scale
    assert abs((x > 0).mean() - (x < 0).mean()) < 0.035
    assert np.corrcoef(x[1:], x[:-1])[0, 1] == pytest.approx(0, abs=0.04)


def test_noise_of_one_number_follows_its_law():
    """At scale 1 the share of zeros and ones is the discrete Laplace distribution's."""
    x = discrete_laplace(1.0)(np.zeros(20_000, np.int64))
    p = math.exp(-1)
    for value in (0, 1, -1, 2):
        assert (x == value).mean() == pytest.approx((1 - p) / (1 + p) * p ** abs(value), abs=0.02)


def test_two_draws_differ():
    """The same mechanism and a new one draw other noise each time."""
    exact = np.arange(50)
    one, two = discrete_laplace(100.0), discrete_laplace(100.0)
    assert len({tuple(draw.tolist()) for draw in (one(exact), one(exact), two(exact))}) == 3


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(-(2**62), 2**62), max_size=20))
def test_noise_is_added_to_each_number(exact):
    """Every number keeps its place; at a tiny scale the draw is practically always zero."""
    assert discrete_laplace(0.01)(np.array(exact, np.int64)).tolist() == exact


def test_expected_error_is_the_noise_of_95_in_100():
    """Half-widths in the metric's own unit, from the scales."""
    errors = SPEC.expected_error()
    assert list(errors) == ["n", "people", "spend"]
    assert errors["spend"] == pytest.approx(18_000 * math.log(20))
    x = np.abs(discrete_laplace(SPEC.scale(Quantity("records")))(np.zeros(10_000, np.int64)))
    assert (x <= errors["n"]).mean() == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize("change", [{"window_ms": 0}, {"max_groups_per_subject": 0}, {"max_records_per_group": 0}, {"epsilon": 0.0},
                                    {"epsilon": math.nan}, {"epsilon": math.inf}, {"delta": 0.0}, {"delta": 1.0}, {"metrics": ()},
                                    {"measures": ()}, {"metrics": (Metric("n", "count", 0),)}, {"metrics": (Metric("s", "sum"),)},
                                    {"metrics": (Metric("s", "sum", 2),)}, {"measures": (Measure("a", 2, 1, 0, False),)},
                                    {"measures": (Measure("a", 0, 2**60, 0, False),)}, {"measures": (Measure("a", 0, 1, -1, False),)},
                                    {"max_records_per_group": 2**45}])
def test_a_spec_that_breaks_the_mechanisms_is_refused(change):
    """Every invariant that the noise rests on is checked when the spec is made."""
    with pytest.raises(PolicyError, match="Hint"):
        replace(SPEC, **change)
