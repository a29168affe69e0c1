"""Units of times that are numbers since 1970."""

from typing import Literal

Unit = Literal["s", "ms", "us", "ns"]
"""Seconds, milliseconds, microseconds, nanoseconds."""
