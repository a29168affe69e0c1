"""A topic that is followed: committed records with their headers, as any consumer sees them."""

from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from flink_masking.flink.gateway import virtual_machine
from flink_masking.kafka.client import KafkaClientError, KafkaClients
from flink_masking.kafka.topic import assigned


class Record(NamedTuple):
    """A committed record.

    Attributes:
        value: its bytes.
        headers: texts by name.
    """

    value: bytes
    headers: Mapping[str, str]


class FollowedTopic:
    """A consumer of committed records that remembers all that it has seen.

    Attributes:
        records: so far, in the order of the topic's partition.
    """

    def __init__(self, clients: KafkaClients, settings: Mapping[str, str], name: str, timeout: int) -> None:
        """Begin at the start of an existing topic.

        Args:
            clients: Kafka's classes.
            settings: of the connection.
            name: of the topic.
            timeout: milliseconds that the broker gets to answer.

        Raises:
            KafkaClientError: the broker cannot be reached.
        """
        self.records: list[Record] = []
        self._clients = clients
        self._consumer, self._partitions = clients.call(lambda: assigned(clients, settings, name, timeout))

    def look(self) -> None:
        """Take the records that have been committed since; waits a tenth of a second at most for the first ones."""
        wait = virtual_machine().java.time.Duration.ofMillis(100)

        def poll() -> list[Record]:
            found = self._consumer.poll(wait)
            return [Record(bytes(record.value() or b""), {header.key(): bytes(header.value() or b"").decode()
                                                          for header in record.headers().toArray()})
                    for partition in self._partitions for record in found.records(partition)]

        while new := self._clients.call(poll):
            self.records += new

    def close(self) -> None:
        """End the connection."""
        with suppress(KafkaClientError):
            self._clients.call(lambda: self._consumer.close())
