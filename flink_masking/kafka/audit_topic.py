"""An audit in Kafka: commands write events to it, the sealer reads them."""

import os
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from flink_masking.addresses.endpoints import kafka_endpoint
from flink_masking.audit.events import AuditChain
from flink_masking.deployment.model import Deployment
from flink_masking.errors import InputError, JobError
from flink_masking.flink.gateway import virtual_machine
from flink_masking.flink.jars import job_jars
from flink_masking.java import java_home
from flink_masking.kafka.client import TIMEOUT, KafkaClientError, KafkaClients
from flink_masking.kafka.errors import refusal
from flink_masking.kafka.identity import connection
from flink_masking.kafka.quarantine import settings_of
from flink_masking.kafka.topic import Advance, assigned, behind, write_topic
from flink_masking.keys.ring import KeyRing


class AuditTopic:
    """The topic of a deployment's sink ``audit``.

    Attributes:
        name: of the topic.
    """

    def __init__(self, deployment: Deployment, timeout: int = TIMEOUT) -> None:
        """Prepare clients; nothing is connected yet.

        Args:
            deployment: its sink ``audit`` is in Kafka.
            timeout: milliseconds that a broker gets to answer.

        Raises:
            InputError: the sink names no single topic.
            JobError: there is no Java, or no Kafka client.
        """
        found = kafka_endpoint(deployment.sinks["audit"])
        if found is None or len(found.topics) != 1 or not found.servers:
            raise InputError("sinks.audit: it names no topic and brokers. Hint: topic: NAME, properties.bootstrap.servers: \"host:9092\"")
        os.environ["JAVA_HOME"] = str(java_home())
        self._endpoint, self._timeout, self.name = found, timeout, found.topics[0]
        self._clients = KafkaClients(job_jars(deployment))
        self._settings = connection(self._clients, settings_of(deployment.sinks["audit"]), ",".join(found.servers), None)
        self._consumer: Any = None
        self._partitions: dict[int, Any] = {}

    def write(self, line: bytes) -> None:
        """Write a line and wait until the brokers have it.

        Raises:
            JobError: they cannot be reached, or refuse.
        """
        try:
            write_topic(self._clients, self._settings, self.name, [line], self._timeout)
        except KafkaClientError as error:
            raise self._translated(error, "WRITE") from None

    def read(self, positions: Mapping[str, Any], most: int) -> tuple[list[bytes], dict[str, int]]:
        """The next lines that are committed; waits half a second for the first ones.

        Args:
            positions: offset of the next record of each partition.
            most: number of records, roughly.

        Returns:
            The lines, and the positions behind them.

        Raises:
            JobError: the brokers cannot be reached, or refuse, or there is no such topic.
        """
        try:
            return self._clients.call(partial(self._read, positions, most))
        except KafkaClientError as error:
            self.close()
            raise self._translated(error, "READ") from None

    def close(self) -> None:
        """End the connection; the next read makes another one."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            with suppress(KafkaClientError):
                self._clients.call(lambda: consumer.close())

    def _read(self, positions: Mapping[str, Any], most: int) -> tuple[list[bytes], dict[str, int]]:
        if self._consumer is None:
            self._consumer, found = assigned(self._clients, self._settings, self.name, self._timeout)
            if not found:  # the job has not run yet
                consumer, self._consumer = self._consumer, None
                consumer.close()
                return [], {}
            self._partitions = {int(partition.partition()): partition for partition in found}
            for number, partition in self._partitions.items():
                if (at := positions.get(self._place(number))) is not None:
                    self._consumer.seek(partition, at)
        lines, wait, advance = list[bytes](), virtual_machine().java.time.Duration.ofMillis(500), Advance(self._timeout)
        found = self._consumer.endOffsets(self._clients.list(self._partitions.values()))
        ends = [int(found[partition]) for partition in self._partitions.values()]
        while len(lines) < most:
            found = self._consumer.poll(wait)
            if not found.count():
                reached = [int(self._consumer.position(partition)) for partition in self._partitions.values()]
                if not behind(reached, ends):
                    break
                advance.check(reached)  # nothing has come, and yet something is there: that is no end
            for partition in self._partitions.values():
                for record in found.records(partition):
                    if record.value() is not None:
                        lines += [line for line in bytes(record.value()).split(b"\n") if line]
        return lines, {self._place(number): int(self._consumer.position(partition)) for number, partition in self._partitions.items()}

    def _place(self, partition: int) -> str:
        return f"{self._endpoint.servers[0]}/{self.name}/{partition}"

    def _translated(self, error: KafkaClientError, operation: str) -> JobError:
        if error.has("TopicAuthorizationException", "ClusterAuthorizationException"):
            return JobError(f"sinks.audit: this user is not authorized. Hint: grant {operation} on topic {self.name}")
        return refusal("sinks.audit", self._endpoint.servers, error, self._timeout, self._settings)


class TopicLog:
    """Writes the events of a command to the audit topic, one chain for each command."""

    def __init__(self, topic: AuditTopic, ring: KeyRing, stream: str | None = None, policy_version: int | None = None,
                 policy_digest: str | None = None) -> None:
        """Start a chain; see `flink_masking.audit.log.AuditLog`.

        Raises:
            KeyRingError: an exported ring that lacks the key of events.
        """
        self._topic, self._chain = topic, AuditChain.signed(ring, stream, policy_version, policy_digest)

    def append(self, kind: str, now: int, body: Mapping[str, Any]) -> None:
        """Write an event; it is in the topic when this returns.

        Raises:
            JobError: the brokers cannot be reached, or refuse.
        """
        self._topic.write(self._chain.event(kind, now, body))
