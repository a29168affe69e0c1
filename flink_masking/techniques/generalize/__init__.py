"""generalize: a coarser value in the place of the exact one: a range, a date cut short, a prefix, a node of a hierarchy, a geo cell."""

import datetime
import math
from decimal import Decimal
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from flink_masking.records.kinds import SCALAR, Kind
from flink_masking.techniques.base import FieldFacts, Params, RuleContext, Technique, span
from flink_masking.techniques.generalize.checks import steps, tree_of
from flink_masking.techniques.promises import Bounds, Promises, Shows


def _a_number(value: Any) -> Any:
    """Refuse what pydantic would quietly turn into a decimal number."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("must be a number")
    return value


Number = Annotated[Decimal, Field(allow_inf_nan=False, max_digits=15, decimal_places=9), BeforeValidator(_a_number)]
Step = Annotated[Number, Field(gt=0)]
Count = Annotated[int, Field(strict=True, ge=1)]
def _day(value: Any) -> Any:
    """A date, as text or as YAML reads it."""
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, str):
        try:
            return datetime.date.fromisoformat(value).isoformat()
        except ValueError:
            pass
    raise ValueError("must be a date. Hint: such as 2024-12-31")


Day = Annotated[str, BeforeValidator(_day)]
Label = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=100)]
DateLevel = Literal["hour", "day", "week", "month", "quarter", "year", "hour_of_day", "weekday"]
CYCLES = {"hour_of_day": 24, "weekday": 7}
"""Levels that come round again, and how many values each has."""

WAYS = ("width", "prefix", "date", "level", "geohash", "round_to", "subnet")
"""Parameters of which a rule has exactly one, or with `max` or `min` one of `NUMERIC_WAYS` or none."""
NUMERIC_WAYS = ("width", "round_to")


class GeneralizeParams(Params):
    """Parameters of generalize: exactly one way, and what belongs to it.

    Attributes:
        width: of number ranges.
        origin: where a range starts; the others follow in steps of `width`.
        prefix: characters (code points) of a text that stay, each of the rest becomes ``*``.
        date: level that a date is cut to; or what comes round again: hour_of_day, 00 to 23, and weekday, 1 (Monday) to 7.
        age_on: a date of birth becomes the age in whole years on this day; alone or beside `width`, `round_to`, `max` and `min`.
        hierarchy: ARX CSV file with the values and their nodes, relative to the policy; without it, `level` means the field's own one.
        level: how far up the hierarchy, 1 to its height.
        geohash: characters of the cell.
        round_to: numbers become multiples of it.
        subnet: leading bits of an IPv4 address that stay, ``203.0.113.0/24``.
        subnet_v6: the same of an IPv6 address.
        max: numbers above it become `label`; alone or beside `width` or `round_to`, which are for the others.
        label: in the place of every number above `max`; without it ``>`` and the number.
        min: numbers below it become `low_label`.
        low_label: in the place of every number below `min`; without it ``<`` and the number.
    """

    width: Step | None = None
    origin: Number = Decimal(0)
    prefix: Annotated[Count, Field(le=1_000_000)] | None = None
    date: DateLevel | None = None
    age_on: Day | None = None
    hierarchy: Annotated[str, StringConstraints(min_length=1)] | None = None
    level: Count | None = None
    geohash: Annotated[Count, Field(le=12)] | None = None
    round_to: Step | None = None
    subnet: Annotated[Count, Field(le=31)] | None = None
    subnet_v6: Annotated[Count, Field(le=127)] = 48
    max: Number | None = None
    label: Label | None = None
    min: Number | None = None
    low_label: Label | None = None

    @property
    def coded(self) -> bool:
        """Whether numbers at an end of the range have one label."""
        return self.max is not None or self.min is not None

    @model_validator(mode="after")
    def _exactly_one_way(self) -> "GeneralizeParams":
        if self.hierarchy is not None and self.level is None:
            raise ValueError("hierarchy needs a level. Hint: level: 1 is the parent of a value")
        ways = [way for way in WAYS if getattr(self, way) is not None]
        if self.coded or self.age_on is not None:
            if ways not in ([], *([way] for way in NUMERIC_WAYS)):
                raise ValueError("max, min and age_on are for numbers. Hint: alone, or beside width or round_to")
            if self.min is not None and self.max is not None and self.min > self.max:
                raise ValueError("min is above max. Hint: such as min: 18, max: 89")
        elif len(ways) != 1:
            raise ValueError("exactly one way is needed. Hint: one of width, prefix, date, hierarchy with level, geohash, round_to, "
                             "subnet, max, min, age_on")
        if (self.label is not None and self.max is None) or (self.low_label is not None and self.min is None):
            raise ValueError("a label belongs to max, a low_label to min. Hint: such as max: 89, label: 90+")
        if "subnet_v6" in self.model_fields_set and self.subnet is None:
            raise ValueError("subnet_v6 belongs to subnet. Hint: such as subnet: 24, subnet_v6: 48")
        if "origin" in self.model_fields_set and self.width is None:
            raise ValueError("origin belongs to width. Hint: give a width, or omit origin")
        return self


def promises(params: GeneralizeParams) -> Promises:
    """What the coarser value says; a prefix is a part of the text, whatever stands there."""
    bounds = None
    if params.age_on is not None:
        bounds = None  # of the age, which is no number near the value
    elif (params.width is not None or params.round_to is not None) and not params.coded:
        bounds = Bounds("numbers", float(params.round_to or 0) / 2)
    elif params.date is not None and params.date not in CYCLES:
        bounds = Bounds("dates")
    return Promises(
        shows=Shows.COARSER,
        deterministic=True,
        lasting=False,
        row_local=True,
        passes=params.prefix is not None or (params.coded and params.age_on is None and params.width is None and params.round_to is None),
        prefix=params.prefix or 0,
        bounds=bounds,
    )


def check(params: GeneralizeParams, rule_context: RuleContext) -> None:
    """Refuse what the field cannot be generalised by.

    Raises:
        PolicyError: the hierarchy cannot be used, is not there or has no such level; the domain does not go with `width`.
    """
    if params.width is not None and params.age_on is not None:
        steps(params.width, params.origin, None, rule_context.facts.path)
    elif params.width is not None:
        steps(params.width, params.origin, rule_context.facts.domain, rule_context.facts.path)
    elif params.level is not None:
        tree_of(params.hierarchy, params.level, rule_context)


_DAYS = {"hour": 1 / 24, "day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}


def _resolution(params: GeneralizeParams, facts: FieldFacts) -> float:
    """How many labels there are: of ranges, dates and rounded numbers by the declared range, of prefixes with ten symbols a place."""
    if params.age_on is not None:
        return 150 / float(params.width or params.round_to or 1)
    if params.date in CYCLES:
        return CYCLES[params.date]
    if (step := params.width or params.round_to or (params.date and _DAYS[params.date])) is not None:
        return span(facts) / float(step) + 1
    if params.coded:
        return span(facts) + 1
    if params.subnet is not None:
        return 2.0**params.subnet
    if params.prefix is not None:
        return 10.0 ** min(params.prefix, 300)
    if params.geohash is not None:
        return 32.0**params.geohash
    if params.hierarchy is None and params.level is not None and facts.hierarchy is not None:
        return len({path[params.level] for path in facts.hierarchy.paths})
    return math.inf


TECHNIQUE = Technique(
    name="generalize",
    summary="A coarser value: a range, a date cut short, a prefix, a node of a hierarchy, a geo cell, a rounded number, a subnet.",
    params=GeneralizeParams,
    promises=promises,
    inputs=SCALAR | {Kind.OBJECT},
    implementation="flink_masking.techniques.generalize.mask",
    check=check,
    examples=(
        {"width": 10},
        {"width": 0.5, "origin": -0.25},
        {"prefix": 3},
        *({"date": level} for level in get_args(DateLevel)),
        {"hierarchy": "hierarchy.csv", "level": 1},
        {"geohash": 5},
        {"round_to": 0.05},
        {"round_to": 10},
        {"subnet": 24},
        {"max": 89, "label": "90+"},
        {"age_on": "2024-12-31"},
        {"age_on": "2024-12-31", "width": 10, "max": 89},
        {"min": 18, "max": 89.5, "width": 10},
    ),
    resolution=_resolution,
)
