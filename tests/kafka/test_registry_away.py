"""A job whose registry goes away: it waits, fails and starts again without loss; what does not exist does not stop it."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import fastavro
import pytest
import yaml
from broker import Record
from forwarder import Forwarder

from flink_masking.engine.quarantine import Entry
from flink_masking.registry.client import RegistryClient
from flink_masking.registry.options import RegistryOptions
from flink_masking.registry.source import Schema

sys.path.append(str(Path(__file__).resolve().parents[1] / "flink"))

import processes

pytestmark = [pytest.mark.flink, pytest.mark.slow]
FIRST = {"type": "record", "name": "Order", "fields": [{"name": "n", "type": "int"}, {"name": "email", "type": "string"}]}
LATER = {**FIRST, "fields": [*FIRST["fields"], {"name": "country", "type": "string", "default": "?"}]}
POLICY = """
version: 1
stream: away
format: avro
framing: confluent
unknown_fields: drop
fields: {n: {class: plain, type: integer}, email: {class: direct}}
segments:
  shown: {view: masked, rules: {n: keep, email: redact}}
"""
N = 200


def records(identifier: int, schema: object, numbers: range) -> list[Record]:
    """Framed records."""
    found = []
    for number in numbers:
        out = io.BytesIO()
        fastavro.schemaless_writer(out, schema, {"n": number, "email": "SECRET", "country": "NO"})
        found.append(Record(b"\0" + identifier.to_bytes(4) + out.getvalue()))
    return found


def test_a_registry_that_is_away_when_a_schema_comes(broker, topic, registry, key_uri, tmp_path):
    """The job waits, fails, restores its checkpoint and tries again until the registry is back: every record is there once."""
    names = {name: topic(f"away-{name}") for name in ("raw", "shown", "audit", "quarantine")}
    client, forwarder = RegistryClient(RegistryOptions(registry.url)), Forwarder(int(registry.address.rpartition(":")[2]))
    subject = f"{names['raw']}-value"
    first = client.register(subject, Schema(json.dumps(FIRST), "AVRO"))
    table = {"connector": "kafka", "properties.bootstrap.servers": broker.bootstrap}
    flink = {"parallelism.default": 1, "execution.checkpointing.interval": "500 ms", "restart-strategy.type": "fixed-delay",
             "restart-strategy.fixed-delay.attempts": 1000, "restart-strategy.fixed-delay.delay": "200 ms",
             "io.tmp.dirs": str(tmp_path / "tmp")}  # fmt: skip
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "deployment.yaml").write_text(yaml.safe_dump({
        "source": {**table, "topic": names["raw"]}, "sinks": {name: {**table, "topic": names[name]} for name in names if name != "raw"},
        "registry": {"url": registry.url.replace(registry.address, f"http://127.0.0.1:{forwarder.port}")}, "registry_patience": "1s",
        "keys": key_uri, "flink": flink}))  # fmt: skip
    broker.produce(names["raw"], [*records(first, FIRST, range(N)), Record(b"\0" + (987_654).to_bytes(4) + b"\0")])

    def reached(count: int) -> Callable[[], bool]:
        return lambda: len(broker.consume(names["shown"])) >= count

    def restarts() -> int:
        return sum(path.read_text(errors="replace").count("from state RUNNING to RESTARTING") for path in (tmp_path / "log").iterdir())

    arguments = ("--policy", tmp_path / "policy.yaml", "--deployment", tmp_path / "deployment.yaml", "--wait")
    with processes.started(tmp_path, *processes.FAN_OUT, *arguments) as running:
        processes.wait_for("the first records", reached(N), running)
        forwarder.on = False
        later = client.register(subject, Schema(json.dumps(LATER), "AVRO"))
        broker.produce(names["raw"], [*records(first, FIRST, range(N, N + 5)), *records(later, LATER, range(N + 5, 2 * N))])
        processes.wait_for("the job asks in vain", lambda: forwarder.refused > 1, running)
        processes.wait_for("the job fails and starts again", lambda: restarts() > 0, running, lambda: forwarder.refused)
        assert len(broker.consume(names["shown"])) <= N + 5
        forwarder.on = True
        processes.wait_for("all records", reached(2 * N), running, restarts)
    forwarder.close()
    shown = [fastavro.schemaless_reader(io.BytesIO(record.value[5:]), FIRST if record.value[4] == first else LATER)
             for record in broker.consume(names["shown"])]
    assert sorted(record["n"] for record in shown) == list(range(2 * N)) and {record["email"] for record in shown} == {"***"}
    assert [Entry.decode(record.value).reason for record in broker.consume(names["quarantine"])] == ["unknown_schema"]
