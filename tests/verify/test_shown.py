"""What the verifier takes a masked value to stand for holds the raw one, whatever the library's techniques make of it."""

import datetime
import json
import random

import numpy as np
import pyarrow as pa
import pytest

from flink_masking.documents.document import Document
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.fields import Field
from flink_masking.policy.load import load
from flink_masking.policy.segments import rule_spec
from flink_masking.policy.source import PolicySource
from flink_masking.policy.structure import build
from flink_masking.records.kinds import Kind
from flink_masking.techniques import registry
from flink_masking.techniques.base import Action, FieldFacts, RuleContext
from flink_masking.techniques.masks import Context, Values
from flink_masking.verify.attributes import attribute
from flink_masking.verify.masked_view import read_masked
from flink_masking.verify.shown import EVERYTHING, interval, positions, promised

RING = KeyRing.new()
NUMBERS = ["0", "0.01", "0.5", "3", "12.34", "99.99", "100", "299.99", "-7.25", "-0.03", "1000000", "17", "119"]
DATES = ["1920-01-01", "1999-12-31", "2024-02-29", "2024-03-15T10:30:00Z", "2024-12-30T23:59:59+02:00", "2025-01-01"]


def masked(written, texts, kind):
    """The rule, and what the library makes of texts (None where it refuses)."""
    rule = rule_spec(written)
    technique = registry.get(rule.technique)
    mask = technique.make(technique.params.model_validate(rule.parameters), RuleContext(FieldFacts("field"), RING, lambda name: ""))
    if isinstance(mask, Action):
        return rule, [json.loads(text) if kind is Kind.NUMBER else text for text in texts]
    n = len(texts)
    values = Values(pa.array(texts), np.full(n, kind, np.int32), np.arange(n, dtype=np.int32))
    made = mask(values, Context(random.randbytes(32), pa.array([f"P{at}" for at in range(n)])))
    refused = np.zeros(n, np.bool_) if made.refused is None else made.refused
    plain = [json.loads(one) if isinstance(one, bytes) else one for one in made.values.to_pylist()]
    return rule, ["***" if no else one for no, one in zip(refused, plain, strict=True)]


@pytest.mark.parametrize("rule", [
    "keep", {"technique": "perturb", "relative": 0.05, "scale": 2}, {"technique": "perturb", "relative": 0.0001, "scale": 2},
    {"technique": "perturb", "relative": 0.9}, {"technique": "perturb", "absolute": 10},
    {"technique": "perturb", "absolute": 0.5, "scale": 0},
    {"technique": "generalize", "width": 10}, {"technique": "generalize", "width": 0.05}, {"technique": "generalize", "round_to": 5},
    {"technique": "generalize", "width": 2.5, "origin": 1}, {"technique": "perturb", "relative": 0.1, "mode": "keyed"},
])  # fmt: skip
def test_a_range_of_numbers_holds_the_number(rule):
    """Of every number that a technique takes, what is shown is read as a range in which the number lies, and not as everything."""
    for _ in range(20):
        spec, shown = masked(rule, NUMBERS, Kind.NUMBER)
        for text, value in zip(NUMBERS, shown, strict=True):
            low, high = interval(promised(spec))(value)
            assert low <= float(text) <= high
            assert (low, high) != EVERYTHING or value == "***"


@pytest.mark.parametrize("rule", [
    "keep", {"technique": "date_shift", "max_days": 30}, *({"technique": "generalize", "date": level}
                                                           for level in ("day", "week", "month", "quarter", "year")),
])  # fmt: skip
def test_a_range_of_days_holds_the_day(rule):
    """Dates that are moved or cut short are read as the days that they can stand for."""
    spec, shown = masked(rule, DATES, Kind.STRING)
    for text, value in zip(DATES, shown, strict=True):
        low, high = interval(promised(spec))(value)
        assert low <= datetime.date.fromisoformat(text[:10]).toordinal() <= high < low + 400


@pytest.mark.parametrize(("rule", "texts", "kind", "field"), [
    ({"technique": "generalize", "width": 7}, ["0", "20", "21", "119", "120"], Kind.NUMBER, {"domain": [0, 120]}),
    ({"technique": "perturb", "absolute": 3}, ["0", "20", "21", "119", "120"], Kind.NUMBER, {"domain": [0, 120]}),
    ({"technique": "generalize", "prefix": 3}, ["94110", "10001"], Kind.STRING, {"prefix": 5}),
    ({"technique": "partial", "keep_first": 2}, ["94110", "10001"], Kind.STRING, {"prefix": 5}),
    ({"technique": "generalize", "date": "month"}, ["2024-01-31", "2024-02-29"], Kind.STRING, {"domain": ["2020-01-01", "2029-12-31"]}),
    ("keep", ["20", "21"], Kind.NUMBER, {"domain": [0, 120]}),
])  # fmt: skip
def test_positions_of_a_quasi_identifier_hold_the_raw_one(rule, texts, kind, field):
    """Where a quasi-identifier is shown coarser, the positions that it may have hold its own, and not all others."""
    declared = attribute("field", Field.model_validate({"class": "quasi", **field}), {}, False)
    spec, shown = masked(rule, texts, kind)
    places = positions(promised(spec), declared, shown)
    raw = declared.positions([json.loads(text) if kind is Kind.NUMBER else text for text in texts])
    assert (places[:, 0] <= raw[:, 0]).all() and (raw[:, 1] <= places[:, 1]).all()
    assert (places[:, 1] < 1 << 62).all()


def test_a_part_without_bounds_may_be_anything():
    """The beginning of a date tells the verifier nothing of the day, and is not taken for a value outside the domain."""
    declared = attribute("field", Field.model_validate({"class": "quasi", "domain": ["2020-01-01", "2029-12-31"]}), {}, False)
    spec, shown = masked({"technique": "partial", "keep_first": 4}, ["2024-01-31"], Kind.STRING)
    assert shown == ["2024***"]
    (low, high), = positions(promised(spec), declared, shown)
    assert low == 0 and high > declared.positions(["2029-12-31"])[0, 1]


@pytest.mark.parametrize(("rule", "people"), [
    ({"technique": "substitute", "as": "full_name"}, 2), ({"technique": "substitute", "as": "full_name", "mode": "random"}, 4),
    ({"technique": "pseudonym", "domain": "d"}, 2), ({"technique": "partial", "keep_first": 3}, 2), ({"technique": "redact"}, 4),
    ({"technique": "fpe", "domain": "d", "format": "ssn", "keep_last": 3}, 2),
])  # fmt: skip
def test_whoever_stands_for_a_person_does_so_for_check_and_for_the_verifier(rule, people, tmp_path):
    """A lasting stand-in, a consistent substitute among them, counts people when views are joined, and check says that it leads to it."""
    policy = {
        "version": 1, "stream": "s", "subject": "id",
        "fields": {"id": {"class": "identifier", "type": "string"}, "age": {"class": "quasi", "type": "integer", "domain": [0, 120]},
                   "at": {"class": "plain", "type": "datetime"}},
        "event_time": {"field": "at", "max_out_of_orderness": "1min"},
        "segments": {"m": {"view": "masked", "rules": {"id": rule, "age": "keep"}},
                     "a": {"view": "anonymized", "k": 5, "max_delay": "30s", "max_buffer": 500, "quasi_identifiers": ["age"]}},
    }  # fmt: skip
    spec, shown = masked(rule, ["123-45-6789", "223-45-6780", "123-45-6789", "223-45-6780"], Kind.STRING)
    (tmp_path / "part.jsonl").write_text("".join(json.dumps({"id": value, "age": 7}) + "\n" for value in shown))
    built, _ = build(Document("p.yaml", json.dumps(policy)))
    view = read_masked("m", built.segments["m"], built, tmp_path, {})
    assert len(np.unique(view.people)) == people
    warnings = [fault.message for fault in load(PolicySource("p.yaml", json.dumps(policy))).warnings]
    assert any("lead to 'id'" in text for text in warnings) == promised(spec).stands_for_a_person
