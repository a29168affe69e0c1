"""One document into many records: the elements of an array, in order, and whatever is no such document as it came."""

import gzip
import random

import orjson
import pytest

from flink_masking.documents.faults import PolicyFaults
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.records import each
from flink_masking.records.each import elements
from flink_masking.records.inputs import Input

POLICY = """\
version: 1
stream: trail
each: Records[*]
fields: {user: {class: direct}, n: {class: plain, type: number}}
segments: {m: {view: masked, rules: {user: redact, n: keep}}}
"""


def test_elements_are_records():
    """Every element comes as it stands but for line breaks between its tokens, in order; an empty array holds none."""
    documents = [b'{"Records":[{"a": 1},\n{"b":\n[{}]}, 7],"more":[{"x":1}]}', b'{"Records":[]}', b'{"Records":[{"c":"\\n"}]}']
    assert list(elements(documents, "Records[*]", "json")) == [b'{"a": 1}', b'{"b": [{}]}', b"7", b'{"c":"\\n"}']
    nested = b'{"a":{"b":[{"r":[{"x":1}]},{"r":[{"x":2},{"x":3}]}]}}'
    assert list(elements([nested], "a.b[*].r[*]", "json")) == [b'{"x":1}', b'{"x":2}', b'{"x":3}']


@pytest.mark.parametrize("document", [b"", b"no", b'{"Records":{"a":1}}', b'{"Records":null}', b'{"records":[{}]}', b'[{"Records":[]}]',
                                      b'{"Records":[{"a":1}', b'{"Records":[1],"Records":[2]}'])  # fmt: skip
def test_nothing_is_lost(document):
    """A document that cannot be read or has no such array comes whole, among its neighbours, to be refused as a record."""
    good = b'{"Records":[{"a":1}]}'
    assert list(elements([good, document, good], "Records[*]", "json")) == [b'{"a":1}', document, b'{"a":1}']


def test_batches_do_not_matter(monkeypatch):
    """Whatever number of documents is scanned together, the records are the same."""
    draw = random.Random(7)
    documents = [orjson.dumps({"Records": [{"n": draw.random()} for _ in range(draw.randrange(6))]}) for _ in range(200)]
    records = [orjson.dumps(record) for document in documents for record in orjson.loads(document)["Records"]]
    for size in (1, 500, 1 << 24):
        monkeypatch.setattr(each, "BATCH", size)
        assert list(elements(documents, "Records[*]", "json")) == records


def test_files_of_documents(tmp_path, cli):
    """What run and preview read of a file, compressed or not, are its elements, also from a copy with one record a line."""
    plain, packed = tmp_path / "a.json", tmp_path / "b.json.gz"
    plain.write_bytes(orjson.dumps({"Records": [{"user": "SECRET", "n": 1}, {"user": "SECRET", "n": 2}]}) + b"\n")
    packed.write_bytes(gzip.compress(orjson.dumps({"Records": [{"user": "SECRET", "n": 3}]})))
    source = Input.of(tmp_path, "json", each="Records[*]", blank=True)
    assert [orjson.loads(record)["n"] for record in source] == [1, 2, 3] and not source.plain
    with source.one_record_a_line() as lines:
        assert sum(file.read_bytes().count(b"\n") for file in lines.iterdir()) == 3
    (tmp_path / "p.yaml").write_text(POLICY)
    done = cli("preview", tmp_path / "p.yaml", plain)
    assert done.code == 0 and done.out.count("event ") == 2 and "SECRET" not in done.out and "***" in done.out


@pytest.mark.parametrize(("text", "message"), [
    ("each: Records", "not name the elements"), ("each: Records[0]", "not name the elements"), ("each: a.*", "not name the elements"),
    ("each: a[", "position 2"), ("each: a[*]\nformat: csv", "has no arrays"),
])  # fmt: skip
def test_what_each_names(text, message):
    """It is the path of an array's elements, in a format with arrays."""
    with pytest.raises(PolicyFaults, match=message):
        load(PolicySource("p.yaml", POLICY.replace("each: Records[*]", text)))
