"""What is found in JSON records: strings, numbers, keys, escapes; and what is no JSON."""

import json

import hypothesis.strategies as st
import numpy as np
import pytest
from found import in_records
from hypothesis import given

from flink_masking.detect import Detectors
from flink_masking.detect.json_kernels import MOST_CHILDREN
from flink_masking.detect.records import Paths, ValueKind

ALL = Detectors()


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ('{"a":{"b":["x","write to a@b.io"]}}', [("a.b[*]", "EMAIL", "a@b.io")]),
        ('{"card":4111111111111111}', [("card", "CARD_NUMBER", "4111111111111111")]),
        ('{"id":536904399,"ssn":536904399}', [("ssn", "US_SSN", "536904399")]),
        ('{"lat":52.5,"lon":-13.4}', [("lat", "GEO", "52.5"), ("lon", "GEO", "-13.4")]),
        ('{"a@b.io":1,"m":{"+49 30 1234567":true}}', [("a@b.io", "EMAIL", "a@b.io"), ("m.+49 30 1234567", "PHONE", "+49 30 1234567")]),
        ('{"t":"jane\\u0040example.com"}', [("t", "EMAIL", "jane\\u0040example.com")]),
        ('{"t":"x\\njohn@x.com\\ty"}', [("t", "EMAIL", "john@x.com")]),
        ('{"t":"\\"john@x.com\\""}', [("t", "EMAIL", "john@x.com")]),
        ('{"t":"https:\\/\\/u:hunter2@example.org"}', [("t", "URL_CREDENTIALS", "u:hunter2")]),
        ('{"t":"call \\u002b49 30 1234567 now"}', [("t", "PHONE", "\\u002b49 30 1234567")]),
        ('{"p\\u0061ssword":"s3cret!x"}', []),
        ('{"t":"\\ud83d\\ude00 a@b.io \\ud83d"}', [("t", "EMAIL", "a@b.io")]),
        ('["a@b.io", 1, null]', [("[*]", "EMAIL", "a@b.io")]),
        ("plain text a@b.io", [("", "EMAIL", "a@b.io")]),
        ('{"cut":"a@b.io', [("cut", "EMAIL", "a@b.io")]),
        ('{"a":"{\\"mail\\":\\"a@b.io\\"}"}', [("a", "EMAIL", "a@b.io")]),
        ("", []), ("{}", []), ("null", []),
    ],
)  # fmt: skip
def test_finds_in_records(record, expected):
    """Values are found by path, numbers and unusual keys too; escapes are decoded for the search and kept in the spans."""
    assert expected == [found for found in in_records(ALL, [record]) if found[1] != "URL"]


def test_paths_are_named_once():
    """Equal paths of different records have one number; members of arrays share one."""
    records = [b'{"a":{"b":1},"c":[{"d":2},{"d":3}]}', b'{"c":[{"d":4}],"a":{"b":"x"}}']
    ends = np.cumsum([len(r) for r in records]).astype(np.int64)
    paths = Paths()
    values = paths.values(np.frombuffer(b"".join(records), np.uint8), ends - [len(r) for r in records], ends)
    assert [("a.b", 0), ("c[*].d", 0), ("c[*].d", 0), ("c[*].d", 1), ("a.b", 1)] == [
        (paths.names[p], r) for p, r in zip(values.paths, values.rows, strict=True)]
    assert [ValueKind.NUMBER] * 4 + [ValueKind.STRING] == values.kinds.tolist()


def test_an_object_of_many_members_is_a_map():
    """Further members of an object with too many different keys have one path."""
    record = json.dumps({"m": {f"k{chr(97 + k % 26)}{chr(97 + k // 26)}": k for k in range(MOST_CHILDREN + 50)}}).encode()
    paths = Paths()
    paths.values(np.frombuffer(record, np.uint8), np.zeros(1, np.int64), np.array([len(record)]))
    assert len(paths) == 2 + MOST_CHILDREN + 1
    assert paths.names[-1] == "m.*"


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=12), lambda x: st.lists(x,
    max_size=3) | st.dictionaries(st.text(max_size=8), x, max_size=3), max_leaves=12))
def test_all_scalars_are_listed(document):
    """Every scalar of a JSON document is a value, with its text between start and end."""
    if not isinstance(document, dict | list):
        document = [document]
    record = json.dumps(document).encode()
    values = Paths().values(np.frombuffer(record, np.uint8), np.zeros(1, np.int64), np.array([len(record)]))
    wanted: list[str] = []

    def walk(x: object) -> None:
        if isinstance(x, dict):
            for value in x.values():
                walk(value)
        elif isinstance(x, list):
            for value in x:
                walk(value)
        else:
            wanted.append(json.dumps(x).strip('"') if not isinstance(x, str) else json.dumps(x)[1:-1])

    walk(document)
    listed = [record[s:e].decode() for s, e, k in zip(values.starts, values.ends, values.kinds, strict=True) if k != ValueKind.KEY]
    assert wanted == listed


@given(st.text(st.sampled_from('a@b.io \\"n\n\t/é😀{}[]:,'), max_size=60))
def test_spans_of_escaped_values_decode_to_what_was_found(text):
    """A span as written decodes by itself: it never cuts an escape or a character."""
    record = json.dumps({"t": text}).encode()
    data, ends, paths = np.frombuffer(record, np.uint8), np.array([len(record)]), Paths()
    _, found = ALL.find_json(data, np.zeros(1, np.int64), ends, paths)
    for s, e in zip(found.starts, found.ends, strict=True):
        json.loads(b'"' + record[s:e] + b'"')


@given(st.lists(st.binary(max_size=80) | st.text(st.sampled_from('{}[]":,\\u0041a1.-'), max_size=60).map(str.encode), max_size=4))
def test_any_bytes_are_records(records):
    """What is no JSON never raises, and findings lie in their record."""
    ends = np.cumsum([0, *map(len, records)]).astype(np.int64)
    values, found = ALL.find_json(np.frombuffer(b"".join(records) or b"\0", np.uint8), ends[:-1], ends[1:], Paths())
    assert (values.starts >= ends[values.rows]).all() and (values.ends <= ends[values.rows + 1]).all()
    rows = values.rows[found.values]
    assert (found.starts >= ends[rows]).all() and (found.ends <= ends[rows + 1]).all()


def test_deep_nesting_is_searched():
    """Deeper than any path goes, strings are still searched."""
    record = b'{"a":' * 3000 + b'"a@b.io"' + b"}" * 3000
    data = np.frombuffer(record, np.uint8)
    _, found = ALL.find_json(data, np.zeros(1, np.int64), np.array([len(record)]), Paths())
    assert 1 == len(found.types)
