"""Jobs over Avro and Protobuf with a real registry: Confluent's serializers write, its ordinary deserializers read every view."""

import io
import json
import sys
import uuid
from pathlib import Path
from typing import Any, NamedTuple

import fastavro
import pytest
import yaml
from broker import Broker, Record
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import message_factory

from flink_masking.engine.quarantine import Entry
from flink_masking.kafka.local_registry import LocalRegistry
from flink_masking.records.protobuf.schemas import messages

sys.path.append(str(Path(__file__).resolve().parents[1] / "flink"))

import processes

pytestmark = pytest.mark.flink
SEVERAL = str(Path(__file__).with_name("several_jobs.py"))
N = 300
ORDER = {"type": "record", "name": "Order", "namespace": "shop", "fields": [
    {"name": "id", "type": "string"}, {"name": "age", "type": "int"}, {"name": "email", "type": ["null", "string"], "default": None},
    {"name": "items", "type": {"type": "array", "items": {"type": "record", "name": "Item", "fields": [
        {"name": "sku", "type": "string"}, {"name": "note", "type": ["null", "string"], "default": None}]}}}]}  # fmt: skip
NEWER = {**ORDER, "fields": [*ORDER["fields"], {"name": "country", "type": "string", "default": "?"}]}
GUID = uuid.UUID("0a1b2c3d-0000-4000-8000-00000000abcd")
AVRO = f"""
version: 1
stream: orders
format: avro
framing: confluent
schema: {{{GUID}: order.avsc}}
fields:
  id: {{class: identifier}}
  age: {{class: quasi, type: integer, domain: [0, 120]}}
  email: {{class: direct, type: email}}
  items[*].sku: {{class: plain}}
  items[*].note: {{class: direct}}
  country: {{class: plain}}
segments:
  same:
    view: masked
    rules: {{id: {{technique: pseudonym, domain: order}}, age: keep, email: redact, "items[*].sku": keep, "items[*].note": redact,
            country: keep}}
  bands:
    view: masked
    rules: {{id: {{technique: pseudonym, domain: order}}, age: {{technique: generalize, width: 10}}, email: nullify, "items[*].sku": keep,
            "items[*].note": redact, country: keep}}
"""
ADDRESS = 'syntax = "proto3"; package shop; message Address { string street = 1; string city = 2; }'
EVENT = ('syntax = "proto3"; package shop; import "shop/address.proto"; message Other { string x = 1; } '
         "message Event { string id = 1; string email = 2; Address address = 3; repeated string phones = 4; int32 age = 5; }")
PROTOBUF = """
version: 1
stream: events
format: protobuf
framing: confluent
fields:
  id: {class: identifier}
  email: {class: direct, type: email}
  address.street: {class: direct}
  address.city: {class: plain}
  phones[*]: {class: direct}
  age: {class: plain, type: integer}
segments:
  support:
    view: masked
    rules: {id: keep, email: redact, address.street: redact, address.city: keep, "phones[*]": redact, age: keep}
  bare:
    view: masked
    rules: {id: keep, email: drop, address.street: drop, address.city: keep, "phones[*]": drop, age: redact}
"""


class Job(NamedTuple):
    """What a job has read and written.

    Attributes:
        names: of its topics.
        topics: records by sink.
    """

    names: dict[str, str]
    topics: dict[str, list[Record]]

    @property
    def reasons(self) -> list[str]:
        """Of the quarantine, sorted."""
        return sorted(Entry.decode(record.value).reason for record in self.topics["quarantine"])


def order(number: int, **more: Any) -> dict[str, Any]:
    """An order as Avro's libraries take it."""
    return {"id": f"SECRET{number}", "age": number % 100, "email": f"SECRET{number}@example.com" if number % 3 else None,
            "items": [{"sku": f"s{i}", "note": f"SECRET{i}"} for i in range(number % 4)], **more}


def written_avro(registry: SchemaRegistryClient, topic: str) -> list[Record]:
    """Records of two versions of the schema, of one that no registry has, and with the GUID of their schema in a header."""
    context = SerializationContext(topic, MessageField.VALUE)
    first, second = (AvroSerializer(registry, json.dumps(schema)) for schema in (ORDER, NEWER))
    records = [Record(first(order(number), context)) for number in range(N)]
    records += [Record(second(order(N + number, country="NO"), context)) for number in range(N)]
    header = (("__value_schema_id", b"\1" + GUID.bytes),)
    records += [Record(first(order(2 * N + number), context)[5:], headers=header) for number in range(10)]
    return [*records, Record(b"\0" + (987_654).to_bytes(4) + b"\0"), Record(b"\2" + GUID.bytes), Record(records[0].value[:-1])]


def event_kind() -> Any:
    """The class of Protobuf's messages."""
    return message_factory.GetMessageClass(messages(EVENT, (("shop/address.proto", ADDRESS),)).named("Event"))


def written_protobuf(registry: SchemaRegistryClient, topic: str) -> list[Record]:
    """Records of a message that is not the first one of its schema, which imports another."""
    kind = event_kind()
    serialize = ProtobufSerializer(kind, registry, {"use.deprecated.format": False})
    records = []
    for number in range(N):
        event = kind(id=f"e-{number}", email=f"SECRET{number}@example.com", phones=[f"SECRET{i}" for i in range(number % 3)], age=number)
        event.address.street, event.address.city = f"SECRET{number}", "Springfield"
        records.append(Record(serialize(event, SerializationContext(topic, MessageField.VALUE))))
    return [*records, Record(b"\0" + (987_654).to_bytes(4) + b"\0"), Record(records[0].value[:-1])]


@pytest.fixture(scope="module")
def jobs(broker: Broker, registry: LocalRegistry, key_uri: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Job]:
    """Both jobs, run to the end of their topics."""
    place, client = tmp_path_factory.mktemp("schemas"), SchemaRegistryClient({"url": registry.url})
    table, names = {"connector": "kafka", "properties.bootstrap.servers": broker.bootstrap}, {}
    made = {"avro": (AVRO, ("same", "bands"), written_avro), "protobuf": (PROTOBUF, ("support", "bare"), written_protobuf)}
    for kind, (policy, views, write) in made.items():
        names[kind] = {name: broker.topic(f"{kind}-{name}", 2 if name == "raw" else 1) for name in ("raw", *views, "audit", "quarantine")}
        (place / kind).mkdir()
        (place / kind / "policy.yaml").write_text(policy)
        (place / kind / "order.avsc").write_text(json.dumps(ORDER))
        (place / kind / "deployment.yaml").write_text(yaml.safe_dump({
            "source": {**table, "topic": names[kind]["raw"], "scan.bounded.mode": "latest-offset"}, "keys": key_uri,
            "sinks": {name: {**table, "topic": topic} for name, topic in names[kind].items() if name != "raw"},
            "registry": {"url": registry.url}, "flink": {"parallelism.default": 2}}))  # fmt: skip
        broker.produce(names[kind]["raw"], write(client, names[kind]["raw"]))
    done = processes.run(place, SEVERAL, *(place / kind for kind in made))
    assert done.code == 0, done.err[-3000:]
    return {kind: Job(found, {name: broker.consume(topic, closed=True) for name, topic in found.items() if name != "raw"})
            for kind, found in names.items()}


def decoded(job: Job, name: str, deserialize: Any) -> list[Any]:
    """The records of a view as a consumer reads them, headers and all; without those whose GUID Apicurio does not know."""
    return [deserialize(record.value, SerializationContext(job.names[name], MessageField.VALUE, list(record.headers)))
            for record in job.topics[name] if record.value[0] == 0]


def test_every_view_of_avro_is_read_by_the_ordinary_deserializer(jobs, registry):
    """A rule that makes text of a number has a schema of its own under the view's subject; the other view keeps the writers' ids."""
    job, client = jobs["avro"], SchemaRegistryClient({"url": registry.url})
    deserialize = AvroDeserializer(client)
    values = {name: sorted(decoded(job, name, deserialize), key=lambda value: value["id"]) for name in ("same", "bands")}
    by_id = {value["id"]: value for value in values["bands"]}
    assert (len(values["same"]), len(values["bands"]), len(by_id)) == (2 * N, 2 * N + 10, 2 * N + 10)
    for same in values["same"]:
        bands = by_id[same["id"]]
        low = same["age"] // 10 * 10
        assert (same["email"] in (None, "***"), bands["email"], bands["age"]) == (True, None, f"{low}-{low + 9}")
        assert same["items"] == bands["items"] == [{"sku": f"s{i}", "note": "***"} for i in range(len(same["items"]))]
        assert same.get("country") == bands.get("country")
    assert sum(value.get("country") == "NO" for value in values["bands"]) == N
    raw = {client.get_version(f"{job.names['raw']}-value", version).schema_id for version in (1, 2)}
    derived = [client.get_version(f"{job.names['bands']}-value", version) for version in client.get_versions(f"{job.names['bands']}-value")]
    assert {int.from_bytes(record.value[1:5]) for record in job.topics["same"] if record.value[0] == 0} == raw
    assert {int.from_bytes(record.value[1:5]) for record in job.topics["bands"]} == {one.schema_id for one in derived}
    assert [json.loads(one.schema.schema_str)["fields"][1]["type"] for one in derived] == ["string", "string"]
    assert f"{job.names['same']}-value" not in client.get_subjects()


def test_guids_in_headers_reach_the_policy(jobs):
    """A header tells the schema of a value without prefix. The view that keeps the schema has the GUID in the value, and no such header."""
    job = jobs["avro"]
    prefix = b"\1" + GUID.bytes
    guided = [record.value[len(prefix) :] for record in job.topics["same"] if record.value.startswith(prefix)]
    shown = [fastavro.schemaless_reader(io.BytesIO(value), ORDER) for value in guided]
    assert sorted(value["age"] for value in shown) == list(range(10)) and {value["email"] for value in shown} <= {None, "***"}
    assert {name for record in job.topics["same"] for name, _ in record.headers} == {"policy_version", "policy_digest", "key_version"}
    assert job.reasons == ["malformed", "malformed", "unknown_schema"]


def test_every_view_of_protobuf_is_read_by_the_ordinary_deserializer(jobs, registry):
    """Imports, index paths, repeated fields; a number that becomes text has a schema of its own; malformed and unknown: quarantine."""
    job, client = jobs["protobuf"], SchemaRegistryClient({"url": registry.url})
    deserialize = ProtobufDeserializer(event_kind(), {"use.deprecated.format": False}, client)
    support = {value.id: value for value in decoded(job, "support", deserialize)}
    derived = client.get_latest_version(f"{job.names['bare']}-value")
    kind = message_factory.GetMessageClass(messages(derived.schema.schema_str, ()).named("shop.Event"))
    bare = {value.id: value for value in decoded(job, "bare", ProtobufDeserializer(kind, {"use.deprecated.format": False}, client))}
    assert {int.from_bytes(record.value[1:5]) for record in job.topics["bare"]} == {derived.schema_id}
    assert f"{job.names['support']}-value" not in client.get_subjects()
    assert set(support) == set(bare) == {f"e-{number}" for number in range(N)}
    for number in range(N):
        one, other = support[f"e-{number}"], bare[f"e-{number}"]
        assert (one.email, one.address.street, one.address.city, one.age) == ("***", "***", "Springfield", number)
        assert list(one.phones) == ["***"] * (number % 3)
        age = "***" if number else ""  # 0 is not on the wire
        assert (other.email, other.address.street, other.address.city, list(other.phones), other.age) == ("", "", "Springfield", [], age)
    assert job.reasons == ["malformed", "unknown_schema"]


def test_nothing_clear_is_in_any_topic(jobs):
    """No raw value is in any byte of any topic."""
    assert not [record for job in jobs.values() for records in job.topics.values() for record in records if b"SECRET" in record.value]
