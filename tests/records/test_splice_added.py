"""Members that are added to the end of every record."""

import json

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from json_oracle import Walk, objects, render

from flink_masking.records.edits import DROP, KEEP
from flink_masking.records.json.codec import scan
from flink_masking.records.trie import Paths

ADDED = b'"_v":{"a":1},"w":[]'


@given(st.lists(objects(unique=True), min_size=1, max_size=4), st.sampled_from(["", " ", "\n\t \r"]), st.sampled_from([KEEP, DROP]))
def test_the_members_become_the_last_of_every_record(docs, blanks, edit):
    """Whatever is dropped before them, the added members follow with the right comma, and every byte before stays as it was."""
    emit = ["a", "b.c", "c[*]"]
    rows = [render(d).encode() + blanks.encode() for d in docs]
    table = scan(pa.array(rows, pa.binary()), Paths(emit, opaque=emit, deny=False))
    edits = dict.fromkeys(emit, edit)
    without, out = table.splice(edits).to_pylist(), table.splice(edits, added=ADDED)
    out.validate(full=True)
    for doc, before, after in zip(docs, without, out.to_pylist(), strict=True):
        assert (before is None) == (after is None) == bool(Walk(doc, emit, emit, False).faults)
        if before is not None:
            head = before.rstrip(b" \n\t\r")[:-1]
            comma = b"" if head.strip() == b"{" else b","
            assert after == head + comma + ADDED + b"}" + before[len(head) + 1 :]
            assert json.loads(after)["w"] == []


def test_empty_and_rejected_records():
    """An empty object gets no comma, a rejected record stays null, and a braces in a last string are no end."""
    rows = [b"{}", b" { } ", b'{"x":"}"}', b"{", b'{"a":1}', b'{"x":{}}', None]
    table = scan(pa.array(rows, pa.binary()), Paths(["a"], deny=False))
    out = table.splice({"a": DROP}, added=b'"v":1').to_pylist()
    assert out == [b'{"v":1}', b' { "v":1} ', b'{"x":"}","v":1}', None, b'{"v":1}', b'{"x":{},"v":1}', None]
