"""Access as KafkaUser resources of the Strimzi operator, which keeps a user's ACLs at exactly these."""

import re
from typing import Any

import yaml

from flink_masking.access.acls import Access
from flink_masking.access.commands import camel, grouped
from flink_masking.errors import InputError

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_RESOURCES = {"topic": "topic", "group": "group", "transactional_id": "transactionalId", "cluster": "cluster"}


def kafka_users(access: Access, cluster: str, namespace: str | None = None) -> str:
    """YAML documents, one a principal.

    A principal ``User:CN=name`` signs on by certificate (tls), any other by password (scram-sha-512).

    Args:
        access: what is to be granted, in one cluster.
        cluster: name of the Kafka resource that the users belong to.
        namespace: to put into the resources; None leaves it to whoever applies them.

    Raises:
        InputError: a principal cannot be a KafkaUser, or the deployment's tables are in several clusters.
    """
    if len(access.clusters) != 1:
        raise InputError(f"the deployment's tables are in {len(access.clusters)} Kafka clusters, and a KafkaUser belongs to one. "
                         "Hint: print with --format commands")
    rules: dict[str, list[dict[str, Any]]] = {}
    for (principal, resource, name, pattern), operations in grouped(access.clusters[0].acls):
        what = {"type": _RESOURCES[resource]}
        if resource != "cluster":
            what |= {"name": name, "patternType": "prefix" if pattern == "prefixed" else "literal"}
        rules.setdefault(principal, []).append({"resource": what, "operations": [camel(word) for word in operations], "host": "*"})
    users = [_user(principal, acls, cluster, namespace) for principal, acls in rules.items()]
    return "".join("---\n" + yaml.safe_dump(user, sort_keys=False) for user in users)


def _user(principal: str, acls: list[dict[str, Any]], cluster: str, namespace: str | None) -> dict[str, Any]:
    kind, _, written = principal.partition(":")
    name = written.removeprefix("CN=")
    if kind != "User" or not _NAME.fullmatch(name):
        raise InputError(f"{principal} cannot be a KafkaUser. Hint: User:name or User:CN=name with lower-case letters, digits, '.' and '-'")
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), "labels": {"strimzi.io/cluster": cluster}}
    return {
        "apiVersion": "kafka.strimzi.io/v1beta2",
        "kind": "KafkaUser",
        "metadata": metadata,
        "spec": {
            "authentication": {"type": "tls" if name != written else "scram-sha-512"},
            "authorization": {"type": "simple", "acls": acls},
        },
    }
