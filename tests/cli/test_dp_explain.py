"""``flink-masking dp explain``: promise, cost and error of aggregated segments in plain words."""

import json

import pytest

POLICY = """\
version: 1
stream: sums
subject: id
event_time: {field: at}
fields:
  id: {class: identifier}
  zip: {class: quasi, prefix: 5}
  amount: {class: measure, bounds: [0, 1000], scale: 2}
  at: {class: plain, type: datetime}
segments:
  found:
    view: aggregated
    window: {tumbling: 1min}
    group_by: [{zip: {generalize: 3}}]
    metrics: {n: count, people: count_distinct_subjects, spend: {sum: amount}, mean: {mean: amount}}
    privacy: {epsilon: 1, delta: 1.0e-9, max_groups_per_subject: 2, max_records_per_group: 3, lifetime_epsilon: 30}
  listed:
    view: aggregated
    window: {hopping: {size: 1h, every: 10min}}
    group_by: [{zip: {generalize: 3, groups: ["941**", "100**"]}}]
    metrics:
      n: count
      var: {variance: amount}
      spread: {histogram: {field: amount, bins: [0, 10, 100, 1000]}}
      q: {quantiles: {field: amount, bins: [0, 10, 100, 1000], of: [0.5, 0.9]}}
    privacy: {epsilon: 0.5, delta: 1.0e-9, mechanism: gaussian}
"""


@pytest.fixture
def policy(tmp_path):
    """A policy with two aggregated segments."""
    file = tmp_path / "policy.yaml"
    file.write_text(POLICY)
    return file


def test_plain_words(cli, policy):
    """Unit of protection, cost of a window, a day and a lifetime, threshold, clipping, the split and every metric's error are told."""
    done = cli("dp", "explain", policy, "--segment", "found")
    assert done.code == 0
    for words in ("Protected: all records of one person in one window.", "Cost for one window: epsilon 1, delta 1e-09.",
                  "a person who is there in all 30 windows that count: epsilon 30, delta 3e-08.",
                  "Cost of a lifetime: epsilon 30, delta 3e-08 at most, that is 30 windows; after them the person no longer counts.",
                  "at most 2 groups of a window, with at most 3 records in each", "values above 1,000 as 1,000",
                  "168 or more distinct people", "sum of amount: epsilon 0.25, scale 24,000 (for spend, mean)",
                  "spend: ±33,941, 95 %: ±71,898",
                  "mean: ±", "in a group of 1,000 records"):
        assert words in done.out
    assert "listed" not in done.out and done.out == cli("dp", "explain", policy, "--segment", "found").out


def test_windows_that_overlap(cli, policy):
    """What a record costs in all its windows is said; Gaussian noise is accounted for by zCDP where that is less."""
    done = cli("dp", "explain", policy, "--segment", "listed")
    for words in ("each record counts in 6 windows", "Cost of a single record, in all its windows: epsilon 3 (by zCDP 1.204), delta 6e-09.",
                  "Cost of a day for a person who is there in all 144 windows", "Cost of a lifetime: without limit", "the public list of 2",
                  "zeros and empty windows too", "Noise: discrete Gaussian", "rho 0.00079064",
                  "squares of amount", "in each bin", "q 0.5: ±"):
        assert words in done.out


def test_figures_as_json(cli, policy):
    """--json gives the same figures to programs, all segments without --segment."""
    done = cli("dp", "explain", policy, "--json")
    found, listed = json.loads(done.out)
    assert found["per_window"] == {"windows": 1, "epsilon": 1.0, "delta": 1e-9}
    assert found["lifetime"] == {"epsilon_limit": 30.0, "windows": 30, "epsilon": 30.0, "delta": 3e-8}
    assert found["groups"] == {"chosen_by": "threshold", "threshold": 168}
    assert sum(part["epsilon"] for part in found["split"]) == pytest.approx(1)
    assert listed["per_record"] == {"windows": 6, "epsilon": 3.0, "delta": 6e-9, "epsilon_by_zcdp": 1.204}
    assert [metric["metric"] for metric in listed["metrics"]] == ["n", "var", "spread", "q"]
    assert listed["lifetime"] is None


def test_what_cannot_be_explained(cli, policy):
    """A segment that is not there, or a policy without aggregated segments, ends with 2 and a hint."""
    done = cli("dp", "explain", policy, "--segment", "other")
    assert done.code == 2 and "found, listed" in done.err
    policy.write_text(POLICY.partition("  found:")[0] + "  kept: {view: masked, rules: {zip: keep}}\n")
    done = cli("dp", "explain", policy)
    assert done.code == 2 and "no aggregated segment" in done.err


def test_all_segments_together(cli, policy):
    """The sum over the stream's aggregated segments is told, in words and as figures; of one segment alone it is not."""
    told = cli("dp", "explain", policy).out
    for words in ("All aggregated segments of the stream together: found, listed", "Cost for one window of each: epsilon 1.5, delta 2e-09.",
                  "Cost of a single record, in all its windows: epsilon 4.", "in all windows that count: epsilon 102.",
                  "Cost of a lifetime: without limit"):
        assert words in told
    assert "together" not in cli("dp", "explain", policy, "--segment", "found").out
    figures = json.loads(cli("dp", "explain", policy, "--json").out)
    assert figures[0]["stream"] == figures[1]["stream"] == {
        "stream": ["found", "listed"], "per_window": 1.5, "per_record": 4.0, "per_day": 102.0, "lifetime": None, "delta_per_window": 2e-9,
        "lifetime_limit": None, "parts": {"found": 30.0, "listed": None}}


def test_a_budget_of_the_stream(cli, policy):
    """It is told with the part of every segment, and each segment's own lifetime is its part."""
    policy.write_text(POLICY + "privacy: {lifetime_epsilon: 100}\n")
    told = cli("dp", "explain", policy).out
    assert "The stream's budget of 100 in parts: found 30, listed 70." in told
    assert "Cost of a lifetime: epsilon 100 at most." in told and "Cost of a lifetime: epsilon 70" in told


def test_neighbours_are_told(cli, policy):
    """What two inputs differ in that nobody can tell apart: records of one person that are added or removed, or replaced by others."""
    added = cli("dp", "explain", policy, "--segment", "found", "--json").out
    assert "by adding or removing all records of one person in a window" in cli("dp", "explain", policy, "--segment", "found").out
    policy.write_text(POLICY.replace("lifetime_epsilon: 30", "lifetime_epsilon: 30, neighbours: replace"))
    told = cli("dp", "explain", policy, "--segment", "found")
    assert "has other records in a window, or none (neighbours: replace)" in told.out
    before, after = (json.loads(text)[0] for text in (added, cli("dp", "explain", policy, "--segment", "found", "--json").out))
    assert (before["neighbours"], after["neighbours"]) == ("add_remove", "replace")
    assert [part["scale"] for part in after["split"]] == [2 * part["scale"] for part in before["split"]]
    assert after["per_window"] == before["per_window"] and after["groups"]["threshold"] > 2 * before["groups"]["threshold"] - 5
