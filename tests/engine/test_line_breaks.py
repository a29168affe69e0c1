"""Line breaks between the tokens of a record, which JSON allows: a view that is read line by line has one line a record."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.protector import Protector
from flink_masking.tools.unmask import Unmask

POLICY = """\
version: 1
stream: s
fields:
  id: {class: identifier}
  note: {class: free_text, type: json}
  text: {class: plain}
segments:
  kept: {view: masked, rules: {id: keep, note: keep, text: keep}}
  sealed:
    view: masked
    key_versions: true
    rules: {id: {technique: fpe, domain: i, alphabet: digits}, note: {technique: encrypt, domain: n}}
"""
LOADED = load(PolicySource("policy.yaml", POLICY))


@pytest.mark.parametrize("row", [
    b'{\n"id":"1234567"}', b'{"id":"1234567"}\n', b'\r\n{"id"\r:\n"1234567" }', b'{"note":{"a":\n[1,\n2]},\n"id":"1234567","text":"a\\nb"}',
])  # fmt: skip
def test_a_record_is_one_line(ring, row):
    """Whatever breaks stand in it, every view of a record is one line that says the same; contents of strings are as they were."""
    result = Protector(LOADED, ring).protect([b'{"id":"7654321"}', row])
    for name in ("kept", "sealed"):
        views = result.views[name].to_pylist()
        assert all(view.splitlines() == [view] and b"\r" not in view for view in views)
    assert json.loads(result.views["kept"][1].as_py()) == json.loads(row)
    assert len(result.views["kept"][1].as_py()) == len(row)


def test_an_encrypted_object_comes_back_in_one_line(ring):
    """What was sealed with line breaks in it is opened without them."""
    row = b'{"note":{"a":\n[1,\r\n2]},"id":"1234567"}'
    result = Protector(LOADED, ring).protect([row])
    (clear,) = Unmask(LOADED, "sealed", ring)(result.views["sealed"]).records.to_pylist()
    assert clear.splitlines() == [clear] and json.loads(clear)["note"] == {"a": [1, 2]}


def test_a_line_break_inside_a_string_is_still_no_json(ring):
    """A raw line break in a string sends the record to quarantine, as before; its neighbour passes."""
    result = Protector(LOADED, ring).protect([b'{"text":"a\nb"}', b'{\n"text":"ab"}'])
    assert result.views["kept"].to_pylist() == [None, b'{ "text":"ab"}']
    assert [json.loads(line)["reason"] for _, line in result.quarantine] == ["malformed"]


@given(st.lists(st.dictionaries(st.sampled_from(["id", "text"]), st.text(max_size=5)), max_size=5), st.sampled_from([None, 0, 2]))
def test_lines_are_records(ring, docs, indent):
    """Written out with a line feed behind each, the views are as many lines as there are records, each with its contents."""
    views = Protector(LOADED, ring).protect([json.dumps(doc, indent=indent).encode() for doc in docs]).views["kept"].to_pylist()
    lines = b"".join(view + b"\n" for view in views).split(b"\n")[:-1]
    assert [json.loads(line) for line in lines] == docs
