"""Schemas of views in a real registry: derived, compared, registered under the views' subjects, named by the records."""

import io
import json
import re
import subprocess
import sys

import fastavro
import pytest

from flink_masking import KeyRing, Protector
from flink_masking.deployment.model import Deployment
from flink_masking.deployment.view_schemas import ask_for_views, register_views
from flink_masking.engine.quarantine import Entry
from flink_masking.errors import RegistryError, SchemaRefusedError
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.registry.client import RegistryClient
from flink_masking.registry.options import RegistryOptions
from flink_masking.registry.registered import open_outputs
from flink_masking.registry.source import Schema, SchemaId

ORDER = {"type": "record", "name": "Order", "namespace": "shop", "fields": [
    {"name": "id", "type": "string"}, {"name": "age", "type": "int"}, {"name": "email", "type": ["null", "string"], "default": None}]}
NEWER = {**ORDER, "fields": [*ORDER["fields"], {"name": "country", "type": "string", "default": "?"}]}
POLICY = """
version: 1
stream: orders
format: avro
framing: confluent
unknown_fields: drop
fields:
  id: {class: identifier}
  age: {class: quasi, type: integer, domain: [0, 120]}
  email: {class: direct, type: email}
segments:
  same:
    view: masked
    rules: {id: keep, age: keep, email: redact}
  bands:
    view: masked
    rules: {id: keep, age: {technique: generalize, width: 10}, email: redact}
"""
BANDS = {**ORDER, "fields": [ORDER["fields"][0], {"name": "age", "type": "string"}, ORDER["fields"][2]]}


def record(number, schema=ORDER, size=4, **values):
    """A framed record, as a serializer writes it."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, {"id": "o-1", "age": 34, "email": "a@example.com", "country": "NO", **values})
    return b"\0" + number.to_bytes(size) + out.getvalue()


def read(framed, client, kind="id", size=4):
    """What a record says by the schema that the registry has for it."""
    schema = json.loads(client.schema(SchemaId(kind, int.from_bytes(framed[1 : 1 + size]))).text)
    return schema, fastavro.schemaless_reader(io.BytesIO(framed[1 + size :]), schema)


def source(**changes):
    """The policy."""
    text = POLICY
    for before, after in changes.items():
        text = text.replace(before, after)
    return PolicySource("policy.yaml", text)


@pytest.fixture
def client(running):
    """Of the Confluent API."""
    return RegistryClient(RegistryOptions(running.url))


def test_a_derived_schema_is_registered_and_named_by_the_records(running, client):
    """Before the start and at run time the same: one version under the view's subject; a view that keeps types has the writer's id."""
    number = client.register("named-value", Schema(json.dumps(ORDER), "AVRO"))
    options = RegistryOptions(running.url, subjects={"bands": "named-bands-value"})
    loaded, subjects = load(source()), ("named-value", None)
    [told] = ask_for_views(loaded, options, subjects)
    assert told.startswith('view bands: schema of its own, subject named-bands-value, to be registered: {"type":"record"')
    assert client.latest("named-bands-value") is None
    assert register_views(loaded, options, subjects) == []
    registered = client.latest("named-bands-value")
    assert json.loads(registered.schema.text) == BANDS
    told = f"view bands: schema of its own, subject named-bands-value, version 1, id {registered.id}"
    assert ask_for_views(loaded, options, subjects) == [told]
    result = Protector(loaded, KeyRing.ephemeral(), registry=options).protect([record(number)])
    assert result.quarantine == []
    same, bands = result.views["same"][0].as_py(), result.views["bands"][0].as_py()
    assert read(same, client) == (ORDER, {"id": "o-1", "age": 34, "email": "***"}) and same[1:5] == number.to_bytes(4)
    assert read(bands, client) == (BANDS, {"id": "o-1", "age": "30-39", "email": "***"}) and bands[1:5] == registered.id.to_bytes(4)
    assert len(client.versions("named-bands-value")) == 1 and client.latest("same-value") is None


@pytest.mark.parametrize("framing, kind, size", [("apicurio4", "content", 4), ("apicurio8", "global", 8)])
def test_identifiers_of_apicurio(running, framing, kind, size):
    """Records with content or global ids get those of the view's schema, whatever other schemas the registry has."""
    native = RegistryClient(RegistryOptions(running.address, "apicurio"))
    for again in range(2):  # the same content twice: global ids are others than content ids
        native.register(f"twin-{framing}-{again}", Schema(json.dumps(ORDER), "AVRO"))
    place = native.placed(f"twin-{framing}-1", Schema(json.dumps(ORDER), "AVRO"))
    number = native.native_ids(f"twin-{framing}-1", place.version)[kind == "global"]
    options = RegistryOptions(running.address, "apicurio", subjects={"bands": f"{framing}-bands-value"})
    protector = Protector(source(confluent=framing), KeyRing.ephemeral(), registry=options)
    bands = protector.protect([record(number, size=size)]).views["bands"][0].as_py()
    assert read(bands, native, kind, size) == (BANDS, {"id": "o-1", "age": "30-39", "email": "***"})


def test_a_schema_that_its_subject_does_not_take(running, client):
    """Preflight and start refuse it with view and subject; at run time its records are quarantined, and the others go on."""
    number = client.register("refused-value", Schema(json.dumps(ORDER), "AVRO"))
    client.register("refused-bands-value", Schema(json.dumps(ORDER), "AVRO"))
    assert client._connection.ask("PUT", "/config/refused-bands-value", {"compatibility": "BACKWARD"}).status == 200
    options, loaded = RegistryOptions(running.url, subjects={"bands": "refused-bands-value"}), load(source())
    for start in ask_for_views, register_views:
        with pytest.raises(SchemaRefusedError, match=r"view bands: .* subject refused-bands-value\. Hint: "):
            start(loaded, options, ("refused-value", None))
    result = Protector(loaded, KeyRing.ephemeral(), registry=options).protect([record(number), record(987_654)])
    assert [Entry.decode(line).reason for _, line in result.quarantine] == ["unregistered_schema", "unknown_schema"]
    assert result.views["same"].null_count == result.views["bands"].null_count == 2
    assert len(client.versions("refused-bands-value")) == 1


def test_preflight_asks_for_the_schemas_of_views(running, client, tmp_path):
    """The command ends with view, subject and what to do where a subject does not take the schema of a view, before it asks Kafka."""
    client.register("asked-value", Schema(json.dumps(ORDER), "AVRO"))
    client.register("asked-bands-value", Schema(json.dumps(ORDER), "AVRO"))
    assert client._connection.ask("PUT", "/config/asked-bands-value", {"compatibility": "BACKWARD"}).status == 200
    table = {"connector": "kafka", "properties.bootstrap.servers": "127.0.0.1:1"}
    sinks = {name: {**table, "topic": f"asked-{name}"} for name in ("same", "bands", "audit", "quarantine")}
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "deployment.yaml").write_text(json.dumps({"source": {**table, "topic": "asked"}, "sinks": sinks, "keys": "env://KEYS",
                                                          "registry": {"url": running.url}}))
    command = [sys.executable, "-P", "-c", "from flink_masking.cli import main; main()", "preflight", "policy.yaml", "deployment.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, "answers (AVRO, JSON, PROTOBUF)" in done.stdout) == (1, True)
    assert re.search(r"view bands: its schema is not compatible .* subject asked-bands-value\. Hint: ", " ".join(done.stderr.split()))


def test_a_writer_schema_that_comes_while_a_job_runs(running, client):
    """The view's schema follows it, registered as its next version; one that no rule can be carried out on is quarantine."""
    number = client.register("evolving-value", Schema(json.dumps(ORDER), "AVRO"))
    options = RegistryOptions(running.url, subjects={"bands": "evolving-bands-value", "same": "evolving-same-value"})
    protector = Protector(source(), KeyRing.ephemeral(), registry=options)
    assert protector.protect([record(number)]).quarantine == []
    assert client._connection.ask("PUT", "/config/evolving-bands-value", {"compatibility": "BACKWARD"}).status == 200
    newer = client.register("evolving-value", Schema(json.dumps(NEWER), "AVRO"))
    broken = {**ORDER, "fields": [ORDER["fields"][0], ORDER["fields"][1], {"name": "email", "type": ["int", "boolean"]}]}
    other = client.register("evolving-other", Schema(json.dumps(broken), "AVRO"))
    batch = [record(number), record(newer, NEWER), record(other, broken, email=1)]
    result = protector.protect(batch)
    assert [(row, Entry.decode(line).reason) for row, line in result.quarantine] == [(2, "unregistered_schema")]
    shown = [read(made, client)[1] for made in result.views["bands"].to_pylist()[:2]]
    assert [one["age"] for one in shown] == ["30-39"] * 2
    assert [one.version for one in client.versions("evolving-bands-value")] == [1, 2]


def test_a_deployment_names_the_subjects(running, client, tmp_path):
    """By default a topic and -value; a view's own schema without a subject, a registry, or the right to register is an error."""
    number = client.register("raw-orders-value", Schema(json.dumps(ORDER), "AVRO"))
    path = tmp_path / "deployment.yaml"
    kafka = "{connector: kafka, topic: raw-orders}"
    path.write_text(f"source: {kafka}\nsinks: {{bands: {{connector: kafka, topic: banded}}, same: {{connector: blackhole}}}}\nkeys: k\n"
                    f"registry: {{url: '{running.url}', register: false, subjects: {{same: s}}}}\n")
    deployment = Deployment.read(path)
    options, loaded = deployment.registry_options, load(source())
    assert dict(options.subjects) == {"bands": "banded-value", "bands.key": "banded-key", "same": "s"}
    assert deployment.source_subjects == ("raw-orders-value", "raw-orders-key")
    assert RegistryOptions.decode(options.encode()) == options
    with pytest.raises(RegistryError, match=r"view bands: its schema is not registered under subject banded-value.*register: true"):
        register_views(loaded, options, deployment.source_subjects)
    with pytest.raises(RegistryError, match=r"view bands: .* no subject is named"):
        register_views(loaded, RegistryOptions(running.url), deployment.source_subjects)
    for unable in options, RegistryOptions(running.url):  # a schema that comes later does not stop a job again and again
        result = Protector(loaded, KeyRing.ephemeral(), registry=unable).protect([record(number)])
        assert [Entry.decode(line).reason for _, line in result.quarantine] == ["unregistered_schema"]
    given = PolicySource("policy.yaml", POLICY.replace("framing: confluent", "framing: confluent\nschema: order.avsc"),
                         {"order.avsc": json.dumps(ORDER)})
    with pytest.raises(RegistryError, match=r"view bands: its schema differs from order\.avsc.*only a registry"):
        register_views(load(given), None, (None, None))
    open_outputs(RegistryOptions(running.url, subjects=options.subjects)).register("bands", Schema(json.dumps(BANDS), "AVRO"))
    assert register_views(loaded, options, deployment.source_subjects) == []
    bands = Protector(loaded, KeyRing.ephemeral(), registry=options).protect([record(number)]).views["bands"][0].as_py()
    assert read(bands, client)[1]["age"] == "30-39"
