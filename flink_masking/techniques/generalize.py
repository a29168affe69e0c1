"""generalize: a coarser value in the place of the exact one: a range, a date cut short, a prefix, a node of a hierarchy, a geo cell."""

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from flink_masking.errors import PolicyError
from flink_masking.records.kinds import SCALAR, Kind
from flink_masking.techniques.base import Domain, FieldFacts, Mask, Params, RuleContext, Shows, Technique, always, never, showing, span
from flink_masking.techniques.generalize_dates import LEVELS, cut_dates
from flink_masking.techniques.generalize_labels import cut_text, look_up
from flink_masking.techniques.generalize_numbers import number_ranges, round_numbers
from flink_masking.techniques.generalize_places import GEOHASH_ALPHABET, geohash_cells


def _a_number(value: Any) -> Any:
    """Refuse what pydantic would quietly turn into a decimal number."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("must be a number")
    return value


Number = Annotated[Decimal, Field(allow_inf_nan=False, max_digits=15, decimal_places=9), BeforeValidator(_a_number)]
Step = Annotated[Number, Field(gt=0)]
Count = Annotated[int, Field(strict=True, ge=1)]


class GeneralizeParams(Params):
    """Parameters of generalize: exactly one way, and what belongs to it.

    Attributes:
        width: of number ranges.
        origin: where a range starts; the others follow in steps of `width`.
        prefix: characters (code points) of a text that stay, each of the rest becomes ``*``.
        date: level that a date is cut to.
        hierarchy: ARX CSV file with the values and their nodes, relative to the policy; without it, `level` means the field's own one.
        level: how far up the hierarchy, 1 to its height.
        geohash: characters of the cell.
        round_to: numbers become multiples of it.
    """

    width: Step | None = None
    origin: Number = Decimal(0)
    prefix: Annotated[Count, Field(le=1_000_000)] | None = None
    date: Literal["hour", "day", "week", "month", "quarter", "year"] | None = None
    hierarchy: Annotated[str, StringConstraints(min_length=1)] | None = None
    level: Count | None = None
    geohash: Annotated[Count, Field(le=12)] | None = None
    round_to: Step | None = None

    @model_validator(mode="after")
    def _exactly_one_way(self) -> "GeneralizeParams":
        if self.hierarchy is not None and self.level is None:
            raise ValueError("hierarchy needs a level. Hint: level: 1 is the parent of a value")
        if sum(getattr(self, way) is not None for way in _WAYS) != 1:
            raise ValueError("exactly one way is needed. Hint: one of width, prefix, date, hierarchy with level, geohash, round_to")
        if "origin" in self.model_fields_set and self.width is None:
            raise ValueError("origin belongs to width. Hint: give a width, or leave origin away")
        return self


def _width(params: GeneralizeParams, site: RuleContext) -> Mask:
    assert params.width is not None
    return number_ranges(params.width, params.origin, site.facts.domain, site.facts.path)


def _prefix(params: GeneralizeParams, site: RuleContext) -> Mask:
    assert params.prefix is not None
    return cut_text(params.prefix)


def _date(params: GeneralizeParams, site: RuleContext) -> Mask:
    assert params.date is not None
    return cut_dates(params.date)


def _level(params: GeneralizeParams, site: RuleContext) -> Mask:
    assert params.level is not None
    path = site.facts.path
    if params.hierarchy is not None:
        return look_up(site.read(params.hierarchy), params.hierarchy, params.level, path)
    if site.facts.hierarchy is None:
        raise PolicyError(f"{path}: level without a hierarchy. Hint: add hierarchy: FILE.csv to the rule or to the field")
    return look_up(site.facts.hierarchy, "hierarchy", params.level, path)


def _geohash(params: GeneralizeParams, site: RuleContext) -> Mask:
    assert params.geohash is not None
    return geohash_cells(params.geohash)


def _round_to(params: GeneralizeParams, site: RuleContext) -> Mask:
    assert params.round_to is not None
    return round_numbers(params.round_to)


_WAYS: dict[str, Callable[[GeneralizeParams, RuleContext], Mask]] = {
    "width": _width,
    "prefix": _prefix,
    "date": _date,
    "level": _level,
    "geohash": _geohash,
    "round_to": _round_to,
}


def make_generalize(params: GeneralizeParams, site: RuleContext) -> Mask:
    """A mask that makes values coarser.

    Null stays null and ``""`` stays ``""``. Deterministic, row-local, not reversible; leaks what the coarser value says. Refused, besides
    values outside the field's domain: what is not a number (`width`, `round_to`), not text (`prefix`), not an ISO 8601 date
    (`date`; for ``hour`` one without a time), not in the hierarchy, not an object with one latitude and one longitude (`geohash`).

    Raises:
        PolicyError: the hierarchy cannot be used, is not there or has no such level; the domain does not go with `width`.
    """
    return next(make for way, make in _WAYS.items() if getattr(params, way) is not None)(params, site)


_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?"
_RANGE = re.compile(rf"({_NUMBER})|([0-9]+)-([0-9]+)|\[({_NUMBER}), ({_NUMBER})[)\]]")


def _is_range(text: str, width: Decimal) -> bool:
    found = _RANGE.fullmatch(text)
    ends = [Decimal(end) for end in found.groups() if end is not None] if found else []
    return bool(ends) and 0 <= ends[-1] - ends[0] <= width


def output_domain(params: GeneralizeParams) -> Domain:
    """The set of coarser values, and the empty text."""
    if (width := params.width) is not None:
        return Domain(f"ranges of width {width}, at the ends of the domain narrower", lambda text: not text or _is_range(text, width))
    if params.prefix is not None:
        return Domain("a prefix followed by at least one *", lambda text: not text or text.endswith("*"))
    if params.date is not None:
        form = re.compile(LEVELS[params.date].form)
        return Domain(f"ISO 8601 dates cut to the {params.date}", lambda text: not text or form.fullmatch(text) is not None)
    if (length := params.geohash) is not None:
        return Domain(f"geohash cells of {length} characters", lambda text: len(text) == length and set(text) <= set(GEOHASH_ALPHABET))
    if (step := params.round_to) is not None:
        return Domain(f"multiples of {step}", lambda text: not text or Decimal(text) % step == 0)
    return Domain(f"labels of level {params.level} of the hierarchy", lambda text: True)


_DAYS = {"hour": 1 / 24, "day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}


def _resolution(params: GeneralizeParams, facts: FieldFacts) -> float:
    """How many labels there are: of ranges, dates and rounded numbers by the declared range, of prefixes with ten symbols a place."""
    if (step := params.width or params.round_to or (params.date and _DAYS[params.date])) is not None:
        return span(facts) / float(step) + 1
    if params.prefix is not None:
        return 10.0 ** min(params.prefix, 300)
    if params.geohash is not None:
        return 32.0**params.geohash
    if params.hierarchy is None and params.level is not None and facts.hierarchy is not None:
        return len({path[params.level] for path in facts.hierarchy.paths})
    return math.inf


TECHNIQUE = Technique(
    name="generalize",
    summary="A coarser value: a range, a date cut short, a prefix, a node of a hierarchy, a geo cell, a rounded number.",
    params=GeneralizeParams,
    make=make_generalize,
    deterministic=always,
    reversible=False,
    row_local=True,
    inputs=SCALAR | {Kind.OBJECT},
    output=output_domain,
    examples=(
        {"width": 10},
        {"width": 0.5, "origin": -0.25},
        {"prefix": 3},
        *({"date": level} for level in LEVELS),
        {"hierarchy": "hierarchy.csv", "level": 1},
        {"geohash": 5},
        {"round_to": 0.05},
        {"round_to": 10},
    ),
    shows=showing(Shows.COARSER),
    lasting=never,
    resolution=_resolution,
)
