"""Control documents in a compacted topic of a real broker, and a job on Kafka that follows them: headers tell each record's policy."""

import json
import sys
import time
from pathlib import Path

import confluent_kafka
import pytest
import yaml
from control_documents import Signers, policy_text

from flink_masking.control.instants import new_id
from flink_masking.control.options import ControlOptions
from flink_masking.control.sources.topic import TopicSource
from flink_masking.errors import ControlUnavailableError
from flink_masking.policy.source import PolicySource

sys.path.append(str(Path(__file__).resolve().parents[1] / "flink"))

import processes

pytestmark = pytest.mark.flink
COMPACTED = {"cleanup.policy": "compact"}


def source(broker, topic, **options):
    """A source of control documents."""
    at = {"connector": "kafka", "topic": topic, "properties.bootstrap.servers": broker}
    return TopicSource(ControlOptions("", "", at, **{"timeout": 60_000, **options}))  # however busy the machine is


def test_a_topic_holds_the_newest_document_of_each_id(broker, topic):
    """Documents come from all partitions, None while nothing is new; a later record of a key replaces it, and one without value ends it."""
    name = topic("control", 3, COMPACTED)
    reader, writer = source(broker.bootstrap, name), source(broker.bootstrap, name)
    assert reader.read() == [] and reader.read() is None
    for key, value in (("a", b"A"), ("b", b"B"), ("c", b"C"), ("a", b"A2")):
        writer.publish(key, value)
    assert sorted(reader.read()) == [b"A2", b"B", b"C"] and reader.read() is None
    from broker import Record

    broker.produce(name, [Record(None, b"b", partition=number) for number in range(3)])
    assert sorted(reader.read()) == [b"A2", b"C"] and sorted(source(broker.bootstrap, name).read()) == [b"A2", b"C"]
    reader.close()
    assert sorted(reader.read()) == [b"A2", b"C"]
    reader.close()


class Moving(confluent_kafka.Consumer):
    """The client, whose first questions for the end of a partition are answered as while its leader moves."""

    left = 0

    def get_watermark_offsets(self, *arguments, **options):
        """See `confluent_kafka.Consumer`."""
        if Moving.left:
            Moving.left -= 1
            raise confluent_kafka.KafkaException(confluent_kafka.KafkaError(confluent_kafka.KafkaError.NOT_LEADER_FOR_PARTITION))
        return super().get_watermark_offsets(*arguments, **options)


def test_a_leader_that_moves(broker, topic, monkeypatch):
    """While a partition has no leader, or a new topic has none yet, the source asks again, and gives up when `timeout` has passed."""
    name = topic("control", 3, COMPACTED)
    monkeypatch.setattr(confluent_kafka, "Consumer", Moving)
    reader = source(broker.bootstrap, name)
    reader.publish("a", b"A")
    Moving.left = 4
    assert reader.read() == [b"A"] and Moving.left == 0
    Moving.left = 1
    assert reader.read() == [b"A"] and reader.read() is None
    reader.close()
    Moving.left = 1_000
    with pytest.raises(ControlUnavailableError, match="NOT_LEADER_FOR_PARTITION"):
        source(broker.bootstrap, name, timeout=400).read()
    assert 0 < Moving.left < 999


def test_a_broker_or_topic_that_is_away(broker):
    """Neither a missing topic nor a broker that does not answer is an empty source."""
    with pytest.raises(ControlUnavailableError):
        source(broker.bootstrap, "no-such-control-topic", timeout=2_000).read()
    with pytest.raises(ControlUnavailableError):
        source("localhost:1", "control", timeout=500).read()


@pytest.mark.slow
def test_headers_tell_the_policy_of_each_record(broker, topic, key_uri, tmp_path):
    """Each record of a job on Kafka is what the policy in its headers makes of it, before and after a switch, and none is lost."""
    signers, names = Signers(), {name: topic(name, config=COMPACTED if name == "control" else None)
                                 for name in ("raw", "masked", "audit", "quarantine", "control")}
    table = {"connector": "kafka", "properties.bootstrap.servers": broker.bootstrap}
    sinks = {name: {**table, "topic": names[name]} for name in ("masked", "audit", "quarantine")}
    (tmp_path / "policy.yaml").write_text(policy_text(1))
    (tmp_path / "trust.json").write_bytes(signers.trust())
    (tmp_path / "deployment.yaml").write_text(yaml.safe_dump({
        "source": {**table, "topic": names["raw"]}, "sinks": sinks, "keys": key_uri,
        "control": {"source": {**table, "topic": names["control"]}, "trust": "trust.json", "refresh": "500ms"},
        "flink": {"execution.checkpointing.interval": "1 s", "restart-strategy.type": "disable", "io.tmp.dirs": str(tmp_path / "tmp")}}))
    given = 0

    def seen():
        return [(record.value, dict(record.headers)) for record in broker.consume(names["masked"])]

    def more(version):
        def reached():
            nonlocal given
            broker.produce(names["raw"], [b'{"id":"%d"}' % number for number in range(given, given + 10)])
            given += 10
            time.sleep(0.3)
            return any(headers["policy_version"] == b"%d" % version for _, headers in seen())
        return reached

    arguments = ("--policy", tmp_path / "policy.yaml", "--deployment", tmp_path / "deployment.yaml", "--wait")
    with processes.started(tmp_path, *processes.FAN_OUT, *arguments) as running:
        processes.wait_for("records of version 1", more(1), running, lambda: given)
        issued = time.time_ns() // 1_000_000
        document = signers.policy(2, policy_text(2, "drop"), issued_at=issued, effective_at=issued + 3_000, id=new_id(issued))
        source(broker.bootstrap, names["control"]).publish("v2", document)
        processes.wait_for("records of version 2", more(2), running, lambda: given)
        processes.wait_for("all records", lambda: len(seen()) >= given, running, lambda: len(seen()))
    found = seen()
    digests = {b"1": PolicySource("p", policy_text(1)).digest, b"2": PolicySource("p", policy_text(2, "drop")).digest}
    assert len(found) == given and {headers["policy_version"] for _, headers in found} == {b"1", b"2"}
    for value, headers in found:
        assert headers["policy_digest"].decode() == digests[headers["policy_version"]]
        assert (json.loads(value) == {}) is (headers["policy_version"] == b"2")
