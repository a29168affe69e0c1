"""Records wrapped in {schema, payload}: what a view's schema says is what JsonConverter reads in its payload."""

import base64
import copy
import os

import orjson
import pyarrow as pa
import pytest
from connect import schema_of, to_connect

from flink_masking.documents.faults import PolicyFaults
from flink_masking.engine.plan import compile_plan, renewed
from flink_masking.engine.protect import Protect
from flink_masking.engine.quarantine import Entry
from flink_masking.engine.record import Parts, Transport
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

DECIMAL = {"type": "bytes", "name": "org.apache.kafka.connect.data.Decimal", "version": 1, "parameters": {"scale": "2"}, "default": "AA=="}
COLUMNS = [
    {"type": "int32", "optional": False, "field": "id", "default": 0}, {"type": "string", "optional": False, "field": "email"},
    {"type": "int16", "optional": False, "field": "age"}, {"type": "int64", "optional": True, "field": "score"},
    {**DECIMAL, "optional": False, "field": "amount"}, {"type": "boolean", "optional": False, "field": "gold"},
    {"type": "string", "optional": True, "name": "io.debezium.data.Enum", "parameters": {"allowed": "a,b"}, "field": "kind"},
    {"type": "array", "items": {"type": "int32", "optional": False}, "optional": True, "field": "visits"},
    {"type": "map", "keys": {"type": "string", "optional": False}, "values": {"type": "int32", "optional": False}, "optional": True,
     "field": "counts"},
    {"type": "struct", "optional": True, "field": "place", "fields": [
        {"type": "string", "optional": False, "field": "street"}, {"type": "int32", "optional": False, "field": "no"}],
        "default": {"street": "x", "no": 1}},
]  # fmt: skip
NAMES = [one["field"] for one in COLUMNS]
AMOUNT = base64.b64encode((1234).to_bytes(2)).decode()
ROW = {"id": 7, "email": "ann@example.com", "age": 41, "score": 5, "amount": AMOUNT, "gold": True, "kind": "a", "visits": [1, 2],
       "counts": {"x": 1, "y": 2}, "place": {"street": "Main", "no": 3}}
PATHS = {**{name: name for name in NAMES[:7]}, "visits": "visits[*]", "counts": "counts.*", "place": "place.no"}
POLICY = """\
version: 1
stream: c
record: {{envelope: debezium, wrapped: true, key: [id]}}
unknown_fields: {unknown}
fields:
  id: {{class: identifier}}
  email: {{class: direct, type: email}}
  age: {{class: quasi, type: integer, domain: [0, 120]}}
  score: {{class: plain, domain: [0, 9]}}
  amount: {{class: plain}}
  gold: {{class: plain}}
  kind: {{class: plain, values: [a, b]}}
  visits[*]: {{class: plain}}
  counts.*: {{class: plain}}
  place.street: {{class: plain}}
  place.no: {{class: plain}}
segments:
  one:
    view: masked
    keys: {{counts.*: plain}}
    rules:
{rules}
"""


def image(field):
    """The schema of an image of the row."""
    return {"type": "struct", "fields": COLUMNS, "optional": True, "name": "shop.c.Value", "field": field}


SCHEMA = {"type": "struct", "optional": False, "name": "shop.c.Envelope", "version": 2, "fields": [
    image("before"), image("after"), {"type": "string", "optional": False, "field": "op"}]}  # fmt: skip
KEY = {"type": "struct", "fields": COLUMNS[:1], "optional": False, "name": "shop.c.Key"}


def loaded_with(unknown="quarantine", **rules):
    """The policy that keeps all but what has a rule here, by column."""
    written = {path: "keep" for path in (*PATHS.values(), "place.street")} | {PATHS[name]: rule for name, rule in rules.items()}
    text = POLICY.format(unknown=unknown, rules="\n".join(f"      {path}: {rule}" for path, rule in written.items()))
    return load(PolicySource("policy.yaml", text))


def step_of(loaded, ring):
    """A Protect for a policy."""
    return Protect(compile_plan(loaded, ring), os.urandom, lambda: 0, transport=Transport(record=True, upserts=("one",)))


def run(step, *rows, schema=SCHEMA, key=KEY):
    """What changes to these rows are protected to."""
    values = [orjson.dumps({"schema": schema, "payload": {"before": row, "after": row, "op": "u"}}) for row in rows]
    keys = [orjson.dumps({"schema": key, "payload": {"id": row["id"]}}) for row in rows]
    (piece,) = step(pa.array(values, pa.binary()), Parts(key=pa.array(keys, pa.binary())))
    return piece


def rows_of(piece):
    """The new rows as Connect has them; None where a record is quarantined."""
    found = [None if record is None else orjson.loads(record) for record in piece.views["one"].to_pylist()]
    read = [record and to_connect(record["schema"], record["payload"]) for record in found]
    assert all(record is None or record["before"] == record["after"] for record in read)
    return [record and record["after"] for record in read]


def schema_shown(piece):
    """Schemas of the columns of the first record, by column; both images have the same."""
    fields = orjson.loads(next(record for record in piece.views["one"].to_pylist() if record))["schema"]["fields"]
    assert fields[0]["fields"] == fields[1]["fields"] and fields[2] == SCHEMA["fields"][2]
    return {one["field"]: one for one in fields[1]["fields"]}


def reasons(piece):
    """Reason and path of each quarantined row."""
    return {row: (entry.reason, entry.path) for row, line in piece.quarantine for entry in [Entry.decode(line)]}


TEXT = {"type": "string", "optional": False}


@pytest.mark.parametrize(("column", "rule", "changed"), [
    ("id", "{technique: pseudonym, domain: c}", {**TEXT, "field": "id"}),
    ("amount", "nullify", {**{name: value for name, value in COLUMNS[4].items() if name != "default"}, "optional": True}),
    ("age", "{technique: generalize, width: 10}", {**TEXT, "field": "age"}),
    ("age", "redact", {**TEXT, "field": "age"}),
    ("age", "nullify", {**COLUMNS[2], "optional": True}),
    ("age", "drop", None),
    ("age", "{technique: perturb, absolute: 3, mode: keyed}", COLUMNS[2]),
    ("email", "{technique: encrypt_deterministic, domain: e}", COLUMNS[1]),
    ("email", "{technique: partial, keep_first: 1, on_error: nullify}", {**COLUMNS[1], "optional": True}),
    ("email", "{technique: partial, keep_first: 1, on_error: drop}", {**COLUMNS[1], "optional": True}),
    ("amount", "{technique: pseudonym, domain: a}", {**TEXT, "field": "amount"}),
    ("amount", "redact_text", {**TEXT, "field": "amount"}),
    ("gold", "redact", {**TEXT, "field": "gold"}),
    ("kind", "{technique: pseudonym, domain: k}", {**TEXT, "optional": True, "field": "kind"}),
    ("visits", "{technique: pseudonym, domain: v}", {**COLUMNS[7], "items": TEXT}),
    ("visits", "nullify", {**COLUMNS[7], "items": {**COLUMNS[7]["items"], "optional": True}}),
    ("counts", "redact", {**COLUMNS[8], "values": TEXT}),
    ("place", "{technique: pseudonym, domain: p}",
     {"type": "struct", "fields": [COLUMNS[9]["fields"][0], {**TEXT, "field": "no"}], "optional": True, "field": "place"}),
    ("place", "drop", {"type": "struct", "fields": COLUMNS[9]["fields"][:1], "optional": True, "field": "place"}),
    ("email", "keep", COLUMNS[1]),
])  # fmt: skip
def test_the_schema_says_what_the_rule_makes(ring, column, rule, changed):
    """The column's schema changes in both images with the rule's results, no other one does, and all of it is read by it."""
    piece = run(step_of(loaded_with(**{column: rule}), ring), ROW, {**ROW, "id": 8, "score": None, "place": None})
    assert reasons(piece) == {}
    shown = schema_shown(piece)
    assert shown.get(column) == changed
    assert {name: one for name, one in shown.items() if name != column} == {one["field"]: one for one in COLUMNS if one["field"] != column}
    for clear, row in zip([ROW, {**ROW, "id": 8, "score": None, "place": None}], rows_of(piece), strict=True):
        others = {name: value for name, value in row.items() if name not in (column, "amount", "place")}
        assert others == {name: value for name, value in clear.items() if name in others} and row["score"] == clear["score"]
    for key, row in zip(piece.parts["one"].key.to_pylist(), rows_of(piece), strict=True):
        key = orjson.loads(key)
        assert to_connect(key["schema"], key["payload"]) == {"id": row["id"]} and key["schema"]["name"] == "shop.c.Key"


def test_a_column_that_cannot_say_what_became_of_a_value(ring):
    """Where a refused value of a number would be a text, it becomes null if the column is optional; otherwise its record is quarantined."""
    piece = run(step_of(loaded_with(), ring), ROW, {**ROW, "score": 99}, {**ROW, "age": 500})
    assert [row and row["score"] for row in rows_of(piece)] == [5, None, None] and schema_shown(piece)["score"] == COLUMNS[3]
    assert reasons(piece) == {2: ("unwritable_value", "payload.before.age")}
    assert piece.parts["one"].key.null_count == 1


def test_nothing_but_the_schema_is_shown(ring):
    """Members that a schema of Connect does not have leave it, and one that is there twice sends its record to quarantine."""
    step = step_of(loaded_with(), ring)
    piece = run(step, ROW, schema={**SCHEMA, "note": "SECRET", "fields": [{**one, "by": "SECRET"} for one in SCHEMA["fields"]]})
    assert orjson.loads(piece.views["one"][0].as_py())["schema"] == SCHEMA
    value = orjson.dumps({"schema": SCHEMA, "payload": {"after": ROW, "op": "c"}}).replace(b'"version":2', b'"version":2,"name":"SECRET"')
    (piece,) = step(pa.array([value], pa.binary()), Parts(key=pa.array([orjson.dumps({"schema": KEY, "payload": {"id": 7}})], pa.binary())))
    assert reasons(piece) == {0: ("refused_value", "schema")}


@pytest.mark.parametrize("place", [
    (), *(("fields", 0, *column) for column in ((), ("fields", 3), ("fields", 7), ("fields", 7, "items"), ("fields", 8, "values"),
                                                ("fields", 8, "keys"), ("fields", 9)))])
@pytest.mark.parametrize("hidden", ["SECRET", {"a": "SECRET"}, ["SECRET"], [{"type": "string", "field": "SECRET"}]])
def test_a_schema_hides_nothing(ring, place, hidden):
    """What stands where Connect has something else, at whatever depth, reaches no view: it is left out, or its record is quarantined."""
    step, found = step_of(loaded_with(), ring), {}
    for member in ("optional", "version", "parameters", "default", "fields", "items", "keys", "values", "more"):
        schema = copy.deepcopy(SCHEMA)
        part = schema
        for one in place:
            part = part[one]
        if member in ("fields", "items", "keys", "values") and isinstance(part.get(member), list | dict):
            part = part[member] if isinstance(part[member], dict) else part[member][-1]
            member = "more"
        part[member] = [hidden] if member == "parameters" else hidden  # an object of texts is parameters
        piece = run(step, ROW, schema=schema)
        found[member] = piece.views["one"].to_pylist()[0], reasons(piece)
        assert found[member][0] is None or b"SECRET" not in found[member][0], member
    assert found["more"][1] == {} and found["version"][1] == {0: ("refused_value", "schema")}


def test_undeclared_columns_and_defaults_of_masked_ones_leave_the_schema(ring):
    """A column that the policy does not know is none of the view, though no record has it; a default goes with the rule of its column."""
    fields = [*COLUMNS, {"type": "string", "optional": True, "field": "SECRET"}]
    fields[1] = {**COLUMNS[1], "default": "SECRET"}
    schema = {**SCHEMA, "fields": [{**image(name), "fields": fields} for name in ("before", "after")] + SCHEMA["fields"][2:]}
    for rule in ("{technique: partial, keep_first: 1}", "redact", "{technique: encrypt_deterministic, domain: e}", "nullify"):
        piece = run(step_of(loaded_with(email=rule), ring), ROW, schema=schema)
        assert reasons(piece) == {} and b"SECRET" not in piece.views["one"][0].as_py()


def test_several_schemas_in_a_batch(ring):
    """Each record goes by its own schema; a member that the schema does not have is not read."""
    older = {**SCHEMA, "fields": [{**image(name), "fields": [{"type": "string", "optional": False, "field": "id"}, *COLUMNS[1:6]]}
                                  for name in ("before", "after")] + SCHEMA["fields"][2:]}  # fmt: skip
    step = step_of(loaded_with(id="{technique: pseudonym, domain: c}", age="redact"), ring)
    values = [orjson.dumps({"schema": schema, "payload": {"before": None, "after": {**ROW, "id": number}, "op": "c"}})
              for schema, number in [(SCHEMA, 1234567), (older, "7654321"), (SCHEMA, 99999999), (older, "00000001")]]
    of_key = [{**KEY, "fields": [{"type": kind, "field": "id"}]} for kind in ("int32", "string")]
    keys = [orjson.dumps({"schema": of_key[isinstance(number, str)], "payload": {"id": number}})
            for number in (1234567, "7654321", 99999999, "00000001")]
    (piece,) = step(pa.array(values, pa.binary()), Parts(key=pa.array(keys, pa.binary())))
    assert reasons(piece) == {}
    for record, key in zip(piece.views["one"].to_pylist(), piece.parts["one"].key.to_pylist(), strict=True):
        row, key = (to_connect(one["schema"], one["payload"]) for one in (orjson.loads(record), orjson.loads(key)))
        assert row["after"]["age"] == "***" and row["after"]["id"] == key["id"]


@pytest.mark.parametrize("schema", [
    None, 7, "struct", {}, {"type": "int32"}, {"type": "struct"},
    {"type": "struct", "fields": [{"field": "after"}]},
    {**SCHEMA, "fields": [{"type": "varchar", "field": "after"}]},
    {**SCHEMA, "fields": [{"type": "struct", "fields": 1, "field": "after"}]},
])  # fmt: skip
def test_what_is_no_schema_of_connect(ring, schema):
    """A record, and a key, whose schema cannot be read goes to quarantine, and nothing of it leaves."""
    step = step_of(loaded_with(age="redact"), ring)
    piece = run(step, ROW, schema=schema)
    assert reasons(piece) == {0: ("refused_value", "schema")} and piece.parts["one"].key.null_count == 1
    assert reasons(run(step, ROW, key=schema)) == {0: ("refused_value", "record.key")}
    (piece,) = step(pa.array([orjson.dumps({"payload": {"after": ROW, "op": "c"}}), None], pa.binary()),
                    Parts(key=pa.array([orjson.dumps({"schema": KEY, "payload": {"id": 7}})] * 2, pa.binary())))
    assert reasons(piece) == {0: ("refused_value", "schema")}


@pytest.mark.parametrize(("unknown", "made"), [("drop", None), ("redact", {**TEXT, "optional": True, "field": "iban"})])
def test_undeclared_columns(ring, unknown, made):
    """A column that is not declared leaves the schema with the row, or becomes text where its values are redacted."""
    schema = {**SCHEMA, "fields": [{**image(name), "fields": [*COLUMNS, {"type": "int64", "optional": True, "field": "iban"}]}
                                   for name in ("before", "after")] + SCHEMA["fields"][2:]}  # fmt: skip
    piece = run(step_of(loaded_with(unknown), ring), {**ROW, "iban": 4711}, schema=schema)
    assert schema_shown(piece).get("iban") == made
    assert rows_of(piece)[0].get("iban") == (made and "***")


def test_new_keys_of_a_ring(ring):
    """The schemas stay those of the view when keys are changed while a job runs."""
    loaded = loaded_with(id="{technique: pseudonym, domain: c}")
    plan = renewed(compile_plan(loaded, ring), loaded, ring, None)
    piece = run(Protect(plan, os.urandom, lambda: 0, transport=Transport(record=True, upserts=("one",))), ROW)
    assert schema_shown(piece)["id"]["type"] == "string" and isinstance(rows_of(piece)[0]["id"], str)


def test_a_schema_made_of_values_is_read(ring):
    """The interpreter of these tests refuses what is not as its schema says."""
    assert to_connect(schema_of(ROW), ROW) == ROW
    for wrong in ({"id": "x"}, {"gold": 1}, {"visits": {}}, {"place": {"no": "x"}}):
        with pytest.raises(ValueError, match="cannot be"):
            to_connect(schema_of(ROW), {**ROW, **wrong})


def test_sweeping_is_refused():
    """Undeclared members are not swept where a schema beside them says what they are."""
    with pytest.raises(PolicyFaults, match="swept"):
        loaded_with("scan")
