"""A changelog of Debezium through one job on a real broker: the upsert topic holds the masked table."""

import json
import sys
from pathlib import Path

import avro_changes as avro
import orjson
import pytest
import yaml
from broker import Record
from changelogs import POLICY, changelog, masked_table, materialised

from flink_masking import Protector
from flink_masking.keys.providers import open_ring
from flink_masking.policy.source import PolicySource
from flink_masking.registry.client import RegistryClient
from flink_masking.registry.options import RegistryOptions
from flink_masking.registry.source import Schema

sys.path.append(str(Path(__file__).resolve().parents[1] / "flink"))

import processes

pytestmark = pytest.mark.flink
SINKS = ("one", "audit", "quarantine")
AVRO = """\
version: 1
stream: customers
format: avro
framing: confluent
record: {envelope: debezium, key: [id]}
fields:
  id: {class: identifier, type: integer}
  email: {class: direct, type: email}
  age: {class: quasi, type: integer}
  photo: {class: direct}
segments:
  one:
    view: masked
    rules:
      id: {technique: pseudonym, domain: customer}
      email: {technique: encrypt_deterministic, domain: email}
      age: keep
      photo: drop
"""


def run(broker, topic, key_uri, folder, policy, records, **deployment):
    """Send records through the main job; what the upsert topic holds, and the topics' names."""
    names = {name: topic(f"changelog-{name}", 2, {"cleanup.policy": "compact"} if name == "one" else None) for name in ("raw", *SINKS)}
    table = {"connector": "kafka", "properties.bootstrap.servers": broker.bootstrap}
    sinks = {name: {**table, "topic": names[name], "connector": "upsert-kafka" if name == "one" else "kafka"} for name in SINKS}
    (folder / "policy.yaml").write_text(policy)
    (folder / "deployment.yaml").write_text(yaml.safe_dump({
        "source": {**table, "topic": names["raw"], "scan.bounded.mode": "latest-offset"}, "keys": key_uri, "sinks": sinks,
        "flink": {"parallelism.default": 2}, **deployment}))  # fmt: skip
    broker.produce(names["raw"], records)
    done = processes.run(folder, *processes.FAN_OUT, "--policy", folder / "policy.yaml", "--deployment", folder / "deployment.yaml",
                         "--bounded", "--wait")
    assert done.code == 0, done.err[-3000:]
    assert broker.consume(names["quarantine"], closed=True) == []
    return broker.consume(names["one"], closed=True), names


@pytest.mark.parametrize("changes", [4_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_the_upsert_topic_of_a_changelog_is_the_masked_table(broker, topic, key_uri, tmp_path, changes):
    """Every change and every tombstone leaves once, under its masked key and in its order; the newest by key are the masked final table."""
    keys, values, rows = changelog(11, "debezium", False, changes)
    policy = POLICY.format(record="record: {envelope: debezium, key: [tenant, id]}", technique="pseudonym, domain: customer")
    records, _ = run(broker, topic, key_uri, tmp_path, policy, [Record(*pair) for pair in zip(values, keys, strict=True)])
    assert (len(records), sum(record.value is None for record in records)) == (len(keys), values.count(None)) and None in values
    rules = Protector(PolicySource("policy.yaml", POLICY.format(record="", technique="pseudonym, domain: customer")), open_ring(key_uri))
    expected = masked_table(rules.protect([orjson.dumps(row) for row in rows.values()]).views["one"].to_pylist())
    found = materialised("debezium", [record.key for record in records], [record.value for record in records])
    assert found == expected and len(found) == len(rows) > changes // 20
    assert len({record.key for record in records}) == len(set(keys))
    assert not any(b"@example" in (record.value or b"") or b"SECRET" in (record.value or b"") for record in records)


def test_a_changelog_in_avro_with_a_registry(broker, topic, registry, key_uri, tmp_path):
    """Keys and values leave with schemas of their own, registered under the view's subjects; the upsert topic holds the masked table."""
    changes, rows = avro.changelog(3_000)
    client = RegistryClient(RegistryOptions(registry.url))
    of_value, of_key = (client.register(f"customers-{part}", Schema(json.dumps(schema), "AVRO"))
                        for part, schema in (("value", avro.DEBEZIUM), ("key", avro.KEY)))
    records = [Record(avro.written(avro.DEBEZIUM, None if old is new is None else avro.change("debezium", old, new), of_value),
                      avro.written(avro.KEY, {"id": key}, of_key)) for key, old, new in changes]
    found, names = run(broker, topic, key_uri, tmp_path, AVRO, records, registry={"url": registry.url})
    assert len(found) == len(records)
    schemas = {}
    for part in ("key", "value"):
        (version,) = client.versions(f"{names['one']}-{part}")
        schemas[part] = version.id, json.loads(version.schema.text)
    images = [one["type"] for one in schemas["value"][1]["fields"][:2]]
    assert [one["type"] for one in images[0][1]["fields"]] == ["string", ["null", "string"], ["null", "int"], ["null", "bytes"]]
    assert images[1][1] == "shop.customers.Value"
    table = {}
    for record in found:
        alias = avro.read(schemas["key"][1], record.key, schemas["key"][0])["id"]
        value = avro.read(schemas["value"][1], record.value, schemas["value"][0])
        table.pop(alias, None)
        if value is not None and value["after"] is not None:
            assert value["after"].pop("photo") is None
            table[alias] = value["after"]
            assert value["after"]["id"] == alias and value["source"]["query"] is None and "user_name" not in value["source"]
    text = "\n".join(line for line in AVRO.splitlines() if not line.startswith(("format:", "framing:", "record:")))
    rules = Protector(PolicySource("policy.yaml", text), open_ring(key_uri))
    lines = rules.protect([orjson.dumps({name: row[name] for name in ("id", "email", "age")}) for row in rows.values()]).views["one"]
    assert table == {row["id"]: row for row in map(orjson.loads, lines.to_pylist())} and len(table) == len(rows) > 200
