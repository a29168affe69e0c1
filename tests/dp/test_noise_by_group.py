"""Noise belongs to a group: what is published beside it, and where it stands, moves no draw to another group."""

import json
import random
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from flink_masking.dp.final import FinalLogic
from flink_masking.dp.noise import Mechanisms
from flink_masking.dp.partials import partial_schema
from flink_masking.dp.spec import AggregateSpec, Measure, Metric, Quantity

METRICS = (Metric("orders", "count"), Metric("spend", "sum", 0), Metric("sizes", "histogram", 0, (0, 50, 100)))
SPEC = AggregateSpec(60_000, 1, 1, 1.0, 1e-6, METRICS, (Measure("amount", 0, 100, 0, False),))
GROUPS = 2000
SEED = random.Random(1).randbytes(32)
"""The same at every run: a bound on what is drawn holds or does not, and not by chance."""


def totals(spec, people, names=None):
    """Totals of groups with so many people, one record each."""
    schema, n = partial_schema(spec), len(people)
    groups = [b'"zip":"%05d"' % g for g in (range(n) if names is None else names)]
    numbers = [pa.array(np.asarray(people, np.int64))] * (len(schema) - 2)
    columns = [pa.array(np.zeros(n, np.int64)), pa.array(groups, pa.binary()), *numbers]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def shown(spec, batch, seed):
    """Published noise by group: {group: tuple of the noise in all its numbers}."""
    published, noisy = Mechanisms(spec).draw(batch, seed)
    exact = batch.column("records").to_numpy()[published]
    columns = [noisy[q] - (exact if noisy[q].ndim == 1 else exact[:, None]) for q in spec.quantities]
    rows = np.column_stack(columns).tolist()
    names = batch.column("group").filter(pa.array(published)).to_pylist()
    return dict(zip(names, map(tuple, rows), strict=True))


def exact_differences(one, two):
    """Differences between numbers at the same place of two publications, of two groups, that show the exact difference of their totals."""
    pairs = [(a, b) for a, b in zip(one.items(), two.items(), strict=False) if a[0] != b[0]]
    return sum(any(x == y for x, y in zip(a[1][1:], b[1][1:], strict=True)) for a, b in pairs), len(pairs)


@pytest.mark.parametrize("mechanism", ["laplace", "gaussian"])
def test_an_edited_delta_moves_no_noise_to_another_group(mechanism):
    """Of a window published under two deltas, no difference of two groups' numbers is exact more often than by chance."""
    seed, rng = SEED, np.random.default_rng(1)
    spec = replace(SPEC, mechanism=mechanism, measures=(Measure("amount", 0, 10_000, 0, False),), metrics=METRICS[1:2])
    batch = totals(spec, rng.integers(20, 400, GROUPS))
    # with Gaussian noise delta decides on the scale, too, so that all noise is fresh
    one, two = (shown(replace(spec, delta=delta), batch, seed) for delta in (1e-6, 1e-9))
    assert len(one) != len(two) and min(len(one), len(two)) > 500
    exact, pairs = exact_differences(one, two)
    assert pairs > 500 and exact <= 5
    for group in one.keys() & two.keys():
        assert (one[group] == two[group]) is (mechanism == "laplace")


def test_an_edited_public_list_moves_no_noise_to_another_group():
    """A group added to the list, or taken from it, leaves the numbers of the others as they are and gives none of them to another."""
    seed, names = SEED, range(GROUPS)
    spec = replace(SPEC, measures=(Measure("amount", 0, 10_000, 0, False),), metrics=METRICS[1:2])
    publications = []
    for left in (names, names[1:]):
        listed = replace(spec, groups=tuple(b'"zip":"%05d"' % g for g in left))
        publications.append(shown(listed, totals(listed, [7] * len(left), left), seed))
    one, two = publications
    assert all(one[group] == numbers for group, numbers in two.items())
    assert len(set(one.values())) > 0.9 * GROUPS


def test_a_group_with_other_totals_takes_other_noise_alone():
    """A record more in one group changes the noise of all its numbers, also of those that it left as they were, and of no other group."""
    seed, people = SEED, np.full(GROUPS, 5000)
    spec = replace(SPEC, measures=(Measure("amount", 0, 10_000, 0, False),))
    one = shown(spec, totals(spec, people), seed)
    batch = totals(spec, people)
    bins = batch.schema.names.index("h0_1")
    more = batch.column(bins).to_numpy() + (np.arange(GROUPS) == 7)
    two = shown(spec, batch.set_column(bins, batch.schema.field(bins), pa.array(more)), seed)
    changed = [group for group in one if one[group] != two[group]]
    assert changed == [b'"zip":"00007"'] and one[changed[0]][0:3] != two[changed[0]][0:3]


@pytest.mark.parametrize("mechanism", ["laplace", "gaussian"])
def test_draws_of_groups_quantities_and_bins_are_independent(mechanism):
    """No two numbers of a window share their noise, neither across groups nor across quantities and bins."""
    spec = replace(SPEC, mechanism=mechanism)
    rows = np.array(list(shown(spec, totals(spec, np.full(GROUPS, 5000)), SEED).values()), float)
    assert rows.shape == (GROUPS, len(spec.quantities) + 1)
    correlation = np.corrcoef(rows.T) - np.eye(rows.shape[1])
    assert np.abs(correlation).max() < 0.12
    for column in rows.T:
        assert abs(np.corrcoef(column[1:], column[:-1])[0, 1]) < 0.12
    assert spec.quantities[0] == Quantity("subjects")


def test_noise_in_a_group_does_not_depend_on_its_place():
    """The same groups in another order, with others between them, show the same numbers."""
    seed, order = SEED, np.random.default_rng(2).permutation(500)
    one = shown(SPEC, totals(SPEC, np.full(500, 5000)), seed)
    two = shown(SPEC, totals(SPEC, np.full(500, 5000), order), seed)
    assert one == two and list(one) != list(two)


def published_again(spec, seeds, batch):
    """The rows of a window that a job publishes which still has the seeds of another: {group: row}."""
    logic = FinalLogic(spec)
    logic.restore(seeds)
    logic.on_batch(batch, 0)
    rows = [json.loads(line) for chunk in logic.on_end().outputs for line in chunk.split(b"\n")]
    return {row["zip"]: row for row in rows}


def test_a_window_published_under_two_policies_tells_no_exact_difference():
    """The attack from outside: a window is published, delta is edited, and a restored job publishes it again.

    Rows at the same place show no exact difference of two groups' totals, and a group that both show has one figure.
    """
    spec = replace(SPEC, metrics=(Metric("orders", "count"), Metric("spend", "sum", 0)), measures=(Measure("amount", 0, 10_000, 0, False),))
    people = np.random.default_rng(3).integers(20, 400, GROUPS)
    batch = totals(spec, people)
    first = FinalLogic(spec)
    first.on_batch(batch, 0)
    seeds = {key: entry for key, entry in first.snapshot().items() if key.startswith("seed:")}
    one, two = (published_again(replace(spec, delta=delta), seeds, batch) for delta in (1e-3, 1e-9))
    assert len(one) > len(two) > 1000
    places = [(a, b) for a, b in zip(one, two, strict=False) if a != b]
    exact = sum(one[a]["spend"] - two[b]["spend"] == int(people[int(a)]) - int(people[int(b)]) for a, b in places)
    assert len(places) > 1000 and exact <= 5
    assert all(one[group]["spend"] == row["spend"] for group, row in two.items())
