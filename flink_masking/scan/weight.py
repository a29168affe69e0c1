"""Which findings count: those that are frequent, or nearly certain."""

from flink_masking.scan.report import Found, PathReport

SHARE = 0.05
"""Part of a path's values in which something was found that counts, however uncertain each finding is."""
CERTAIN, TIMES = 90, 3
"""Or a mean confidence and a number of values that count, however many other values there are."""
_LIGHT = frozenset(("URL", "UUID", "DATE", "TITLE", "ORGANIZATION"))
"""Types that say little of a person."""

_CLOSED = ("UUID", "hexadecimal", "MAC", "IP", "date", "date-time", "time", "boolean", "URN", "decimal")
"""Shapes in which only the value as a whole can be something."""


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
    return sorted(kept, key=lambda one: (-one.whole, -one.values, one.type))
