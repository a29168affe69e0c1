"""A quarantine in Kafka: reads its entries and replays each into the raw topic once."""

import contextlib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Self

from flink_masking.addresses.endpoints import Endpoint, kafka_endpoint
from flink_masking.deployment.model import Deployment
from flink_masking.deployment.tables import FRAME, LARGEST_REQUEST
from flink_masking.engine.quarantine import Entry
from flink_masking.errors import InputError, JobError
from flink_masking.flink.gateway import java_array, virtual_machine
from flink_masking.flink.jars import job_jars
from flink_masking.kafka.client import TIMEOUT, KafkaAdmin, KafkaClientError, KafkaClients
from flink_masking.kafka.errors import refusal
from flink_masking.kafka.identity import connection
from flink_masking.kafka.topic import create_topic, read_topic
from flink_masking.tools.replay import HEADER, Returned

BATCH = 500
"""Records of one transaction."""
LEDGER = "{topic}.replayed"
"""The topic in which replayed entries are noted, beside the quarantine's."""
_TRANSACTION_TIMEOUT = 60_000
_PRODUCER = "max.request.size"


class QuarantineTopic:
    """The quarantine of a deployment whose sink is in Kafka.

    Attributes:
        name: of the topic.
    """

    def __init__(self, deployment: Deployment, command_config: Path | None = None, timeout: int = TIMEOUT) -> None:
        """Prepare clients; nothing is connected yet.

        Args:
            deployment: its sink ``quarantine`` is in Kafka.
            command_config: properties of a Kafka user; None for the deployment's own.
            timeout: milliseconds that a broker gets to answer.

        Raises:
            InputError: the properties file cannot be read, or the sink names no topic.
            JobError: there is no Kafka client.
        """
        self._deployment, self._timeout = deployment, timeout
        self._endpoint = _endpoint(deployment.sinks["quarantine"], "sinks.quarantine")
        self.name = self._endpoint.topics[0]
        self.clients = KafkaClients(job_jars(deployment))
        own = settings_of(deployment.sinks["quarantine"])
        self._settings = connection(self.clients, own, ",".join(self._endpoint.servers), command_config)
        self._sizes = {name: value for name, value in own.items() if name == _PRODUCER}
        self._place = "sinks.quarantine" if command_config is None else str(command_config)

    def entries(self) -> Iterator[Entry]:
        """All entries that are committed now.

        Raises:
            InputError: a record is no entry.
            JobError: Kafka cannot be reached, there is no such topic, or it may not be read.
        """
        try:
            found = read_topic(self.clients, self._settings, self.name, self._timeout)
            if found is None:
                raise JobError(f"{self._place}: topic {self.name} does not exist. Hint: check the name, and that the job has run")
            for record in found:
                if record.value is not None:
                    yield Entry.decode(record.value)
        except KafkaClientError as error:
            raise self.translated(error, f"READ on topic {self.name}") from None

    def raw_topic(self, topic: str | None) -> str:
        """The topic that records go back to.

        Args:
            topic: as given; None for the source's only one.

        Raises:
            InputError: the source is not in this cluster, or reads more than one topic and none is named.
        """
        source = kafka_endpoint(self._deployment.source)
        if source is None or not source.same_cluster(self._endpoint):
            raise InputError("source: it is not in the Kafka cluster of the quarantine, so nothing can be sent there and noted in one "
                             "transaction. Hint: consume the quarantine's topic into files, and replay these with --output")
        if topic is not None:
            return topic
        if len(source.topics) != 1:
            raise InputError("source: it reads more than one topic. Hint: name the target topic with --topic")
        return source.topics[0]

    def replayer(self, raw: str) -> "Replayer":
        """Sends records into `raw`; see `Replayer`."""
        return Replayer(self, raw, {**self._settings, **self._sizes}, self._timeout)

    def translated(self, error: KafkaClientError, grant: str) -> JobError:
        """Translate a client's error."""
        if error.has("TopicAuthorizationException", "TransactionalIdAuthorizationException", "ClusterAuthorizationException"):
            return JobError(f"{self._place}: this user is not authorized. Hint: grant {grant}, or name another user with "
                            "--command-config")
        if error.has("ProducerFencedException", "InvalidProducerEpochException"):
            return JobError(f"{self.name}: another replay of this quarantine has begun, and this one stops. Hint: what it had committed "
                            "stays noted; the other one goes on from there")
        return refusal(self._place, self._endpoint.servers, error, self._timeout, self._settings)


class Replayer:
    """Sends records to the raw topic and records their entries, each batch in one Kafka transaction; a context manager.

    The transactional id is the quarantine's, so a second replay ends the first one's transaction before it reads the notes: whatever is
    killed at whatever moment, a record is sent and noted, or neither.

    Attributes:
        done: ids of the entries that were sent before.
        largest: bytes that a record may have.
    """

    def __init__(self, topic: QuarantineTopic, raw: str, settings: Mapping[str, str], timeout: int) -> None:
        """Keep what is needed; see `QuarantineTopic.replayer`."""
        self._topic, self._raw, self._settings, self._timeout = topic, raw, settings, timeout
        self._clients, self._ledger = topic.clients, LEDGER.format(topic=topic.name)
        self.done: set[str] = set()
        self.largest = int(settings.get(_PRODUCER, LARGEST_REQUEST)) - FRAME

    def __enter__(self) -> Self:
        """Begin.

        Raises:
            JobError: Kafka cannot be reached, or refuses us.
        """
        try:
            self._make_ledger()
            serializer = self._clients.name("common.serialization.ByteArraySerializer")
            whole = {**self._settings, "key.serializer": serializer, "value.serializer": serializer, "acks": "all",
                     "transactional.id": f"flink-masking-replay-{self._topic.name}", "max.block.ms": str(self._timeout),
                     "transaction.timeout.ms": str(_TRANSACTION_TIMEOUT)}
            self._producer = self._clients.call(lambda: self._clients.new(
                "clients.producer.KafkaProducer", [self._clients.java("java.util.Properties")], [self._clients.properties(whole)]))
            try:
                self._clients.call(self._producer.initTransactions)  # ends what a replay before has left open; then the notes are whole
                # It is there: a broker that does not know it yet must not make all entries ones that nobody has sent.
                notes = read_topic(self._clients, self._settings, self._ledger, self._timeout, known=True)
                self.done = {record.key.decode() for record in notes or () if record.key is not None}
            except BaseException:
                self.__exit__()
                raise
        except KafkaClientError as error:
            raise self._translated(error) from None
        kinds = ["java.lang.String", "java.lang.Integer", "java.lang.Long", "java.lang.Object", "java.lang.Object", "java.lang.Iterable"]
        jvm = virtual_machine()
        self._objects = jvm.Object
        self._record = self._clients.load("clients.producer.ProducerRecord").getConstructor(
            java_array(jvm.Class, [self._clients.java(kind) for kind in kinds]))
        return self

    def __exit__(self, *_: object) -> None:
        """Close without waiting; an open transaction is never committed."""
        with contextlib.suppress(KafkaClientError):
            self._clients.call(lambda: self._producer.close(virtual_machine().java.time.Duration.ZERO))

    def send(self, records: Iterable[Returned]) -> None:
        """Send records, in transactions of `BATCH`.

        Raises:
            JobError: Kafka refuses them; what was committed before stays noted.
        """
        try:
            for batch in iter(partial(_some, iter(records)), []):
                self._clients.call(self._producer.beginTransaction)
                for record in batch:
                    self._clients.call(partial(self._send, record))
                self._clients.call(self._producer.commitTransaction)
        except KafkaClientError as error:
            raise self._translated(error) from None

    def _send(self, record: Returned) -> None:
        again = self._made(self._raw, record.parts.key, record.value)
        for name, value in (*record.parts.headers, (HEADER, record.id.encode())):
            if name != HEADER or value == record.id.encode():  # a record that was sent again before gets its new id only
                again.headers().add(name, value)
        note = json.dumps({"time": datetime.now(UTC).isoformat(timespec="seconds"), "topic": self._raw})
        self._producer.send(again)
        self._producer.send(self._made(self._ledger, record.id.encode(), note.encode()))

    def _made(self, topic: str, key: bytes | None, value: bytes) -> Any:
        return self._record.newInstance(java_array(self._objects, [topic, None, None, key, value, None]))

    def _make_ledger(self) -> None:
        """Create the ledger topic if it is missing; its entries are kept forever."""
        with KafkaAdmin(self._clients, {k: v for k, v in self._settings.items() if k != _PRODUCER}, self._timeout) as admin:
            if self._ledger in {str(name) for name in admin.wait(self._clients.call(lambda: admin.java.listTopics().names()))}:
                return
            create_topic(admin, self._ledger, settings={"cleanup.policy": "compact"})

    def _translated(self, error: KafkaClientError) -> JobError:
        grant = (f"CREATE, READ and WRITE on topic {self._ledger} (it has cleanup.policy=compact), WRITE on topic {self._raw} and on "
                 f"transactional id flink-masking-replay-{self._topic.name}")
        return self._topic.translated(error, grant)


def _some(records: Iterator[Returned]) -> list[Returned]:
    return list(itertools.islice(records, BATCH))


def _endpoint(options: Mapping[str, str | int | float | bool], place: str) -> Endpoint:
    found = kafka_endpoint(options)
    if found is None or len(found.topics) != 1 or not found.servers:
        raise InputError(f"{place}: it names no topic and brokers. Hint: topic: NAME, properties.bootstrap.servers: \"host:9092\"")
    return found


def settings_of(options: Mapping[str, str | int | float | bool]) -> dict[str, str]:
    """The Kafka clients' own settings of a table."""
    named = {name.removeprefix("properties."): value for name, value in options.items() if name.startswith("properties.")}
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in named.items()}
