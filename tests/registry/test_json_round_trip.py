"""JSON records whose schemas a real registry holds: what an ordinary consumer reads of every view."""

import json
import os

import pyarrow as pa
import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from flink_masking import KeyRing
from flink_masking.engine.plan import compile_plan
from flink_masking.engine.protect import Protect
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.registry.client import RegistryClient, open_registry
from flink_masking.registry.options import RegistryOptions
from flink_masking.registry.source import Schema, SchemaId

SCHEMA = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Customer", "type": "object", "additionalProperties": False,
          "properties": {"id": {"type": "string"}, "email": {"type": "string"}, "age": {"type": "integer", "minimum": 0},
                         "address": {"$ref": "#/definitions/Address"}},
          "required": ["id", "email", "age", "address"],
          "definitions": {"Address": {"type": "object", "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
                                      "required": ["street", "city"]}}}
POLICY = """
version: 1
stream: customers
format: json
framing: {framing}
fields:
  id: {{class: identifier}}
  email: {{class: direct, type: email}}
  age: {{class: quasi, type: integer, domain: [0, 120]}}
  address.street: {{class: direct}}
  address.city: {{class: plain}}
segments:
  same:
    view: masked
    rules: {{id: {{technique: pseudonym, domain: people}}, email: {{technique: partial, keep_first: 1, keep_after: "@"}}, age: keep,
             address.street: redact, address.city: keep}}
  other:
    view: masked
    rules: {{id: keep, email: nullify, age: {{technique: generalize, width: 10}}, address.street: drop, address.city: keep}}
"""


class Registering:
    """Registers schemas of views under subjects of their own, as a job does."""

    def __init__(self, client):
        """Register by this client."""
        self._client = client

    def identifier(self, view, schema, kind="id"):
        """The number under which a schema of a view is known."""
        return SchemaId(kind, self._client.register(f"{view}-value", schema))


def test_an_ordinary_consumer_reads_every_view(running):
    """Records of Confluent's serialiser: its deserialiser reads each view and holds it to its schema, the derived one, too."""
    registry = SchemaRegistryClient({"url": running.url})
    where = SerializationContext("customers", MessageField.VALUE)
    write = JSONSerializer(json.dumps(SCHEMA), registry)
    row = {"id": "1", "email": "jane@example.com", "age": 41, "address": {"street": "Main Street 1", "city": "Springfield"}}
    raw = write(row, where)
    options = RegistryOptions(running.url)
    plan = compile_plan(load(PolicySource("policy.yaml", POLICY.format(framing="confluent"))), KeyRing.ephemeral(),
                        schemas=open_registry(options), outputs=Registering(RegistryClient(options)))
    views = _views(plan, [raw, b"\0" + (987_654).to_bytes(4) + raw[5:]])
    read = JSONDeserializer(None, schema_registry_client=registry)
    same, other = (read(views[name][0], where) for name in ("same", "other"))
    assert views["same"][0][:5] == raw[:5] != views["other"][0][:5]
    assert (same["email"], same["age"], same["address"]) == ("j***@example.com", 41, {"street": "***", "city": "Springfield"})
    assert other == {"id": "1", "email": None, "age": "40-49", "address": {"city": "Springfield"}}
    assert views["same"][1] is None and views["other"][1] is None
    derived = json.loads(registry.get_schema(int.from_bytes(views["other"][0][1:5])).schema_str)
    assert derived["properties"]["age"] == {"type": "string"} and "street" not in derived["properties"]["address"]["properties"]


@pytest.mark.parametrize("framing, size", [("apicurio4", 4), ("apicurio8", 8)])
def test_identifiers_of_apicurio(running, framing, size):
    """Content and global identifiers lead to the schema by Apicurio's own API, and stay in front of a view of the same types."""
    number = RegistryClient(RegistryOptions(running.url)).register("apicurio-customers", Schema(json.dumps(SCHEMA), "JSON"))
    plan = compile_plan(load(PolicySource("policy.yaml", POLICY[: POLICY.index("  other:")].format(framing=framing))), KeyRing.ephemeral(),
                        schemas=open_registry(RegistryOptions(running.address, "apicurio")))
    row = b'{"id":"1","email":"jane@example.com","age":41,"address":{"street":"Main Street 1","city":"Springfield"}}'
    front = b"\0" + number.to_bytes(size)
    made = _views(plan, [front + row])["same"][0]
    assert made.startswith(front) and json.loads(made[1 + size :])["address"]["street"] == "***"


def _views(plan, records):
    """The masked views of a batch."""
    (made,) = Protect(plan, os.urandom, lambda: 0)(pa.array(records, pa.binary()))
    return {name: column.to_pylist() for name, column in made.views.items()}
