"""The budget's arithmetic, the threshold, and the real sampler's statistics."""

import math
import random
from dataclasses import replace
from fractions import Fraction

import numpy as np
import opendp.prelude as dp
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_masking.dp import sampling_kernels
from flink_masking.dp.accounting import epsilon_of, rho_for
from flink_masking.dp.noise import Mechanisms, accounted_epsilon
from flink_masking.dp.partials import partial_schema
from flink_masking.dp.samplers import WordStream, discrete_gaussian, discrete_laplace, drawn
from flink_masking.dp.spec import AggregateSpec, Measure, Metric, Quantity
from flink_masking.errors import PolicyError

AMOUNT, NOTE = Measure("amount", 0, 100_000, 2, False), Measure("note", -300, 100, 0, True)
SPEC = AggregateSpec(60_000, 2, 3, 1.0, 1e-9, (Metric("n", "count"), Metric("people", "count_distinct_subjects"), Metric("spend", "sum", 0),
                                               Metric("mean", "mean", 0)), (AMOUNT, NOTE))


def words():
    """The same stream for each draw: a bound on what is drawn holds or does not, and not by chance."""
    return WordStream(random.Random(1).randbytes(32))


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


@given(st.floats(1e-4, 50), st.integers(1, 20), st.integers(1, 50), st.integers(1, 2**20), st.integers(1, 4))
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
    x = discrete_laplace(scale, 20_000, words())
    p = math.exp(-1 / scale)
    assert x.dtype == np.int64
    assert np.abs(x).mean() == pytest.approx(2 * p / (1 - p * p), rel=0.05)
    assert x.std() == pytest.approx(math.sqrt(2 * p) / (1 - p), rel=0.05)
    assert abs(x.mean()) < 0.05 * scale
    assert abs((x > 0).mean() - (x < 0).mean()) < 0.035
    assert np.corrcoef(x[1:], x[:-1])[0, 1] == pytest.approx(0, abs=0.04)


def test_noise_of_one_number_follows_its_law():
    """At scale 1 the share of zeros and ones is the discrete Laplace distribution's."""
    x = discrete_laplace(1.0, 20_000, words())
    p = math.exp(-1)
    for value in (0, 1, -1, 2):
        assert (x == value).mean() == pytest.approx((1 - p) / (1 + p) * p ** abs(value), abs=0.02)


@pytest.mark.parametrize("scale", [0.75, 2.5, 18.0, 1_800_000.5])
def test_noise_is_discrete_gaussian(scale):
    """Mean 0, standard deviation and kurtosis of 20,000 draws as in theory, symmetric, whole numbers."""
    x = discrete_gaussian(scale, 20_000, words())
    assert x.dtype == np.int64
    assert x.std() == pytest.approx(scale, rel=0.05)
    assert abs(x.mean()) < 0.05 * scale
    assert ((x / scale) ** 4).mean() == pytest.approx(3, abs=0.35)


@pytest.mark.parametrize(("sampler", "law"), [(discrete_laplace, lambda x, b: math.exp(-abs(x) / b)),
                                              (discrete_gaussian, lambda x, s: math.exp(-x * x / (2 * s * s)))])
@pytest.mark.parametrize("scale", [0.6, 1.0, 2.25])
def test_samplers_are_exact(sampler, law, scale):
    """A chi-squared test over all likely values: 50,000 draws follow the distribution's own probabilities."""
    x, n = sampler(scale, 50_000, words()), 50_000
    whole = sum(law(k, scale) for k in range(-400, 401))
    likely = [k for k in range(-40, 41) if n * law(k, scale) / whole >= 20]
    expected = np.array([n * law(k, scale) / whole for k in likely])
    found = np.array([np.count_nonzero(x == k) for k in likely])
    expected, found = np.append(expected, n - expected.sum()), np.append(found, n - found.sum())
    freedom = len(likely)
    assert ((found - expected) ** 2 / np.maximum(expected, 1)).sum() < freedom + 6 * math.sqrt(2 * freedom) + 10


@pytest.mark.parametrize(("sampler", "make"), [(discrete_laplace, dp.m.make_laplace), (discrete_gaussian, dp.m.make_gaussian)])
def test_samplers_agree_with_opendp(sampler, make):
    """Our draws and OpenDP's of the same scale come from one distribution (two samples of 22,500, Kolmogorov and Smirnov's test).

    OpenDP's draws are new each time: by chance the bound is exceeded once in a billion runs.
    """
    dp.enable_features("contrib")
    n = 22_500
    norm = dp.l1_distance(T="i64") if make is dp.m.make_laplace else dp.l2_distance(T="f64")
    theirs = np.sort(make(dp.vector_domain(dp.atom_domain(T="i64")), norm, 40.0)([0] * n))
    ours, points = np.sort(sampler(40.0, n, words())), np.arange(-400, 401)
    gap = np.abs(np.searchsorted(ours, points, "right") - np.searchsorted(theirs, points, "right")).max() / n
    assert gap < 3.3 * math.sqrt(2 / n)


@pytest.mark.parametrize("sampler", [discrete_laplace, discrete_gaussian])
def test_noise_is_a_function_of_its_key(sampler):
    """One key gives one noise, another key another; draws do not depend on how many words were at hand."""
    draws = [sampler(100.0, 50, WordStream(key)).tolist() for key in (bytes(32), bytes(32), bytes(31) + b"1")]
    assert draws[0] == draws[1] != draws[2]
    kernel = getattr(sampling_kernels, sampler.__name__[9:])
    for words_each in (1, 2, 3, 7):
        assert drawn(kernel, 100.0, 50, WordStream(bytes(32)), words_each).tolist() == draws[0]


def test_no_noise_at_the_smallest_scale():
    """An epsilon without bounds leaves sums as they are."""
    assert not discrete_laplace(1 / 64, 10_000, words()).any() and not discrete_gaussian(1 / 64, 10_000, words()).any()


@settings(max_examples=25, deadline=None)
@given(st.floats(1e-5, 100), st.floats(1e-12, 0.2))
def test_conversion_from_zcdp_agrees_with_opendp(rho, delta):
    """Epsilon at delta is OpenDP's, never less, and the budget found for it is the loss it came from."""
    dp.enable_features("contrib")
    gaussian = dp.m.make_gaussian(dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="f64"), 1.0)
    theirs = dp.c.make_zCDP_to_approxDP(gaussian).map(math.sqrt(2 * rho)).epsilon(delta)
    ours = epsilon_of(rho, delta)
    assert theirs * (1 - 1e-6) <= ours <= theirs * (1 + 1e-6) + 1e-6
    if ours > 1e-3:
        assert rho_for(ours, delta) == pytest.approx(rho, rel=1e-5)


GAUSSIAN = replace(SPEC, mechanism="gaussian")


@pytest.mark.parametrize("spec", [SPEC, GAUSSIAN, replace(SPEC, groups=(b"a", b"b")), replace(GAUSSIAN, groups=(b"a",)),
                                  replace(GAUSSIAN, epsilon=0.1), replace(SPEC, epsilon=8.0)])
def test_opendp_accounts_for_the_budget(spec):
    """By OpenDP's own account a window costs its epsilon, and not more."""
    assert spec.epsilon * 0.999 < accounted_epsilon(spec) <= spec.epsilon * (1 + 1e-9)


def test_gaussian_thresholds_keep_delta():
    """A group of one subject passes a Gaussian threshold with probability delta / 2c at most: the other half is the noise's."""
    spec = replace(GAUSSIAN, delta=0.02, metrics=SPEC.metrics[:2], measures=())
    assert (spec.threshold_delta, spec.noise_delta) == (0.01, 0.01)
    x = 1 + discrete_gaussian(spec.scale(Quantity("subjects")), 200_000, words())
    assert 0 < (x >= spec.threshold).mean() <= spec.threshold_delta / spec.max_groups_per_subject * 1.15


def test_gaussian_noise_grows_slower_with_metrics():
    """Its scale grows with the root of the number of quantities, that of Laplace noise with their number."""
    for mechanism, growth in (("gaussian", 2.0), ("laplace", 4.0)):
        one = replace(SPEC, mechanism=mechanism, groups=(b"a", b"b"), metrics=SPEC.metrics[:1], measures=(AMOUNT,))
        four = replace(one, metrics=(*one.metrics, *(Metric(f"h{k}", "histogram", 0, (0, k + 1)) for k in range(3))))
        assert four.scale(Quantity("records")) == pytest.approx(growth * one.scale(Quantity("records")), rel=1e-9)


NEIGHBOURS = AggregateSpec(60_000, 1, 1, 1.0, 0.05, (Metric("n", "count"),), groups=(b"a",))


@pytest.mark.parametrize("spec", [NEIGHBOURS, replace(NEIGHBOURS, metrics=(Metric("n", "count"), Metric("s", "sum", 0)),
                                                      measures=(Measure("m", 0, 1, 0, False),)),
                                  replace(NEIGHBOURS, mechanism="gaussian", delta=1e-3)])
def test_neighbours_are_as_alike_as_epsilon_says(spec):
    """One subject more changes no published result's probability by more than e^ε (but for δ), and a test half as strict would fail.

    40,000 groups of 10 and of 11 records, each a release of its own, all events "at least x" and "at most x".
    """
    n = 40_000
    runs = []
    for records in (10, 11):
        columns = [pa.array(np.full(n, records)) for _ in partial_schema(spec).names[2:]]
        totals = pa.RecordBatch.from_arrays([pa.array(np.zeros(n, np.int64)), pa.array([b"%d" % i for i in range(n)]), *columns],
                                            schema=partial_schema(spec))
        _, noisy = Mechanisms(spec).draw(totals, random.Random(records).randbytes(32))
        runs.append(sum(noisy[q] for q in spec.quantities) if spec.mechanism == "gaussian" else
                    np.minimum.reduce([noisy[q] for q in spec.quantities]))
    worst = 0.0
    for x in range(-15, 40):
        for event in (np.greater_equal, np.less):
            for a, b in (runs, runs[::-1]):
                p, q = event(a, x).mean(), event(b, x).mean()
                slack = 4 * math.sqrt((p + math.exp(2 * spec.epsilon) * q) / n)
                assert p <= math.exp(spec.epsilon) * q + spec.noise_delta + slack
                if q * n >= 400:
                    worst = max(worst, math.log(max(p, 1e-9) / q))
    assert worst > spec.epsilon / 2 or spec.mechanism == "gaussian"


@pytest.mark.parametrize("change", [{"window_ms": 0}, {"max_groups_per_subject": 0}, {"max_records_per_group": 0}, {"epsilon": 0.0},
                                    {"epsilon": math.nan}, {"epsilon": math.inf}, {"delta": 0.0}, {"delta": 1.0}, {"metrics": ()},
                                    {"measures": ()}, {"metrics": (Metric("n", "count", 0),)}, {"metrics": (Metric("s", "sum"),)},
                                    {"metrics": (Metric("s", "sum", 2),)}, {"measures": (Measure("a", 2, 1, 0, False),)},
                                    {"measures": (Measure("a", 0, 2**60, 0, False),)}, {"measures": (Measure("a", 0, 1, -1, False),)},
                                    {"max_records_per_group": 2**45}, {"every_ms": 7}, {"every_ms": 70_000}, {"every_ms": 1},
                                    {"lifetime_epsilon": 0.5},
                                    {"lifetime_epsilon": math.inf}, {"groups": ()}, {"groups": (b"a", b"a")},
                                    {"metrics": (Metric("h", "histogram", 0),)}, {"metrics": (Metric("h", "histogram", 0, (1, 1)),)},
                                    {"metrics": (Metric("h", "histogram", 0, (1,)),)}, {"metrics": (Metric("s", "sum", 0, (1, 2)),)},
                                    {"metrics": (Metric("q", "quantiles", 0, (1, 2)),)}, {"epsilon": 1e-10},
                                    {"metrics": (Metric("q", "quantiles", 0, (1, 2), (1.5,)),)}])
def test_a_spec_that_breaks_the_mechanisms_is_refused(change):
    """Every invariant that the noise rests on is checked when the spec is made."""
    with pytest.raises(PolicyError, match="Hint"):
        replace(SPEC, **change)
