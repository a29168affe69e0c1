"""The identity of a command's Kafka clients: the deployment's own, or that of a properties file."""

import re
from collections.abc import Mapping
from pathlib import Path

from flink_masking.errors import InputError
from flink_masking.flink.gateway import virtual_machine
from flink_masking.kafka.client import KafkaClients

CONNECTION = ("bootstrap.", "security.", "sasl.", "ssl.", "config.providers")
"""Beginnings of the settings that say how a cluster is reached."""
_UNSHADED = re.compile(r"(?<![\w.])org\.apache\.kafka\.")


def connection(clients: KafkaClients, own: Mapping[str, str], servers: str, command_config: Path | None) -> dict[str, str]:
    """The settings of a client's connection.

    Args:
        clients: the classes that the client is of.
        own: settings of the deployment's table, without ``properties.``.
        servers: bootstrap servers, where the file names none.
        command_config: a file of Java properties as Kafka's own tools take it, which then says everything; None for `own`.

    Raises:
        InputError: the file cannot be read.
    """
    mine = {name: value for name, value in own.items() if name.startswith(CONNECTION)}
    settings = mine if command_config is None else {"bootstrap.servers": servers, **_properties(command_config)}
    package = clients.name("")
    # A file made for Kafka's own tools names their classes; the connector's jar has them under another package.
    return {name: _UNSHADED.sub(package, value) for name, value in settings.items()}


def _properties(path: Path) -> Mapping[str, str]:
    """A file of Java properties, read by Java."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: the properties cannot be read ({error.strerror}). Hint: pass an administrator's with "
                         "--command-config") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: the properties are not UTF-8 text. Hint: save the file as UTF-8") from None
    jvm = virtual_machine()
    found = jvm.java.util.Properties()
    found.load(jvm.java.io.StringReader(text))
    return {str(name): str(found.getProperty(name)) for name in found.stringPropertyNames()}
