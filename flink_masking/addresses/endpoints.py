"""Derives from the options of a Flink SQL table where its records are: topics of a Kafka cluster, or a directory."""

import ipaddress
import re
from collections.abc import Mapping
from typing import NamedTuple

ENCRYPTED = frozenset({"SSL", "SASL_SSL"})
"""Security protocols of Kafka that use TLS."""
KAFKA = frozenset({"kafka", "upsert-kafka"})
"""Connectors whose records are in Kafka topics."""
_TABLE = ("url", "table-name")
_ICEBERG = ("warehouse", "uri", "catalog-database", "catalog-table")


class Endpoint(NamedTuple):
    """One table in Kafka.

    Attributes:
        servers: bootstrap servers, in the order written.
        topics: by name; empty for a source that names a pattern.
        pattern: regular expression of topic names, or None.
        group: consumer group of a source, or None.
        transactions: prefix of transactional ids of a sink that writes exactly once, or None.
    """

    servers: tuple[str, ...]
    topics: tuple[str, ...]
    pattern: str | None = None
    group: str | None = None
    transactions: str | None = None

    def same_cluster(self, other: "Endpoint") -> bool:
        """Whether a bootstrap server of the one is one of the other."""
        return bool({server.lower() for server in self.servers} & {server.lower() for server in other.servers})


def kafka_endpoint(options: Mapping[str, str | int | float | bool]) -> Endpoint | None:
    """The Kafka side of a table's options; None for a table that is not in Kafka."""
    if options.get("connector") not in KAFKA:
        return None

    def text(name: str) -> str | None:
        value = options.get(name)
        return None if value is None or str(value).strip() == "" else str(value).strip()

    exactly = text("sink.delivery-guarantee") == "exactly-once"
    return Endpoint(
        tuple(part.strip() for part in (text("properties.bootstrap.servers") or "").split(",") if part.strip()),
        tuple(part.strip() for part in (text("topic") or "").split(";") if part.strip()),
        text("topic-pattern"),
        text("properties.group.id"),
        text("sink.transactional-id-prefix") if exactly else None,
    )


def unencrypted(options: Mapping[str, str | int | float | bool]) -> tuple[str, ...]:
    """Bootstrap servers on other machines to which records would go in clear; none for a table with TLS, or not in Kafka."""
    endpoint = kafka_endpoint(options)
    if endpoint is None or str(options.get("properties.security.protocol", "PLAINTEXT")).strip().upper() in ENCRYPTED:
        return ()
    return tuple(server for server in endpoint.servers if not is_loopback(server))


def unencrypted_jdbc(options: Mapping[str, str | int | float | bool]) -> str | None:
    """The host on another machine to which a table over JDBC speaks in clear; None with TLS, on this machine, or without JDBC.

    Only PostgreSQL's way to ask for TLS (``sslmode``) is known; another database is taken to be reached in clear.
    """
    if options.get("connector") != "jdbc":
        return None
    found = re.match(r"jdbc:([a-z0-9]+):(?://([^/?;]*))?", url := str(options.get("url", "")), re.IGNORECASE)
    hosts = [host.rpartition("@")[2] for host in (found[2] or "").split(",") if host] if found else []
    mode = re.search(r"[?&]sslmode=([a-z-]+)", url)
    if mode is not None and mode[1] in ("require", "verify-ca", "verify-full"):
        return None
    return next((f"{found[1]} at {host}" for host in hosts if found and not is_loopback(host)), None)


def is_loopback(server: str) -> bool:
    """Whether a name or address, with or without a port, is this machine's: localhost, 127.0.0.0/8, ::1, or the path of a socket."""
    if server.startswith(("/", "%2F", "%2f")):
        return True
    host = server.rpartition("://")[2]
    host = host[1:].partition("]")[0] if host.startswith("[") else host.rpartition(":")[0] if host.count(":") == 1 else host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() in ("localhost", "localhost.")


def collision(one: Mapping[str, str | int | float | bool], other: Mapping[str, str | int | float | bool]) -> str | None:
    """What two tables have in common, ``topic raw`` or ``directory file:///out``; None when they lie apart.

    Topics of the same name on clusters without a bootstrap server in common are apart.
    """
    left, right = kafka_endpoint(one), kafka_endpoint(other)
    if left is not None and right is not None:
        if not left.same_cluster(right):
            return None
        shared = next((topic for topic in left.topics if topic in right.topics or _matches(right.pattern, topic)), None)
        shared = shared or next((topic for topic in right.topics if _matches(left.pattern, topic)), None)
        return f"topic {shared}" if shared else None
    if one.get("connector") == other.get("connector") == "jdbc" and [one.get(k) for k in _TABLE] == [other.get(k) for k in _TABLE]:
        return f"table {one.get('table-name')}"
    if one.get("connector") == other.get("connector") == "iceberg" and [one.get(k) for k in _ICEBERG] == [other.get(k) for k in _ICEBERG]:
        return f"table {one.get('catalog-table')}"
    path = one.get("path")
    if path is not None and one.get("connector") == other.get("connector") and str(path).rstrip("/") == str(other.get("path")).rstrip("/"):
        return f"directory {path}"
    return None


def _matches(pattern: str | None, topic: str) -> bool:
    try:
        return pattern is not None and re.fullmatch(pattern, topic) is not None
    except re.error:  # a Java pattern that Python does not read; Kafka's part
        return False
