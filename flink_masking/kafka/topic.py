"""Topics: creating them, writing records, reading all committed records from the beginning to the present end."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from flink_masking.flink.gateway import java_array, virtual_machine
from flink_masking.kafka.client import TIMEOUT, KafkaAdmin, KafkaClientError, KafkaClients
from flink_masking.patience import persist

_POLL = 500
"""Milliseconds that one poll waits."""


class Received(NamedTuple):
    """A record of a topic.

    Attributes:
        key: None where it has none.
        value: likewise.
    """

    key: bytes | None
    value: bytes | None


class Advance:
    """Watches over a reader that has not reached the end: a Java consumer whose brokers are away gives neither records nor an error."""

    def __init__(self, timeout: int) -> None:
        """Begin; timeout: milliseconds for which nothing may move."""
        self._seconds, self._reached, self._moved = timeout / 1000, list[int](), time.monotonic()

    def check(self, positions: list[int]) -> None:
        """Note how far each partition was read.

        Raises:
            KafkaClientError: a TimeoutException, since nothing has moved for the timeout.
        """
        now = time.monotonic()
        if positions != self._reached:
            self._reached, self._moved = positions, now
        elif now - self._moved > self._seconds:
            raise KafkaClientError([("TimeoutException", "")])


def behind(positions: list[int], ends: list[int]) -> bool:
    """Whether a reader has not reached the end of every partition."""
    return any(at < end for at, end in zip(positions, ends, strict=True))


def create_topic(admin: KafkaAdmin, name: str, partitions: int = 1, settings: Mapping[str, str] | None = None) -> None:
    """Create a topic with the broker's default replication; an existing topic is not changed.

    Args:
        admin: the administration client.
        name: of the topic.
        partitions: their number.
        settings: of the topic, such as ``cleanup.policy``.

    Raises:
        KafkaClientError: the broker cannot be reached, or refuses.
    """
    clients, jvm = admin.clients, virtual_machine()
    optional = clients.java("java.util.Optional")
    made = clients.new("clients.admin.NewTopic", [clients.java("java.lang.String"), optional, optional],
                       [name, jvm.java.util.Optional.of(partitions), jvm.java.util.Optional.empty()])
    configs = jvm.java.util.HashMap()
    for key, value in (settings or {}).items():
        configs.put(key, value)
    try:
        admin.wait(clients.call(lambda: admin.java.createTopics(clients.list([made.configs(configs)])).all()))
    except KafkaClientError as error:
        if not error.has("TopicExistsException"):
            raise


def write_topic(clients: KafkaClients, settings: Mapping[str, str], topic: str, values: Iterable[bytes], timeout: int = TIMEOUT) -> None:
    """Append records without keys to a topic and wait until all of them are acknowledged.

    Args:
        clients: the classes.
        settings: of the connection.
        topic: its name.
        values: of the records.
        timeout: milliseconds that a broker gets to answer.

    Raises:
        KafkaClientError: the broker cannot be reached, or refuses.
    """
    serializer = clients.name("common.serialization.ByteArraySerializer")
    whole = {**settings, "key.serializer": serializer, "value.serializer": serializer, "acks": "all", "max.block.ms": str(timeout)}

    def action() -> None:
        jvm = virtual_machine()
        producer = clients.new("clients.producer.KafkaProducer", [clients.java("java.util.Properties")], [clients.properties(whole)])
        kinds = java_array(jvm.Class, [clients.java("java.lang.String"), clients.java("java.lang.Object")])
        record = clients.load("clients.producer.ProducerRecord").getConstructor(kinds)
        try:
            sent = [producer.send(record.newInstance(java_array(jvm.Object, [topic, value]))) for value in values]
            producer.flush()
            for answer in sent:
                answer.get()
        finally:
            producer.close(jvm.java.time.Duration.ZERO)

    clients.call(action)


def read_topic(clients: KafkaClients, settings: Mapping[str, str], topic: str, timeout: int = TIMEOUT, known: bool = False,
               ) -> Iterator[Received] | None:
    """The committed records of a topic, partition after partition as they arrive; without a consumer group, so nothing is marked as read.

    Args:
        clients: the classes.
        settings: of the connection.
        topic: its name.
        timeout: milliseconds that a broker gets to answer.
        known: the topic is there; a broker that does not know it yet, or has just started, is asked again.

    Returns:
        The records, or None where there is no such topic.

    Raises:
        KafkaClientError: the broker cannot be reached, or refuses us; also while records are read, when none come for the timeout before
            the end is reached.
    """
    consumer = clients.call(lambda: _consumer(clients, settings, timeout))
    try:
        partitions = _known_partitions(clients, consumer, topic, timeout / 1000 if known else 0.0)
        if not partitions and known:
            raise KafkaClientError([("UnknownTopicOrPartitionException", "")])
        if not partitions:
            _close(clients, consumer)
            return None
        ends = clients.call(lambda: _begin(clients, consumer, partitions))
    except BaseException:
        _close(clients, consumer)
        raise
    return _records(clients, consumer, partitions, ends, timeout)


def assigned(clients: KafkaClients, settings: Mapping[str, str], topic: str, timeout: int = TIMEOUT) -> tuple[Any, list[Any]]:
    """A consumer of committed records at the beginning of all partitions of a topic, and the partitions; called through ``clients.call``.

    Args:
        clients: the classes.
        settings: of the connection.
        topic: its name; none of its partitions are assigned where there is no such topic.
        timeout: milliseconds that a broker gets to answer.
    """
    consumer = _consumer(clients, settings, timeout)
    try:
        partitions = _partitions(clients, consumer, topic)
        if partitions:
            _begin(clients, consumer, partitions)
    except BaseException:
        consumer.close()
        raise
    return consumer, partitions


def _consumer(clients: KafkaClients, settings: Mapping[str, str], timeout: int) -> Any:
    deserializer = clients.name("common.serialization.ByteArrayDeserializer")
    whole = {**settings, "key.deserializer": deserializer, "value.deserializer": deserializer, "enable.auto.commit": "false",
             "isolation.level": "read_committed", "auto.offset.reset": "earliest", "allow.auto.create.topics": "false",
             "default.api.timeout.ms": str(timeout), "request.timeout.ms": str(timeout)}
    return clients.new("clients.consumer.KafkaConsumer", [clients.java("java.util.Properties")], [clients.properties(whole)])


def _partitions(clients: KafkaClients, consumer: Any, topic: str) -> list[Any]:
    kinds = [clients.java("java.lang.String"), clients.java("java.lang.Integer").getField("TYPE").get(None)]
    found = consumer.partitionsFor(topic) or []
    return [clients.new("common.TopicPartition", kinds, [topic, info.partition()]) for info in found]


def _known_partitions(clients: KafkaClients, consumer: Any, topic: str, seconds: float) -> list[Any]:
    """The partitions of a topic; while there are none, the broker is asked again for some seconds."""
    def asked() -> list[Any]:
        found: list[Any] = clients.call(lambda: _partitions(clients, consumer, topic))
        if not found:
            raise LookupError
        return found

    try:
        return persist(asked, lambda error: isinstance(error, LookupError), seconds)
    except LookupError:
        return []


def _begin(clients: KafkaClients, consumer: Any, partitions: list[Any]) -> list[int]:
    """Where the partitions end for a reader of committed records, with the consumer at their beginnings."""
    listed = clients.list(partitions)
    consumer.assign(listed)
    consumer.seekToBeginning(listed)
    ends = consumer.endOffsets(listed)
    return [int(ends[partition]) for partition in partitions]


def _records(clients: KafkaClients, consumer: Any, partitions: list[Any], ends: list[int], timeout: int) -> Iterator[Received]:
    wait, advance = virtual_machine().java.time.Duration.ofMillis(_POLL), Advance(timeout)

    def poll() -> list[Received]:
        found = consumer.poll(wait)
        return [Received(_bytes(record.key()), _bytes(record.value())) for partition in partitions for record in found.records(partition)]

    def positions() -> list[int]:
        return [int(consumer.position(partition)) for partition in partitions]

    try:
        while behind(reached := clients.call(positions), ends):
            advance.check(reached)
            yield from clients.call(poll)
    finally:
        _close(clients, consumer)


def _bytes(value: Any) -> bytes | None:
    return None if value is None else bytes(value)


def _close(clients: KafkaClients, consumer: Any) -> None:
    """Close a consumer; if a signal has interrupted it in a call, this fails and it ends with the Java virtual machine."""
    with suppress(KafkaClientError):
        clients.call(lambda: consumer.close())
