"""Units of times that are numbers since 1970."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Unit = Literal["s", "ms", "us", "ns"]
"""Seconds, milliseconds, microseconds, nanoseconds."""
A_SECOND: Mapping[Unit, int] = MappingProxyType({"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000})
"""Ticks of a second, by unit."""
