"""Where control documents lie and whom a job trusts; picklable, and free of secrets."""

import json
import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from flink_masking.addresses.endpoints import is_loopback
from flink_masking.addresses.passwords import holds_password
from flink_masking.addresses.references import REFERENCE, value_of
from flink_masking.errors import ControlError, InputError

REFRESH, MAX_STALENESS, TIMEOUT = 5_000, 600_000, 10_000
"""Defaults in ms: between two looks, until grants are suspended, for one answer."""
_SECRET = re.compile(r"password|secret|\.token", re.IGNORECASE)
"""Kafka settings that are given by reference only."""
_OWN = {"connector", "topic"}


@dataclass(frozen=True)
class ControlOptions:
    """The section ``control`` of a deployment; it becomes part of the job graph.

    Attributes:
        source: ``file:///directory``, ``file:///bundle.jsonl`` or ``https://…``; empty where it is a topic.
        topic: options of a compacted Kafka topic as in Flink SQL: ``connector``, ``topic``, ``properties.*``.
        trust: contents of the trust file.
        refresh: ms between two looks.
        max_staleness: ms without an answer after which every grant is suspended.
        state: ``file:///file`` that keeps what must survive a restart; None: workers keep it in memory.
        timeout: ms that an answer may take.
        token: reference to a bearer token, for https.
        ca: path of the authorities' certificates (PEM), for https.
        certificate: path of the client's certificate (PEM), likewise.
        key: path of its private key (PEM), likewise.
    """

    source: str
    trust: str = field(repr=False)
    topic: Mapping[str, str] = field(default_factory=dict, repr=False)
    refresh: int = REFRESH
    max_staleness: int = MAX_STALENESS
    state: str | None = None
    timeout: int = TIMEOUT
    token: str | None = field(default=None, repr=False)
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None

    def __post_init__(self) -> None:
        """Check the options; raises ControlError."""
        files = {"ca": self.ca, "certificate": self.certificate, "key": self.key}
        for name, text in faults_of(self.source, self.topic, self.state, self.token, files):
            raise ControlError(f"control.{name}: {text}")

    def encode(self) -> str:
        """As text, for a job parameter; there are no secrets in it."""
        return json.dumps(asdict(self))

    @classmethod
    def decode(cls, text: str) -> "ControlOptions":
        """From `encode`.

        Raises:
            ControlError: it is not.
        """
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError):
            failure = ControlError("control: these options cannot be read. Hint: print the script again with flink-masking sql job")
        raise failure

    @property
    def shown(self) -> str:
        """The source for messages."""
        return f"topic {self.topic.get('topic')}" if self.topic else self.source

    def secret(self, name: str, text: str, environment: Mapping[str, str]) -> str:
        """The value that a secret option refers to, for the process that connects; never kept.

        Raises:
            ControlError: the variable or file is not there.
        """
        match = REFERENCE.fullmatch(text)
        if match is None:
            return text
        try:
            return value_of(f"control.{name}", match[1], match[2], Path("/"), environment)
        except InputError as error:
            failure = ControlError(str(error))
        raise failure


def faults_of(source: str, topic: Mapping[str, str], state: str | None, token: str | None,
              files: Mapping[str, str | None]) -> list[tuple[str, str]]:
    """What is wrong with the options, as pairs of an option and ``message. Hint: …``; no value stands in it."""
    found = _topic_faults(topic) if topic else _source_faults(source)
    if state is not None and (not state.startswith("file:///") or state.endswith("/")):
        found.append(("state", "no address of a file. Hint: file:///shared/control-state, which all workers reach"))
    if token is not None and (match := REFERENCE.fullmatch(token)) is None:
        found.append(("token", "it stands here in clear. Hint: ${file:/path} or ${env:NAME}, which the job and its workers resolve"))
    elif token is not None and match is not None and match[1] == "file" and not Path(match[2]).is_absolute():
        found.append(("token", "a relative file name, and workers run in other directories. Hint: ${file:/absolute/path}"))
    for name, value in files.items():
        if value is not None and not Path(value).is_absolute():
            found.append((name, "a relative file name, and workers run in other directories. Hint: an absolute path"))
    if files.get("key") is not None and files.get("certificate") is None:
        found.append(("key", "the certificate is missing. Hint: certificate: /path/client.pem"))
    return found


def _source_faults(source: str) -> list[tuple[str, str]]:
    hint = "Hint: file:///directory, https://host/control.jsonl, or {connector: kafka, topic: …, properties.bootstrap.servers: …}"
    try:
        parts = urllib.parse.urlsplit(source)
        known = (parts.scheme == "file" and source.startswith("file:///")) or (parts.scheme in ("http", "https") and bool(parts.hostname))
        clear = parts.scheme == "http" and not is_loopback(parts.netloc)
    except ValueError:
        known = clear = False
        parts = urllib.parse.urlsplit("")
    if "@" in parts.netloc or holds_password(source):
        return [("source", "the address holds a login. Hint: token: ${file:/path}, or certificate: and key:")]
    if not known or re.search(r"[\s\x00-\x1f\x7f]", source):
        return [("source", f"this is no address of control documents. {hint}")]
    if clear:
        return [("source", "http:// without TLS: whoever is on the way could hold documents back. Hint: https://")]
    return []


def _topic_faults(topic: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    if topic.get("connector") != "kafka" or not topic.get("topic") or not topic.get("properties.bootstrap.servers"):
        found.append(("source", "a topic has connector: kafka, topic and properties.bootstrap.servers. Hint: {connector: kafka, topic: "
                      "control, properties.bootstrap.servers: 'host:9092'}"))
    for name, value in topic.items():
        if name not in _OWN and not name.startswith("properties."):
            found.append(("source", f"'{name[:60]}' is no option of a control topic. Hint: connector, topic and properties.…"))
        elif name == "properties.sasl.jaas.config":
            found.append(("source", "sasl.jaas.config is for Java. Hint: properties.sasl.username and properties.sasl.password"))
        elif _SECRET.search(name) and not REFERENCE.fullmatch(str(value)):
            found.append(("source", f"'{name[:60]}' stands here in clear. Hint: ${{file:/path}} or ${{env:NAME}}, resolved on the workers"))
    return found
