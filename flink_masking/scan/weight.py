"""Which findings count: what all values of a path together are, and what is frequent or nearly certain in single ones."""

from flink_masking.scan.report import Found, PathReport

SHARE = 0.05
"""Part of a path's values in which something was found that counts, however uncertain each finding is."""
CERTAIN, TIMES = 90, 3
"""Or a mean confidence and a number of values that count, however many other values there are."""
LIKELY = 70
"""Or the mean confidence that counts in a list of words that would be shown as it is."""
_LIGHT = frozenset(("URL", "UUID", "DATE", "TITLE", "ORGANIZATION"))
"""Types that say little of a person."""

_CLOSED = ("UUID", "hexadecimal", "MAC", "IP", "date", "date-time", "time", "boolean", "URN", "decimal")
"""Shapes in which only the value as a whole can be something."""


def speaks(path: PathReport, column: Found) -> bool:
    """Whether the type of all values together counts: few values that come back are of many a form by chance."""
    return bool({"key", "context"} & set(column.reasons)) or not path.repeats


def weighty(path: PathReport, light: bool = True) -> list[Found]:
    """The findings of a path that count, those of whole values first.

    Args:
        path: what was found there.
        light: count types that say little of a person, too.
    """
    values = path.scalars or path.values
    kept = [one for one in path.found if one.values >= SHARE * values or (one.confidence >= CERTAIN and one.values >= min(TIMES, values))]
    kept = [one for one in kept if light or one.type not in _LIGHT]
    if path.looks(*_CLOSED) >= 0.99:  # digits inside a UUID are no telephone number
        kept = [one for one in kept if one.whole]
    column = path.column
    if column is not None and (light or column.type not in _LIGHT) and speaks(path, column) and all(
            one.type != column.type for one in kept):
        kept.append(column)
    return sorted(kept, key=lambda one: (-one.whole, -one.values, one.type))


def scattered(path: PathReport) -> list[Found]:
    """What was found in some of the values of a list of words: too rare to say what the list holds, too likely to show it."""
    return [one for one in path.found if one.type not in _LIGHT and one.confidence >= LIKELY and one.values >= min(TIMES, path.scalars)]
