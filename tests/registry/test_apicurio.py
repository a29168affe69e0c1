"""Round trips against a real registry: Apicurio, by its Confluent API and by its own."""

import pytest

from flink_masking.deployment.model import Deployment
from flink_masking.errors import RegistryError
from flink_masking.registry.client import RegistryClient
from flink_masking.registry.options import RegistryOptions
from flink_masking.registry.preflight import preflight
from flink_masking.registry.source import Schema, SchemaId

USER = '{"type":"record","name":"User","fields":[{"name":"id","type":"int"},{"name":"email","type":["null","string"],"default":null}]}'
WIDER = USER.replace('"int"', '"string"')


@pytest.fixture
def client(running):
    """Of the Confluent API."""
    return RegistryClient(RegistryOptions(running.url))


@pytest.fixture
def native(running):
    """Of Apicurio's own API."""
    return RegistryClient(RegistryOptions(running.address, "apicurio"))


def test_what_is_registered_comes_back(client):
    """A schema has an id, which leads back to it; it is the latest of its subject; registering it again changes nothing."""
    number = client.register("trip-value", Schema(USER, "AVRO"))
    assert client.register("trip-value", Schema(USER, "AVRO")) == number
    assert client.schema(SchemaId("id", number)).text == USER
    latest = client.latest("trip-value")
    assert (latest.id, latest.version, latest.schema.text) == (number, 1, USER)
    assert "trip-value" in client.subjects()


def test_what_was_never_registered_is_not_there(client, native):
    """Neither an id nor a subject; both APIs say so, which is no error."""
    assert client.schema(SchemaId("id", 987_654)) is None
    assert client.latest("never-registered") is None
    assert native.schema(SchemaId("content", 987_654)) is None
    assert native.schema(SchemaId("global", 987_654)) is None


def test_references_come_along(client, native, running):
    """A Protobuf schema that imports another comes with it, by id, content id and global id."""
    inner = 'syntax = "proto3"; package ex; message Inner { string x = 1; }'
    client.register("inner.proto", Schema(inner, "PROTOBUF"))
    outer = 'syntax = "proto3"; package ex; import "inner.proto"; message Outer { Inner a = 1; }'
    number = client.register("outer-value", Schema(outer, "PROTOBUF"), [("inner.proto", "inner.proto", 1)])
    found = client.schema(SchemaId("id", number))
    assert (found.text, found.kind, found.references) == (outer, "PROTOBUF", {"inner.proto": inner})
    assert native.schema(SchemaId("content", number)) == Schema(outer, "", {"inner.proto": inner})
    assert native.schema(SchemaId("global", number)).references == {"inner.proto": inner}


def test_compatibility_is_judged_before_the_start(client, running):
    """A new subject takes anything; one with a level refuses what breaks its readers, and registering that is an error."""
    assert client.compatible("fresh-value", Schema(USER, "AVRO"))
    client.register("level-value", Schema(USER, "AVRO"))
    level = client._connection.ask("PUT", "/config/level-value", {"compatibility": "BACKWARD"})
    assert level.status == 200
    assert client.compatible("level-value", Schema(USER, "AVRO"))
    assert not client.compatible("level-value", Schema(WIDER, "AVRO"))
    with pytest.raises(RegistryError, match="the schema is refused"):
        client.register("level-value", Schema(WIDER, "AVRO"))


def test_preflight_says_what_answers(running, tmp_path):
    """Both APIs are found by the deployment's section; the wrong one, or a wrong path, is an error with a hint."""
    for url, api, what in ((running.url, "confluent", "AVRO, JSON, PROTOBUF"), (running.address, "apicurio", "Apicurio Registry 3.0.9")):
        path = tmp_path / f"{api}.yaml"
        path.write_text(f"source: {{}}\nsinks: {{}}\nkeys: k\nregistry: {{url: '{url}', api: {api}}}\nregistry_patience: 2s\n")
        options = Deployment.read(path).registry_options
        assert options.patience == 2.0
        assert preflight(options) == f"registry: {running.address} answers ({what})"
    with pytest.raises(RegistryError, match=r"no answer of the confluent API.*Hint"):
        preflight(RegistryOptions(running.address))
    with pytest.raises(RegistryError, match=r"no answer of the apicurio API.*Hint"):
        preflight(RegistryOptions(running.url, "apicurio"))
