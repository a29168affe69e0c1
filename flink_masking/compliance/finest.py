"""How fine results are: dates to the year, ages over 89 in one, ZIP codes to three digits where 20,000 people live, digits of card numbers.

Each answers with None where the rule keeps to it, and otherwise with what it does instead.
"""

import datetime
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
_TICKS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def zip_codes(one: Showing) -> str | None:
    """Whether no more than three digits of a ZIP code are told, and none of those of the restricted areas."""
    texts = [f"{area:03}{rest}" for area in range(1000) for rest in ("01", "37", "99")]
    made = results(one, texts)
    if made is None:
        return _UNTRIED
    areas: dict[str | None, set[str]] = {}
    of_area: dict[str, set[str | None]] = {}
    for text, result in zip(texts, made, strict=True):
        if result is not None:
            areas.setdefault(result, set()).add(text[:3])
            of_area.setdefault(text[:3], set()).add(result)
    if any(len(found) > 1 for found in of_area.values()):
        return "tells more than the first three digits"
    small = set(RESTRICTED)
    told = sorted(next(iter(found)) for found in areas.values() if len(found) < len(small) and found <= small)
    return f"tells areas of at most 20,000 people apart: {', '.join(told[:5])}{' …' if len(told) > 5 else ''}" if told else None


def ages(one: Showing) -> str | None:
    """Whether all ages over 89 have one result."""
    texts = [str(age) for age in range(OLDEST, 121)]
    made = results(one, texts, Kind.NUMBER) or results(one, texts)
    if made is None:
        return _UNTRIED
    return "tells ages over 89 apart" if len({result for result in made if result is not None}) > 1 else None


def dates(one: Showing) -> str | None:
    """Whether no more than the year of a date is told."""
    days = [datetime.datetime(year, month, day, hour, 30, 15) for year in _YEARS for month in range(1, 13)
            for day, hour in ((2, 3), (15, 10), (28, 21))]
    made = _of_days(one, days)
    if made is None:
        return _UNTRIED
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
    made = _of_days(one, born)
    told = {result for result in made or () if result is not None}
    return "tells years of birth of people over 89 apart" if len(told) > 1 else None


def _of_days(one: Showing, days: list[datetime.datetime]) -> list[str | None] | None:
    """The results of dates, written as the field is declared, else in any form that the rule takes."""
    unit = one.field.unit if one.field is not None else None
    if unit is not None:
        seconds = [int((day - datetime.datetime(1970, 1, 1)).total_seconds()) for day in days]
        texts = [str(second * _TICKS[unit]) for second in seconds]
        return results(one, texts, Kind.NUMBER) or results(one, texts)
    declared = one.field.type if one.field is not None else None
    forms = ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d") if declared not in ("date", "partial_date") else ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ")
    for form in forms:
        if (made := results(one, [day.strftime(form) for day in days])) is not None:
            return made
    return None


CARDS = ("4111111111111111", "4012888888881881", "5555555555554444", "5105105105105100", "6011111111111117", "6011000990139424")
"""Card numbers for tests, of 16 digits, with valid check digits."""


def card_digits(one: Showing) -> tuple[int, int, int] | None:
    """Most digits of a card number that stay where they were: at the start, at the end, and between.

    Returns:
        Three counts; None where the rule could not be tried. A digit counts where it stays for every card number.
    """
    made = results(one, CARDS)
    if made is None or any(result is None for result in made):
        return None
    pairs = [(card, "".join(c for c in result or "" if c.isalnum() or c in "*x#●")) for card, result in zip(CARDS, made, strict=True)]
    if any(len(result) != len(card) for card, result in pairs):
        first = min(_common(card, result or "") for card, result in zip(CARDS, made, strict=True))
        last = min(_common(card[::-1], (result or "")[::-1]) for card, result in zip(CARDS, made, strict=True))
        return min(first, 16), min(last, 16 - min(first, 16)), 0
    stays = [all(card[at] == result[at] for card, result in pairs) for at in range(16)]
    first = next((at for at in range(16) if not stays[at]), 16)
    last = next((at for at in range(16 - first) if not stays[15 - at]), 16 - first)
    return first, last, sum(stays[first : 16 - last])


def _common(one: str, other: str) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
