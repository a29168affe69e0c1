"""Names of datasets as OpenLineage's naming conventions have them, from the options of tables; no login is part of them."""

import re
import urllib.parse
from collections.abc import Mapping
from typing import NamedTuple

from flink_masking.addresses.endpoints import kafka_endpoint

Options = Mapping[str, str | int | float | bool]
UNPLACED = "flink-masking"
"""Namespace of datasets of which no deployment says where they are."""


class Dataset(NamedTuple):
    """The name of a dataset.

    Attributes:
        namespace: ``kafka://host:port``, ``file``, ``postgres://host:port``, …
        name: topic, path or table.
    """

    namespace: str
    name: str


def dataset(name: str, options: Options | None) -> Dataset:
    """The dataset behind a table.

    Args:
        name: of the stream or segment, where the options tell no better one.
        options: of the Flink SQL table; None where there is no deployment.
    """
    if options is None:
        return Dataset(UNPLACED, name)
    if (endpoint := kafka_endpoint(options)) is not None:
        servers = endpoint.servers[0] if endpoint.servers else "unknown"
        return Dataset(f"kafka://{servers}", ";".join(endpoint.topics) or endpoint.pattern or name)
    if options.get("connector") == "jdbc":
        return Dataset(_jdbc(str(options.get("url", ""))), str(options.get("table-name", name)))
    if (path := options.get("path")) is not None:
        parts = urllib.parse.urlsplit(str(path))
        if parts.scheme in ("", "file"):
            return Dataset("file", urllib.parse.unquote(parts.path) or name)
        return Dataset(f"{parts.scheme}://{_host(parts)}", parts.path.lstrip("/") or name)
    return Dataset(f"flink://{options.get('connector', 'unknown')}", name)


def _jdbc(url: str) -> str:
    """``jdbc:postgresql://user:secret@host/db?password=…`` → ``postgres://host/db``: the driver, hosts and database alone."""
    found = re.fullmatch(r"jdbc:([a-z0-9]+)://([^/?;]*)(/[^?;&]*)?.*", url, re.DOTALL | re.IGNORECASE)
    if found is None:
        return "jdbc"
    driver = {"postgresql": "postgres"}.get(found[1].lower(), found[1].lower())
    return f"{driver}://{found[2].rpartition('@')[2]}{found[3] or ''}"


def _host(parts: urllib.parse.SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]
