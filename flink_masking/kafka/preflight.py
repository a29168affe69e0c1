"""Checks before a job starts that every Kafka cluster of its deployment grants the access that it needs.

It is asked with the clients and the properties that the job will use, so that what passes here does not fail there for another reason.
Nothing is written to a topic. No option's value stands in a message but addresses, names of topics, groups and transactions, and time-outs.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from flink_masking.addresses.endpoints import Endpoint, kafka_endpoint
from flink_masking.deployment.model import Deployment
from flink_masking.errors import JobError
from flink_masking.kafka.client import TIMEOUT, KafkaAdmin, KafkaClientError, KafkaClients
from flink_masking.kafka.errors import denied, refusal

PREFIX = "properties."
_CONNECTION = ("bootstrap.", "security.", "sasl.", "ssl.", "config.providers")
TRANSACTION_TIMEOUT = "transaction.timeout.ms"
_DEFAULT_TRANSACTION_TIMEOUT = "3600000"
"""What Flink's sink sets where nothing is said: an hour, which is more than a broker's own default allows."""


def preflight(deployment: Deployment, jars: Iterable[Path], timeout: int = TIMEOUT) -> list[str]:
    """Check all tables of a deployment that lie in Kafka.

    Args:
        deployment: with the defaults that its tables get (``tables.completed``).
        jars: that hold the connector; nothing where Flink has it.
        timeout: milliseconds that a broker gets to answer.

    Returns:
        What was found to be in order, a line for each table.

    Raises:
        JobError: with what to do about it: the broker cannot be reached or refuses the user, its certificate does not hold, a
            topic is missing, an operation is not allowed, or a transaction may not take as long as the sink's may.
    """
    everything = {"source": deployment.source, **{f"sinks.{name}": options for name, options in deployment.sinks.items()}}
    tables = {name: (endpoint, _settings(options)) for name, options in everything.items() if (endpoint := kafka_endpoint(options))}
    if not tables:
        return []
    for name, (endpoint, _) in tables.items():
        if not endpoint.servers:
            raise JobError(f"{name}: no broker is named. Hint: properties.bootstrap.servers: \"host:9092\"")
    clients = KafkaClients(jars)
    clusters: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for name, (_, settings) in tables.items():
        clusters.setdefault(tuple(sorted(item for item in settings.items() if item[0].startswith(_CONNECTION))), []).append(name)
    said = []
    for names in clusters.values():
        endpoint, settings = tables[names[0]]
        try:
            admin = KafkaAdmin(clients, settings, timeout)
        except KafkaClientError as error:
            raise refusal(names[0], endpoint.servers, error, timeout, settings) from None
        with admin:
            check = _Cluster(admin, timeout)
            check.reach(names[0], endpoint, settings)
            for name in names:
                endpoint, settings = tables[name]
                said.append(check.source(name, endpoint) if name == "source" else check.sink(name, endpoint, settings))
    return said


def _settings(options: Mapping[str, Any]) -> dict[str, str]:
    """The Kafka clients' own settings of a table."""
    named = {name.removeprefix(PREFIX): value for name, value in options.items() if name.startswith(PREFIX)}
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in named.items()}


class _Cluster:
    """The checks of one cluster under one identity."""

    def __init__(self, admin: KafkaAdmin, timeout: int) -> None:
        self._admin, self._clients, self._timeout = admin, admin.clients, timeout

    def reach(self, name: str, endpoint: Endpoint, settings: Mapping[str, str]) -> None:
        """Check that the broker answers and accepts the credentials."""
        try:
            self._admin.wait(self._ask("describeCluster").nodes())
        except KafkaClientError as error:
            raise refusal(name, endpoint.servers, error, self._timeout, settings) from None

    def source(self, name: str, endpoint: Endpoint) -> str:
        """Topics are there and may be read, and the consumer group may be used."""
        topics = endpoint.topics or self._matching(name, endpoint)
        for topic in topics:
            if not self._allowed(name, endpoint, topic, "READ"):
                raise JobError(f"{name}: topic {topic} does not exist. Hint: create it, or correct topic: in the deployment")
        if endpoint.group is not None:
            self._group(name, endpoint, endpoint.group)
        return f"{name}: {', '.join(topics)} can be read"

    def sink(self, name: str, endpoint: Endpoint, settings: Mapping[str, str]) -> str:
        """Topics are there, or will be made, and may be written; transactions may take as long as they may take here."""
        made = []
        for topic in endpoint.topics:
            if not self._allowed(name, endpoint, topic, "WRITE"):
                if not self._makes_topics():
                    raise JobError(f"{name}: topic {topic} does not exist, and the broker is not known to make topics itself. Hint: create "
                                   "it, or correct topic: in the deployment")
                made.append(topic)
        if endpoint.transactions is not None:
            self._transactions(name, endpoint, endpoint.transactions, settings)
        note = f" ({', '.join(made)} will be made by the broker)" if made else ""
        return f"{name}: {', '.join(endpoint.topics) or 'any topic'} can be written{note}"

    def _matching(self, name: str, endpoint: Endpoint) -> tuple[str, ...]:
        """Topics that fit the pattern of a source, as far as Python reads a Java pattern."""
        try:
            pattern = re.compile(endpoint.pattern or "")
        except re.error:
            return ()
        try:
            names = sorted(str(topic) for topic in self._admin.wait(self._ask("listTopics").names()))
        except KafkaClientError as error:
            raise refusal(name, endpoint.servers, error, self._timeout) from None
        found = tuple(filter(pattern.fullmatch, names))
        if not found:
            raise JobError(f"{name}: no topic that the job's user may see fits topic-pattern. Hint: create one, or grant READ on topics")
        return found

    def _allowed(self, name: str, endpoint: Endpoint, topic: str, operation: str) -> bool:
        """Whether the topic is there.

        Raises:
            JobError: the operation is not allowed on it.
        """
        asked = self._clients.new("clients.admin.DescribeTopicsOptions").includeAuthorizedOperations(True)
        try:
            result = self._clients.call(lambda: self._admin.java.describeTopics(self._clients.list([topic]), asked))
            description = self._admin.wait(result.topicNameValues()[topic])
        except KafkaClientError as error:
            if error.has("UnknownTopicOrPartitionException"):
                return False
            if error.has("InvalidTopicException"):
                raise JobError(f"{name}: {topic!r} is no name of a topic. Hint: letters, digits, '.', '_' and '-'") from None
            if not error.has("TopicAuthorizationException"):
                raise refusal(name, endpoint.servers, error, self._timeout) from None
            allowed = False
        else:
            allowed = self._has(description, operation)
        if not allowed:
            raise denied(name, f"topic {topic} may not be {'read' if operation == 'READ' else 'written'}", f"{operation} on topic {topic}")
        return True

    def _has(self, description: Any, operation: str) -> bool:
        """Whether an operation is among those allowed; brokers that do not say are taken to allow it."""
        operations = description.authorizedOperations()
        return operations is None or operation in {str(one.toString()) for one in operations}

    def _group(self, name: str, endpoint: Endpoint, group: str) -> None:
        asked = self._clients.new("clients.admin.DescribeConsumerGroupsOptions").includeAuthorizedOperations(True)
        try:
            result = self._clients.call(lambda: self._admin.java.describeConsumerGroups(self._clients.list([group]), asked))
            allowed = self._has(self._admin.wait(result.describedGroups()[group]), "READ")
        except KafkaClientError as error:
            if error.has("GroupIdNotFoundException"):
                return
            if not error.has("GroupAuthorizationException"):
                raise refusal(name, endpoint.servers, error, self._timeout) from None
            allowed = False
        if not allowed:
            raise denied(name, f"consumer group {group} may not be used", f"READ on group {group}")

    def _makes_topics(self) -> bool:
        """Whether the broker says that it makes topics on first use; one that does not tell this user is taken not to."""
        try:
            node = self._admin.wait(self._ask("describeCluster").controller())
            kind = self._clients.load("common.config.ConfigResource$Type").getField("BROKER").get(None)
            resource = self._clients.new("common.config.ConfigResource", [kind.getClass(), self._clients.java("java.lang.String")],
                                         [kind, str(node.id())])
            result = self._clients.call(lambda: self._admin.java.describeConfigs(self._clients.list([resource])))
            return str(self._admin.wait(result.values()[resource]).get("auto.create.topics.enable").value()) == "true"
        except KafkaClientError:
            return False

    def _transactions(self, name: str, endpoint: Endpoint, prefix: str, settings: Mapping[str, str]) -> None:
        """What every instance of the sink does first; under an id of the sink's prefix, as access is granted by prefix."""
        limit = settings.get(TRANSACTION_TIMEOUT, _DEFAULT_TRANSACTION_TIMEOUT)
        mine = {**settings, "transactional.id": f"{prefix}-preflight", TRANSACTION_TIMEOUT: limit}
        try:
            self._clients.initialise_transactions(mine, self._timeout)
        except KafkaClientError as error:
            if error.has("InvalidTxnTimeoutException") or error.says("transaction timeout is larger"):
                raise JobError(f"{name}: transactions may take {limit} ms, which is more than the broker allows. Hint: lower properties."
                               f"{TRANSACTION_TIMEOUT}, or raise the broker's transaction.max.timeout.ms") from None
            if error.has("TransactionalIdAuthorizationException"):
                raise denied(name, f"transactions {prefix}… may not be made",
                             f"WRITE and DESCRIBE on transactional ids that begin with {prefix}") from None
            if error.has("TimeoutException"):
                raise JobError(f"{name}: the broker does not begin a transaction within {self._timeout / 1000:g} s. Hint: is its topic "
                               "__transaction_state in order (transaction.state.log.replication.factor, min.isr)?") from None
            raise refusal(name, endpoint.servers, error, self._timeout) from None

    def _ask(self, method: str) -> Any:
        return self._clients.call(getattr(self._admin.java, method))
