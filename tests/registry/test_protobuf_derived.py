"""Protobuf views whose schema differs from that of the records, with a real registry: an ordinary consumer reads them."""

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import message_factory

from flink_masking import KeyRing, Protector
from flink_masking.policy.source import PolicySource
from flink_masking.records.protobuf.schemas import messages
from flink_masking.registry.options import RegistryOptions

SCHEMA = """syntax = "proto3"; package shop;
message Other { string x = 1; }
message Order { string id = 1; int32 age = 2; repeated int32 scores = 3; Kind kind = 4; Line line = 5; enum Kind { WEB = 0; STORE = 1; }
  message Line { string sku = 1; double price = 2; } }
"""
POLICY = """
version: 1
stream: orders
format: protobuf
framing: confluent
fields:
  id: {class: identifier}
  age: {class: quasi, type: integer, domain: [0, 120]}
  "scores[*]": {class: plain, type: integer}
  kind: {class: plain}
  line.sku: {class: plain}
  line.price: {class: measure, type: number}
segments:
  support:
    view: masked
    rules: {id: keep, age: {technique: generalize, width: 10}, "scores[*]": redact, kind: {technique: pseudonym, domain: kinds},
            line.sku: keep, line.price: keep}
"""


def test_an_ordinary_consumer_reads_a_view_of_another_schema(running):
    """Records of Confluent's serialiser: the derived schema is registered as text, and its deserialiser reads the view by it."""
    registry = SchemaRegistryClient({"url": running.url})
    where = SerializationContext("derived-orders", MessageField.VALUE)
    kind = message_factory.GetMessageClass(messages(SCHEMA, ()).named("Order"))
    order = kind(id="1", age=41, scores=[1, 2], kind=1)
    order.line.sku, order.line.price = "x", 1.5
    raw = ProtobufSerializer(kind, registry, {"use.deprecated.format": False})(order, where)
    options = RegistryOptions(running.url, subjects=(("support", "support-orders-value"),))
    result = Protector(PolicySource("policy.yaml", POLICY), KeyRing.ephemeral(), registry=options).protect([raw])
    assert result.quarantine == []
    view = result.views["support"][0].as_py()
    latest = registry.get_latest_version("support-orders-value")
    text = registry.get_schema(latest.schema_id, "support-orders-value").schema_str
    made = message_factory.GetMessageClass(messages(text, ()).named("Order"))
    read = ProtobufDeserializer(made, {"use.deprecated.format": False})(view, where)  # with a client it asks for a form that Apicurio lacks
    assert (read.id, read.age, list(read.scores), read.line.price) == ("1", "40-49", ["***", "***"], 1.5)
    assert read.kind and read.kind != "STORE" and view[:5] != raw[:5] and view[5:7] == raw[5:7]
