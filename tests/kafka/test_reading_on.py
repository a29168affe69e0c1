"""Reading a topic to its end while brokers are away, by a Java client that answers as a test says: no broker and no Java is needed."""

import types

import pytest

from flink_masking.errors import JobError
from flink_masking.kafka import topic as topics
from flink_masking.kafka.client import KafkaClientError
from flink_masking.kafka.errors import refusal


class Consumer:
    """A KafkaConsumer of one partition of two records.

    Attributes:
        polls: what polls give: numbers of records, the last one for ever.
        unknown: how often the broker does not know the topic.
    """

    def __init__(self, polls, unknown=0):
        """Nothing is read yet."""
        self.polls, self.unknown, self.at, self.closed = list(polls), unknown, 0, False

    def poll(self, wait):
        """As KafkaConsumer.poll."""
        count = self.polls.pop(0) if len(self.polls) > 1 else self.polls[0]
        found = [types.SimpleNamespace(key=lambda: b"k", value=lambda: b"v")] * count
        self.at += count
        return types.SimpleNamespace(records=lambda partition: found, count=lambda: count)

    def position(self, partition):
        """As KafkaConsumer.position."""
        return self.at

    def close(self):
        """As KafkaConsumer.close."""
        self.closed = True


class Clients:
    """Calls what it is given, as KafkaClients do."""

    def call(self, action):
        """As KafkaClients.call."""
        return action()


@pytest.fixture
def read(monkeypatch):
    """Reads a topic through a consumer; options as for `read_topic`."""
    duration = types.SimpleNamespace(ofMillis=lambda number: number)
    java = types.SimpleNamespace(time=types.SimpleNamespace(Duration=duration))
    monkeypatch.setattr(topics, "virtual_machine", lambda: types.SimpleNamespace(java=java))
    monkeypatch.setattr(topics, "_begin", lambda clients, consumer, partitions: [2])

    def partitions(clients, consumer, name):
        consumer.unknown -= 1
        return [] if consumer.unknown >= 0 else ["p0"]

    def reading(consumer, **options):
        monkeypatch.setattr(topics, "_consumer", lambda clients, settings, timeout: consumer)
        monkeypatch.setattr(topics, "_partitions", partitions)
        found = topics.read_topic(Clients(), {}, "t", **options)
        return None if found is None else len(list(found))

    return reading


def test_polls_that_bring_nothing_for_a_while_are_no_end(read):
    """The reader goes on until the end that the topic had."""
    consumer = Consumer([0, 1, 0, 0, 1])
    assert read(consumer) == 2 and consumer.closed


def test_brokers_that_stay_away_end_the_reading(read):
    """A consumer that gets nothing any more is an error after the timeout, and no command that hangs."""
    consumer = Consumer([1, 0])
    with pytest.raises(KafkaClientError) as raised:
        read(consumer, timeout=100)
    assert consumer.closed
    told = refusal("source", ["h:1"], raised.value, 100)
    assert isinstance(told, JobError) and "does not answer in 0.1 s" in str(told)


def test_a_topic_that_a_broker_does_not_know_yet(read):
    """A topic that is known to be there is asked for again, until it is an error; any other is not there."""
    assert read(Consumer([1], unknown=3), known=True) == 2
    assert read(Consumer([1], unknown=3)) is None
    with pytest.raises(KafkaClientError, match="UnknownTopicOrPartitionException"):
        read(Consumer([1], unknown=1_000_000), known=True, timeout=100)
