"""Checks of the records' format and its columns."""

import pytest

from flink_masking.documents.faults import PolicyFaults
from flink_masking.errors import PolicyError
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.policy.state_shape import differences, state_shapes
from flink_masking.verify.files import read_policy

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
    ("format: csv", "format: debezium-json", "3:9", "not available yet"),
])
def test_faults(old, new, place, message):
    """What the format cannot hold is a fault with its place."""
    with pytest.raises(PolicyFaults) as caught:
        load(PolicySource("policy.yaml", POLICY.replace(old, new)))
    assert any(message in fault.message and f"{fault.line}:{fault.column}".startswith(place) for fault in caught.value.faults), caught.value


def test_verify_refuses_formats_that_cannot_be_read():
    """A format of a later release is refused by the verifier, too."""
    with pytest.raises(PolicyError, match=r"records of format avro cannot be read\. Hint: use json or csv"):
        read_policy(PolicySource("policy.yaml", POLICY.replace("format: csv", "format: avro")))


def test_state_of_one_format_is_not_continued_in_another():
    """Groups and released values are kept as their format writes them, so that a job cannot go on from another one's state."""
    text = POLICY.replace("  masked:\n", "  groups: {view: anonymized, k: 2, quasi_identifiers: [age]}\n  masked:\n")
    text = text.replace("fields:\n", "subject: id\nfields:\n  age: {class: quasi, type: integer, domain: [0, 120]}\n")
    text = text.replace("[id, a.b]", "[id, a.b, age]")
    shapes = [state_shapes(load(PolicySource("policy.yaml", one)))
              for one in (text, text.replace("format: csv\n", "").replace("columns: [id, a.b, age]\n", ""))]
    assert "format" not in shapes[1]["groups"]
    assert [] == differences(shapes[0], shapes[0])
    assert ["segment 'groups': format changed from \"csv\" to null"] == differences(*shapes)
