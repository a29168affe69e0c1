"""The groups of aggregated rows, made again from raw values."""

import json
import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from flink_masking.policy.model import Policy
from flink_masking.policy.segments import GroupKey
from flink_masking.verify.lines import ABSENT

_LOW = re.compile(r"\[?(-?\d+(?:\.\d+)?)(?:(?:-|, )-?\d+(?:\.\d+)?[\])]?)?")
_KEPT = {"year": 4, "month": 7, "day": 10}
"""Characters of an ISO date that a level keeps."""


class Grouping(NamedTuple):
    """How a raw value and a row's label come to name the same group.

    Attributes:
        raw: from a raw value.
        label: from what a row shows, as JSON text.
    """

    raw: Callable[[Any], str]
    label: Callable[[str], str]


def text_of(value: Any) -> str:
    """A group's value as text that is the same for equal values; a value that is not there is null."""
    return "null" if value is None or value is ABSENT else json.dumps(value)


def grouping(key: GroupKey, policy: Policy) -> Grouping | None:
    """How the groups of a field are made; None for ways that are not made again here."""
    parameters = dict(key.parameters)
    field = policy.fields[key.field]
    numeric = field.role == "measure" or field.type in ("number", "integer")
    numeric |= field.domain is not None and not isinstance(field.domain[0], str)
    if "generalize" in parameters:
        parameters = {"width" if numeric else "prefix": parameters["generalize"]}
    if not parameters:
        return Grouping(text_of, _same)
    if set(parameters) == {"prefix"}:
        return Grouping(lambda value: _shortened(value, int(parameters["prefix"])), _same)
    if parameters.keys() <= {"width", "origin"} and "width" in parameters:
        width, origin = (Decimal(str(parameters.get(name, 0))) for name in ("width", "origin"))
        whole = all(end == int(end) for end in (width, origin, *map(Decimal, map(str, field.domain or ()))))
        if whole and field.type != "integer" and field.scale != 0:
            return None  # 20 is in 20-29 then and 20.5 in [20, 30), and a row does not tell 20 from 20.0
        return Grouping(lambda value: _range_of(value, width, origin), lambda label: _range_of(_low(label), width, origin))
    if set(parameters) == {"date"} and parameters["date"] in _KEPT:
        kept = _KEPT[parameters["date"]]
        return Grouping(lambda value: text_of(value[:kept] if isinstance(value, str) else value), _same)
    return None


def _same(label: str) -> str:
    return label


def _shortened(value: Any, kept: int) -> str:
    if not isinstance(value, str):
        return text_of(value)
    return text_of(value[:kept] + "*" * (len(value) - kept) if len(value) > kept else "*" * len(value))


def _range_of(value: Any, width: Decimal, origin: Decimal) -> str:
    """The number of the range that a number lies in."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return text_of(value)
    return str(math.floor((Decimal(str(value)) - origin) / width))


def _low(label: str) -> Any:
    """The low end of a range that a row shows."""
    value = json.loads(label)
    if isinstance(value, str) and (found := _LOW.fullmatch(value)):
        return Decimal(found[1])
    return value
