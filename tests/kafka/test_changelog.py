"""A changelog of Debezium through one job on a real broker: the upsert topic holds the masked table."""

import sys
from pathlib import Path

import orjson
import pytest
import yaml
from broker import Record
from changelogs import POLICY, changelog, masked_table, materialised

from flink_masking import Protector
from flink_masking.keys.providers import open_ring
from flink_masking.policy.source import PolicySource

sys.path.append(str(Path(__file__).resolve().parents[1] / "flink"))

import processes

pytestmark = pytest.mark.flink
SINKS = ("one", "audit", "quarantine")


@pytest.mark.parametrize("changes", [4_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_the_upsert_topic_of_a_changelog_is_the_masked_table(broker, topic, key_uri, tmp_path, changes):
    """Every change and every tombstone leaves once, under its masked key and in its order; the newest by key are the masked final table."""
    names = {name: topic(f"changelog-{name}", 2, {"cleanup.policy": "compact"} if name == "one" else None) for name in ("raw", *SINKS)}
    table = {"connector": "kafka", "properties.bootstrap.servers": broker.bootstrap}
    sinks = {name: {**table, "topic": names[name], "connector": "upsert-kafka" if name == "one" else "kafka"} for name in SINKS}
    policy = POLICY.format(record="record: {envelope: debezium, key: [tenant, id]}", technique="pseudonym, domain: customer")
    (tmp_path / "policy.yaml").write_text(policy)
    (tmp_path / "deployment.yaml").write_text(yaml.safe_dump({
        "source": {**table, "topic": names["raw"], "scan.bounded.mode": "latest-offset"}, "keys": key_uri, "sinks": sinks,
        "flink": {"parallelism.default": 2}}))  # fmt: skip
    keys, values, rows = changelog(11, "debezium", False, changes)
    broker.produce(names["raw"], [Record(value, key) for key, value in zip(keys, values, strict=True)])
    done = processes.run(tmp_path, *processes.FAN_OUT, "--policy", tmp_path / "policy.yaml", "--deployment", tmp_path / "deployment.yaml",
                         "--bounded", "--wait")
    assert done.code == 0, done.err[-3000:]
    records = broker.consume(names["one"])
    assert broker.consume(names["quarantine"]) == []
    assert (len(records), sum(record.value is None for record in records)) == (len(keys), values.count(None)) and None in values
    rules = Protector(PolicySource("policy.yaml", POLICY.format(record="", technique="pseudonym, domain: customer")), open_ring(key_uri))
    expected = masked_table(rules.protect([orjson.dumps(row) for row in rows.values()]).views["one"].to_pylist())
    found = materialised("debezium", [record.key for record in records], [record.value for record in records])
    assert found == expected and len(found) == len(rows) > changes // 20
    assert len({record.key for record in records}) == len(set(keys))
    assert not any(b"@example" in (record.value or b"") or b"SECRET" in (record.value or b"") for record in records)
