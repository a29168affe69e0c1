"""Bands of means, variances, quantiles and histograms: the raw figures lie in them as often as they say."""

import json
from collections import Counter, defaultdict

import numpy as np
import pytest

from flink_masking import KeyRing, Protector
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.report import as_html, figures
from flink_masking.report.bands import Bands

EDGES = [0, 50, 100, 200, 1000]
POLICY = """
version: 1
stream: events
subject: person
event_time: {{field: at, max_out_of_orderness: 5s}}
fields:
  person: {{class: identifier}}
  amount: {{class: measure, bounds: [0, 1000], scale: 2, optional: false}}
  region: {{class: quasi, prefix: 1, optional: false}}
  at:     {{class: plain, type: datetime, optional: false}}
segments:
  metrics:
    view: aggregated
    window: {{tumbling: 1h}}
    group_by: [region]
    metrics:
      {count}
      mean: {{mean: amount}}
      spread: {{variance: amount}}
      sizes: {{histogram: {{field: amount, bins: [0, 50, 100, 200, 1000]}}}}
      typical: {{quantiles: {{field: amount, of: [0.25, 0.5], bins: [0, 25, 50, 75, 100, 150, 200, 400, 1000]}}}}
    privacy: {{epsilon: 8.0, delta: 1.0e-9, max_groups_per_subject: 1, max_records_per_group: 1}}
"""
SOURCE = PolicySource("policy.yaml", POLICY.format(count="orders: count"))


@pytest.fixture(scope="module")
def lines():
    """3,000 people of three regions, one record each."""
    rng = np.random.default_rng(5)
    amounts = np.minimum(rng.exponential(90, 3000), 999).round(2)
    return [json.dumps({"person": f"p{k}", "amount": float(amount), "region": "abc"[k % 3], "at": f"2024-03-15T10:{k % 60:02}:00Z"})
            for k, amount in enumerate(amounts)]


def released(lines):
    """The view, as JSON lines."""
    protector = Protector(SOURCE, KeyRing.ephemeral())
    return protector.protect(lines).released["metrics"] + protector.finish()["metrics"]


def test_raw_figures_lie_in_the_bands_as_often_as_these_say(lines):
    """Of 60 draws of each figure 42 or more lie in the band of 95 in 100 (fewer by chance: below one in a million), which is not wide."""
    amounts = defaultdict(list)
    for record in map(json.loads, lines):
        amounts[record["region"]].append(record["amount"])
    bands, inside, drawn, widths = Bands(load(SOURCE).aggregate("metrics")), Counter(), 0, defaultdict(list)
    for _ in range(20):
        for row in map(json.loads, released(lines)):
            raw, drawn = amounts[row["region"]], drawn + 1
            for name, truth, band in (
                    ("mean", np.mean(raw), bands.ratio("mean", row)), ("spread", np.var(raw), bands.ratio("spread", row)),
                    (0.25, np.quantile(raw, 0.25), bands.quantile("typical", 0.25, row)),
                    (0.5, np.quantile(raw, 0.5), bands.quantile("typical", 0.5, row))):
                inside[name] += band.low <= truth <= band.high
                widths[name].append((band.high - band.low) / truth)
    assert drawn == 60
    assert all(inside[name] >= 42 for name in widths), inside
    assert np.median(widths["mean"]) < 0.5 and np.median(widths[0.5]) < 1


def test_without_a_published_number_of_records_there_is_no_band():
    """A mean beside nothing else has no band; a histogram of the field tells how many records there are, too."""
    spec = load(SOURCE).aggregate("metrics")
    assert Bands(spec).ratio("mean", {"mean": 90.0}) is None
    assert Bands(spec).quantile("typical", 0.5, {"typical": {"0.5": 60.0}}) is None
    told = Bands(spec).ratio("mean", {"mean": 90.0, "sizes": {"bins": EDGES, "counts": [400, 300, 200, 100]}})
    assert told == Bands(spec).ratio("mean", {"mean": 90.0, "orders": 1000})


def test_every_metric_is_drawn(tmp_path, lines):
    """Figures hold a series for each metric and quantile, the histogram's bins, and the page a chart of each."""
    (tmp_path / "policy.yaml").write_text(SOURCE.text)
    (tmp_path / "raw.jsonl").write_text("\n".join(lines) + "\n")
    (tmp_path / "out" / "metrics").mkdir(parents=True)
    (tmp_path / "out" / "metrics" / "part-0").write_bytes(b"\n".join(released(lines)) + b"\n")
    told = figures(PolicySource.read(tmp_path / "policy.yaml"), tmp_path / "raw.jsonl", tmp_path / "out")
    (view,) = told["aggregated"]
    assert [one["metric"] for one in view["series"]] == ["orders", "mean", "spread", "typical 0.25", "typical 0.5"]
    assert all({"low", "high"} <= set(point) for one in view["series"] for point in one["points"])
    (histogram,) = view["histograms"]
    assert len(histogram["bars"]) == 3 * (len(EDGES) - 1) and histogram["error_95"] > 0
    page = as_html(told)
    assert page.count("<figure") == 6 and "last window of each group" in page
