"""Quasi-identifiers that are made of a date: the age on a day, the hour of the day, the weekday."""

import datetime

import orjson
import pytest

from flink_masking.documents.faults import PolicyFaults
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.verify.attributes import attribute

POLICY = """
version: 1
stream: s
subject: id
fields:
  id: {class: identifier}
  born: {class: quasi, type: date, derive: {age_on: 2024-12-31, domain: [0, 99]}}
  at: {class: quasi, type: datetime, derive: {date: hour_of_day}}
  day: {class: quasi, type: number, unit: ms, derive: {date: weekday}}
segments:
  groups: {view: anonymized, k: 2, quasi_identifiers: [QUASI], outside: OUTSIDE}
"""


def policy(quasi, outside="quarantine"):
    """The policy with these quasi-identifiers."""
    return POLICY.replace("QUASI", quasi).replace("OUTSIDE", outside)


def test_groups_are_of_derived_numbers(run):
    """People of one age and hour are a group, whatever their dates; rows show the number, and no date."""
    records = [
        {"id": f"p{n}", "born": f"19{80 + n % 2}-0{1 + n % 9}-15", "at": f"2024-03-{10 + n}T{8 + n % 2:02}:30:00+02:00"} for n in range(18)
    ]
    done = run(policy("born, at"), [orjson.dumps(record) for record in records])
    rows = [orjson.loads(row) for row in done.released["groups"]]
    assert done.reasons == {} and len(rows) == 18
    shown = {(row["born"], row["at"]) for row in rows}
    assert {("44", "8"), ("43", "9")} <= shown <= {("44", "8"), ("43", "9"), ("43-44", "8-9")}  # of nine people one is left over
    done = run(policy("day"), [orjson.dumps({"id": f"p{n}", "day": 1_710_498_659_123 + n}) for n in range(3)])
    assert {orjson.loads(row)["day"] for row in done.released["groups"]} == {"5"}


def test_what_has_no_such_number_is_outside(run):
    """A value that is no date, is later than the day, or gives a number beyond the domain goes to quarantine, or is unknown."""
    records = [
        {"id": "a", "born": "x"},
        {"id": "b", "born": "2025-01-01"},
        {"id": "c", "born": "1900-01-01"},
        {"id": "d", "born": ""},
        {"id": "e"},
    ]
    done = run(policy("born"), [orjson.dumps(record) for record in records])
    assert done.reasons == {row: ("out_of_domain", "born") for row in range(4)}
    many = [orjson.dumps({"id": f"p{n}", "born": "1900-01-01"}) for n in range(4)]
    assert {orjson.loads(row)["born"] for row in run(policy("born", "unknown"), many).released["groups"]} == {"unknown"}


def test_verify_derives_the_same_numbers(run):
    """For every date, what verify takes the value for is what a row of its own group says."""
    loaded = load(PolicySource("p.yaml", policy("born, at")))
    born = [(datetime.date(1926, 1, 1) + datetime.timedelta(days=311 * n)).isoformat() for n in range(110)]
    batch = [
        orjson.dumps({"id": f"{n} {twin}", "born": day, "at": f"{day}T{n % 24:02}:00:00Z"})
        for n, day in enumerate(born)
        for twin in range(2)
    ]
    rows = [orjson.loads(row) for row in run(policy("born, at"), batch).released["groups"]]
    assert len(rows) == 220
    for path, values in (("born", born), ("at", [f"{day}T{n % 24:02}:00:00Z" for n, day in enumerate(born)])):
        found = attribute(path, loaded.policy.fields[path], {}, False)
        labels = {row[path] for row in rows}
        places = found.positions(values)[:, 0].tolist()
        boxes = [box for label in labels if (box := found.box(label)) is not None]
        assert len(boxes) == len(labels) and all(any(box.low <= place <= box.high for box in boxes) for place in places)


@pytest.mark.parametrize(
    ("derive", "message"),
    [
        ("{}", "must be one of age_on and date"),
        ("{age_on: 2024-12-31, date: weekday}", "must be one of"),
        ("{age_on: today}", "must be a date"),
        ("{date: minute}", "no such choice"),
        ("{date: weekday, domain: [1, 5]}", "which is for age_on"),
        ("{age_on: 2024-12-31, domain: [9, 1]}", "whole years"),
        ("{age_of: 1}", "unknown key 'age_of'"),
    ],
)
def test_faults(derive, message):
    """What cannot be derived is refused at its place."""
    with pytest.raises(PolicyFaults, match=message):
        load(PolicySource("p.yaml", policy("born").replace("{age_on: 2024-12-31, domain: [0, 99]}", derive)))


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("class: plain, type: date", "is for class quasi"),
        ("class: quasi, type: email", "not a date"),
        ("class: quasi, prefix: 3", "generalised in one way|hierarchy or a prefix"),
    ],
)
def test_fields_that_have_none(field, message):
    """Only a date of class quasi has derived numbers."""
    with pytest.raises(PolicyFaults, match=message):
        load(PolicySource("p.yaml", policy("at").replace("born: {class: quasi, type: date", f"born: {{{field}")))
