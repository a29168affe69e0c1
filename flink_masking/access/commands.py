"""Access as commands of Kafka's own tool, for those who review before they run."""

import shlex
from collections.abc import Iterable

from flink_masking.access.acls import Access, Acl

_RESOURCES = {"topic": "--topic", "group": "--group", "transactional_id": "--transactional-id"}


def commands(access: Access, command_config: str) -> str:
    """A shell script of ``kafka-acls.sh`` lines, one a principal and resource.

    Args:
        access: what is to be granted.
        command_config: name of the properties file of an administrator, as it is to stand in the commands.
    """
    lines: list[str] = []
    for cluster in access.clusters:
        before = ""
        for (principal, resource, name, pattern), operations in grouped(cluster.acls):
            if principal != before:
                lines.append(f"# {principal}")
                before = principal
            words = ["kafka-acls.sh", "--bootstrap-server", cluster.servers, "--command-config", command_config, "--add",
                     "--allow-principal", principal]
            for operation in operations:
                words += ["--operation", camel(operation)]
            words += ["--cluster"] if resource == "cluster" else [_RESOURCES[resource], name]
            words += ["--resource-pattern-type", "prefixed"] if pattern == "prefixed" else []
            lines.append(shlex.join(words))
    return "\n".join(lines) + "\n"


def grouped(acls: Iterable[Acl]) -> list[tuple[tuple[str, str, str, str], list[str]]]:
    """The operations by principal, resource, name and pattern, in the order of the entries."""
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for acl in acls:
        found.setdefault((acl.principal, acl.resource, acl.name, acl.pattern), []).append(acl.operation)
    order = {principal: number for number, principal in enumerate(dict.fromkeys(key[0] for key in found))}
    return sorted(found.items(), key=lambda item: order[item[0][0]])


def camel(operation: str) -> str:
    """``idempotent_write`` as Kafka's tools write it, ``IdempotentWrite``."""
    return "".join(part.capitalize() for part in operation.split("_"))
