"""What a masked value reveals about the raw one: the value, an interval, the beginning of a text, or nothing.

Written from the policy's words alone. An interval always holds the raw value, so that a line and a record that fit nothing else belong
together. A value that cannot be read was refused and redacted, because it was none that the field may have: it fits no value that is one.
"""

import datetime
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from flink_masking.policy.segments import RuleSpec
from flink_masking.verify.attributes import LAST, MISSING, OUTSIDE, Attribute, Dates, Numbers, Places, Prefixes

EVERYTHING = (-math.inf, math.inf)
_NUMBER = r"-?\d+(?:\.\d+)?"
_RANGE = re.compile(rf"\[?({_NUMBER})(?:-|, )({_NUMBER})[\])]?")
_DATE = re.compile(r"(\d{4})(?:-(?:W(?P<week>\d\d)|Q(?P<quarter>[1-4])|(?P<month>\d\d)(?:-(?P<day>\d\d))?))?")
LASTING = ("keep", "pseudonym", "encrypt_deterministic", "fpe", "tokenize", "date_shift")
"""Techniques that leave a person the same in every record."""


def lasting(rule: RuleSpec) -> bool:
    """Whether a rule leaves a person the same in every record, and nearly nobody else."""
    if rule.technique in ("substitute", "perturb"):
        return rule.parameters.get("mode", "consistent" if rule.technique == "substitute" else "random") in ("consistent", "keyed")
    return rule.technique in LASTING


def partly(rule: RuleSpec) -> bool:
    """Whether a rule leaves enough of a text to tell many people apart."""
    kept = [rule.parameters.get(name, 0) for name in ("keep_first", "keep_last")]
    return rule.technique == "partial" and (sum(k for k in kept if isinstance(k, int)) > 2 or "keep_after" in rule.parameters)


def tells(rule: RuleSpec) -> bool:
    """Whether results say anything of the value by themselves."""
    if rule.technique == "partial":
        return bool(rule.parameters.get("keep_first"))
    return rule.technique in ("keep", "generalize", "perturb", "date_shift")


def interval(rule: RuleSpec) -> Callable[[Any], tuple[float, float]]:
    """What gets the lowest and highest number (of a date: day since year 1) that a masked value may stand for."""
    parameters = rule.parameters
    match rule.technique:
        case "perturb":
            return lambda value: _perturbed(value, parameters)
        case "date_shift":
            days = float(parameters.get("max_days", 0))
            return lambda value: _moved(_days(value), days)
        case "generalize" if "round_to" in parameters:
            return lambda value: _moved(_point(value), float(parameters["round_to"]) / 2)
        case "generalize" if "width" in parameters:
            return _range
        case "generalize" if "date" in parameters:
            return _days
        case "keep":
            return lambda value: _point(value) if not isinstance(value, str) else _days(value)
    return lambda value: EVERYTHING


def _point(value: Any) -> tuple[float, float]:
    return (float(value),) * 2 if isinstance(value, int | float) and not isinstance(value, bool) else EVERYTHING


def _moved(ends: tuple[float, float], by: float) -> tuple[float, float]:
    return ends[0] - by - 1e-9 * abs(by), ends[1] + by + 1e-9 * abs(by)


def _perturbed(value: Any, parameters: dict[str, Any]) -> tuple[float, float]:
    """All numbers whose noise, bounded and rounded, can have made this one."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return EVERYTHING
    scale = parameters.get("scale")
    unit = 10.0 ** -(scale if scale is not None else len(repr(value).partition(".")[2]))
    if "absolute" in parameters:
        return _moved((value, value), parameters["absolute"] + unit)
    part = float(parameters.get("relative", 0))
    ends = [(abs(value) - unit) / (1 + part), (abs(value) + unit) / (1 - part)]
    low, high = (ends[0] - 1e-9, ends[1] + 1e-9)
    return (low, high) if value >= 0 else (-high, -low)


def _range(value: Any) -> tuple[float, float]:
    if isinstance(value, str) and (found := _RANGE.fullmatch(value)):
        return float(found[1]), float(found[2])
    try:
        return _point(float(value))
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


def positions(rule: RuleSpec, attribute: Attribute, values: Sequence[Any]) -> np.ndarray:
    """First and last position that the raw value of each masked one may have, int64 (values, 2).

    Args:
        rule: what was done to the field.
        attribute: the field as a quasi-identifier.
        values: the different masked values.
    """
    if rule.technique == "keep":
        return attribute.positions(values)
    read = interval(rule)
    found = [_place(rule, attribute, value, read) for value in values]
    return np.array(found, np.int64).reshape(-1, 2)


def _place(rule: RuleSpec, attribute: Attribute, value: Any, read: Callable[[Any], tuple[float, float]]) -> tuple[int, int]:
    if value is None:
        return MISSING, MISSING
    if isinstance(attribute, Numbers | Dates):
        low, high = read(value)
        if (low, high) == EVERYTHING:  # redacted, because it lies outside the domain, where no anonymized line is
            return OUTSIDE, OUTSIDE
        if isinstance(attribute, Dates):
            return math.floor(low) - attribute.low, math.ceil(high) - attribute.low
        return attribute.at(low, math.floor), attribute.at(high, math.ceil)
    label = value
    if isinstance(attribute, Prefixes) and isinstance(value, str):
        kept = value.rstrip("*") if "prefix" in rule.parameters else value
        if rule.technique == "partial":
            kept = value[: int(rule.parameters.get("keep_first", 0))]
        if isinstance(attribute, Places) or rule.technique == "partial" or "prefix" in rule.parameters:
            label = kept[: attribute.length].ljust(attribute.length, "*")
    box = attribute.span(label) if isinstance(label, str) and label != "*" else None
    return (0, LAST) if box is None else (box.low, box.high)
