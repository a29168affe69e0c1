"""Records that name their schemas by GUIDs, with answers as registries of Confluent Platform 8 give them; Apicurio knows no GUIDs."""

import json
import os
import uuid

import pyarrow as pa
import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient, header_schema_id_serializer
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from flink_masking.engine.plan import compile_plan
from flink_masking.engine.protect import Protect
from flink_masking.engine.record import Parts, Transport
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.registry.client import open_registry
from flink_masking.registry.options import RegistryOptions
from flink_masking.registry.registered import open_outputs

ORDER = {"type": "record", "name": "Order", "fields": [{"name": "id", "type": "string"}, {"name": "age", "type": "int"}]}
POLICY = """
version: 1
stream: orders
format: avro
framing: confluent
fields: {id: {class: identifier}, age: {class: quasi, type: integer, domain: [0, 120]}}
segments:
  same: {view: masked, rules: {id: redact, age: keep}}
  bands: {view: masked, rules: {id: redact, age: {technique: generalize, width: 10}}}
"""


class Recorded:
    """The answers of a registry with two subjects.

    Attributes:
        guids: of the raw schema and of the view's.
        answered: whether an answer tells a GUID.
    """

    def __init__(self, guids=True):
        """Nothing is registered yet."""
        self.guids, self.answered, self.known = {"orders-value": uuid.uuid4(), "bands-value": uuid.uuid4()}, guids, {}
        band = {**ORDER, "fields": [ORDER["fields"][0], {"name": "age", "type": "string"}]}
        self.texts = {"orders-value": json.dumps(ORDER), "bands-value": json.dumps(band, separators=(",", ":"))}

    def __call__(self, path, headers):
        """The answer to a path."""
        path = path.partition("?")[0]
        for number, (subject, guid) in enumerate(self.guids.items(), 7):
            told = {"guid": str(guid)} if self.answered else {}
            whole = {"subject": subject, "version": 1, "id": number, **told, "schema": self.texts[subject]}
            if path == f"/schemas/guids/{guid}":
                return 200, json.dumps({"schema": self.texts[subject], **told}).encode()
            if path == f"/schemas/ids/{number}":
                return 200, json.dumps({"schema": self.texts[subject]}).encode()
            if path == f"/subjects/{subject}/versions":  # registered by its first request
                self.known[subject] = "POST"
                return 200, json.dumps([1] if headers.get("Content-Type") is None else whole).encode()
            if path == f"/subjects/{subject}/versions/1" or (path == f"/subjects/{subject}" and subject in self.known):
                return 200, json.dumps(whole).encode()
            if path == f"/compatibility/subjects/{subject}/versions/latest":
                return 200, b'{"is_compatible": true}'
        return 404, b'{"error_code": 40401, "message": "Subject not found."}'


@pytest.mark.parametrize("guids", [True, False])
def test_guids_in_headers(answering, guids):
    """A view of the writer's schema has its GUID, another one that of its own schema, or the id where the registry tells no GUID."""
    recorded = Recorded(guids)
    server = answering(recorded)
    options = RegistryOptions(server.url, subjects={"bands": "bands-value"})
    serializer = AvroSerializer(SchemaRegistryClient({"url": server.url}), json.dumps(ORDER),
                                conf={"schema.id.serializer": header_schema_id_serializer})
    headers = [("__value_schema_id", b"\1" + recorded.guids["orders-value"].bytes)]
    if guids:
        headers = []
        value = serializer({"id": "SECRET", "age": 34}, SerializationContext("orders", MessageField.VALUE, headers))
    else:
        value = b"\x0cSECRET\x44"
    assert headers == [("__value_schema_id", b"\1" + recorded.guids["orders-value"].bytes)] and value == b"\x0cSECRET\x44"
    plan = compile_plan(load(PolicySource("policy.yaml", POLICY)), KeyRing.ephemeral(), schemas=open_registry(options),
                        outputs=open_outputs(options))
    assert plan.codec.headers == ("__value_schema_id",)
    parts = Parts(headers={headers[0][0]: pa.array([headers[0][1]], pa.binary())})
    [made] = Protect(plan, os.urandom, lambda: 0, transport=Transport(read=plan.codec.headers))(pa.array([value], pa.binary()), parts)
    assert made.quarantine == []
    same, bands = (made.views[name][0].as_py() for name in ("same", "bands"))
    assert same == headers[0][1] + b"\x06***\x44"
    assert bands[:17] == b"\1" + recorded.guids["bands-value"].bytes if guids else bands[:5] == b"\0\0\0\0\x08"
    deserialize = AvroDeserializer(SchemaRegistryClient({"url": server.url}))
    read = [deserialize(value, SerializationContext("views", MessageField.VALUE, [])) for value in (same, bands)]
    assert read == [{"id": "***", "age": 34}, {"id": "***", "age": "30-39"}]
