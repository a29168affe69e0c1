"""Changes of rows in JSON with JSON Schema: values and keys behind identifiers, views with derived schemas."""

import json
import os

import jsonschema
import orjson
import pyarrow as pa
import pytest

from flink_masking.documents.faults import PolicyFaults
from flink_masking.engine.plan import compile_plan
from flink_masking.engine.protect import Protect
from flink_masking.engine.quarantine import Entry
from flink_masking.engine.record import Parts, Transport
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.registry.source import KnownSchemas, Schema, SchemaId

ROW = {"type": "object", "properties": {"id": {"type": "integer"}, "email": {"type": ["null", "string"]}}, "additionalProperties": False}
ENVELOPE = {"type": "object", "additionalProperties": False, "required": ["op"], "properties": {
    "before": {"oneOf": [{"type": "null"}, ROW]}, "after": {"oneOf": [{"type": "null"}, ROW]}, "op": {"type": "string"},
    "source": {"type": "object", "properties": {"db": {"type": "string"}, "query": {"type": ["null", "string"]}}}}}  # fmt: skip
KEY = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"], "additionalProperties": False}
POLICY = """\
version: 1
stream: customers
framing: confluent
record: {envelope: debezium, key: [id]}
fields: {id: {class: identifier}, email: {class: direct}}
segments:
  one:
    view: masked
    rules: {id: {technique: pseudonym, domain: customer}, email: {technique: partial, keep_first: 1}}
"""


class Outputs:
    """Gives identifiers to all schemas, and keeps the schemas."""

    def __init__(self):
        """None yet."""
        self.found = {}

    def identifier(self, view, schema, kind="id"):
        """The identifier of values, or of keys."""
        self.found[view] = json.loads(schema.text)
        return SchemaId("id", 18 if view.endswith(".key") else 17)


def framed(number, record):
    """A record behind its identifier."""
    return None if record is None else b"\0" + number.to_bytes(4) + orjson.dumps(record)


def test_values_and_keys_have_schemas_of_their_own(ring):
    """Both images and the key are masked alike, and each is valid by the schema that its identifier names."""
    outputs = Outputs()
    schemas = KnownSchemas({SchemaId("id", number): Schema(json.dumps(one), "JSON") for number, one in ((7, ENVELOPE), (8, KEY))})
    plan = compile_plan(load(PolicySource("policy.yaml", POLICY)), ring, schemas=schemas, outputs=outputs)
    step = Protect(plan, os.urandom, lambda: 0, transport=Transport(record=True, upserts=("one",)))
    row = {"id": 1, "email": "ann@example.com"}
    change = {"before": row, "after": {**row, "email": None}, "op": "u", "source": {"db": "shop", "query": "SECRET"}}
    values = [framed(7, change), framed(7, {"before": row, "after": None, "op": "d", "source": {"db": "shop"}}), None, framed(7, change)]
    keys = [framed(8, {"id": 1})] * 3 + [orjson.dumps({"id": 1})]
    (piece,) = step(pa.array(values, pa.binary()), Parts(key=pa.array(keys, pa.binary())))
    assert [(row, Entry.decode(line).path) for row, line in piece.quarantine] == [(3, "record.key")]
    update, delete, gone, refused = piece.views["one"].to_pylist()
    one, *others = piece.parts["one"].key.to_pylist()
    assert (gone, refused, others) == (None, None, [one, one, None]) and one[:5] == b"\0\0\0\0\x12"
    key = json.loads(one[5:])
    jsonschema.validate(key, outputs.found["one.key"])
    for record in (update, delete):
        assert record[:5] == b"\0\0\0\0\x11" and b"SECRET" not in record
        found = json.loads(record[5:])
        jsonschema.validate(found, outputs.found["one"])
        assert found["before"] == {"id": key["id"], "email": "a***"}
    assert isinstance(key["id"], str) and json.loads(update[5:])["after"] == {"id": key["id"], "email": None}


@pytest.mark.parametrize(("old", "new", "words"), [
    ("debezium,", "debezium, wrapped: true,", "only JSON without a schema of its own"),
    ("key: [id]", "key: [id], key_format: text, key_framing: confluent", "only keys that are records have a schema"),
])  # fmt: skip
def test_what_does_not_go_together(old, new, words):
    """A record has its schema beside it or behind an identifier, not both; a text has none."""
    with pytest.raises(PolicyFaults, match=words):
        load(PolicySource("policy.yaml", POLICY.replace(old, new)))
