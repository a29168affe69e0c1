"""One streaming job on a real broker: what becomes of keys, headers and timestamps, deletions, partitions, transactions and poison."""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from broker import Broker, Record
from confluent_kafka import Producer
from waiting import CLIENT_S

from flink_masking.engine.quarantine import Entry, QuarantineReader
from flink_masking.keys.providers import open_ring

sys.path.append(str(Path(__file__).resolve().parents[1] / "flink"))

import processes

pytestmark = pytest.mark.flink

POLICY = """\
version: 7
stream: events
subject: customerId
event_time: {field: at}
fields:
  order:      {class: plain}
  customerId: {class: identifier}
  email:      {class: direct, type: email}
  at:         {class: plain, type: datetime}
segments:
  analytics:
    view: masked
    rules: {order: keep, customerId: {technique: pseudonym, domain: customer}}
    record:
      key: {technique: pseudonym, domain: customer, on_error: drop}
      headers: {trace-id: keep, user-agent: redact}
      timestamp: keep
  newest:
    view: masked
    rules: {order: keep}
    record: {key: {technique: pseudonym, domain: newest}}
  bare:
    view: masked
    rules: {order: keep}
  dashboard:
    view: aggregated
    window: {tumbling: 1min}
    metrics: {orders: count}
    privacy: {epsilon: 50.0, delta: 0.01}
"""
SINKS = ("analytics", "newest", "bare", "dashboard", "audit", "quarantine")
PEOPLE = 200
SECRETS = (b"CUST-1", b"CUST0000", b"@example.com", b"Mozilla", b"SESSION")
"""None is so short that a megabyte of ciphertext in base64 holds it by chance."""
POISON = b'{"order":-1,"customerId":"CUST-1","email":"' + b"x" * 1_020_000 + b'"}'
IDLE = 20
"""Seconds; the lagging partition must have spoken again by then, and the window comes out after it."""


class Job(NamedTuple):
    """What the job has written, and when the raw records were made."""

    topics: dict[str, list[Record]]
    made: int
    keys: str

    def lines(self, name: str) -> list[dict]:
        """The values of a topic."""
        return [json.loads(record.value) for record in self.topics[name] if record.value is not None]


def event(order: int, minute: int, partition: int, made: int) -> Record:
    """An event of a person of its own, with a key, three headers and a timestamp that tells its order."""
    who = f"CUST{order:07d}"
    body = {"order": order, "customerId": who, "email": f"{who}@example.com", "at": f"2026-03-15T10:{minute:02d}:{order % 60:02d}Z"}
    headers = (("trace-id", b"t%d" % order), ("user-agent", b"Mozilla"), ("session", b"SESSION"))
    return Record(json.dumps(body).encode(), who.encode(), headers, made + order, partition)


def aborted(broker: Broker, topic: str, records: list[Record]) -> None:
    """Records of a transaction that never was committed."""
    producer = Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": "aborted"})
    producer.init_transactions(CLIENT_S)
    producer.begin_transaction()
    for record in records:
        producer.produce(topic, record.value, record.key, record.partition)
    producer.flush(CLIENT_S)
    producer.abort_transaction(CLIENT_S)


@pytest.fixture(scope="module")
def job(broker: Broker, key_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    """The job's topics once the first window has been published, with the job still running.

    Partition 0 is a minute ahead of partition 1, which falls silent; the others hold nothing from the beginning.
    """
    place = tmp_path_factory.mktemp("views")
    names = {name: broker.topic(f"views-{name}", 4 if name == "raw" else 1) for name in ("raw", *SINKS)}
    table = {"connector": "kafka", "properties.bootstrap.servers": broker.bootstrap}
    sinks = {name: {**table, "topic": names[name], "connector": "upsert-kafka" if name == "newest" else "kafka"} for name in SINKS}
    flink = {"parallelism.default": 2, "execution.checkpointing.interval": "1 s", "restart-strategy.type": "disable",
             "io.tmp.dirs": str(place / "tmp")}
    (place / "policy.yaml").write_text(POLICY)
    (place / "deployment.yaml").write_text(yaml.safe_dump({
        "source": {**table, "topic": names["raw"]}, "sinks": sinks, "keys": key_uri, "flink": flink, "idle_after": f"{IDLE}s"}))
    made = time.time_ns() // 1_000_000 - 100_000
    first = [event(order, 0, 0, made) for order in range(PEOPLE)] + [event(PEOPLE, 0, 1, made), event(1_000, 5, 0, made)]
    odd = [Record(None, b"CUST0000003", partition=0), Record(b'{"order":-2}', partition=0),
           Record(b'{"order":-3}', b"\xff\xfe", partition=0), Record(POISON, b"CUST-1", partition=0)]
    broker.produce(names["raw"], first + odd, {"message.max.bytes": "1100000"})
    aborted(broker, names["raw"], [event(9_000, 0, 0, made)])
    late = [event(order, 0, 1, made) for order in range(PEOPLE + 1, 2 * PEOPLE)]

    def reached(name: str, count: int) -> Callable[[], bool]:
        return lambda: len(broker.consume(names[name])) >= count

    def progress() -> int:
        return len(broker.consume(names["bare"]))

    arguments = ("--policy", place / "policy.yaml", "--deployment", place / "deployment.yaml", "--wait")
    with processes.started(place, *processes.FAN_OUT, *arguments) as running:
        processes.wait_for("the first records", reached("bare", PEOPLE), running, progress)
        broker.produce(names["raw"], late)
        processes.wait_for("those of the lagging partition", reached("bare", 2 * PEOPLE + 1), running, progress)
        ahead = iter(range(2_000, 3_000))

        def published() -> bool:
            broker.produce(names["raw"], [event(next(ahead), 6, 0, made)])
            time.sleep(0.3)
            return reached("dashboard", 1)()

        processes.wait_for("the first window", published, running, progress)
        last = next(ahead) - 1
        processes.wait_for("the last record", reached("bare", 2 * PEOPLE + 1 + last - 1_999), running, progress)
        yield Job({name: broker.consume(names[name]) for name in SINKS}, made, key_uri)


def by_order(job: Job, name: str) -> dict[int, Record]:
    """Records of a masked segment by the order that they are about."""
    return {json.loads(record.value)["order"]: record for record in job.topics[name] if record.value is not None}


def test_keys_headers_and_timestamps_go_by_rule(job):
    """A protected key joins with the protected field; named headers are kept or masked, others gone; the timestamp is kept."""
    for order, record in by_order(job, "analytics").items():
        headers = dict(record.headers)
        assert json.loads(record.value)["customerId"].encode() == record.key != f"CUST{order:07d}".encode()
        assert {"policy_version", "policy_digest", "key_version", "trace-id", "user-agent"} == set(headers)
        assert (headers["trace-id"], headers["user-agent"], headers["policy_version"]) == (b"t%d" % order, b"***", b"7")
        assert (headers["key_version"], len(headers["policy_digest"]), record.timestamp) == (b"1", 64, job.made + order)


def test_a_segment_without_rules_shows_the_value_alone(job):
    """No key, no header of the source, no timestamp of the source."""
    for order, record in by_order(job, "bare").items():
        assert record.key is None and {name for name, _ in record.headers} == {"policy_version", "policy_digest", "key_version"}
        assert record.timestamp > job.made + order + 1_000


def test_a_record_without_a_value_deletes(job):
    """In the upsert segment the deletion has the protected key of what it deletes, and comes after it; elsewhere there is none."""
    deletions = [record for record in job.topics["newest"] if record.value is None]
    third = by_order(job, "newest")[3]
    assert [record.key for record in deletions] == [third.key] and deletions[0].offset > third.offset
    assert all(record.value is not None for name in ("analytics", "bare", "dashboard") for record in job.topics[name])
    assert len({record.key for record in job.topics["newest"]}) == len(by_order(job, "newest"))


def test_every_event_is_there_once(job):
    """Every committed event, and none of an aborted transaction, is in each masked segment exactly once."""
    expected = {order: 1 for order in (*range(2 * PEOPLE), 1_000)}
    for name in ("analytics", "newest", "bare"):
        counted = Counter(line["order"] for line in job.lines(name))
        assert {order: count for order, count in counted.items() if order < 2_000} == expected
        assert set(counted.values()) == {1}


def test_nothing_clear_is_in_any_topic(job):
    """No raw key, header, identifier or address is in any byte of any topic."""
    for records in job.topics.values():
        for record in records:
            whole = b"\0".join((record.key or b"", record.value or b"", *(value or b"" for _, value in record.headers)))
            assert not [secret for secret in SECRETS if secret in whole]


def test_a_lagging_partition_is_not_late_and_a_silent_one_does_not_hold_up(job):
    """The first window holds the people of both partitions, came out though three partitions had fallen silent, and nothing was late."""
    window = job.lines("dashboard")[0]
    assert abs(window["orders"] - 2 * PEOPLE) < 20, window
    releases = [event["segments"]["dashboard"] for event in job.lines("audit") if event["event"] == "release"]
    assert sum(counts.get("late", 0) for counts in releases) == 0
    headers = {name for record in job.topics["dashboard"] for name, _ in record.headers}
    assert headers == {"policy_version", "policy_digest"} and all(record.key is None for record in job.topics["dashboard"])


def test_poison_goes_to_the_quarantine_and_blocks_nothing(job):
    """A record over the limit, and those whose key an upsert segment needs and cannot have, are sealed, the long one cut to what fits."""
    entries = {(entry.reason, entry.path): entry for record in job.topics["quarantine"] for entry in [Entry.decode(record.value)]}
    assert set(entries) == {("oversize", None), ("missing_key", "record.key"), ("refused_value", "record.key")}
    assert len(job.topics["quarantine"]) == 3
    reader, long = QuarantineReader(open_ring(job.keys)), entries["oversize", None]
    assert reader.parts(long).key == b"CUST-1" and reader.parts(entries["refused_value", "record.key"]).key == b"\xff\xfe"
    assert long.size == len(POISON) and POISON.startswith(reader.payload(long)) and len(reader.payload(long)) > 700_000


def test_the_audit_adds_up(job):
    """Input is what was released, passed on as a deletion and quarantined, for each masked segment."""
    events = [event for event in job.lines("audit") if event["event"] == "protect"]
    total, quarantined = sum(event["records"] for event in events), sum(sum(event["quarantined"].values()) for event in events)
    for name in ("analytics", "newest", "bare"):
        counts = [event["segments"][name] for event in events]
        assert sum(count["released"] + count.get("suppressed", 0) for count in counts) == total - quarantined
    assert sum(event["segments"]["newest"].get("tombstones", 0) for event in events) == 1 and quarantined == 3
