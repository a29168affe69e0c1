"""Names of datasets as OpenLineage's naming conventions have them, from the options of tables; no login is part of them."""

import re
import urllib.parse
from collections.abc import Mapping
from typing import NamedTuple

from flink_masking.addresses.endpoints import kafka_endpoint

Options = Mapping[str, str | int | float | bool]
UNPLACED = "flink-masking"
"""Namespace of datasets of which no deployment says where they are."""
_LOGIN = r"(?:[^@/?#;&]*@)?"
_HOST = r"(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?"
_HOSTS = re.compile(rf"{_HOST}(?:,{_HOST})*")
"""Names and addresses with ports; what has another form can hold a login, and is not shown."""


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
        servers = re.sub(r"^[A-Z_]+://", "", endpoint.servers[0]) if endpoint.servers else ""
        topic = ";".join(endpoint.topics) or endpoint.pattern or name
        return Dataset(f"kafka://{servers if _HOSTS.fullmatch(servers) else 'unknown'}", topic)
    if options.get("connector") == "jdbc":
        return Dataset(_jdbc(str(options.get("url", ""))), str(options.get("table-name", name)))
    if (path := options.get("path")) is not None:
        return _file(str(path), name)
    return Dataset(f"flink://{options.get('connector', 'unknown')}", name)


def _file(path: str, name: str) -> Dataset:
    """``s3://key:secret@bucket/folder?option=…`` → bucket and folder."""
    scheme, separator, rest = path.partition(":")
    if not separator or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme) or scheme == "file":
        return Dataset("file", urllib.parse.unquote(urllib.parse.urlsplit(path).path) or name)
    found = re.fullmatch(rf"//{_LOGIN}([^/?#;]*)(/[^?#;@\\]*)?([?#;].*)?", rest, re.DOTALL)
    if found is None or not (found[1] == "" or _HOSTS.fullmatch(found[1])):
        return Dataset(f"{scheme}://", name)
    return Dataset(f"{scheme}://{found[1]}", (found[2] or "").lstrip("/") or name)


def _jdbc(url: str) -> str:
    """``jdbc:postgresql://user:secret@host/db?password=…`` → ``postgres://host/db``: the driver, hosts and database alone.

    Of an address of any other form the driver: what looks like a host or database there can be part of a login.
    """
    driver = re.match(r"jdbc:([a-z0-9]+):", url, re.IGNORECASE)
    if driver is None:
        return "jdbc"
    name = {"postgresql": "postgres"}.get(driver[1].lower(), driver[1].lower())
    found = re.fullmatch(rf"//{_LOGIN}([^/?;&]*)((?:/[\w$.-]*)?)([?;&][^@]*)?", url[driver.end() :], re.DOTALL)
    return f"{name}://{found[1]}{found[2]}" if found is not None and _HOSTS.fullmatch(found[1]) else name
