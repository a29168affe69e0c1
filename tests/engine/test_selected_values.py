"""Fields with selectors where one value of a record counts: the subject, event times, quasi-identifiers, groups, measures."""

import orjson
import pytest

from flink_masking.documents.faults import PolicyFaults
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.verify.files import verify
from flink_masking.verify.lines import ABSENT, getter

POLICY = """
version: 1
stream: s
subject: "identifier[type.coding[*].code=MR].value"
event_time: {field: "attributes[key=at].value"}
fields:
  "identifier[*].type.coding[*].code": {class: plain}
  "identifier[type.coding[*].code=MR].value": {class: identifier}
  "identifier[*].value": {class: direct}
  "attributes[*].key": {class: plain}
  "attributes[key=at].value": {class: plain, type: datetime}
  "attributes[key=user.age].value": {class: quasi, type: number, domain: [0, 99]}
  "attributes[key=method].value": {class: plain, values: [GET, POST]}
  "attributes[key=amount].value": {class: measure, bounds: [0, 100], optional: true}
  "attributes[*].value": {class: direct}
  "address[0].city": {class: quasi, prefix: 4}
  "address[*].city": {class: direct}
segments:
  groups:
    view: anonymized
    k: 2
    quasi_identifiers: ["attributes[key=user.age].value", "address[0].city"]
    release: ["attributes[key=method].value"]
    missing: category
  counts:
    view: aggregated
    window: {tumbling: 1h}
    group_by: [{"attributes[key=method].value": {groups: [GET, POST]}}]
    metrics: {n: count, total: {sum: "attributes[key=amount].value"}}
    privacy: {epsilon: 500000.0, delta: 0.00001}
  shown: {view: masked, rules: {"attributes[*].key": keep, "attributes[key=method].value": keep}}
"""
AGE, CITY, METHOD = "attributes[key=user.age].value", "address[0].city", "attributes[key=method].value"


def event(who, age=30, city="Rome", **others):
    """An event of a person, whose medical record number stands behind another identifier."""
    attributes = {"at": "2024-03-15T10:00:00Z", "user.age": age, "method": "GET", "amount": 3, **others}
    return {"identifier": [{"type": {"coding": [{"code": "SS"}]}, "value": "123-45-6789"},
                           {"value": who, "type": {"coding": [{"code": "x"}, {"code": "MR"}]}}],
            "attributes": [{"key": key, "value": value} for key, value in attributes.items()],
            "address": [{"city": city}, {"city": "NOWHERE"}]}


def test_people_groups_and_measures_are_found_by_selectors(run):
    """People are told apart by the selected identifier, grouped by selected values, and counted in groups of selected values."""
    records = [event("a"), event("a"), event("b", method="POST"), event("c", 70), event("d", 70, amount=90)]
    done = run(POLICY, [orjson.dumps(record) for record in records])
    assert done.reasons == {}
    rows = [orjson.loads(row) for row in done.released["groups"]]
    assert {(row[AGE], row[CITY]) for row in rows} >= {("70", "Rome")} and len(rows) == 5
    assert sorted(row[METHOD] for row in rows) == ["GET"] * 4 + ["POST"]
    counted = {row[METHOD]: (row["n"], row["total"]) for row in map(orjson.loads, done.released["counts"])}
    assert counted == {"GET": (3, 96), "POST": (1, 3)}  # of a's two events one counts
    assert [len(orjson.loads(row)["attributes"]) for row in done.view("shown")] == [4] * 5


def test_no_element_that_fits_is_a_missing_field(run):
    """Without a fitting element, or with null there, a value is missing as a member that is not there."""
    lacking = event("a")
    del lacking["attributes"][1], lacking["address"]
    null = event("b", None, None)
    nobody = event(None)
    del nobody["identifier"][1]["value"]
    timeless = event("c")
    del timeless["attributes"][0]
    done = run(POLICY, [orjson.dumps(record) for record in (lacking, null, nobody, event(None), timeless)])
    assert done.reasons == {2: ("missing_subject", "identifier[type.coding[*].code=MR].value"),
                            3: ("missing_subject", "identifier[type.coding[*].code=MR].value"),
                            4: ("missing_event_time", "attributes[key=at].value")}
    assert [orjson.loads(row) for row in done.released["groups"]] == [{AGE: None, CITY: None, METHOD: "GET"}] * 2


def test_of_several_the_first_counts(run):
    """Of several elements that fit, the first value that is not null counts, with its own contract."""
    records = [event(who) for who in "abcd"]
    for number, record in enumerate(records):
        more = [{"key": "user.age", "value": None}, {"key": "user.age", "value": 40}, {"key": "user.age", "value": "no age"},
                {"key": "method", "value": "GET"}, {"key": "method", "value": "PATCH"}]
        record["attributes"] = [{"key": "at", "value": "2024-03-15T10:00:00Z"}, *more, *record["attributes"]]
        record["attributes"].append({"key": "method", "value": f"DELETE{number}"})
    text = POLICY.replace('{"attributes[*].key": keep, "attributes[key=method].value": keep}', "{'*': drop}")
    done = run(text, [orjson.dumps(record) for record in records])
    assert done.reasons == {}
    assert [orjson.loads(row) for row in done.released["groups"]] == [{AGE: "40", CITY: "Rome", METHOD: "GET"}] * 4
    for record in records:
        record["attributes"][4]["value"] = "PATCH"
    done = run(text, [orjson.dumps(record) for record in records])
    assert done.reasons == {row: ("out_of_domain", METHOD) for row in range(4)}


def test_a_record_of_two_people_goes_to_quarantine(run):
    """Two different values of the subject are not one person; the same value twice, or null beside it, is."""
    records = []
    for second in ("a", None, "b", 7, "7"):
        record = event("a" if second not in (7, "7") else "7")
        record["identifier"].append({"type": {"coding": [{"code": "MR"}]}, "value": second})
        records.append(record)
    done = run(POLICY, [orjson.dumps(record) for record in records])
    assert done.reasons == {2: ("ambiguous_subject", "identifier[type.coding[*].code=MR].value")}
    assert done.view("shown")[2] is None and sum(row is None for row in done.view("shown")) == 1


def test_verify_reads_the_same_values(run, tmp_path):
    """The verifier's own reading of selected fields finds what a release shows of them."""
    records = [event(f"p{n // 2}", 20 + n % 5, ("Rome", "Roma")[n % 2]) for n in range(60)]
    raw, view = tmp_path / "raw.jsonl", tmp_path / "groups.jsonl"
    raw.write_bytes(b"\n".join(map(orjson.dumps, records)))
    done = run(POLICY, [orjson.dumps(record) for record in records])
    view.write_bytes(b"\n".join(done.released["groups"]))
    report = verify(PolicySource("p.yaml", POLICY), raw, view, "groups")
    assert not report.broken, report
    fields = load(PolicySource("p.yaml", POLICY)).policy.fields
    two = event("a")
    two["identifier"].append({"type": {"coding": [{"code": "MR"}]}, "value": "b"})
    path = "identifier[type.coding[*].code=MR].value"
    assert [getter(path, fields, one)(two) for one in (False, True)] == ["a", ABSENT]
    assert getter("a[k=1].v", ["a[0].v", "a[k=1].v", "a[*].v"])({"a": [{"k": 1, "v": "x"}, {"k": 1, "v": "y"}]}) == "y"


@pytest.mark.parametrize("path", ["attributes[*].value", "identifier[type.coding[*].code=MR].codes[*]"])
def test_several_values_are_still_refused(path):
    """A path with [*] outside its selectors names several values, and the hint says how one is selected."""
    text = POLICY.replace('subject: "identifier[type.coding[*].code=MR].value"', f'subject: "{path}"').replace(
        '  "address[0]', '  "identifier[type.coding[*].code=MR].codes[*]": {class: plain}\n'
        '  "identifier[*].codes[*]": {class: plain}\n  "address[0]')
    with pytest.raises(PolicyFaults, match="several values in a record") as error:
        load(PolicySource("p.yaml", text))
    assert any("contacts[0]" in (fault.hint or "") for fault in error.value.faults)
