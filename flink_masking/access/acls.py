"""Derives the minimal Kafka ACLs of a stream."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from flink_masking.access.names import delimited, unusable
from flink_masking.access.principals import Principals
from flink_masking.addresses.endpoints import Endpoint, kafka_endpoint
from flink_masking.deployment.model import Deployment
from flink_masking.deployment.tables import completed
from flink_masking.errors import InputError
from flink_masking.policy.model import Policy

Resource = Literal["topic", "group", "transactional_id", "cluster"]
CLUSTER = "kafka-cluster"
"""The name of the one resource of type cluster."""


class Acl(NamedTuple):
    """One entry of Kafka's access control lists.

    Attributes:
        principal: ``User:name``.
        resource: type of what it is for.
        name: of the resource, or what its name begins with.
        pattern: literal or prefixed.
        operation: in lower case, as ``read``.
        host: address it may come from.
        permission: allow or deny.
    """

    principal: str
    resource: str
    name: str
    pattern: str
    operation: str
    host: str = "*"
    permission: str = "allow"

    def __str__(self) -> str:
        begins = " beginning with" if self.pattern == "prefixed" else ""
        where = "" if self.host == "*" else f" from {self.host}"
        what = "the cluster" if self.resource == "cluster" else f"{self.resource.replace('_', ' ')}{begins} {self.name}"
        return f"{self.principal} {'may' if self.permission == 'allow' else 'may not'} {self.operation} {what}{where}"


@dataclass(frozen=True)
class Cluster:
    """What is granted in one Kafka cluster.

    Attributes:
        servers: its bootstrap servers, as the deployment writes them.
        acls: each once, the job's first.
        properties: of the Kafka clients, as the deployment writes them; passwords among them.
    """

    servers: str
    acls: tuple[Acl, ...]
    properties: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Access:
    """What a stream needs.

    Attributes:
        clusters: nearly always one.
        notes: what Kafka's access control cannot do for this deployment, in words.
    """

    clusters: tuple[Cluster, ...]
    notes: tuple[str, ...]


def derive(policy: Policy, deployment: Deployment, principals: Principals, idempotent_write: bool = False) -> Access:
    """Derive least-privilege access: the job reads the raw topic and writes every output; each audience reads its own segment.

    Writing implies describing, and since Kafka 2.8 it implies idempotent writing, too.

    Args:
        policy: its segments are the outputs, with audit and quarantine.
        deployment: as read: in which topics they are; tables in other places are left out, with a note.
        principals: checked against the policy.
        idempotent_write: also grant it on the cluster, for brokers before 2.8.

    Raises:
        JobError: the sinks do not fit the policy, or two tables are one topic.
        InputError: no table is in Kafka, a table does not name its topics or servers, a name is none for Kafka, or consumer groups of job
            and readers overlap.
    """
    outputs = [*policy.segments, "audit", "quarantine"]
    deployment.require(outputs)
    deployment = completed(deployment, policy.stream)
    tables = {"source": deployment.source, **{f"sinks.{name}": deployment.sinks[name] for name in outputs}}
    endpoints = {place: found for place, options in tables.items() if (found := _endpoint(place, options)) is not None}
    if not endpoints:
        raise InputError("the deployment has nothing in Kafka. Hint: access is derived for tables with connector: kafka or upsert-kafka")
    granted = [*_job(endpoints, principals, idempotent_write), *_readers(endpoints, principals)]
    notes = [f"{place} is not in Kafka: its own system controls access" for place in tables if place not in endpoints]
    unread = [name for name in policy.segments if name not in principals.segments and f"sinks.{name}" in endpoints]
    notes += [f"the principals file names no reader of {name}" for name in unread]
    clusters: list[Cluster] = []
    for members in _clusters(endpoints):
        acls = tuple(dict.fromkeys(acl for place, acl in granted if place in members))
        clusters.append(Cluster(",".join(endpoints[members[0]].servers), acls, _properties(tables[members[0]])))
    return Access(tuple(clusters), tuple(notes))


def _endpoint(place: str, options: Mapping[str, str | int | float | bool]) -> Endpoint | None:
    found = kafka_endpoint(options)
    if found is None:
        return None
    if not found.topics:
        what = "names its topics by a pattern" if found.pattern else "has no topic"
        raise InputError(f"{place} {what}, and access is granted by name. Hint: topic: name, or topic: one;two")
    named = {"topic": found.topics, "properties.group.id": (found.group,), "sink.transactional-id-prefix": (found.transactions,)}
    for option, names in named.items():
        for wrong in filter(None, (unusable(name) for name in names if name is not None)):
            raise InputError(f"{place}.{option} {wrong}. Hint: up to 249 letters, digits, '.', '_' and '-'; access is granted name by name")
    if not found.servers:
        raise InputError(f"{place} has no properties.bootstrap.servers. Hint: properties.bootstrap.servers: broker:9093")
    return found


def _properties(options: Mapping[str, str | int | float | bool]) -> dict[str, str]:
    """The Kafka client settings in a table's options."""
    given = {name.removeprefix("properties."): value for name, value in options.items() if name.startswith("properties.")}
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}


def _clusters(endpoints: Mapping[str, Endpoint]) -> list[list[str]]:
    """The tables by cluster: those that have a bootstrap server in common, directly or through others."""
    clusters: list[list[str]] = []
    for place, endpoint in endpoints.items():
        near = [cluster for cluster in clusters if any(endpoint.same_cluster(endpoints[other]) for other in cluster)]
        clusters = [cluster for cluster in clusters if cluster not in near] + [[*(other for cluster in near for other in cluster), place]]
    order = list(endpoints)
    return sorted((sorted(cluster, key=order.index) for cluster in clusters), key=lambda cluster: order.index(cluster[0]))


def _job(endpoints: Mapping[str, Endpoint], principals: Principals, idempotent_write: bool) -> Iterator[tuple[str, Acl]]:
    job = principals.job
    for place, endpoint in endpoints.items():
        for topic in endpoint.topics:
            yield from _each(place, job, "topic", topic, "literal", ("read" if place == "source" else "write", "describe"))
        if place == "source" and endpoint.group is not None:
            yield from _each(place, job, "group", endpoint.group, "literal", ("read", "describe"))
        if place != "source" and endpoint.transactions is not None:
            yield from _each(place, job, "transactional_id", delimited(endpoint.transactions), "prefixed", ("write", "describe"))
        if place != "source" and idempotent_write:
            yield from _each(place, job, "cluster", CLUSTER, "literal", ("idempotent_write",))


def _readers(endpoints: Mapping[str, Endpoint], principals: Principals) -> Iterator[tuple[str, Acl]]:
    source = endpoints.get("source")
    for name, _, readers in principals.readers():
        place = f"sinks.{name}"
        if place not in endpoints:
            continue
        for principal in readers.principals:
            prefix = readers.group_prefix(principal)
            if source is not None and source.group is not None and source.group.startswith(prefix):
                raise InputError(f"the job's consumer group {source.group} begins with {prefix}, which {principal} may use. Hint: give the "
                                 "readers another group in the principals file, or the source another properties.group.id")
            for topic in endpoints[place].topics:
                yield from _each(place, principal, "topic", topic, "literal", ("read", "describe"))
            yield from _each(place, principal, "group", prefix, "prefixed", ("read", "describe"))


def _each(place: str, principal: str, resource: Resource, name: str, pattern: str, operations: Iterable[str]) -> Iterator[tuple[str, Acl]]:
    for operation in operations:
        yield place, Acl(principal, resource, name, pattern, operation)
