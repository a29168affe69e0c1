"""How fine results are: dates to the year, ages over 89 in one, ZIP codes to three digits where 20,000 people live.

Each answers with None where the rule keeps to it in every spelling that it takes, and otherwise with what it does instead.
"""

import datetime
from collections.abc import Iterable, Iterator
from importlib import resources

from flink_masking.compliance.probe import results
from flink_masking.compliance.subject import Showing
from flink_masking.records.kinds import Kind

OLDEST = 90
"""Ages from this on belong to one category: 45 CFR 164.514(b)(2)(i)(C)."""
_YEARS = range(1890, 2031)
_UNTRIED = "the rule could not be tried on such values"
RESTRICTED = tuple(line for line in resources.files(__package__).joinpath("zip3_restricted.txt").read_text().split() if line.isdigit())
"""ZIP codes' first three digits of areas with at most 20,000 people."""
_RESTS = (("01", "37", "99"), ("01-1234", "37-0001", "99-9999"), ("011234", "370001", "999999"))
"""What follows the first three digits of a ZIP code, in each spelling."""
_FORMS = ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.250+02:00", "%Y%m%d", "%m/%d/%Y", "%d.%m.%Y",
          "%a, %d %b %Y %H:%M:%S GMT")
"""Spellings of dates. A field of a type that has a form is tried in that form only, since its contract refuses the others."""
_TICKS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def zip_codes(one: Showing) -> str | None:
    """Whether no more than three digits of a ZIP code, of five digits or of nine, are told, and none of those of the restricted areas."""
    forms = ([f"{area:03}{rest}" for area in range(1000) for rest in rests] for rests in _RESTS)
    return _worst(_areas([text[:3] for text in texts], made) for texts, made in _tried(one, forms))


def _areas(of: list[str], made: list[str | None]) -> str | None:
    areas: dict[str, set[str]] = {}
    of_area: dict[str, set[str]] = {}
    for area, result in zip(of, made, strict=True):
        if result is not None:
            areas.setdefault(result, set()).add(area)
            of_area.setdefault(area, set()).add(result)
    if any(len(found) > 1 for found in of_area.values()):
        return "tells more than the first three digits"
    small = set(RESTRICTED)
    told = sorted(next(iter(found)) for found in areas.values() if len(found) < len(small) and found <= small)
    return f"tells areas of at most 20,000 people apart: {', '.join(told[:5])}{' …' if len(told) > 5 else ''}" if told else None


def ages(one: Showing) -> str | None:
    """Whether all ages over 89 have one result."""
    whole, parts = [str(age) for age in range(OLDEST, 121)], [f"{age}.5" for age in range(OLDEST, 121)]
    return _worst("tells ages over 89 apart" if len(_told(made)) > 1 else None for kind in (Kind.NUMBER, Kind.STRING)
                  for _, made in _tried(one, (whole, whole + parts), kind))


def dates(one: Showing) -> str | None:
    """Whether no more than the year of a date is told."""
    days = [datetime.datetime(year, month, day, hour, 30, 15) for year in _YEARS for month in range(1, 13)
            for day, hour in ((2, 3), (15, 10), (28, 21))]
    return _worst(_years(days, made) for made in _of_days(one, days))


def _years(days: list[datetime.datetime], made: list[str | None]) -> str | None:
    spans: dict[str, list[datetime.datetime]] = {}
    for day, result in zip(days, made, strict=True):
        if result is not None:
            spans.setdefault(result, []).append(day)
    ordered = sorted(spans.values(), key=lambda found: found[0])
    cyclic = len({(found[0].year, found[-1].year) for found in ordered}) < len(ordered) and len(ordered) > 1
    short = [found for found in ordered[1:-1] if (found[-1] - found[0]).days < 300]
    return "tells more than the year" if cyclic or short else None


def births(one: Showing) -> str | None:
    """Whether no more than the year of a date of birth is told, and everybody over 89 has one result."""
    if (found := dates(one)) is not None:
        return found
    day = getattr(one.rule.params, "age_on", None) if one.rule is not None else None
    today = datetime.date.fromisoformat(day) if isinstance(day, str) else datetime.datetime.now(datetime.UTC).date()
    born = [datetime.datetime(year, 1, 2) for year in range(today.year - 120, today.year - OLDEST + 1)]
    told = [made for made in _of_days(one, born) if len(_told(made)) > 1]
    return "tells years of birth of people over 89 apart" if told else None


def _worst(found: Iterable[str | None]) -> str | None:
    """What is wrong in the first form in which something is; that nothing could be tried, where there is no form."""
    judged = list(found)
    return next((wrong for wrong in judged if wrong is not None), None) if judged else _UNTRIED


def _told(made: list[str | None]) -> set[str]:
    return {result for result in made if result is not None}


def _tried(one: Showing, forms: Iterable[list[str]], kind: Kind = Kind.STRING) -> Iterator[tuple[list[str], list[str | None]]]:
    """Values and results in each form that the rule takes."""
    yield from ((texts, made) for texts in forms if (made := results(one, texts, kind)) is not None)


def _of_days(one: Showing, days: list[datetime.datetime]) -> Iterator[list[str | None]]:
    """The results of dates: as numbers where the field has a unit, else in each spelling that field and rule take."""
    unit = one.field.unit if one.field is not None else None
    if unit is not None:
        seconds = [int((day - datetime.datetime(1970, 1, 1)).total_seconds()) for day in days]
        texts = [str(second * _TICKS[unit]) for second in seconds]
        yield from (made for kind in (Kind.NUMBER, Kind.STRING) for _, made in _tried(one, [texts], kind))
    else:
        yield from (made for _, made in _tried(one, ([day.strftime(form) for day in days] for form in _FORMS)))
