"""Where alerts go, as rules write it; secrets by reference only."""

import os
import re
import urllib.parse
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag, field_validator

from flink_masking.addresses.endpoints import is_loopback, unencrypted
from flink_masking.addresses.passwords import holds_password
from flink_masking.addresses.references import REFERENCE, value_of
from flink_masking.policy.durations import PositiveDuration

_SECRET = re.compile(r"password|secret|\.token|jaas|\.key$|\.key\.pem", re.IGNORECASE)
"""Kafka settings that are given by reference only."""


class _Target(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class WebhookTarget(_Target):
    """An HTTP address that takes CloudEvents.

    Attributes:
        webhook: ``https://…``; ``http://`` to this machine only.
        secret: reference to the secret that signs each request, ``${file:/path}`` or ``${env:NAME}``.
        timeout: ms for one attempt.
        patience: ms for which one alert is tried again.
        queue: alerts that wait, at most; later ones are counted, and told when the receiver takes alerts again.
        ca: path of the authorities' certificates (PEM); the system's when None.
    """

    webhook: str = Field(repr=False)
    secret: str = Field(repr=False)
    timeout: PositiveDuration = 5_000
    patience: PositiveDuration = 3_600_000
    queue: Annotated[int, Field(ge=1, le=1_000_000, strict=True)] = 1_000
    ca: str | None = None

    @field_validator("webhook")
    @classmethod
    def _address(cls, value: str) -> str:
        try:
            parts = urllib.parse.urlsplit(value)
            known = parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"[\s\x00-\x1f\x7f]", value)
        except ValueError:
            known, parts = False, urllib.parse.urlsplit("")
        if not known or not value.isascii():
            raise ValueError("is no address of a webhook. Hint: https://host/path")
        if "@" in parts.netloc or holds_password(value):
            raise ValueError("holds a login. Hint: receivers know these alerts by their signature, see secret")
        if parts.scheme == "http" and not is_loopback(parts.netloc):
            raise ValueError("would go without TLS. Hint: https://")
        return value

    @field_validator("secret")
    @classmethod
    def _reference(cls, value: str) -> str:
        if REFERENCE.fullmatch(value) is None:
            raise ValueError("stands here in clear. Hint: ${file:/path} or ${env:NAME}")
        return value


class FileTarget(_Target):
    """A file that alerts are appended to, a line each.

    Attributes:
        file: its path.
    """

    file: Annotated[str, StringConstraints(strict=True, min_length=1)]


class KafkaTarget(_Target):
    """A topic that takes CloudEvents in structured mode; the key is the rule's name.

    Attributes:
        kafka: options as in Flink SQL: ``topic`` and ``properties.*``; the client is librdkafka.
    """

    kafka: dict[str, str | int | float | bool] = Field(repr=False)

    @field_validator("kafka")
    @classmethod
    def _options(cls, value: dict[str, Any]) -> dict[str, Any]:
        if not value.get("topic") or not value.get("properties.bootstrap.servers"):
            raise ValueError("needs a topic and servers. Hint: {topic: alerts, properties.bootstrap.servers: 'host:9092'}")
        for name, text in value.items():
            if name != "topic" and not name.startswith("properties."):
                raise ValueError(f"has an unknown option '{name[:60]}'. Hint: topic and properties.…")
            if _SECRET.search(name) and not REFERENCE.fullmatch(str(text)):
                raise ValueError(f"has '{name[:60]}' in clear. Hint: ${{file:/path}} or ${{env:NAME}}")
        if unencrypted({"connector": "kafka", **value}):
            raise ValueError("would go without TLS. Hint: properties.security.protocol: SSL or SASL_SSL")
        return value


def target_kind(written: Any) -> str | None:
    """The kind of a target, which is one of its keys."""
    keys = written if isinstance(written, dict) else type(written).model_fields if isinstance(written, BaseModel) else ()
    return next((kind for kind in ("webhook", "file", "kafka") if kind in keys), None)


def _tag(written: Any) -> str | None:
    """The kind with a mark: in a fault's place, it must not be taken for the key of that name."""
    kind = target_kind(written)
    return None if kind is None else f"<{kind}>"


Target = Annotated[
    Annotated[WebhookTarget, Tag("<webhook>")] | Annotated[FileTarget, Tag("<file>")] | Annotated[KafkaTarget, Tag("<kafka>")],
    Discriminator(_tag),
]


def resolved(option: str, text: str, folder: Path) -> str:
    """The value that a reference names; the text itself where it is none.

    Args:
        option: for errors.
        text: as written.
        folder: what relative file names are relative to.

    Raises:
        InputError: the variable or file is not there.
    """
    match = REFERENCE.fullmatch(text)
    return text if match is None else value_of(option, match[1], match[2], folder, os.environ)
