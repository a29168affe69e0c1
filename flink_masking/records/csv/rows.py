"""Rows of a view's own as CSV."""

import json
import re

_SPECIAL = re.compile(r'[",\r\n]')


def cell(text: str) -> str:
    """A text as a cell: in quotes where RFC 4180 asks for them, and where it is empty, since an empty cell without quotes is null.

    >>> cell("a,b"), cell("a")
    ('"a,b"', 'a')
    """
    return '"' + text.replace('"', '""') + '"' if not text or _SPECIAL.search(text) else text


class CsvRows:
    """Cells with commas between; see `flink_masking.records.codec.Rows`.

    Rows of a chunk are separated by ASCII's record separator, because a cell in quotes may hold line breaks; the scanner refuses records
    that hold control characters.
    """

    front = end = between = lead = null = ""
    separator = "\x1e"
    missing: str | None = ""
    rewrites = True

    def first(self, name: str) -> str:
        """Nothing: names stand in the header."""
        return ""

    def member(self, name: str) -> str:
        """The comma."""
        return ","

    def value(self, value: str | float | bool | None) -> str:
        """A cell."""
        if value is None:
            return ""
        return cell(value) if isinstance(value, str) else json.dumps(value)

    def literal(self, text: str) -> str:
        """A cell; null is the empty one."""
        return "" if text == "null" else cell(text)


ROWS = CsvRows()
