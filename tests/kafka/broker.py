"""The local broker of the library, with what tests do to it: topics, records in and out, through a client that is not the job's own."""

import uuid
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec
from waiting import CLIENT_S, Watch, until

from flink_masking.control.sources.topic import PASSING
from flink_masking.kafka.local_broker import LocalBroker

_QUIET = {"log_level": 0, "socket.connection.setup.timeout.ms": 60_000}


class Record(NamedTuple):
    """A record as it goes to a topic and comes from it."""

    value: bytes | None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    timestamp: int | None = None
    partition: int | None = None
    offset: int | None = None


class Broker(LocalBroker):
    """A broker, and clients of its PLAINTEXT listener."""

    _coordinates = False

    def start(self) -> None:
        """Start it. The first time its topic of transactions is made, too: a job gives a broker seconds to begin one, on a busy machine."""
        super().start()
        if not self._coordinates:
            producer = Producer({**_QUIET, "bootstrap.servers": self.bootstrap, "transactional.id": "first"})
            producer.init_transactions(CLIENT_S)
            self._coordinates = True

    def admin(self) -> AdminClient:
        """A client for topics, users and ACLs, over PLAINTEXT."""
        return AdminClient({**_QUIET, "bootstrap.servers": self.bootstrap})

    def topic(self, name: str, partitions: int = 1, config: Mapping[str, str] | None = None) -> str:
        """Make a topic and return its name once every partition has a leader that answers."""
        admin = self.admin()
        new = NewTopic(name, num_partitions=partitions, replication_factor=1, config=dict(config or {}))
        admin.create_topics([new], operation_timeout=CLIENT_S, request_timeout=CLIENT_S)[name].result(CLIENT_S)
        until(f"topic {name} appears", lambda: len(admin.list_topics(name, timeout=CLIENT_S).topics[name].partitions) >= partitions,
              groups=self._group, pause=0.05)
        until(f"topic {name} has its leaders", lambda: self._led(admin, name, partitions), groups=self._group, pause=0.05)
        return name

    @staticmethod
    def _led(admin: AdminClient, name: str, partitions: int) -> bool:
        """Whether the leaders of all partitions answer: a broker tells of a new partition a moment before it takes the lead."""
        asked = admin.list_offsets({TopicPartition(name, number): OffsetSpec.latest() for number in range(partitions)})
        try:
            return all(answer.result(CLIENT_S).offset == 0 for answer in asked.values())
        except KafkaException as error:
            if error.args[0].name() not in (*PASSING, "UNKNOWN_TOPIC_OR_PART"):
                raise
            return False

    def _group(self) -> list[int]:
        return [self.pid]

    def produce(self, topic: str, records: Iterable[Record | bytes], config: Mapping[str, str] | None = None) -> None:
        """Send records and wait until all of them are acknowledged.

        Args:
            topic: where to.
            records: values alone, or with key, headers, timestamp (ms) and partition.
            config: of the producer, on top of the defaults; ``bootstrap.servers`` and security for another listener.

        Raises:
            KafkaException: the broker has refused a record, or not acknowledged it in time.
        """
        failed: list[KafkaError] = []
        defaults = {**_QUIET, "bootstrap.servers": self.bootstrap, "linger.ms": "5", "message.timeout.ms": str(1_000 * CLIENT_S)}
        producer = Producer({**defaults, **(config or {})})
        for given in records:
            record = given if isinstance(given, Record) else Record(given)
            while True:
                try:
                    producer.produce(
                        topic, record.value, record.key, -1 if record.partition is None else record.partition,
                        on_delivery=lambda error, _: failed.append(error) if error else None,
                        timestamp=record.timestamp or 0, headers=list(record.headers) or None)
                    break
                except BufferError:
                    producer.poll(0.05)
            producer.poll(0)
        left = producer.flush(CLIENT_S)
        if failed:
            raise KafkaException(failed[0])
        assert left == 0, f"{left} records were not acknowledged"

    def consume(self, topic: str, isolation: str = "read_committed", at_least: int = 0, closed: bool = False,
                config: Mapping[str, str] | None = None) -> list[Record]:
        """Read a topic from its beginning to its present end, partition by partition in order.

        Args:
            topic: where from.
            isolation: ``read_committed`` sees nothing of open and aborted transactions; ``read_uncommitted`` sees all.
            at_least: do not stop at the end before this many records have come.
            closed: wait first until no transaction is open, so that everything is either committed or aborted.
            config: of the consumer, on top of the defaults.

        Raises:
            KafkaException: the broker has refused to serve.
            AssertionError: the end, or the number of records, is not reached, and no record comes any more.
        """
        if closed:
            until(f"the transactions of {topic} are closed", lambda: not self._open(topic), groups=self._group)
        consumer = Consumer({
            **_QUIET, "bootstrap.servers": self.bootstrap, "group.id": f"test-{uuid.uuid4()}", "isolation.level": isolation,
            "enable.auto.commit": "false", "enable.partition.eof": "true", "auto.offset.reset": "earliest", **(config or {}),
        })  # fmt: skip
        records: list[Record] = []
        ended: set[int] = set()
        watch = Watch(f"{topic} is read", self._group, lambda: (len(records), len(ended)))
        try:
            found = consumer.list_topics(topic, timeout=CLIENT_S).topics[topic]
            if found.error is not None:
                raise KafkaException(found.error)
            consumer.assign([TopicPartition(topic, number, 0) for number in found.partitions])
            while len(ended) < len(found.partitions) or len(records) < at_least:
                watch.check()
                for message in consumer.consume(1000, 0.1):
                    error = message.error()
                    if error is None:
                        ended.discard(message.partition())
                        records.append(Record(
                            message.value(), message.key(), tuple(message.headers() or ()), message.timestamp()[1], message.partition(),
                            message.offset()))  # fmt: skip
                    elif error.code() == KafkaError._PARTITION_EOF:
                        ended.add(message.partition())
                    else:
                        raise KafkaException(error)
        finally:
            consumer.close()
        return sorted(records, key=lambda record: (record.partition, record.offset))

    def _open(self, topic: str) -> bool:
        """Whether a transaction is open in a topic: its committed records end before its records do."""
        admin = self.admin()
        partitions = [TopicPartition(topic, number) for number in admin.list_topics(topic, timeout=CLIENT_S).topics[topic].partitions]
        ends = []
        for level in (IsolationLevel.READ_COMMITTED, IsolationLevel.READ_UNCOMMITTED):
            asked = admin.list_offsets({partition: OffsetSpec.latest() for partition in partitions}, isolation_level=level)
            ends.append({partition.partition: answer.result(CLIENT_S).offset for partition, answer in asked.items()})
        return ends[0] != ends[1]
