"""Where commands note what they open: a file of their own, or the audit of a deployment."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote, urlsplit

import typer

if TYPE_CHECKING:
    from flink_masking.audit.log import EventLog
    from flink_masking.deployment.model import Deployment
    from flink_masking.keys.ring import KeyRing

Audit = Annotated[Path | None, typer.Option(
    "--audit", help="Where the opening is noted: a file, an audit directory, or a deployment, whose sink audit it is.",
    show_default="OUTPUT.audit.jsonl")]


def event_log(audit: Path | None, beside: Path, ring: "KeyRing", stream: str | None = None, version: int | None = None,
              digest: str | None = None, deployment: "Deployment | None" = None) -> "EventLog":
    """The log of a command.

    Args:
        audit: as given; None: the audit of `deployment`, or `beside`.
        beside: the file where nothing else is named.
        ring: signs the events.
        stream: of the policy, or None.
        version: likewise.
        digest: likewise.
        deployment: what the command works on, if it is one.

    Raises:
        InputError: the deployment cannot be read, or its audit cannot be written from here.
        JobError: its audit is in Kafka, and there is no Java or Kafka client.
    """
    from flink_masking.audit.log import AuditLog
    from flink_masking.deployment.model import Deployment

    if audit is not None and audit.suffix in (".yaml", ".yml") and audit.is_file():
        deployment, audit = Deployment.read(audit), None
    if audit is None and deployment is not None and (options := deployment.sinks.get("audit")) is not None:
        from flink_masking.addresses.endpoints import kafka_endpoint
        from flink_masking.errors import InputError

        if kafka_endpoint(options) is not None:
            from flink_masking.kafka.audit_topic import AuditTopic, TopicLog

            return TopicLog(AuditTopic(deployment), ring, stream, version, digest)
        audit = directory(options)
        if audit is None:
            raise InputError("sinks.audit: it is neither in Kafka nor in files of this machine. Hint: --audit FILE, and have it sealed "
                             "with the others (audit: {also: …})")
        audit.mkdir(parents=True, exist_ok=True)
    return AuditLog(audit or beside, ring, stream, version, digest)


def directory(options: Mapping[str, str | int | float | bool]) -> Path | None:
    """The directory of a table in files of this machine; None for any other."""
    place = urlsplit(str(options.get("path", "")))
    if options.get("connector") != "filesystem" or place.scheme not in ("", "file") or not place.path:
        return None
    return Path(unquote(place.path))
