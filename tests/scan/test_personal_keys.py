"""Keys that identify somebody stand in no report, proposal or generated record, also where the other keys of the object are names."""

import json

import pyarrow as pa
import pytest
from proposals import Proposed

from flink_masking.generate.like import Likeness, Outline

KEYS = ("anna.becker@example.com", "DE89370400440532013000", "4111111111111111")


@pytest.mark.parametrize("key", KEYS)
def test_one_key_that_identifies_somebody_is_no_name(key):
    """It is one of the members ``.*``; the other members of the object keep their paths."""
    records = [{"id": k, "kind": "a", "contact": {"id": k, "kind": "x", "size": 5, "note": "a", **({key: {"n": k}} if k % 5 == 0 else {})},
                "list": [{"a": 1, "b": 2, "c": 3, key: 4}]} for k in range(40)]  # fmt: skip
    found = Proposed(records)
    paths = {one.path for one in found.report.paths}
    assert {"contact.id", "contact.size", "contact.*.n", "list[*].a", "list[*].*"} <= paths
    assert key not in found.proposal.text and key not in str(paths) and key not in str(found.view())
    outline = Outline()
    outline.add(pa.array([json.dumps(record).encode() for record in records], pa.binary()))
    lines = [json.loads(line) for line in Likeness(outline).lines(50)]
    assert key not in str(lines)
    assert all({"a", "b", "c"} < set(one) and len(one) == 4 for record in lines for one in record["list"])


@pytest.mark.parametrize("key", KEYS)
def test_a_record_with_such_a_key_keeps_its_other_fields(key):
    """A key of the record itself that identifies somebody is shown nowhere; the other fields are declared as ever."""
    records = [{"id": k, "kind": "a", "size": k % 7, "note": "seen", **({key: k} if k == 3 else {})} for k in range(40)]
    found = Proposed(records)
    assert key not in found.proposal.text and key not in str([one.path for one in found.report.paths])
    assert {"id", "kind", "size", "note"} <= found.policy["fields"].keys()
