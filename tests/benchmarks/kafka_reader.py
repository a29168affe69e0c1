"""What the Kafka benchmark reads: records as they come, and the timestamps of all committed ones."""

from array import array
from typing import Any

from broker import Broker
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition


def read(consumer: Consumer, most: int, timeout: float) -> list[Any]:
    """Records that a consumer has now.

    Raises:
        KafkaException: the broker has refused to serve.
    """
    messages = consumer.consume(most, timeout)
    for message in messages:
        if message.error() is not None:
            raise KafkaException(message.error())
    return messages


def timestamps(broker: Broker, topic: str) -> "array[int]":
    """Timestamp, ms, of each committed record that a topic holds; in order where it has one partition."""
    consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": f"reader-{topic}", "enable.auto.commit": False,
                         "isolation.level": "read_committed", "enable.partition.eof": True})  # fmt: skip
    found, ended = array("q"), set[int]()
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
        while len(ended) < len(partitions):
            for message in consumer.consume(10_000, 0.5):
                if (error := message.error()) is None:
                    found.append(message.timestamp()[1])
                elif error.code() == KafkaError._PARTITION_EOF:
                    ended.add(message.partition())
                else:
                    raise KafkaException(error)
    finally:
        consumer.close()
    return found
