"""The table of types, and everything that is derived from it once per process."""

from flink_masking.detect.catalogue import americas_pacific, contact, devices, europe, finance, secrets
from flink_masking.detect.catalogue.row import CATEGORIES, Pattern, Row

ROWS: tuple[Row, ...] = (*contact.ROWS, *devices.ROWS, *finance.ROWS, *americas_pacific.ROWS, *europe.ROWS, *secrets.ROWS)
"""Every type; the number of a type is its index."""

NUMBERS = {row.name: number for number, row in enumerate(ROWS)}


def regexes() -> tuple[str, ...]:
    """The regular expressions of all patterns; the number of a pattern is its index."""
    return tuple(pattern.regex for row in ROWS for pattern in row.patterns)


__all__ = ["CATEGORIES", "NUMBERS", "ROWS", "Pattern", "Row", "regexes"]
