"""What a masked value reveals about the raw one: the value, an interval, the beginning of a text, or nothing.

Reckoned from what the techniques promise, and from nothing of what keeps the promises. An interval always holds the raw value, so that a
line and a record that fit nothing else belong together. A value that cannot be read was refused and redacted, because it was none that
the field may have: it fits no value that is one.
"""

import datetime
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from pydantic import ValidationError

from flink_masking.errors import PolicyError
from flink_masking.policy.bound import bound
from flink_masking.policy.segments import RuleSpec
from flink_masking.techniques.promises import Bounds, Promises, Shows
from flink_masking.verify.attributes import LAST, MISSING, OUTSIDE, Attribute, Dates, Numbers, Places, Prefixes

EVERYTHING = (-math.inf, math.inf)
_NUMBER = r"-?\d+(?:\.\d+)?"
_RANGE = re.compile(rf"\[?({_NUMBER})(?:-|, )({_NUMBER})[\])]?")
_DATE = re.compile(r"(\d{4})(?:-(?:W(?P<week>\d\d)|Q(?P<quarter>[1-4])|(?P<month>\d\d)(?:-(?P<day>\d\d))?))?")


def promised(rule: RuleSpec) -> Promises:
    """What the results of a rule promise.

    Raises:
        PolicyError: the rule names no technique, or parameters that it does not take.
    """
    try:
        technique, params = bound(rule)
        return technique.promises(params)
    except ValidationError:
        raise PolicyError(f"a rule of technique {rule.technique} is wrong. Hint: flink-masking check finds all faults") from None


def partly(promises: Promises) -> bool:
    """Whether results leave enough of a text to tell many people apart, and stand for nobody by themselves."""
    return promises.lasting and not promises.stands_for_a_person


def tells(promises: Promises) -> bool:
    """Whether results say anything of the value by themselves that is reckoned with here: of a part, the beginning."""
    return promises.shows not in (Shows.NOTHING, Shows.PART) or (promises.shows is Shows.PART and promises.prefix > 0)


def interval(promises: Promises) -> Callable[[Any], tuple[float, float]]:
    """What gets the lowest and highest number (of a date: day since year 1) that a masked value may stand for."""
    bounds = promises.bounds
    if bounds is None:
        return lambda value: EVERYTHING
    read = {"numbers": _range, "dates": _days, "either": _either}[bounds.of]
    return lambda value: _within(read(value), value, bounds)


def _either(value: Any) -> tuple[float, float]:
    return _days(value) if isinstance(value, str) else _point(value)


def _point(value: Any) -> tuple[float, float]:
    return (float(value),) * 2 if isinstance(value, int | float) and not isinstance(value, bool) else EVERYTHING


def _moved(ends: tuple[float, float], by: float) -> tuple[float, float]:
    return ends[0] - by - 1e-9 * abs(by), ends[1] + by + 1e-9 * abs(by)


def _within(shown: tuple[float, float], value: Any, bounds: Bounds) -> tuple[float, float]:
    """All numbers or days that can have become what is shown, by noise or by rounding."""
    unit = 0.0
    if bounds.rounded is not None:
        unit = 10.0 ** -(len(repr(value).partition(".")[2]) if bounds.rounded == "written" else bounds.rounded)
    if shown == EVERYTHING or not bounds.relative:
        return _moved(shown, bounds.absolute + unit)
    low, high = (-shown[1], -shown[0]) if shown[1] < 0 else shown
    near = (low - unit) / (1 + bounds.relative) - bounds.absolute - 1e-9
    far = (high + unit) / (1 - bounds.relative) + bounds.absolute + 1e-9
    return (-far, -near) if shown[1] < 0 else (near, far)


def _range(value: Any) -> tuple[float, float]:
    if isinstance(value, str) and (found := _RANGE.fullmatch(value)):
        return float(found[1]), float(found[2])
    try:
        return EVERYTHING if isinstance(value, bool) else _point(float(value))
    except (TypeError, ValueError):
        return EVERYTHING


def _days(value: Any) -> tuple[float, float]:
    """First and last day of a date that is whole, or cut to a month, a quarter, a week or a year."""
    found = _DATE.match(value) if isinstance(value, str) else None
    if found is None:
        return EVERYTHING
    year, day = int(found[1]), datetime.date.toordinal
    try:
        if found["week"]:
            first = datetime.date.fromisocalendar(year, int(found["week"]), 1)
            return float(day(first)), float(day(first) + 6)
        if found["day"]:
            return (float(day(datetime.date(year, int(found["month"]), int(found["day"])))),) * 2
        low = int(found["month"] or 3 * int(found["quarter"] or 1) - 2)
        months = 1 if found["month"] else 3 if found["quarter"] else 12
        last = datetime.date(year + (low + months > 12), (low + months - 1) % 12 + 1, 1)
        return float(day(datetime.date(year, low, 1))), float(day(last) - 1)
    except ValueError:
        return EVERYTHING


def positions(promises: Promises, attribute: Attribute, values: Sequence[Any]) -> np.ndarray:
    """First and last position that the raw value of each masked one may have, int64 (values, 2).

    Args:
        promises: of what was done to the field.
        attribute: the field as a quasi-identifier.
        values: the different masked values.
    """
    if promises.shows is Shows.EXACT:
        return attribute.positions(values)
    read = interval(promises)
    found = [_place(promises, attribute, value, read) for value in values]
    return np.array(found, np.int64).reshape(-1, 2)


def _place(promises: Promises, attribute: Attribute, value: Any, read: Callable[[Any], tuple[float, float]]) -> tuple[int, int]:
    if value is None:
        return MISSING, MISSING
    if isinstance(attribute, Numbers | Dates):
        if promises.bounds is None:
            return 0, LAST
        low, high = read(value)
        if (low, high) == EVERYTHING:  # redacted, because it lies outside the domain, where no anonymized line is
            return OUTSIDE, OUTSIDE
        if isinstance(attribute, Dates):
            return math.floor(low) - attribute.low, math.ceil(high) - attribute.low
        return attribute.at(low, math.floor), attribute.at(high, math.ceil)
    label = value
    if isinstance(attribute, Prefixes) and isinstance(value, str):
        kept = value[: promises.prefix] if promises.prefix else value
        if isinstance(attribute, Places) or promises.prefix:
            label = kept[: attribute.length].ljust(attribute.length, "*")
    box = attribute.span(label) if isinstance(label, str) and label != "*" else None
    return (0, LAST) if box is None else (box.low, box.high)
