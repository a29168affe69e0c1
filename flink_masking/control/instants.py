"""Instants and identifiers of control documents: UTC with milliseconds, UUIDs of version 7."""

import os
import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

_FORM = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z", re.ASCII)
ID = r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
"""A UUID of version 7, lower case."""


def milliseconds_of(text: Any) -> int:
    """An instant as ms since 1970.

    Args:
        text: ``2026-11-22T06:00:00Z``, with up to three decimals of the second; a number is taken as it is.

    Raises:
        ValueError: not of this form, or no such day.

    >>> milliseconds_of("1970-01-01T00:00:01.5Z")
    1500
    """
    if isinstance(text, int) and not isinstance(text, bool):
        return text
    if not isinstance(text, str) or not _FORM.fullmatch(text):
        raise ValueError("is no instant in UTC. Hint: such as 2026-11-22T06:00:00Z")
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def instant(milliseconds: int) -> str:
    """Ms since 1970 as text.

    >>> instant(1500)
    '1970-01-01T00:00:01.500Z'
    """
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_id(now: int) -> str:
    """A UUID of version 7 (RFC 9562): identifiers that were made later sort later.

    Args:
        now: ms since 1970.
    """
    random = int.from_bytes(os.urandom(10))
    value = (now & (1 << 48) - 1) << 80 | 7 << 76 | (random >> 68) << 64 | 2 << 62 | random & (1 << 62) - 1
    text = f"{value:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


Instant = Annotated[int, PlainValidator(milliseconds_of), PlainSerializer(instant, return_type=str),
                    WithJsonSchema({"type": "string", "format": "date-time", "description": "in UTC, such as 2026-11-22T06:00:00Z"})]
"""Ms since 1970, written as text in UTC."""
