"""Durations as a policy writes them: ``100ms``, ``5s``, ``1min``, ``1h``, ``1d``."""

import re
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

UNITS = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
PATTERN = r"^(0|[1-9][0-9]{0,8})(ms|s|min|h|d)$"
_FORM = re.compile(PATTERN)


def milliseconds(text: Any) -> int:
    """The milliseconds of a duration.

    Raises:
        ValueError: not of the form.

    >>> milliseconds("5s")
    5000
    """
    found = _FORM.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("is not a duration. Hint: a whole number and a unit, such as 100ms, 5s, 1min, 1h or 1d")
    return int(found[1]) * UNITS[found[2]]


def positive_milliseconds(text: Any) -> int:
    """The milliseconds of a duration that is longer than nothing.

    Raises:
        ValueError: not of the form, or zero.
    """
    value = milliseconds(text)
    if not value:
        raise ValueError("must be longer than nothing. Hint: such as 100ms, 5s, 1min, 1h or 1d")
    return value


def whole_days(text: Any) -> int:
    """The milliseconds of a duration of 1d to 99999d.

    Raises:
        ValueError: not of the form.
    """
    if not isinstance(text, str) or not re.fullmatch(r"[1-9][0-9]{0,4}d", text):
        raise ValueError("must be whole days, 1d to 99999d. Hint: such as 400d")
    return milliseconds(text)


def written(value: int) -> str:
    """A duration in its largest whole unit.

    Args:
        value: milliseconds.

    >>> written(90_000)
    '90s'
    """
    unit = next(name for name in reversed(UNITS) if value % UNITS[name] == 0)
    return f"{value // UNITS[unit]}{unit}"


Duration = Annotated[int, PlainValidator(milliseconds), WithJsonSchema({"type": "string", "pattern": PATTERN})]
"""Milliseconds, zero or more."""
WholeDays = Annotated[int, PlainValidator(whole_days), WithJsonSchema({"type": "string", "pattern": r"^[1-9][0-9]{0,4}(d)$"})]
"""Milliseconds, whole days."""
PositiveDuration = Annotated[
    int, PlainValidator(positive_milliseconds), WithJsonSchema({"type": "string", "pattern": PATTERN.replace("(0|[1-9]", "([1-9]")})
]
"""Milliseconds, one or more."""
