"""The table of types, and everything that is derived from it once per process."""

from flink_masking.detect.catalogue import americas_pacific, contact, devices, europe, finance, secrets
from flink_masking.detect.catalogue.row import CATEGORIES, Pattern, Row
from flink_masking.errors import PolicyError

ROWS: tuple[Row, ...] = (*contact.ROWS, *devices.ROWS, *finance.ROWS, *americas_pacific.ROWS, *europe.ROWS, *secrets.ROWS)
"""Every type; the number of a type is its index."""

NUMBERS = {row.name: number for number, row in enumerate(ROWS)}


def regexes() -> tuple[str, ...]:
    """The regular expressions of all patterns; the number of a pattern is its index."""
    return tuple(pattern.regex for row in ROWS for pattern in row.patterns)


def type_named(name: str) -> int:
    """The number of a type.

    Args:
        name: such as ``EMAIL``.

    Raises:
        PolicyError: there is no such type; the hint names a similar one.
    """
    if name not in NUMBERS:
        from difflib import get_close_matches

        near = get_close_matches(str(name).upper(), NUMBERS, 1)
        hint = f"did you mean {near[0]}?" if near else "flink_masking.detect.TYPES lists them"
        raise PolicyError(f"unknown type of data {str(name)[:40]!r}. Hint: {hint}")
    return NUMBERS[name]


__all__ = ["CATEGORIES", "NUMBERS", "ROWS", "Pattern", "Row", "regexes", "type_named"]
