"""A policy over CSV: every kind of segment, types, quarantine."""

import csv
import io
import os

import pyarrow as pa
import pytest

from flink_masking.engine.protect import Protect
from flink_masking.engine.quarantine import Entry
from flink_masking.engine.record import Parts, Transport
from flink_masking.errors import InputError

POLICY = """
version: 1
stream: orders
format: csv
columns: [person, email, amount, vip, age, note, at, place.city]
subject: person
event_time: {field: at}
fields:
  person: {class: identifier, optional: false}
  email: {class: direct, type: email}
  amount: {class: measure, type: number, bounds: [0, 100], scale: 2}
  vip: {class: plain, type: boolean}
  age: {class: quasi, type: integer, domain: [0, 120]}
  note: {class: sensitive}
  at: {class: plain, type: datetime}
  place.city: {class: quasi, type: city}
segments:
  masked:
    view: masked
    rules:
      person: {technique: pseudonym, domain: person}
      email: {technique: partial, keep_first: 1, keep_after: "@"}
      amount: {technique: perturb, absolute: 10, scale: 2}
      vip: keep
      age: {technique: generalize, round_to: 10}
      place: drop
      note: {technique: redact}
      at: keep
  groups:
    view: anonymized
    k: 2
    quasi_identifiers: [age]
    release: [note, amount, vip]
  sums:
    view: aggregated
    window: {tumbling: 1h}
    group_by: [{vip: {groups: [true, false]}}]
    metrics: {n: count, spend: {sum: amount}}
    privacy: {epsilon: 1000, delta: 0.001, max_groups_per_subject: 1, max_records_per_group: 1}
"""
AT = "2024-03-15T10:00:00Z"
NOW = 1_710_504_000_000


def rows(*records):
    """CSV rows of the policy's columns."""
    return [",".join(record).encode() for record in records]


def cells(record):
    """What the csv module reads."""
    return next(csv.reader(io.StringIO(record.decode(), newline=""), strict=True))


def test_all_views_are_csv(run):
    """Rows of masked, anonymized and aggregated views are rows of CSV, each with its columns; cells in quotes stay whole."""
    note = '"one, ""two""\nlines"'
    batch = rows(("p1", "a.b@c.de", "12.50", "true", "41", note, AT, "Rome"), ("p2", "", "1", "false", "42", '""', AT, ""))
    found = run(POLICY, batch)
    assert {} == found.reasons
    plan = found.plan
    assert ("person", "email", "amount", "vip", "age", "note", "at") == plan.columns("masked")
    assert b"person,email,amount,vip,age,note,at\n" == plan.codec.header(plan.columns("masked"))
    first, second = map(cells, found.view("masked"))
    assert first[0] != "p1" and "a.b@c.de" != first[1] and ["true", "40", "***", AT] == first[3:]
    assert 2.5 <= float(first[2]) <= 22.5
    assert "" == second[1]
    groups = sorted(map(cells, found.released["groups"]))
    assert ("age", "note", "amount", "vip") == plan.columns("groups")
    assert [["", "1", "false"], ['one, "two"\nlines', "12.50", "true"]] == [row[1:] for row in groups]
    assert 1 == len({row[0] for row in groups})
    assert ("window_start", "window_end", "vip", "n", "spend", "epsilon") == plan.columns("sums")
    sums = [dict(zip(plan.columns("sums"), cells(row), strict=True)) for row in found.released["sums"]]
    assert {"true": "1", "false": "1"} == {row["vip"]: row["n"] for row in sums}


def test_types_and_contracts(run):
    """A cell that is no number in a column of numbers breaks the contract, as text does in JSON; null stays null."""
    found = run(POLICY, rows(("p1", "no address", "1e400", "yes", "old", "", AT, ""), ("p2", "", "", "", "", "", AT, "")))
    assert ("out_of_domain", "age") == found.reasons[0]
    assert ["", "", "", "", ""] == cells(found.view("masked")[1])[1:6]


@pytest.mark.parametrize(("record", "reason"), [
    (b"p1,a@b.de,1", "ragged"), (b'p1,"a', "malformed"), (b"\xff" + b"," * 7, "malformed"), (b"", "ragged"),
    (b"person,email,amount,vip,age,note,at,place.city", "header"), (None, "missing_payload"),
])
def test_quarantine(run, record, reason):
    """A record that is none goes to quarantine with its reason."""
    assert reason == run(POLICY, [record]).reasons[0][0]


def test_undeclared_and_missing_columns(run):
    """An undeclared column sends every record to quarantine unless it is dropped; so does a required field without a column."""
    policy = POLICY.replace("place.city]", "place.city, secret]").replace("format: csv\n", "format: csv\nunknown_fields: drop\n")
    record = rows(("p1", "a@b.de", "1", "true", "41", "x", AT, "Rome", "top secret"))
    found = run(policy, record)
    assert {} == found.reasons
    assert b"secret" not in found.view("masked")[0]
    assert "secret" not in found.plan.columns("masked")


def test_a_message_of_kafka_is_one_record(planned, ring):
    """A message is a record, line breaks in quotes and at its end included; its key joins with the cells of its domain."""
    rules = "      at: keep\n"
    policy = POLICY.replace(rules, rules + "    record: {key: {technique: pseudonym, domain: person}, headers: {trace: keep}}\n")
    step = Protect(planned(policy, ring), os.urandom, lambda: NOW, transport=Transport(record=True))
    whole = b'ann,a@b.de,1.5,true,41,"two\nlines",%s,Rome\r\n' % AT.encode()
    two = b"ann,,,,,,,\nbob,,,,,,,"
    header = b"person,email,amount,vip,age,note,at,place.city"
    given = Parts(None, pa.array([b"ann", b"bob", None], pa.binary()), {"trace": pa.array([b"t1", b"t2", b"t3"], pa.binary())})
    (piece,) = step(pa.array([whole, two, header], pa.binary()), given)
    assert {1: "malformed", 2: "header"} == {row: Entry.decode(line).reason for row, line in piece.quarantine}
    view = piece.views["masked"].to_pylist()
    assert [True, False, False] == [row is not None for row in view]
    assert cells(view[0])[0].encode() == piece.parts["masked"].key[0].as_py() and b"\n" not in view[0]
    assert b"t1" == piece.parts["masked"].headers[0][0].as_py()


def test_columns_are_needed(planned):
    """Without columns there is no telling the cells of a record apart."""
    with pytest.raises(InputError, match=r"Hint: columns: \["):
        planned(POLICY.replace("columns: [person, email, amount, vip, age, note, at, place.city]\n", ""))
