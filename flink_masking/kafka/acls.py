"""The ACLs of a Kafka cluster, read and added through Kafka's own Java client."""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

from flink_masking.access.acls import Acl, Cluster
from flink_masking.access.difference import Difference, difference
from flink_masking.errors import JobError
from flink_masking.kafka.client import TIMEOUT, KafkaAdmin, KafkaClientError, KafkaClients
from flink_masking.kafka.errors import refusal
from flink_masking.kafka.identity import connection

_TEXT = "java.lang.String"
_ENUMS = {"resource": "common.resource.ResourceType", "pattern": "common.resource.PatternType",
          "operation": "common.acl.AclOperation", "permission": "common.acl.AclPermissionType"}


class AclClient:
    """The access control of one cluster; a context manager."""

    def __init__(self, cluster: Cluster, command_config: Path | None, jars: Iterable[Path], timeout: int = TIMEOUT) -> None:
        """Make the client.

        Args:
            cluster: what is to be granted, and how the deployment reaches the cluster.
            command_config: properties of an administrator, as Kafka's tools take them, instead of the deployment's own.
            jars: that hold the Kafka connector; nothing where Flink has it.
            timeout: milliseconds that a broker gets to answer.

        Raises:
            InputError: the properties file cannot be read.
            JobError: there are no Kafka clients, or they cannot use the properties.
        """
        self._cluster, self._timeout, self._clients = cluster, timeout, KafkaClients(jars)
        self._settings = connection(self._clients, cluster.properties, cluster.servers, command_config)
        self._place = "the deployment" if command_config is None else str(command_config)
        self._servers = self._settings["bootstrap.servers"].split(",")
        try:
            self._admin = KafkaAdmin(self._clients, self._settings, timeout)
        except KafkaClientError as error:
            raise self._refusal(error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._admin.close()

    def compare(self) -> Difference:
        """What the cluster has of the wanted entries, and which others open its topics or give its principals more.

        Raises:
            JobError: the cluster cannot be reached, has no access control, or does not show it to this principal.
        """
        wanted = self._cluster.acls
        topics = dict.fromkeys(acl.name for acl in wanted if acl.resource == "topic")
        filters = [self._filter(("TOPIC", topic, "MATCH"), None) for topic in topics]
        filters += [self._filter(("ANY", None, "ANY"), principal) for principal in dict.fromkeys(acl.principal for acl in wanted)]
        try:
            asked = [self._clients.call(partial(self._admin.java.describeAcls, one)).values() for one in filters]
            return difference(wanted, {_acl(binding) for answer in asked for binding in self._admin.wait(answer)})
        except KafkaClientError as error:
            raise self._refusal(error) from None

    def create(self, acls: Iterable[Acl]) -> None:
        """Add entries; those that are there stay, so it may be done again.

        Raises:
            JobError: as `compare`; no, or not all entries were added.
        """
        bindings = [self._binding(acl) for acl in acls]
        if not bindings:
            return
        try:
            self._admin.wait(self._clients.call(lambda: self._admin.java.createAcls(self._clients.list(bindings))).all())
        except KafkaClientError as error:
            raise self._refusal(error) from None

    def _filter(self, pattern: tuple[str, str | None, str], principal: str | None) -> Any:
        """An ``AclBindingFilter`` for resources and, where it is not None, one principal."""
        resource = self._new("common.resource.ResourcePatternFilter",
                             [(_ENUMS["resource"], pattern[0]), (_TEXT, pattern[1]), (_ENUMS["pattern"], pattern[2])])
        entry = self._new("common.acl.AccessControlEntryFilter",
                          [(_TEXT, principal), (_TEXT, None), (_ENUMS["operation"], "ANY"), (_ENUMS["permission"], "ANY")])
        kinds = [self._clients.load("common.resource.ResourcePatternFilter"), self._clients.load("common.acl.AccessControlEntryFilter")]
        return self._clients.new("common.acl.AclBindingFilter", kinds, [resource, entry])

    def _binding(self, acl: Acl) -> Any:
        resource = self._new("common.resource.ResourcePattern",
                             [(_ENUMS["resource"], acl.resource.upper()), (_TEXT, acl.name), (_ENUMS["pattern"], acl.pattern.upper())])
        entry = self._new("common.acl.AccessControlEntry",
                          [(_TEXT, acl.principal), (_TEXT, acl.host), (_ENUMS["operation"], acl.operation.upper()),
                           (_ENUMS["permission"], acl.permission.upper())])
        kinds = [self._clients.load("common.resource.ResourcePattern"), self._clients.load("common.acl.AccessControlEntry")]
        return self._clients.new("common.acl.AclBinding", kinds, [resource, entry])

    def _new(self, name: str, arguments: Sequence[tuple[str, str | None]]) -> Any:
        """An object whose constructor takes texts and constants of enumerations, each with its class."""
        text = self._clients.java(_TEXT)
        kinds = [text if kind == _TEXT else self._clients.load(kind) for kind, _ in arguments]
        values = [value if kind == _TEXT else self._clients.static(kind, "fromString", [text], [value]) for kind, value in arguments]
        return self._clients.new(name, kinds, values)

    def _refusal(self, error: KafkaClientError) -> JobError:
        where = f"{self._place}: Kafka at {','.join(self._servers)}"
        if error.has("SecurityDisabledException"):
            return JobError(f"{where}: the cluster has no access control, so everybody may read everything. Hint: set "
                            "authorizer.class.name and super.users on its brokers")
        if error.has("ClusterAuthorizationException"):
            return JobError(f"{where}: this principal may not manage access control. Hint: name the properties of an administrator with "
                            "--command-config")
        return refusal(self._place, self._servers, error, self._timeout, self._settings)


def _acl(binding: Any) -> Acl:
    """An entry of the Java client's."""
    pattern, entry = binding.pattern(), binding.entry()
    return Acl(str(entry.principal()), str(pattern.resourceType().toString()).lower(), str(pattern.name()),
               str(pattern.patternType().toString()).lower(), str(entry.operation().toString()).lower(), str(entry.host()),
               str(entry.permissionType().toString()).lower())
