"""Kinds of values, independent of the record format."""

from enum import IntEnum


class Kind(IntEnum):
    """Kind of one value in a span table."""

    STRING = 0
    ENCODED = 1
    """Text whose bytes in the record are not its contents (JSON: it has escapes)."""
    NUMBER = 2
    TRUE = 3
    FALSE = 4
    NULL = 5
    OBJECT = 6
    ARRAY = 7


TEXT = frozenset({Kind.STRING, Kind.ENCODED})
NUMERIC = frozenset({Kind.NUMBER})
BOOLEAN = frozenset({Kind.TRUE, Kind.FALSE})
SCALAR = TEXT | NUMERIC | BOOLEAN
ANYTHING = SCALAR | {Kind.OBJECT, Kind.ARRAY}
