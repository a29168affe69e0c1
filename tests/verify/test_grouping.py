"""Groups made again from raw values are those that the library's rows show."""

import json

import numpy as np
import pyarrow as pa
import pytest

from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.segments import GroupKey
from flink_masking.policy.source import PolicySource
from flink_masking.records.kinds import Kind
from flink_masking.techniques import registry
from flink_masking.techniques.base import FieldFacts, RuleContext
from flink_masking.techniques.masks import Context, Values
from flink_masking.verify.grouping import grouping, text_of

POLICY = """\
version: 1
stream: s
subject: id
fields:
  id: {class: identifier}
  age: {class: quasi, type: integer, domain: [-5, 120]}
  weight: {class: quasi, type: number, domain: [0, 300], scale: 2}
  zip: {class: quasi, prefix: 5}
  born: {class: quasi, type: date, domain: ["1900-01-01", "2030-01-01"]}
segments: {a: {view: masked, rules: {age: drop}}}
"""
VALUES = {"age": [-5, -1, 0, 7, 19, 20, 39, 119, 120], "weight": [0, 0.5, 2.49, 2.5, 72.35, 299.99, 300],
          "zip": ["94110", "1", "", "10001"], "born": ["1999-12-31", "2024-02-29", "1900-01-01"]}


@pytest.mark.parametrize(("field", "written", "parameters"), [
    ("age", {"width": 10}, {"width": 10}), ("age", {"generalize": 20}, {"width": 20}),
    ("age", {"width": 7, "origin": 3}, {"width": 7, "origin": 3}),
    ("weight", {"width": 2.5}, {"width": 2.5}), ("zip", {"generalize": 2}, {"prefix": 2}),
    *(("born", {"date": level}, {"date": level}) for level in ("year", "month", "day")),
])  # fmt: skip
def test_a_raw_value_names_the_group_of_its_label(field, written, parameters):
    """The group made from a value is that of the label which the library makes of it, and different labels are different groups."""
    loaded = load(PolicySource("p", POLICY))
    technique = registry.get("generalize")
    facts = loaded.facts(field)
    mask = technique.make(technique.params.model_validate(parameters), RuleContext(facts, KeyRing.new(), lambda name: ""))
    texts = [str(value) for value in VALUES[field]]
    kinds = np.full(len(texts), Kind.NUMBER if isinstance(VALUES[field][0], int | float) else Kind.STRING, np.int32)
    made = mask(Values(pa.array(texts), kinds, np.arange(len(texts), dtype=np.int32)), Context(bytes(32))).values.to_pylist()
    labels = [json.loads(one) if isinstance(one, bytes) else one for one in made]
    found = grouping(GroupKey(field=field, parameters=written), loaded.policy)
    assert found is not None and isinstance(facts, FieldFacts)
    groups = {}
    for value, label in zip(VALUES[field], labels, strict=True):
        assert found.raw(value) == found.label(text_of(label))
        assert groups.setdefault(found.raw(value), label) == label
    assert len(groups) == len(set(labels))


def test_ways_that_are_not_made_again():
    """Weeks, rounded numbers and cells are not made again, and the promise stays open."""
    loaded = load(PolicySource("p", POLICY))
    for field, parameters in (("born", {"date": "week"}), ("weight", {"round_to": 5}), ("weight", {"width": 25}), ("zip", {"geohash": 3})):
        assert grouping(GroupKey(field=field, parameters=parameters), loaded.policy) is None
