"""JSON records with a JSON Schema through a whole policy: what check says of the schema, and what the views are."""

import json

import pytest

from flink_masking.documents.faults import PolicyFaults
from flink_masking.engine.quarantine import Entry
from flink_masking.errors import RegistryError
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.protector import Protector
from flink_masking.registry.source import KnownSchemas, Schema, SchemaId

SCHEMA = {"type": "object", "additionalProperties": False, "required": ["id", "age", "tags"], "properties": {
    "id": {"type": "string"}, "age": {"type": "integer", "minimum": 0}, "email": {"type": ["null", "string"], "format": "email"},
    "address": {"type": "object", "properties": {"zip": {"type": "string"}, "house": {"type": "integer"}}, "required": ["zip"]},
    "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 1}}}
POLICY = """
version: 1
stream: customers
format: json
{more}
fields:
  id: {{class: identifier, optional: false}}
  age: {{class: quasi, type: integer, domain: [0, 120]}}
  email: {{class: direct, type: email, optional: true}}
  address.zip: {{class: quasi, optional: true}}
  address.house: {{class: plain, type: integer, optional: true}}
  "tags[*]": {{class: plain}}
segments:
  same:
    view: masked
    rules: {{email: drop, "*": keep}}
  other:
    view: masked
    rules: {{id: {{technique: pseudonym, domain: people}}, age: {{technique: generalize, width: 10}}, email: nullify, address: drop,
             "tags[*]": redact}}
"""
ROW = {"id": "1", "age": 41, "email": "jane@example.com", "address": {"zip": "12345"}, "tags": ["a"]}


def checked(more, schema=SCHEMA, name="customers.json"):
    """The policy with a schema beside it."""
    return load(PolicySource("policy.yaml", POLICY.format(more=more), {name: json.dumps(schema)}))


def messages(more, schema=SCHEMA):
    """The faults that check finds."""
    with pytest.raises(PolicyFaults) as caught:
        checked(more, schema)
    return [f"{fault.message}. Hint: {fault.hint}" for fault in caught.value.faults]


def test_check_derives_the_schema_of_each_view():
    """A view of the same types keeps the schema's text; another one gets a schema of its types, members and nulls."""
    found = {segment: (json.loads(text), changed) for _, segment, text, changed in
             checked("framing: confluent\nschema: customers.json").schemas_of_views()}
    assert found["same"] == (SCHEMA, False)
    derived, changed = found["other"]
    assert changed and derived["required"] == ["id", "age", "tags"]
    assert derived["properties"] == {**SCHEMA["properties"], "age": {"type": "string"}, "tags": {"type": "array", "minItems": 1,
                                                                                               "items": {"type": "string"}}}


def test_check_compares_the_schema_with_the_fields():
    """A field that the schema lacks, one of another kind, and one that nobody declared are errors with their path."""
    properties = {**SCHEMA["properties"], "age": {"type": "object", "properties": {"years": {"type": "integer"}}},
                  "phone": {"type": "string"}}
    del properties["id"]
    found = messages("schema: customers.json", {**SCHEMA, "properties": properties})
    assert sorted(text.split(". Hint")[0] for text in found) == [
        "'age' is of another kind in the schema than declared",
        "the field 'phone' of the schema is not declared: every record that has it would be quarantined",
        "the schema has no field 'id', and it is not optional"]
    assert "it is no JSON object" in messages("schema: customers.json", [1])[0]


@pytest.mark.parametrize("more, told", [
    ("framing: single_object", "no such framing"),
    ("framing: confluent\nunknown_fields: scan", "records with a schema cannot be swept"),
    ("framing: confluent\neach: Records[*]", "has no framing and no schema of its own"),
])
def test_what_does_not_go_with_a_schema_is_refused(more, told):
    """Framings of other formats, sweeps of undeclared members and documents of several records are errors of the policy."""
    assert any(told in text for text in messages(more))


def test_records_go_by_their_identifier():
    """Views keep the identifier; a missing framing or schema sends a record to quarantine with its reason and position."""
    source = PolicySource("policy.yaml", POLICY[: POLICY.index("  other:")].format(more="framing: confluent"))
    ring = KeyRing.ephemeral()
    protector = Protector(source, ring, registry=KnownSchemas({SchemaId("id", 10): Schema(json.dumps(SCHEMA), "JSON")}))
    body = json.dumps(ROW).encode()
    front = b"\0\0\0\0\n"  # a line break, which stays one
    result = protector.protect([front + body, body, b"\0\0\0\0\x0b" + body, front + b"{]", front + b'\n{"id":"2","age":1,"tags":[]}'])
    masked = {name: value for name, value in ROW.items() if name != "email"}
    made = result.views["same"].to_pylist()
    assert made[1:4] == [None] * 3 and made[0][:5] == front and json.loads(made[0][5:]) == masked
    assert made[4] == front + b'\n{"id":"2","age":1,"tags":[]}'
    entries = [Entry.decode(line) for _, line in result.quarantine]
    assert [(entry.reason, entry.position) for entry in entries] == [("malformed", 0), ("unknown_schema", 0), ("malformed", 6)]


def test_a_view_without_an_identifier_fails_before_anything_is_written():
    """A schema that differs and that nothing gives an identifier to is an error, never a record of the wrong schema."""
    schemas = KnownSchemas({SchemaId("id", 10): Schema(json.dumps(SCHEMA), "JSON")})
    protector = Protector(PolicySource("policy.yaml", POLICY.format(more="framing: confluent")), KeyRing.ephemeral(), registry=schemas)
    with pytest.raises(RegistryError, match="has no identifier"):
        protector.protect([b"\0\0\0\0\n" + json.dumps(ROW).encode()])


def test_files_have_no_framing():
    """The policy of a framed stream reads files of plain JSON lines."""
    loaded = checked("framing: confluent").of_files(None)
    result = Protector(loaded.source, KeyRing.ephemeral()).protect([json.dumps(ROW).encode()])
    assert json.loads(result.views["same"].to_pylist()[0])["id"] == "1"
