"""Figures of aggregated views beside the raw records: honest releases hold, and noise that is missing, too small or too large is found."""

import json
import random
from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest
from release_material import verdicts

from flink_masking.dp.contribution import contributions
from flink_masking.dp.final import FinalLogic
from flink_masking.dp.noise import SAMPLERS
from flink_masking.dp.partial import PartialLogic
from flink_masking.dp.partials import read_partial
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.verify import files
from flink_masking.verify.budget import Budget
from flink_masking.verify.noise import Noise, gamma_below, gamma_beyond, held_against, statistics

POLICY = """\
version: 1
stream: orders
subject: person
event_time: {field: at, max_out_of_orderness: 5s}
fields:
  person: {class: identifier}
  zip: {class: quasi, prefix: 5}
  amount: {class: measure, bounds: [0, 300], scale: 2}
  at: {class: plain, type: datetime}
segments:
  board:
    view: aggregated
    window: {tumbling: 1min}
    group_by: [{zip: {generalize: 1}}]
    metrics:
      orders: count
      people: count_distinct_subjects
      spend: {sum: amount}
      mean: {mean: amount}
      spread: {histogram: {field: amount, bins: [0, 20, 50, 300]}}
    privacy: {epsilon: 2.0, delta: 1.0e-9, max_groups_per_subject: 1, max_records_per_group: 3}
"""
PUBLIC = POLICY.replace("{generalize: 1}", "{generalize: 1, groups: ['1****', '2****', '3****', '4****', '7****']}")
CLIPPED = PUBLIC.replace("    privacy:", "    clip: true\n    privacy:")
GAUSSIAN = POLICY.replace("max_groups", "mechanism: gaussian, max_groups")


def raw_records(n=4000, people=1100, windows=6, seed=1):
    """Records of people with one place each, some with two, some with more records than count; a few without an amount."""
    draw = random.Random(seed)
    found = []
    for at in range(n):
        person = min(int(draw.expovariate(1 / (people / 3))), people - 1)
        place = person % 4 + 1 if person % 20 or draw.random() < 0.8 else 9
        minute, second = divmod(at * windows * 60 // n, 60)
        found.append({"person": f"P{person}", "zip": f"{place}{person:04}", "amount": round(draw.lognormvariate(3.4, 1), 2),
                      "at": f"2024-03-15T10:{minute:02}:{second:02}Z"})
        if not at % 97:
            del found[-1]["amount"]
    return found


class Engine:
    """The two logics of the library over some records."""

    def __init__(self, policy, records):
        """Take the columns of the records; what follows is the same in each run of the tests."""
        self._draw = random.Random(len(policy))
        self.spec = load(PolicySource("policy.yaml", policy)).aggregate("board")
        self._people = [record["person"] for record in records]
        self._time = np.array([datetime.fromisoformat(record["at"]).timestamp() * 1000 for record in records], np.int64)
        self._group = pa.array([f'"zip":"{record["zip"][0]}****"'.encode() for record in records], pa.binary())
        amounts = [record.get("amount") for record in records]
        self._value = np.array([round(100 * (amount or 0)) for amount in amounts], np.int64)
        self._valid = np.array([amount is not None for amount in amounts])

    def rows(self, sampler=None):
        """The rows of a release with new keys and noise."""
        names = {person: self._draw.getrandbits(64) for person in sorted(set(self._people))}
        subjects = np.array([names[person] for person in self._people], np.uint64)
        partial, final = PartialLogic(self.spec), FinalLogic(self.spec, sampler, self._draw.randbytes)
        partial.on_batch(contributions(self.spec, self._time, subjects, self._group, [self._value], [self._valid]), 0)
        for blob in partial.on_end().outputs:
            final.on_batch(read_partial(blob, self.spec), 0)
        return [json.loads(line) for chunk in final.on_end().outputs for line in chunk.split(b"\n")]


@pytest.fixture(scope="module")
def records():
    """The raw records."""
    return raw_records()


@pytest.fixture(scope="module")
def judge(records, tmp_path_factory):
    """Verify rows against the raw records."""
    place = tmp_path_factory.mktemp("noise")
    (place / "raw.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))

    def run(rows, policy=POLICY):
        (place / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        return files.verify(PolicySource("policy.yaml", policy), place / "raw.jsonl", place / "rows.jsonl")

    return run


@pytest.mark.parametrize("policy", [POLICY, PUBLIC, CLIPPED, GAUSSIAN], ids=["threshold", "public", "clipped", "gaussian"])
def test_honest_releases_hold(judge, records, policy):
    """Releases of the library hold every promise, and their residuals have the mean size that is promised."""
    engine, ratios = Engine(policy, records), []
    for _ in range(200 if policy is POLICY else 20):
        report = judge(engine.rows(), policy)
        assert set(verdicts(report).values()) == {"held"}, [p for p in report.promises if p.verdict != "held"]
        ratios.append(report.figures["noise, 1 as promised"]["all figures"])
    assert abs(np.mean(ratios) - 1) < 0.03 if policy is POLICY else abs(np.mean(ratios) - 1) < 0.1


def none(scale, n, stream):
    """No noise."""
    return np.zeros(n, np.int64)


def half(kind):
    """Noise of half the scale."""
    return lambda scale, n, stream: SAMPLERS[kind](scale / 2, n, stream)


def double(scale, n, stream):
    """Noise of twice the scale."""
    return SAMPLERS["laplace"](scale * 2, n, stream)


@pytest.mark.parametrize("policy", [POLICY, PUBLIC, GAUSSIAN], ids=["threshold", "public", "gaussian"])
@pytest.mark.parametrize("noise", ["none", "half"])
def test_noise_that_is_missing_or_too_small_is_found(judge, records, policy, noise):
    """Exact figures, and figures with half of the promised noise, break the promise in every release."""
    engine = Engine(policy, records)
    sampler = none if noise == "none" else half(engine.spec.mechanism)
    for _ in range(5):
        report = judge(engine.rows(sampler), policy)
        assert verdicts(report)["noise"] == "broken"
        (promise,) = [promise for promise in report.promises if promise.name == "noise"]
        assert "of the promised, p = " in promise.note


REFUSED = {
    "undeclared": lambda record: {**record, "nickname": "x"},
    "an object for a value": lambda record: {**record, "note": {"a": 1}},
    "a value for an object": lambda record: {**record, "card": "x"},
    "required and missing": lambda record: {name: value for name, value in record.items() if name != "kind"},
    "outside of a domain": lambda record: {**record, "age": 130},
}
STRICTER = POLICY.replace("  at: {class", """\
  kind: {class: plain, optional: false}
  note: {class: free_text}
  card.brand: {class: plain}
  "tags[*]": {class: plain}
  age: {class: quasi, domain: [0, 120]}
  at: {class""") + "  groups: {view: anonymized, k: 5, quasi_identifiers: [age], max_delay: 30s}\n"


@pytest.mark.parametrize("why", REFUSED)
def test_records_in_quarantine_do_not_break_the_promise(records, tmp_path, why):
    """Of raw records that the policy refuses for their members, the figures are held against the others; noise is still asked for."""
    good = [{**record, "kind": "a", "age": 30, "tags": ["x"], "card": {"brand": "visa"}} for record in records]
    mixed = [REFUSED[why](record) if at % 4 == 0 else record for at, record in enumerate(good)]
    engine = Engine(STRICTER, [record for at, record in enumerate(good) if at % 4])

    def judged(rows, raw, name):
        for file, content in (("raw.jsonl", raw), ("rows.jsonl", rows)):
            (tmp_path / file).write_text("".join(json.dumps(one) + "\n" for one in content))
        report = files.verify(PolicySource("policy.yaml", STRICTER), tmp_path / "raw.jsonl", tmp_path / "rows.jsonl", "board")
        return verdicts(report)[name]

    assert judged(engine.rows(), mixed, "noise") == "held"
    if why == "undeclared":
        assert judged(engine.rows(none), mixed, "noise") == "broken"
        assert judged(Engine(STRICTER, good).rows(), mixed, "noise") == "held"  # they were taken all the same
        assert judged(engine.rows(), good, "noise") == "broken"  # a quarter of good records is missing


@pytest.mark.parametrize("change", [
    lambda row: {**row, "orders": row["orders"] * 10}, lambda row: {**row, "spend": row["spend"] * 1.5 + 4000},
    lambda row: {**row, "spread": {**row["spread"], "counts": [7 * n for n in row["spread"]["counts"]]}},
    lambda row: {**row, "people": row["people"] + 300},
])  # fmt: skip
def test_figures_that_noise_does_not_explain_are_found(judge, records, change):
    """Counts, sums, bins and people that are further from the raw records than noise takes them break the promise."""
    rows = Engine(POLICY, records).rows()
    assert verdicts(judge([change(row) for row in rows]))["noise"] == "broken"


def test_one_wrong_figure_among_many_is_found(judge, records):
    """A single row that noise does not explain is enough."""
    rows = Engine(POLICY, records).rows()
    assert verdicts(judge([{**rows[0], "orders": rows[0]["orders"] + 900}, *rows[1:]]))["noise"] == "broken"


def test_figures_for_exact_people_only(judge, records):
    """One metric without noise is found among others with it."""
    engine = Engine(POLICY, records)
    exact = {(row["window_start"], row["zip"]): row for row in engine.rows(none)}
    rows = [{**row, "people": exact[row["window_start"], row["zip"]]["people"]} for row in engine.rows()]
    report = judge(rows)
    assert verdicts(report)["noise"] == "broken"
    assert "people: noise 0." in next(promise.note for promise in report.promises if promise.name == "noise")


def test_noise_that_is_too_large_is_found(judge, records):
    """Twice the noise is not what the policy promises, either."""
    engine = Engine(POLICY, records)
    assert verdicts(judge(engine.rows(double)))["noise"] == "broken"


def test_groups_far_below_the_threshold_are_found(judge, records):
    """A group of a handful of people among the rows breaks the promise, whatever it shows."""
    rows = Engine(POLICY, records).rows()
    assert not any(row["zip"] == "9****" for row in rows)
    row = {**rows[0], "zip": "9****", "orders": 61, "people": 55}
    report = judge([*rows, row])
    assert verdicts(report)["groups"] == "broken"


@pytest.mark.parametrize(("kind", "scale"), [("laplace", 0.4), ("laplace", 3.0), ("laplace", 5e5), ("gaussian", 0.8), ("gaussian", 200.0)])
def test_statistics_are_exponential_under_the_promise(kind, scale):
    """Whatever the scale, from the library's own samplers, statistics have mean and variance 1, cut off at a threshold or not."""
    from flink_masking.dp.noise import WordStream

    n = 20_000
    drawn = SAMPLERS[kind](scale, n, WordStream(bytes(32)))
    draw, known = np.random.default_rng(3).random(n), np.zeros(n)
    found = statistics(Noise(kind, scale), drawn, draw, known)
    assert abs(found.mean() - 1) < 0.03 and abs(found.var() - 1) < 0.1
    assert min(held_against(found)[2:]) > 1e-4
    cut = drawn >= round(scale)
    found = statistics(Noise(kind, scale), drawn[cut], draw[cut], known[cut], np.full(int(cut.sum()), round(scale)))
    assert abs(found.mean() - 1) < 0.1
    shown = np.maximum(drawn, -1)
    found = statistics(Noise(kind, scale), shown, draw, known, None, shown == -1)
    assert abs(found.mean() - 1) < 0.03


def test_tails_of_the_gamma_distribution():
    """Both tails of a sum of exponential variables are those of the gamma distribution."""
    sums = np.random.default_rng(5).exponential(size=(200_000, 30)).sum(1)
    for total in (20.0, 30.0, 45.0):
        assert gamma_below(30, total) == pytest.approx((sums <= total).mean(), abs=0.004)
        assert gamma_beyond(30, total) + gamma_below(30, total) == pytest.approx(1)
    assert gamma_below(120, 60) < 1e-10 and gamma_below(3, 0) == 0 and gamma_beyond(3, 0) == 1


@pytest.mark.parametrize("policy", [POLICY, PUBLIC, GAUSSIAN, *(text.replace("max_groups", "neighbours: replace, max_groups")
                                                                for text in (POLICY, PUBLIC, GAUSSIAN))])
def test_the_verifier_reckons_the_same_noise(policy):
    """Scales and threshold, reckoned without the library's code, are those that the library draws with."""
    loaded = load(PolicySource("policy.yaml", policy))
    spec, budget = loaded.aggregate("board"), Budget(loaded.policy.segments["board"], loaded.policy.fields)
    assert [budget.noise(quantity).scale for quantity in budget.quantities] == pytest.approx([spec.scale(q) for q in spec.quantities])
    assert budget.threshold == spec.threshold
