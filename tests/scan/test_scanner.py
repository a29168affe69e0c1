"""What a scan says of records: paths, kinds, shapes, maps, values that recur, siblings that discriminate."""

import json
from typing import Any

import hypothesis.strategies as st
import pyarrow as pa
from hypothesis import given
from scan_samples import cloudtrail, fhir, lines, otlp, strings

from flink_masking.scan import PathReport, Report, Scanner


def report_of(records: list[Any], batch: int = 100) -> Report:
    """A scan of records, so many a batch; bytes are taken as they are."""
    raw = [record if isinstance(record, bytes) else json.dumps(record).encode() for record in records]
    scanner = Scanner()
    for k in range(0, len(raw), batch):
        scanner.add(pa.array(raw[k : k + batch], pa.binary()))
    return scanner.report()


def paths_of(records: list[Any], batch: int = 100) -> dict[str, PathReport]:
    """The paths of such a scan by name."""
    return {path.path: path for path in report_of(records, batch).paths}


def test_paths_have_counts_shares_and_kinds():
    """Each path says how many values and records it has, of which kinds, and where kinds conflict."""
    found = paths_of([{"a": 1, "b": [{"c": "x"}, {"c": None}]}, {"a": "1", "b": []}, {"a": {"d": True}}, {}])
    assert list(found) == ["a", "a.d", "b", "b[*]", "b[*].c"]
    assert found["a"].kinds == {"number": 1, "string": 1, "object": 1} and found["a"].conflict
    assert (found["a"].records, found["a"].share, found["b[*].c"].values, found["b[*].c"].records) == (3, 0.75, 2, 1)
    assert found["b[*].c"].kinds == {"string": 1, "null": 1} and not found["b[*].c"].conflict
    assert found["a.d"].kinds == {"boolean": 1}


def test_a_batch_without_records_adds_nothing():
    """An empty batch, alone or between others, is read like none."""
    record = b'{"a":1}'
    scanner = Scanner()
    for raw in ([], [record], []):
        scanner.add(pa.array(raw, pa.binary()))
    assert scanner.report().paths == report_of([record]).paths
    assert report_of([]).paths == ()


def test_containers_that_are_always_empty_are_told():
    """An object or array is always empty if it never holds anything, not if it does once."""
    found = paths_of([{"a": {}, "b": [], "c": []}, {"a": {}, "b": [], "c": [1]}])
    assert [path for path, told in found.items() if told.always_empty] == ["a", "b"]


def test_shapes_are_told_by_form():
    """UUIDs, ARNs, addresses, dates, times since 1970 in four units, URLs and texts are told apart, numbers in quotes included."""
    samples = {
        "UUID": "6f9619ff-8b86-4011-b42d-00c04fc964ff", "ARN": "arn:aws:iam::123456789012:user/x", "IP": "2001:db8::1",
        "date": "2024-02-29",
        "date-time": "2024-02-29T10:00:00Z", "time": "10:00:00", "epoch s": 1_700_000_000, "epoch ms": 1_700_000_000_000,
        "epoch µs": "1700000000000000", "epoch ns": "1700000000000000000", "URL": "https://example.com/a", "e-mail": "a@example.com",
        "MAC": "00:1b:44:11:3a:b7", "text": "three words here", "decimal": "-1.5", "boolean": "true", "hexadecimal": "deadbeefdeadbeef00",
        "empty": "", "word": "word", "code": "A12.9",
    }  # fmt: skip
    found = paths_of([{f"m{number}": value for number, value in enumerate(samples.values())}])
    assert {name: {name: 1} for name in samples} == {name: found[f"m{number}"].shapes for number, name in enumerate(samples)}


def test_escaped_text_is_read_as_it_is_meant():
    """An address whose @ is written as an escape is found, and has the same hash as one that is not."""
    found = paths_of([b'{"a":"jane\\u0040example.com"}', b'{"a":"jane@example.com"}'])
    assert found["a"].distinct == 1 and [one.type for one in found["a"].found] == ["EMAIL"] and found["a"].shapes == {"e-mail": 2}


def test_broken_records_are_counted_and_the_others_read():
    """Records that are no JSON or no objects are counted by reason."""
    report = report_of([{"a": 1}, b'{"a":', b"[1]", b"\xff", {"a": 2}])
    assert report.records == 5 and report.broken == {"malformed": 2, "not_an_object": 1} and report.readable == 2
    assert report.paths[0].values == 2


def test_objects_whose_keys_vary_are_maps():
    """Keys that keep changing, or look like data, become one path, also nested; keys of a record's struct do not."""
    found = paths_of(cloudtrail())
    assert {path for path, told in found.items() if told.keys} == {"requestParameters.tags.*", "sessionsByUser.*"}
    assert found["sessionsByUser.*"].keys > 100 and found["sessionsByUser.*.count"].values == 400
    wide = paths_of([{"f": {f"feature{number}": 1.5 for number in range(300)}} for _ in range(5)])
    assert len(wide) == 301
    assert "f.*" in paths_of([{"f": {f"k{row}x{number}": 1 for number in range(300)}} for row in range(10)])


def test_an_identifier_is_found_in_a_reference():
    """The id of a patient recurs inside the reference of an encounter, after a slash; the display name does not take part."""
    found = paths_of(fhir())
    inside = {(one.path, one.after) for one in found["subject.reference"].contains}
    assert inside == {("id", "/")}
    accounts = paths_of(cloudtrail())
    assert "userIdentity.accountId" in {one.path for one in accounts["userIdentity.arn"].contains}


def test_equal_values_of_two_paths_are_told():
    """Accounts of the caller recur as accounts of resources."""
    found = paths_of(cloudtrail())
    told = {one.path for one in found["resources[*].accountId"].equals} | {one.path for one in found["userIdentity.accountId"].equals}
    assert told & {"userIdentity.accountId", "resources[*].accountId"}


def test_a_sibling_that_discriminates_is_told():
    """The system of a contact says whether its value is an e-mail address or a telephone number."""
    found = paths_of(fhir())
    assert [one.path for one in found["telecom[*].value"].told_by] == ["telecom[*].system"]
    assert found["telecom[*].value"].told_by[0].common == found["telecom[*].value"].told_by[0].of
    assert [one.path for one in paths_of(otlp())["attributes[*].value.stringValue"].told_by] == ["attributes[*].key"]


def test_personal_data_is_found_with_evidence():
    """What is found at a path says in how many values, as a whole, checked and why."""
    found = paths_of(fhir())
    (born,) = found["birthDate"].found
    assert (born.type, born.values, born.whole) == ("DATE_OF_BIRTH", 200, 200) and "key" in born.reasons
    assert {one.type for one in found["telecom[*].value"].found} >= {"EMAIL", "PHONE"}
    logs = paths_of(otlp())
    assert "EMAIL" in {one.type for one in logs["attributes[*].value.stringValue"].found}


def test_a_scan_does_not_depend_on_the_batches():
    """The same records in batches of another size give the same report."""
    for records in (fhir(90), cloudtrail(90), otlp(60)):
        assert report_of(records, 7) == report_of(records, 1_000)


def test_no_value_is_told():
    """No text of six characters or more, and no key that is data, stands in a report."""
    for records in (fhir(), cloudtrail(), otlp()):
        said = json.dumps(report_of(records).as_dict())
        words = {text for record in records for text in strings(record) if len(text) >= 6}
        assert [word for word in words if json.dumps(word)[1:-1] in said] == []
        assert "@" not in said and "team-" not in said


_JSON = st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(max_size=8),
                     lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4), max_leaves=12)


@given(st.lists(st.dictionaries(st.text(max_size=4), _JSON, max_size=5), max_size=8))
def test_any_objects_can_be_scanned(records):
    """Whatever records hold, every one that is valid is counted, and values add up."""
    report = report_of(records, 3)
    assert report.records == len(records)
    top = sum(len(record) for record in records)
    assert sum(path.values for path in report.paths if "." not in path.path and "[" not in path.path and '"' not in path.path) <= top


@given(st.lists(st.binary(max_size=60), max_size=8))
def test_any_bytes_can_be_scanned(records):
    """Bytes that are no records are counted, and never raise."""
    report = report_of(records)
    assert report.records == len(records) and report.readable >= 0


def test_values_stand_in_lines_of_any_length():
    """A sample has as many bytes as its records."""
    records = fhir(30)
    assert report_of(records).bytes == sum(len(json.dumps(record).encode()) for record in records) != len(lines(records))
