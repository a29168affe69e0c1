"""Rows of a view's own as JSON objects."""

import json


class JsonRows:
    """JSON objects; see `flink_masking.records.codec.Rows`."""

    front, end, separator = "{", "}", "\n"
    between = lead = ","
    null = "null"
    missing: str | None = None
    rewrites = False

    def first(self, name: str) -> str:
        """The key and its colon."""
        return json.dumps(name, ensure_ascii=False) + ":"

    member = first

    def value(self, value: str | float | bool | None) -> str:
        """As JSON."""
        return json.dumps(value, ensure_ascii=False)

    def literal(self, text: str) -> str:
        """The text itself."""
        return text


ROWS = JsonRows()
