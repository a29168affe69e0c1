"""The broker of the tests is a real one: transactions, and data that outlives it."""

import pytest
from broker import Record
from confluent_kafka import Producer
from waiting import CLIENT_S

pytestmark = pytest.mark.flink


def test_records_come_back_as_they_went(broker, topic):
    """Key, headers, timestamp and partition of a record are what was sent."""
    name = topic("records", partitions=2)
    sent = [Record(b"a", b"k", (("h", b"1"), ("h", None)), 1_700_000_000_000, 1), Record(None, b"k", (), 1_700_000_000_001, 1)]
    broker.produce(name, [*sent, b"alone"])
    came = broker.consume(name)
    assert sorted(record.value or b"" for record in came) == [b"", b"a", b"alone"]
    assert [record._replace(offset=None) for record in came if record.key] == sent


def test_a_read_committed_consumer_sees_no_aborted_record(broker, topic):
    """Records of an aborted transaction are seen by read_uncommitted only, those of a committed one by both."""
    name = topic("transactions")
    producer = Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": name})
    producer.init_transactions(CLIENT_S)
    for value, end in ((b"no", producer.abort_transaction), (b"yes", producer.commit_transaction)):
        producer.begin_transaction()
        producer.produce(name, value)
        producer.flush(CLIENT_S)
        end(CLIENT_S)
    assert [b"yes"] == [record.value for record in broker.consume(name, closed=True)]
    assert [b"no", b"yes"] == [record.value for record in broker.consume(name, isolation="read_uncommitted")]


def test_acknowledged_records_outlive_a_broker_that_is_killed(broker, topic):
    """A broker killed and started again serves what it had acknowledged, at the same address."""
    name = topic("kept")
    broker.produce(name, [b"%d" % i for i in range(1000)])
    address = broker.bootstrap
    broker.restart(kill=True)
    assert address == broker.bootstrap
    assert [b"%d" % i for i in range(1000)] == [record.value for record in broker.consume(name)]
