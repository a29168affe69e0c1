"""Topics of a deployment, read without a job: its source, which `scan` looks at, and its views, which `report` measures."""

from collections.abc import Iterator
from pathlib import Path

from flink_masking.addresses.endpoints import kafka_endpoint
from flink_masking.deployment.model import Deployment
from flink_masking.errors import InputError, JobError
from flink_masking.flink.jars import job_jars
from flink_masking.kafka.client import TIMEOUT, KafkaClientError, KafkaClients
from flink_masking.kafka.errors import refusal
from flink_masking.kafka.identity import connection
from flink_masking.kafka.quarantine import settings_of
from flink_masking.kafka.topic import read_topic


class SourceTopics:
    """The topics that a deployment's source reads, or that one of its sinks writes.

    Attributes:
        names: of the topics.
    """

    def __init__(self, deployment: Deployment, command_config: Path | None = None, timeout: int = TIMEOUT, sink: str | None = None) -> None:
        """Prepare clients; nothing is connected yet.

        Args:
            deployment: its source, or that sink, is in Kafka.
            command_config: properties of a Kafka user; None for the deployment's own.
            timeout: milliseconds that a broker gets to answer.
            sink: name of a sink; None for the source.

        Raises:
            InputError: the table is not in Kafka or names no topic; the properties file cannot be read.
            JobError: there is no Kafka client.
        """
        options, place = (deployment.source, "source") if sink is None else (deployment.sinks[sink], f"sinks.{sink}")
        endpoint = kafka_endpoint(options)
        if endpoint is None or not endpoint.topics or not endpoint.servers:
            raise InputError(f"{place}: it names no topic and brokers. Hint: connector: kafka, topic: NAME, properties.bootstrap.servers: "
                             "\"host:9092\"; or write a sample to a file, and scan that")
        self.names, self._servers, self._timeout = endpoint.topics, endpoint.servers, timeout
        self._clients = KafkaClients(job_jars(deployment))
        self._settings = connection(self._clients, settings_of(options), ",".join(endpoint.servers), command_config)
        self._place = place if command_config is None else str(command_config)

    def values(self, topic: str) -> Iterator[bytes]:
        """The values that are committed in a topic now, from its beginning; records without one are left out.

        No consumer group is used, so nothing is marked as read.

        Raises:
            JobError: Kafka cannot be reached, there is no such topic, or it may not be read.
        """
        try:
            found = read_topic(self._clients, self._settings, topic, self._timeout)
            if found is None:
                raise JobError(f"{self._place}: topic {topic} does not exist. Hint: check its name in the deployment")
            for record in found:
                if record.value is not None:
                    yield record.value
        except KafkaClientError as error:
            if error.has("TopicAuthorizationException", "ClusterAuthorizationException"):
                raise JobError(f"{self._place}: this user is not authorized. Hint: grant READ on topic {topic}, or name another user with "
                               "--command-config") from None
            raise refusal(self._place, self._servers, error, self._timeout, self._settings) from None
