"""Documents of several records from Kafka: every record by itself, exactly once, with what Kafka keeps beside its document."""

import json
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
import yaml
from broker import Record

from flink_masking.engine.quarantine import Entry, QuarantineReader
from flink_masking.keys.providers import open_ring

sys.path.append(str(Path(__file__).resolve().parents[1] / "flink"))

import processes

pytestmark = pytest.mark.flink
POLICY = """\
version: 1
stream: trail
each: Records[*]
subject: user
event_time: {field: at}
fields:
  n:    {class: plain, type: number}
  user: {class: identifier}
  at:   {class: plain, type: datetime}
segments:
  m:
    view: masked
    rules: {n: keep, user: {technique: pseudonym, domain: u}}
    record: {key: {technique: pseudonym, domain: u}, headers: {trace: keep}, timestamp: keep}
  counts:
    view: aggregated
    window: {tumbling: 1h}
    metrics: {n: count}
    privacy: {epsilon: 100.0, delta: 0.01}
"""
DOCUMENTS, EACH, SINKS = 300, 7, ("m", "counts", "audit", "quarantine")
STAMP = time.time_ns() // 1_000_000 - 100_000
"""Kafka's timestamp of the first document; a broker deletes records that are old by it."""


def document(number: int) -> Record:
    """A document of records of people of its own; of the fourth one no record can be read, and of the fifth one is no record."""
    records = [{"n": number * EACH + i, "user": f"SECRET{number * EACH + i}", "at": f"2026-03-15T10:{i:02d}:00Z"} for i in range(EACH)]
    body = json.dumps({"Records": records, "beside": "SECRET"}, indent=1 if number % 2 else None)
    body = body[:-3] if number == 3 else body.replace('"user": "SECRET30"', '"user": "SECRET30", "odd": 1') if number == 4 else body
    return Record(body.encode(), b"KEY%d" % number, (("trace", b"t%d" % number),), STAMP + number, number % 2)


def test_each_record_of_a_document_is_a_record(broker, topic, key_uri, tmp_path):
    """Key, headers and timestamp are the document's; one bad record is quarantined without the others."""
    names = {name: topic(f"each-{name}", 2 if name == "raw" else 1) for name in ("raw", *SINKS)}
    table = {"connector": "kafka", "properties.bootstrap.servers": broker.bootstrap}
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "deployment.yaml").write_text(yaml.safe_dump({
        "source": {**table, "topic": names["raw"], "scan.bounded.mode": "latest-offset"}, "keys": key_uri,
        "sinks": {name: {**table, "topic": names[name]} for name in SINKS}, "flink": {"parallelism.default": 2}}))  # fmt: skip
    broker.produce(names["raw"], [*(document(number) for number in range(DOCUMENTS)), Record(b'{"Records":[]}', partition=0)])
    done = processes.run(tmp_path, *processes.FAN_OUT, "--policy", tmp_path / "policy.yaml", "--deployment", tmp_path / "deployment.yaml",
                         "--bounded", "--wait")
    assert done.code == 0, done.err[-3000:]
    topics = {name: broker.consume(names[name], closed=True) for name in SINKS}
    expected = set(range(DOCUMENTS * EACH)) - set(range(3 * EACH, 4 * EACH)) - {30}
    assert Counter(json.loads(record.value)["n"] for record in topics["m"]) == dict.fromkeys(expected, 1)
    for record in topics["m"]:
        number = json.loads(record.value)["n"] // EACH
        assert (dict(record.headers)["trace"], record.timestamp, len(record.key)) == (b"t%d" % number, STAMP + number, 22)
    assert len({record.key for record in topics["m"]}) == DOCUMENTS - 1
    entries = [Entry.decode(record.value) for record in topics["quarantine"]]
    reader = QuarantineReader(open_ring(key_uri))
    assert sorted((entry.reason, reader.payload(entry)[:9]) for entry in entries) == [("malformed", document(3).value[:9]),
                                                                                 ("unknown_field", b'{"n": 30,')]
    events = [json.loads(record.value) for record in topics["audit"]]
    assert sum(event["records"] for event in events if event["event"] == "protect") == len(expected) + 2
    [row] = [json.loads(record.value) for record in topics["counts"]]
    assert abs(row["n"] - len(expected)) < 5
    assert not any(b"SECRET" in (record.value or b"") for records in topics.values() for record in records)
