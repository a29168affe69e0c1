"""The table of types for the documentation, made from the catalogue."""

from flink_masking.detect.catalogue import ROWS
from flink_masking.detect.catalogue.row import Row

_TRIGGERED = {"EMAIL": "form", "JWT": "form and check", "URL_CREDENTIALS": "form", "URL_SECRET": "form, entropy", "URL": "form"}


def how(row: Row, minimum: int = 50) -> str:
    """By what a type is found, in a few words."""
    ways = []
    if row.name in _TRIGGERED:
        ways.append(_TRIGGERED[row.name])
    elif any(p.check and p.strong >= minimum for p in row.patterns):
        ways.append("form and check")
    elif any(max(p.weak, p.strong) >= minimum for p in row.patterns):
        ways.append("form")
    elif row.patterns:
        ways.append("form with key name or word")
    if row.keyed:
        ways.append("key name")
    return ", ".join(ways) or "lists and rules"


def table() -> str:
    """A line for each type, in Markdown."""
    lines = ["| type | category | country | found by | what |", "|---|---|---|---|---|"]
    lines += [f"| `{row.name}` | {row.category} | {row.country or '–'} | {how(row)} | {row.summary} |" for row in ROWS]
    return "\n".join(lines)
