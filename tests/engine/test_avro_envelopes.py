"""Changes of rows in Avro: one rule for every image and the key, one schema for both images, and the same table at the end."""

import json
import os

import pyarrow as pa
import pytest
from avro_changes import COLUMNS, DEBEZIUM, FLAT, GONE, KEY, ROW, SCHEMAS, change, changelog, read, row_of, written

from flink_masking.documents.faults import PolicyFaults
from flink_masking.engine.plan import compile_plan
from flink_masking.engine.protect import Protect
from flink_masking.engine.quarantine import Entry
from flink_masking.engine.record import Parts, Transport
from flink_masking.errors import RegistryError
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.registry.outputs import KnownOutputs
from flink_masking.registry.source import KnownSchemas, Schema, SchemaId

POLICY = """\
version: 1
stream: customers
format: avro
framing: confluent
record: {{envelope: {kind}, key: [id]{more}}}
fields:
  id: {{class: identifier, type: integer}}
  email: {{class: direct, type: email}}
  age: {{class: quasi, type: integer}}
  photo: {{class: direct}}
segments:
  one:
    view: masked
    rules:
      id: {{technique: pseudonym, domain: customer}}
      email: {{technique: encrypt_deterministic, domain: email}}
      age: {{technique: generalize, width: 10}}
      photo: {photo}
"""
VALUE_ID, KEY_ID, NEW_VALUE, NEW_KEY = 7, 8, 17, 18


class Outputs(KnownOutputs):
    """Gives identifiers to all schemas, and keeps the schemas."""

    def __init__(self):
        """None yet."""
        self.found = {}

    def identifier(self, view, schema, kind="id"):
        """The identifier of values, or of keys."""
        self.found[view] = json.loads(schema.text)
        return SchemaId("id", NEW_KEY if view.endswith(".key") else NEW_VALUE)


def step_of(ring, kind, outputs, more="", photo="keep"):
    """A Protect for a kind of envelope, whose schemas are asked for by identifier."""
    schemas = {SchemaId("id", VALUE_ID): Schema(json.dumps(SCHEMAS[kind]), "AVRO"), SchemaId("id", KEY_ID): Schema(json.dumps(KEY), "AVRO")}
    source = PolicySource("policy.yaml", POLICY.format(kind=kind, more=more, photo=photo), {"key.avsc": json.dumps(KEY)})
    plan = compile_plan(load(source), ring, schemas=KnownSchemas(schemas), outputs=outputs)
    return Protect(plan, os.urandom, lambda: 0, transport=Transport(record=True, upserts=("one",)))


def run(step, keys, values):
    """What a batch is protected to."""
    (piece,) = step(pa.array(values, pa.binary()), Parts(key=pa.array(keys, pa.binary())))
    return piece


@pytest.mark.parametrize("kind", ["debezium", "debezium_flat", "ogg"])
def test_a_changelog_in_avro(ring, kind):
    """Rows under their keys at the end are the masked table; both images have one derived type, and the key a schema of its own."""
    changes, table = changelog(2_000)
    outputs = Outputs()
    step = step_of(ring, kind, outputs)
    schema = SCHEMAS[kind]
    keys = [written(KEY, {"id": key}, KEY_ID) for key, _, _ in changes]
    values = [None if old is new is None else written(schema, change(kind, old, new), VALUE_ID) for _, old, new in changes]
    piece = run(step, keys, values)
    assert piece.quarantine == []
    derived, of_key = outputs.found["one"], outputs.found["one.key"]
    assert of_key == {**KEY, "fields": [{"name": "id", "type": "string"}]}
    masked = [(read(of_key, key, NEW_KEY)["id"], read(derived, value, NEW_VALUE))
              for key, value in zip(piece.parts["one"].key.to_pylist(), piece.views["one"].to_pylist(), strict=True)]
    assert not any(clear in str(record) for _, record in masked for clear in ("@example.com", "SECRET"))
    found, by_key, aliases = {}, {}, {}
    for (key, _, new), (alias, record) in zip(changes, masked, strict=True):
        assert aliases.setdefault(key, alias) == alias
        row = None if record is None else row_of(kind, record)
        found.pop(alias, None)
        if row is not None:
            found[alias], by_key[alias] = row, new
    assert len(set(aliases.values())) == len(aliases) and {aliases[key] for key in table} == set(found)
    emails = {}
    for alias, row in found.items():
        clear = by_key[alias]
        decade = clear["age"] // 10 * 10
        assert (row["id"], row["age"], row["photo"]) == (alias, f"{decade}-{decade + 9}", clear["photo"])
        assert emails.setdefault(clear["email"], row["email"]) == row["email"]
    assert len(set(emails.values())) == len(emails) > 40
    if kind == "debezium":
        before, after = (field["type"] for field in derived["fields"][:2])
        assert before[1]["connect.name"] == "shop.customers.Value" and after[1] == "shop.customers.Value"
        row = next(iter(table.values()))
        same = run(step, keys[:1], [written(schema, change(kind, row, row), VALUE_ID)]).views["one"][0].as_py()
        assert read(derived, same, NEW_VALUE)["before"] == read(derived, same, NEW_VALUE)["after"]


@pytest.mark.parametrize(("photo", "kept"), [("keep", GONE), ("{technique: pseudonym, domain: p}", True), ("drop", None)])
def test_a_value_that_is_not_in_the_record(ring, photo, kept):
    """The placeholder of bytes that did not change stays, in base64 where the rule makes text of them; drop drops it, too."""
    outputs = Outputs()
    row = {"id": 1, "email": GONE.decode(), "age": 7, "photo": GONE}
    piece = run(step_of(ring, "debezium", outputs, photo=photo), [written(KEY, {"id": 1}, KEY_ID)],
                [written(DEBEZIUM, change("debezium", row, row), VALUE_ID)])
    record = read(outputs.found["one"], piece.views["one"][0].as_py(), NEW_VALUE)
    assert record["after"] == record["before"] and record["after"]["email"] == GONE.decode()
    assert record["after"]["photo"] == (kept if kept is not True else "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==")
    assert (record["source"]["query"], "user_name" in record["source"]) == (None, False)


def test_keys_that_are_not_as_declared(ring):
    """A key of another schema, in another framing, cut short, or whose schema is unknown sends its record to quarantine."""
    more = {**KEY, "fields": [*KEY["fields"], {"name": "tenant", "type": "string"}]}
    wrong = [b"\0\0\0\0\x09\x02", b"\x02", written(KEY, {"id": 1}, KEY_ID) + b"x", written(KEY, {"id": 1}, KEY_ID)[:-1], b'{"id":1}',
             written(more, {"id": 1, "tenant": "eu"}, VALUE_ID), b""]
    row = {"id": 1, "email": None, "age": 7, "photo": None}
    value = written(DEBEZIUM, change("debezium", None, row), VALUE_ID)
    piece = run(step_of(ring, "debezium", Outputs()), [*wrong, *wrong], [*[value] * len(wrong), *[None] * len(wrong)])
    entries = [Entry.decode(line) for _, line in piece.quarantine]
    assert [("refused_value", "record.key")] * 2 * len(wrong) == [(entry.reason, entry.path) for entry in entries]
    assert piece.parts["one"].key.null_count == piece.views["one"].null_count == 2 * len(wrong)


@pytest.mark.parametrize(("more", "key"), [
    (", key_format: json", b'{"id":1}'), (", key_format: text", b"1"),
    (", key_framing: none, key_schema: key.avsc", written(KEY, {"id": 1}, 0)[5:]),
    (", key_schema: {21: key.avsc}", written(KEY, {"id": 1}, 21)),
])  # fmt: skip
def test_formats_of_keys(ring, more, key):
    """Keys have a format, a framing and a schema of their own; the key stays equal to the column."""
    outputs = Outputs()
    row = {"id": 1, "email": None, "age": 7, "photo": None}
    piece = run(step_of(ring, "debezium", outputs, more), [key, key], [written(DEBEZIUM, change("debezium", None, row), VALUE_ID), None])
    assert piece.quarantine == []
    made, again = piece.parts["one"].key.to_pylist()
    alias = read(outputs.found["one"], piece.views["one"][0].as_py(), NEW_VALUE)["after"]["id"]
    if "format" in more:
        assert made.decode() in (alias, json.dumps({"id": alias}, separators=(",", ":")))
    else:
        schema = {**KEY, "fields": [{"name": "id", "type": "string"}]}
        made = written(schema, {"id": ""}, NEW_KEY)[:5] + made if "none" in more else made
        assert read(schema, made, NEW_KEY) == {"id": alias}
    assert again is not None


def test_a_key_that_keeps_its_type_keeps_its_schema(ring):
    """Where no rule changes a type, neither value nor key get another schema, and nothing is asked for."""
    schemas = {SchemaId("id", 7): Schema(json.dumps(FLAT), "AVRO"), SchemaId("id", 8): Schema(json.dumps(KEY), "AVRO")}
    text = POLICY.format(kind="debezium_flat", more="", photo="nullify").replace("{technique: pseudonym, domain: customer}", "keep")
    plan = compile_plan(load(PolicySource("p.yaml", text.replace("{technique: generalize, width: 10}", "nullify"))), ring,
                        schemas=KnownSchemas(schemas))
    step = Protect(plan, os.urandom, lambda: 0, transport=Transport(record=True, upserts=("one",)))
    row = {"id": 1, "email": "ann@example.com", "age": 7, "photo": b"x"}
    piece = run(step, [written(KEY, {"id": 1}, 8)], [written(FLAT, change("debezium_flat", None, row), 7)])
    found = read(FLAT, piece.views["one"][0].as_py(), 7)
    assert (found["id"], found["age"], found["photo"], "@" in found["email"]) == (1, None, None, False)
    assert read(KEY, piece.parts["one"].key[0].as_py(), 8) == {"id": 1}


def test_a_derived_schema_of_keys_needs_an_identifier(ring):
    """Keys whose schema changes are not written without an identifier of the new schema."""
    step = step_of(ring, "debezium", KnownOutputs({}))
    with pytest.raises(RegistryError, match=r"view one\.key: its schema differs"):
        run(step, [written(KEY, {"id": 1}, KEY_ID)], [None])


@pytest.mark.parametrize(("old", "new", "words"), [
    ("debezium,", "debezium, wrapped: true,", "only JSON without a schema of its own is wrapped"),
    ("debezium,", "maxwell,", "written in JSON only"),
    ("debezium,", "canal,", "written in JSON only"),
    ("avro\nframing: confluent", "protobuf\nframing: confluent", "formats json and avro"),
    ("key: [id]", "key: [id], key_format: text, key_schema: key.avsc", "only keys that are records have a schema"),
    ("key: [id]", "key: [id], key_format: json, key_framing: single_object", "keys in json have no framing single_object"),
    ("key: [id]", "key: [id], key_framing: none", "do not tell their schema"),
    ("avro\nframing: confluent", "json", "how keys name their schema"),
    ("key: [id]", "key: [id, email], key_schema: key.avsc", "'email' is a column of the key, and its schema has no such field"),
    ("key: [id]", "key: [email], key_schema: key.avsc", "'id' of the key's schema is no column of the key"),
    ("key: [id]", "key: [id], key_schema: none.avsc", "did not come with the policy"),
    ("confluent\n", "none\nschema: value.avsc\n", "keys without framing do not tell their schema"),
    ("photo: keep", "photo: {technique: encrypt, domain: x}\n    order: shuffled", "count by their order"),
    ("id: {technique: pseudonym, domain: customer}", "id: {technique: encrypt, domain: customer}", "a different value each time"),
    ("id: {technique: pseudonym, domain: customer}", "id: {technique: generalize, width: 10}", "one result"),
])  # fmt: skip
def test_what_contradicts_an_envelope_in_avro(old, new, words):
    """Each contradiction is told with a hint."""
    text = POLICY.format(kind="debezium", more="", photo="keep").replace("json: ", "").replace(old, new, 1)
    if new == "json":
        text = text.replace("key: [id]", "key: [id], key_format: avro")
    with pytest.raises(PolicyFaults) as caught:
        load(PolicySource("policy.yaml", text, {"key.avsc": json.dumps(KEY), "value.avsc": json.dumps(DEBEZIUM)}))
    assert any(words in fault.message and fault.hint for fault in caught.value.faults), [fault.message for fault in caught.value.faults]


def test_the_schema_of_the_envelope_is_checked():
    """Columns and members of a given schema that the policy does not know are faults when it is loaded."""
    text = POLICY.format(kind="debezium", more="", photo="keep").replace("framing: confluent", "framing: confluent\nschema: value.avsc")
    row = {**ROW, "fields": [*COLUMNS, {"name": "iban", "type": "string"}]}
    schema = {**DEBEZIUM, "fields": [{"name": "before", "type": ["null", row]}, *DEBEZIUM["fields"][1:]]}
    with pytest.raises(PolicyFaults) as caught:
        load(PolicySource("policy.yaml", text, {"value.avsc": json.dumps(schema)}))
    assert {"before.iban", "after.iban"} == {fault.message.split("'")[1] for fault in caught.value.faults}
    files = {"value.avsc": json.dumps(DEBEZIUM), "key.avsc": json.dumps(KEY)}
    shown = load(PolicySource("policy.yaml", text.replace("key: [id]", "key: [id], key_schema: {5: key.avsc}"), files)).schemas_of_views()
    assert [(file, view, differs) for file, view, _, differs in shown] == [("value.avsc", "one", True), ("key.avsc", "one.key", True)]
