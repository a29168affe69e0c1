"""Avro records through a whole policy: every view is read by an ordinary reader, and what it shows is what the rules say."""

import io
import json

import fastavro
import pyarrow as pa
import pytest

from flink_masking.documents.faults import PolicyFaults
from flink_masking.engine.quarantine import Entry
from flink_masking.errors import InputError, RegistryError, RegistryUnavailableError
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.protector import Protector
from flink_masking.registry.source import KnownSchemas, Schema, SchemaId

ADDRESS = {"type": "record", "name": "Address", "fields": [{"name": "zip", "type": "string"}, {"name": "house", "type": "int"}]}
SCHEMA = {"type": "record", "name": "Order", "namespace": "shop", "doc": "An order", "fields": [
    {"name": "id", "type": "string"},
    {"name": "email", "type": ["null", "string"], "default": None},
    {"name": "age", "type": ["null", "int"]},
    {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}},
    {"name": "born", "type": {"type": "int", "logicalType": "date"}},
    {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["WEB", "SHOP"]}},
    {"name": "billing", "type": ADDRESS},
    {"name": "shipping", "type": "Address"},
    {"name": "attributes", "type": {"type": "map", "values": "string"}},
    {"name": "score", "type": "float", "default": 0.5},
]}  # fmt: skip
POLICY = """
version: 1
stream: orders
format: avro
{more}
subject: id
fields:
  id: {{class: identifier}}
  email: {{class: direct, type: email}}
  age: {{class: quasi, type: integer, domain: [0, 120]}}
  amount: {{class: measure, type: number}}
  born: {{class: quasi, type: date, domain: ["1900-01-01", "2030-01-01"]}}
  kind: {{class: plain}}
  billing.zip: {{class: quasi}}
  billing.house: {{class: plain, type: integer}}
  shipping.zip: {{class: quasi}}
  shipping.house: {{class: plain, type: integer}}
  attributes.*: {{class: sensitive}}
  score: {{class: plain, type: number}}
segments:
  same:
    view: masked
    keys: {{attributes.*: plain}}
    rules: {{id: {{technique: pseudonym, domain: people}}, email: {{technique: partial, keep_first: 1, keep_after: "@"}}, "*": keep}}
  other:
    view: masked
    keys: {{attributes.*: {{technique: pseudonym, domain: keys}}}}
    rules:
      id: {{technique: pseudonym, domain: people}}
      email: nullify
      age: {{technique: generalize, width: 10}}
      amount: {{technique: perturb, absolute: 5}}
      born: {{technique: generalize, date: year}}
      kind: redact
      billing.zip: {{technique: partial, keep_first: 2}}
      billing.house: redact
      shipping.zip: keep
      shipping.house: keep
      attributes.*: redact
      score: drop
"""


def order(number, **more):
    """An order as fastavro writes it."""
    from datetime import date
    from decimal import Decimal

    return {"id": f"C{number}", "email": f"jane{number}@example.com" if number % 2 else None, "age": number % 90,
            "amount": Decimal(number) / 4, "born": date(1980, 1, 1 + number % 28), "kind": "WEB",
            "billing": {"zip": "12345", "house": number},
            "shipping": {"zip": "99999", "house": 7}, "attributes": {"colour": "red", "size": "1"}, "score": 0.25, **more}


def encoded(event, schema=SCHEMA, prefix=b""):
    """An event behind a prefix."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), event)
    return prefix + out.getvalue()


def read(record, schema):
    """All of a record as fastavro reads it."""
    stream = io.BytesIO(record)
    found = fastavro.schemaless_reader(stream, fastavro.parse_schema(schema), None)
    assert not stream.read()
    return found


def policy(more="schema: order.avsc", schema=SCHEMA, **changes):
    """The policy with the schema's file."""
    text = POLICY.format(more=more)
    for before, after in changes.items():
        text = text.replace(before, after)
    return PolicySource("policy.yaml", text, {"order.avsc": json.dumps(schema)})


def test_views_are_read_by_an_ordinary_reader():
    """A view whose rules keep types has the writer's schema; another one the derived schema; fastavro reads both."""
    events = [order(number) for number in range(50)]
    source = policy()
    result = Protector(source, KeyRing.ephemeral()).protect([encoded(event) for event in events])
    assert [] == result.quarantine
    derived = {segment: (json.loads(text), differs) for _, segment, text, differs in load(source).schemas_of_views()}
    assert [False, True] == [derived[name][1] for name in ("same", "other")]
    for event, record in zip(events, result.views["same"].to_pylist(), strict=True):
        found = read(record, SCHEMA)
        assert {**event, "id": found["id"], "email": found["email"]} == found
        assert found["id"] != event["id"]
        assert found["email"] == (None if event["email"] is None else "j***@example.com")
    schema = derived["other"][0]
    types = {field["name"]: field["type"] for field in schema["fields"]}
    assert ["null", "string"] == types["email"] == types["age"]
    assert "string" == types["born"] == types["kind"]
    assert SCHEMA["fields"][3]["type"] == types["amount"]
    assert ("Address_2", "Address") == (types["billing"]["name"], types["shipping"]["name"])
    assert {"name": "score", "type": "float", "default": 0.5} == schema["fields"][-1]
    for event, record in zip(events, result.views["other"].to_pylist(), strict=True):
        found = read(record, schema)
        low = event["age"] // 10 * 10
        assert (None, f"{low}-{low + 9}", "1980", "***") == (found["email"], found["age"], found["born"], found["kind"])
        assert ({"zip": "12***", "house": "***"}, event["shipping"], 0.5) == (found["billing"], found["shipping"], found["score"])
        assert abs(found["amount"] - event["amount"]) <= 5
        assert ["***", "***"] == list(found["attributes"].values())
        assert not {"colour", "size"} & set(found["attributes"])


def test_a_value_that_its_type_cannot_hold():
    """A refused number becomes null where its type has null; otherwise its record goes to quarantine, and into no view."""
    events = [order(7), order(8, age=500), order(9, billing={"zip": "1", "house": 5})]
    source = policy("schema: order.avsc", **{
        "billing.house: {class: plain, type: integer}": "billing.house: {class: plain, domain: [6, 9]}",
        "      billing.house: redact\n": "      billing.house: keep\n"})  # fmt: skip
    result = Protector(source, KeyRing.ephemeral()).protect([encoded(event) for event in events])
    assert read(result.views["same"][1].as_py(), SCHEMA)["age"] is None
    entries = {row: Entry.decode(line) for row, line in result.quarantine}
    assert {2: ("unwritable_value", "billing.house")} == {
        row: (entry.reason, entry.path) for row, entry in entries.items()}
    assert [None, None] == [result.views[name][2].as_py() for name in ("same", "other")]


def test_undeclared_fields():
    """A field that the policy does not declare sends every record that has it to quarantine, with its path; or it is left out."""
    schema = {**SCHEMA, "fields": [*SCHEMA["fields"], {"name": "surprise", "type": "string"},
                                   {"name": "more", "type": {"type": "record", "name": "More", "fields": [{"name": "x", "type": "int"}]}}]}
    record = encoded(order(1, surprise="secret", more={"x": 4711}), schema)
    files = KnownSchemas({SchemaId("id", 1): Schema(json.dumps(schema))})
    strict = Protector(policy("framing: confluent"), KeyRing.ephemeral(), registry=files)
    row, line = strict.protect([b"\0\0\0\0\1" + record]).quarantine[0]
    entry = Entry.decode(line)
    assert (0, "unknown_field", "surprise") == (row, entry.reason, entry.path)
    assert [("unknown_field", "surprise"), ("unknown_field", "more")] == [(member.reason, member.path) for member in entry.members]
    loose = Protector(policy("unknown_fields: drop\nschema: order.avsc", schema), KeyRing.ephemeral())
    shown = read(loose.protect([record]).views["same"][0].as_py(), json.loads(loose.plan.columns("same")[0]))
    assert not {"surprise", "more"} & set(shown)
    assert {field["name"] for field in SCHEMA["fields"]} == set(shown)


def test_schemas_by_identifier():
    """Records of several schema versions, and of none that exist, lie in one batch; each goes by its own."""
    extra = {"name": "extra", "type": ["null", "string"], "default": None}
    newer = {**SCHEMA, "fields": [*SCHEMA["fields"][:2], extra, *SCHEMA["fields"][2:]]}
    newest = {**SCHEMA, "fields": [*SCHEMA["fields"], {"name": "extra", "type": "string"}]}
    asked = []

    class Registry(KnownSchemas):
        def schema(self, identifier):
            asked.append(identifier)
            return super().schema(identifier)

    known = Registry({SchemaId("id", 1): Schema(json.dumps(SCHEMA)), SchemaId("id", 2): Schema(json.dumps(newer)),
                      SchemaId("id", 5): Schema(json.dumps(newest)),
                      SchemaId("id", 3): Schema('syntax = "proto3";', "PROTOBUF")})  # fmt: skip
    source = policy("framing: confluent\nunknown_fields: drop")
    text = source.text[: source.text.index("  other:")]
    protector = Protector(PolicySource("policy.yaml", text), KeyRing.ephemeral(), registry=known)
    batch = [encoded(order(n), SCHEMA, b"\0\0\0\0\1") if n % 2 else encoded(order(n, extra="x"), newer, b"\0\0\0\0\2")
             for n in range(1, 20)]
    result = protector.protect([*batch, b"\0\0\0\0\3x", b"\0\0\0\0\4x", b"{}"])
    for number, record in enumerate(result.views["same"].to_pylist()[: len(batch)], 1):
        found = read(record[5:], SCHEMA if number % 2 else newer)
        assert number == found["billing"]["house"]
        assert found.get("extra") is None
    assert ["unknown_schema", "unknown_schema", "malformed"] == [Entry.decode(line).reason for _, line in result.quarantine]
    protector.protect(batch[:1])
    assert 1 == asked.count(SchemaId("id", 1))
    with pytest.raises(RegistryError, match="view same: its schema differs"):
        protector.protect([encoded(order(1, extra="x"), newest, b"\0\0\0\0\5")])


def test_a_registry_that_is_away():
    """A schema that cannot be had fails the batch, whose records are not lost; those known already go on."""
    class Away:
        def schema(self, identifier):
            if identifier.value == 1:
                return Schema(json.dumps(SCHEMA))
            raise RegistryUnavailableError("registry: away. Hint: later")

    source = policy("framing: confluent")
    text = source.text[: source.text.index("  other:")]
    protector = Protector(PolicySource("policy.yaml", text), KeyRing.ephemeral(), registry=Away())
    record = encoded(order(1), prefix=b"\0\0\0\0\1")
    assert protector.protect([record]).views["same"][0].is_valid
    with pytest.raises(RegistryUnavailableError):
        protector.protect([record, b"\0\0\0\0\2" + record[5:]])
    assert protector.protect([record]).views["same"][0].is_valid


def test_schemas_in_the_policys_folder():
    """Files by identifier stand for a registry; a single object names its schema, and that of its view, by the fingerprint."""
    source = policy("framing: confluent\nschema: {7: order.avsc}")
    text = source.text[: source.text.index("  other:")]
    protector = Protector(PolicySource("policy.yaml", text, source.files), KeyRing.ephemeral())
    result = protector.protect([encoded(order(1), prefix=b"\0\0\0\0\7")])
    assert b"\0\0\0\0\7" == result.views["same"][0].as_py()[:5]
    single = policy("framing: single_object\nschema: order.avsc")
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(SCHEMA), order(1))

    def marker(schema):
        return b"\xc3\x01" + bytes.fromhex(fastavro.schema.fingerprint(fastavro.schema.to_parsing_canonical_form(schema), "CRC-64-AVRO"))

    protector = Protector(single, KeyRing.ephemeral())
    result = protector.protect([marker(SCHEMA) + out.getvalue()])
    assert [] == result.quarantine
    schemas = {name: json.loads(text) for _, name, text, _ in load(single).schemas_of_views()}
    for name, schema in schemas.items():
        record = result.views[name][0].as_py()
        assert marker(schema) == record[:10]
        assert read(record[10:], schema)


def test_anonymized_views_are_json():
    """Groups of Avro records are JSON lines."""
    text = policy().text + """  k:
    view: anonymized
    k: 2
    quasi_identifiers: [age]
    release: [kind, amount]
"""
    protector = Protector(PolicySource("policy.yaml", text, policy().files), KeyRing.ephemeral())
    released = protector.protect([encoded(order(number, age=30)) for number in range(6)]).released["k"]
    lines = [json.loads(line) for line in [*released, *protector.finish()["k"]]]
    assert [("30", "WEB", number / 4) for number in range(6)] == sorted((str(line["age"]), line["kind"], line["amount"]) for line in lines)


@pytest.mark.parametrize(("more", "change", "message"), [
    ("schema: missing.avsc", {}, "did not come with the policy"),
    ("schema: order.avsc\ncolumns: [a]", {}, "have no header"),
    ("schema: order.avsc\neach: \"a[*]\"", {}, "has no arrays"),
    ("schema: order.avsc", {"  score: {class: plain, type: number}\n": "", "      score: drop\n": ""},
     "'score' of the schema is not declared"),
    ("schema: order.avsc", {"  score: {class: plain": "  scores: {optional: false, class: plain", "      score: drop\n": ""},
     "no field 'scores'"),
    ("schema: order.avsc", {"  kind: {class": "  kind.x: {class", "      kind: redact\n": ""}, "'kind' is of another kind"),
    ("schema: order.avsc", {"  same:\n    view: masked\n": "  same:\n    view: masked\n    key_versions: true\n"},
     "no place for an object"),
])  # fmt: skip
def test_faults(more, change, message):
    """Every contradiction between policy and schema is a fault with a hint."""
    with pytest.raises(PolicyFaults) as caught:
        load(policy(more, **change))
    found = [fault for fault in caught.value.faults if message in fault.message]
    assert found, [fault.message for fault in caught.value.faults]
    assert all(fault.hint for fault in found)


def test_format_without_a_schema():
    """Framing and schema are of formats with schemas; records without framing need one."""
    with pytest.raises(PolicyFaults, match="have no schema"):
        load(PolicySource("policy.yaml", policy("framing: confluent").text.replace("format: avro", "format: csv")))
    with pytest.raises(InputError, match="do not tell their schema"):
        Protector(PolicySource("policy.yaml", policy("").text), KeyRing.ephemeral())


def test_nothing_of_a_record_that_is_rejected():
    """A record that is rejected for one view is in no other one, and the order of the others stays."""
    records = [encoded(order(number)) for number in range(10)]
    records[4] = records[4][:-1]
    result = Protector(policy(), KeyRing.ephemeral()).protect(pa.array(records, pa.binary()))
    for name in ("same", "other"):
        assert [4] == [row for row, record in enumerate(result.views[name].to_pylist()) if record is None]
