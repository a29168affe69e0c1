"""Quasi-identifiers that are made of a date: the age on a day, the hour of the day, the weekday."""

import datetime

import orjson
import pytest

from flink_masking.documents.faults import PolicyFaults
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.verify.attributes import attribute
from flink_masking.verify.files import verify

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


WRITTEN = """
version: 1
stream: s
subject: id
fields:
  id: {class: identifier}
  born: {class: quasi, type: partial_date, derive: {age_on: 2024-06-30, domain: [0, 99]}}
  seen: {class: quasi, type: partial_date, domain: ["1950-01-01", "2024-12-31"]}
  s: {class: quasi, type: number, unit: s, derive: {age_on: 2024-06-30}}
  ms: {class: quasi, type: number, unit: ms, domain: ["1950-01-01", "2024-12-31"]}
  us: {class: quasi, unit: us, domain: ["1950-01-01", "2024-12-31"]}
  ns: {class: quasi, type: integer, unit: ns, domain: ["1950-01-01", "2024-12-31"]}
  t: {class: quasi, type: text, unit: s, domain: ["1950-01-01", "2024-12-31"]}
segments:
  groups: {view: anonymized, k: 2, quasi_identifiers: [born, seen, s, ms, us, ns, t]}
  masked:
    view: masked
    rules: {born: {technique: generalize, age_on: 2024-06-30}, s: {technique: generalize, age_on: 2024-06-30, width: 10}, ms: keep}
"""


def written(who, born, seen, second):
    """A record with a date in every form."""
    ticks = {"s": second, "ms": second * 1_000, "us": second * 1_000_000, "ns": second * 1_000_000_000, "t": str(second)}
    return orjson.dumps({"id": who, "born": born, "seen": seen, **ticks})


def test_dates_however_they_are_written(run, tmp_path):
    """Months and years count as their middle, numbers since 1970 by their day in UTC; verify reads them alike."""
    batch = [written(f"{n}", born, seen, 63_072_000 + 3_600 * n) for n, (born, seen) in enumerate(
        [("1971", "1971-04"), ("1971-07-02", "1971-04-15"), ("1971-06", "1999"), ("1971-06-15", "1999-07-02T10:00:00+05:00")])]
    done = run(WRITTEN, batch)
    assert done.reasons == {}
    rows = [orjson.loads(row) for row in done.released["groups"]]
    assert [(row["born"], row["seen"]) for row in sorted(rows, key=lambda row: row["seen"])] == [
        ("52", "1971-04-15")] * 2 + [("53", "1999-07-02")] * 2
    assert {(row["s"], row["ms"], row["us"], row["ns"], row["t"]) for row in rows} == {("52", *["1972-01-01"] * 4)}
    assert [orjson.loads(row)["born"] for row in done.view("masked")] == [52, 52, 53, 53]
    assert {orjson.loads(row)["s"] for row in done.view("masked")} == {"50-59"}
    raw, view = tmp_path / "raw", tmp_path / "groups"
    raw.write_bytes(b"\n".join(batch))
    view.write_bytes(b"\n".join(done.released["groups"]))
    assert not verify(PolicySource("p.yaml", WRITTEN), raw, view, "groups").broken
    fields = load(PolicySource("p.yaml", WRITTEN)).policy.fields
    assert attribute("ns", fields["ns"], {}, False).place(0) == attribute("t", fields["t"], {}, False).place("0.5") == (7305, 7305)


def test_dates_beyond_their_domain(run):
    """A number beyond the dates of its field, or a text that is no date, is outside as any other date is, and no view shows it."""
    good = orjson.loads(written("a", "1971", "1971", 63_072_000))
    odd = [{**good, "id": "b", "ms": -10**12}, {**good, "id": "c", "seen": "1971-13"}, {**good, "id": "d", "born": "71"}]
    done = run(WRITTEN, [orjson.dumps(record) for record in odd])
    assert done.reasons == {0: ("out_of_domain", "ms"), 1: ("out_of_domain", "seen"), 2: ("out_of_domain", "born")}
    alone = WRITTEN.replace("[born, seen, s, ms, us, ns, t]", "[s]")
    shown = [orjson.loads(row)["ms"] for row in run(alone, [orjson.dumps({**good, "ms": ms}) for ms in (-10**12, 5)]).view("masked")]
    assert shown == ["***", 5]


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
