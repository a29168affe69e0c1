"""Protobuf records whose schemas a real registry holds: from a producer's bytes to what a consumer reads."""

import base64
import json

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, message_factory

from flink_masking import KeyRing, Protector
from flink_masking.errors import InputError
from flink_masking.policy.source import PolicySource
from flink_masking.records.protobuf.schemas import messages
from flink_masking.registry.client import RegistryClient
from flink_masking.registry.options import RegistryOptions
from flink_masking.registry.source import Schema

INNER = 'syntax = "proto3"; package shop; message Address { string street = 1; string city = 2; }'
OUTER = ('syntax = "proto3"; package shop; import "shop/address.proto"; import "google/protobuf/timestamp.proto"; '
         'message Other { string x = 1; } message Order { string id = 1; string email = 2; Address address = 3; '
         'google.protobuf.Timestamp at = 4; }')
POLICY = """
version: 1
stream: orders
format: protobuf
framing: {framing}
fields:
  id: {{class: identifier}}
  email: {{class: direct}}
  address.street: {{class: direct}}
  address.city: {{class: plain}}
  at.seconds: {{class: plain, type: integer}}
  at.nanos: {{class: plain, type: integer}}
segments:
  support:
    view: masked
    rules: {{id: keep, email: {{technique: redact}}, address.street: drop, address.city: keep, at.seconds: keep, at.nanos: keep}}
"""


def test_descriptors_that_import_others():
    """Schemas as confluent-kafka registers them, descriptors in base64, import others of this form, or text, by the names of references."""
    def encoded(file, name=None):
        made = descriptor_pb2.FileDescriptorProto.FromString(file.serialized_pb)
        made.name = name or made.name
        return base64.b64encode(made.SerializeToString()).decode()

    inner, outer = messages(INNER, ()), messages(OUTER, (("shop/address.proto", INNER),))
    root = encoded(outer.file, "orders.proto")
    for reference in (INNER, encoded(inner.file, "elsewhere.proto")):
        found = messages(root, (("shop/address.proto", reference),)).named("shop.Order")
        assert [field.name for field in found.fields_by_name["address"].message_type.fields] == ["street", "city"]
    with pytest.raises(InputError, match="do not fit together"):
        messages(root, ())


def test_a_schema_of_a_view_is_registered_in_the_form_of_the_writers(running):
    """Where a producer has registered a descriptor, the ordinary deserializer reads a view whose number became text by one, too."""
    client, name = SchemaRegistryClient({"url": running.url}), "described/address.proto"
    policy = POLICY.format(framing="confluent").replace("at.nanos: keep", "at.nanos: redact")
    kind = message_factory.GetMessageClass(messages(OUTER.replace("shop/address.proto", name), ((name, INNER),)).named("Order"))
    serialize = ProtobufSerializer(kind, client, {"use.deprecated.format": False})
    order = kind(id="o-1", email="john.doe@example.com")
    order.at.nanos = 5
    value = serialize(order, SerializationContext("described", MessageField.VALUE))
    options = RegistryOptions(running.url, subjects={"support": "described-support-value"})
    result = Protector(PolicySource("policy.yaml", policy), KeyRing.ephemeral(), registry=options).protect([value])
    assert result.quarantine == []
    derived = client.get_latest_version("described-support-value")
    shown = message_factory.GetMessageClass(messages(derived.schema.schema_str, ()).named("shop.Order"))
    made = result.views["support"][0].as_py()
    read = ProtobufDeserializer(shown, {"use.deprecated.format": False}, client)(made, SerializationContext("support", MessageField.VALUE))
    assert made[1:5] == derived.schema_id.to_bytes(4)
    assert (read.id, read.email, read.at.nanos) == ("o-1", "***", "***")


@pytest.fixture(scope="module")
def number(running):
    """The id of the schema, with what it imports registered before."""
    client = RegistryClient(RegistryOptions(running.url))
    client.register("shop/address.proto", Schema(INNER, "PROTOBUF"))
    return client.register("orders-value", Schema(OUTER, "PROTOBUF"), [("shop/address.proto", "shop/address.proto", 1)])


@pytest.mark.parametrize("framing, api", [("confluent", "confluent"), ("confluent", "apicurio"), ("apicurio4", "apicurio"),
                                          ("apicurio8", "apicurio")])
def test_a_view_is_read_by_the_schema_of_the_registry(running, number, framing, api):
    """Framings of Confluent and Apicurio, by both APIs: imports are found, fields are masked, an id that does not exist is quarantined."""
    kind = message_factory.GetMessageClass(messages(OUTER, (("shop/address.proto", INNER),)).named("Order"))
    order = kind(id="o-1", email="john.doe@example.com")
    order.address.street, order.address.city, order.at.seconds = "Main Street 1", "Springfield", 1_700_000_000
    size = 8 if framing == "apicurio8" else 4
    name = b"\2\2" if framing == "confluent" else b"\7\n\5Order"

    def framed(identifier: int) -> bytes:
        return b"\0" + identifier.to_bytes(size) + name + order.SerializeToString()

    options = RegistryOptions(running.url if api == "confluent" else running.address, api)
    protector = Protector(PolicySource("policy.yaml", POLICY.format(framing=framing)), KeyRing.ephemeral(), registry=options)
    result = protector.protect([framed(number), framed(987_654)])
    one, other = result.views["support"].to_pylist()
    made = kind.FromString(one[1 + size + len(name) :])
    assert (made.id, made.email, made.address.city, made.at.seconds) == ("o-1", "***", "Springfield", 1_700_000_000)
    assert not made.address.street and other is None
    assert [json.loads(line)["reason"] for _, line in result.quarantine] == ["unknown_schema"]
