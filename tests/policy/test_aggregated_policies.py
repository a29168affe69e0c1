"""Aggregated segments as written, and what differential privacy is told of them."""

from itertools import product

import pytest

from flink_masking.dp.spec import Metric


@pytest.fixture
def spec(changed):
    """The spec of the reference policy's aggregated segment after changes."""
    return lambda *changes: changed(*changes).aggregate("aggregated-customer-metrics")


def test_metrics_over_bins_are_in_the_fields_units(spec):
    """Edges are taken in fixed point, shares as written; a field that is named twice is one measure."""
    made = spec(("{sum: purchaseAmount}", "{histogram: {field: purchaseAmount, bins: [0, 10.5, 1000]}}"),
                ("{mean: purchaseAmount}", "{quantiles: {field: purchaseAmount, bins: [0, 10, 1e3], of: [0.5, 0.9]}}"))
    assert made.metrics[2:] == (Metric("spend", "histogram", 0, (0, 1050, 100_000)),
                                Metric("mean_spend", "quantiles", 0, (0, 1000, 100_000), (0.5, 0.9)))
    assert len(made.measures) == 1


def test_hopping_windows_mechanism_and_lifetime(spec):
    """All reach the spec; every window costs the policy's epsilon."""
    made = spec(("{tumbling: 1min}", "{hopping: {size: 1h, every: 10min}}"), ("epsilon: 1.0", "epsilon: 1.0, mechanism: gaussian"),
                ("lifetime_epsilon: 100.0", "lifetime_epsilon: 12"))
    assert (made.window_ms, made.step, made.windows_per_record) == (3_600_000, 600_000, 6)
    assert (made.mechanism, made.lifetime_windows, made.epsilon) == ("gaussian", 12, 1.0)


def test_public_lists_make_all_combinations_in_the_rows_own_words(spec):
    """Texts are quoted as rows quote them; numbers, booleans and null stand as they are."""
    made = spec(("[{zip: {generalize: 3}}, {city: {level: 2}}]",
                 '[{zip: {generalize: 3, groups: ["941**", "é\\"x"]}}, {city: {level: 2}, groups: [West, null, 7, true]}]'))
    zips, cities = ['"941**"', '"é\\"x"'], ['"West"', "null", "7", "true"]
    assert made.groups == tuple(f'"zip":{z},"city":{c}'.encode() for z, c in product(zips, cities))
    assert made.threshold == 1


def test_a_person_is_bounded_by_the_list(spec):
    """With fewer groups than a person may count in, noise is for as many as there are."""
    made = spec(("[{zip: {generalize: 3}}, {city: {level: 2}}]", '[{zip: {generalize: 3, groups: ["941**"]}}]'))
    assert made.max_groups_per_subject == 1
