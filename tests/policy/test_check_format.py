"""Checks of the records' format and its columns."""

import pytest

from flink_masking.documents.faults import PolicyFaults
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

POLICY = """version: 1
stream: orders
format: csv
columns: [id, a.b]
fields:
  id: {class: identifier, optional: false}
  a.b: {class: direct}
segments:
  masked:
    view: masked
    rules:
      id: {technique: pseudonym, domain: id}
      a: drop
"""


def test_a_policy_over_csv():
    """Columns of declared fields, and a parent that is dropped, are in order."""
    assert ("id", "a.b") == load(PolicySource("policy.yaml", POLICY)).policy.columns


@pytest.mark.parametrize(("old", "new", "place", "message"), [
    ("columns: [id, a.b]", "columns: [id, a.b, id]", "4:20", "is a duplicate"),
    ("columns: [id, a.b]", "columns: [id, a.c]", "4:15", "is no declared field"),
    ("columns: [id, a.b]", "columns: [a.b]", "4:10", "no column is named 'id'"),
    ("a.b: {class: direct}", "a.b: {class: direct, type: json}", "7:30", "holds no object"),
    ("  a.b: {class: direct}", "  'a[*]': {class: direct}", "7:3", "no arrays"),
    ("a: drop", "a: {technique: redact}", "13:", "is no column"),
    ("    view: masked", "    view: masked\n    key_versions: true", "11:", "no place for an object"),
    ("format: csv", "format: json", "4:1", "have no header"),
    ("format: csv", "format: avro", "3:9", "not available yet"),
])
def test_faults(old, new, place, message):
    """What the format cannot hold is a fault with its place."""
    with pytest.raises(PolicyFaults) as caught:
        load(PolicySource("policy.yaml", POLICY.replace(old, new)))
    assert any(message in fault.message and f"{fault.line}:{fault.column}".startswith(place) for fault in caught.value.faults), caught.value
