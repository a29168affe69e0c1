"""A compacted Kafka topic: the key is a document's id, the value its envelope; read by librdkafka (extra ``control-kafka``)."""

import os
import time
import uuid
from typing import Any

from flink_masking.control.envelope import LARGEST
from flink_masking.control.options import ControlOptions
from flink_masking.control.sources.base import MOST, TOTAL
from flink_masking.errors import ControlError, ControlUnavailableError
from flink_masking.patience import persist

PASSING = ("LEADER_NOT_AVAILABLE", "NOT_LEADER_FOR_PARTITION", "REPLICA_NOT_AVAILABLE", "FENCED_LEADER_EPOCH", "UNKNOWN_LEADER_EPOCH",
           "OFFSET_NOT_AVAILABLE", "KAFKA_STORAGE_ERROR", "REQUEST_TIMED_OUT", "NETWORK_EXCEPTION", "BROKER_NOT_AVAILABLE", "_TRANSPORT",
           "_ALL_BROKERS_DOWN")
"""Errors that end by themselves: a partition is new, or its leader moves, as with every restart of a broker. librdkafka calls none of them
retriable and does not repeat the question for the end of a partition."""


class TopicSource:
    """All partitions of a topic from the beginning, without a consumer group; kept at their ends from then on."""

    def __init__(self, options: ControlOptions) -> None:
        """Keep the settings; nothing is connected yet.

        Raises:
            ControlError: the client is not installed, or a login cannot be read.
        """
        try:
            import confluent_kafka
        except ImportError:
            raise ControlError("control.source: a topic needs the Kafka client. Hint: pip install 'flink-masking[control-kafka]', where "
                               "the job is submitted and on its workers") from None
        self._kafka, self._options, self._topic = confluent_kafka, options, str(options.topic["topic"])
        self._settings = {name.removeprefix("properties."): options.secret("source", str(value), os.environ)
                          for name, value in options.topic.items() if name.startswith("properties.")}
        self._consumer: Any = None
        self._ends: dict[int, int] = {}
        self._held: dict[bytes, bytes] = {}

    def read(self) -> list[bytes] | None:
        """See `Source.read`."""
        seconds = self._options.timeout / 1000
        until = time.monotonic() + seconds

        def attempt() -> list[bytes] | None:
            try:
                return self._read(until)
            except self._kafka.KafkaException:
                self.close()
                raise

        try:
            return persist(attempt, self._may_pass, seconds)
        except self._kafka.KafkaException as error:
            raise ControlUnavailableError(f"{self._options.shown}: cannot be read ({error.args[0].name()}). Hint: the broker, the topic, "
                                          "and the right to read it") from None

    def _may_pass(self, error: Exception) -> bool:
        return isinstance(error, self._kafka.KafkaException) and error.args[0].name() in PASSING

    def _read(self, until: float) -> list[bytes] | None:
        first = self._consumer is None
        if self._consumer is None:
            self._consumer = self._kafka.Consumer({
                **self._settings, "group.id": f"flink-masking-control-{uuid.uuid4()}", "enable.auto.commit": False,
                "auto.offset.reset": "earliest", "isolation.level": "read_committed", "allow.auto.create.topics": False,
                "enable.partition.eof": True, "log_level": 0})
            listed = self._consumer.list_topics(self._topic, timeout=max(0.1, until - time.monotonic())).topics[self._topic]
            if listed.error is not None or not listed.partitions:
                raise self._kafka.KafkaException(listed.error or self._kafka.KafkaError(self._kafka.KafkaError._UNKNOWN_TOPIC))
            self._consumer.assign([self._kafka.TopicPartition(self._topic, number, self._kafka.OFFSET_BEGINNING)
                                   for number in listed.partitions])
            self._ends, self._held = dict.fromkeys(listed.partitions, 0), {}
        changed = first
        waiting = {}
        for number in self._ends:
            low, high = self._consumer.get_watermark_offsets(self._kafka.TopicPartition(self._topic, number),
                                                             timeout=max(0.1, until - time.monotonic()))
            if max(low, self._ends[number]) < high:
                waiting[number] = high
        while waiting:
            record = self._consumer.poll(max(0.0, until - time.monotonic()))
            if record is None:
                self.close()
                raise ControlUnavailableError(f"{self._options.shown}: no whole answer in time. Hint: control.timeout, the broker, the "
                                              "network")
            if record.error() is not None:
                if record.error().code() != self._kafka.KafkaError._PARTITION_EOF:
                    raise self._kafka.KafkaException(record.error())
                offset = record.offset()
            else:
                changed |= self._take(record.key() or b"", record.value())
                offset = record.offset() + 1
            number = record.partition()
            self._ends[number] = offset
            if offset >= waiting.get(number, offset + 1):
                del waiting[number]
        return list(self._held.values()) if changed else None

    def _take(self, key: bytes, value: bytes | None) -> bool:
        if value is None:
            return self._held.pop(key, None) is not None
        if self._held.get(key) == value:
            return False
        self._held[key] = value[: LARGEST + 1]
        if len(self._held) > MOST or sum(map(len, self._held.values())) > TOTAL:
            self.close()
            raise ControlError(f"{self._options.shown}: more than {MOST:,} documents or {TOTAL >> 20} MiB. Hint: delete those that have "
                               "expired")
        return True

    def publish(self, name: str, data: bytes) -> None:
        """See `Source.publish`."""
        failed: list[str] = []
        try:
            producer = self._kafka.Producer({**self._settings, "acks": "all", "enable.idempotence": True, "log_level": 0,
                                             "message.timeout.ms": self._options.timeout})
            producer.produce(self._topic, data, name.encode(),
                             on_delivery=lambda error, _: failed.append(error.name()) if error is not None else None)
            left = producer.flush(self._options.timeout / 1000 + 1)
        except (self._kafka.KafkaException, BufferError, ValueError) as error:
            left, failed = 0, [type(error).__name__]
        if left or failed:
            told = failed[0] if failed else "no answer in time"
            raise ControlError(f"{self._options.shown}: the document was not written ({told}). Hint: the right to write, and "
                               "max.message.bytes of the topic")

    def close(self) -> None:
        """Close the consumer; the next read begins anew."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close()
