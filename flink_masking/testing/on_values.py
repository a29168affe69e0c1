"""Laws on what a result shows of its value."""

import math
from datetime import date

from flink_masking.records.kinds import TEXT, Kind
from flink_masking.techniques.base import FieldFacts
from flink_masking.techniques.promises import Shows
from flink_masking.testing.rule import REFUSED, Rule, keep_to
from flink_masking.testing.samples import MARKS, SERIES, batch, marked, texts
from flink_masking.verify.shown import interval


def passes(rule: Rule) -> None:
    """Characters that nothing but a value can bring leave only where that is promised, and not in the own row where nothing is shown."""
    if not _takes_texts(rule):
        return
    given = marked()
    made = rule.results(texts(given))
    for old, new in zip(given, made, strict=True):
        own = isinstance(new, str | bytes) and new != REFUSED and bool(_own(old) & set(_text(new)))
        keep_to(not own or rule.promises.shows is not Shows.NOTHING, "shows: nothing, and yet the value's own characters")
    came = any(set(_text(new)) & _marks(given) for new in made if new not in (None, REFUSED))
    keep_to(rule.promises.passes or not came, "passes")


def prefix(rule: Rule) -> None:
    """So many characters at the start stay, wherever anything of the text stays."""
    if not _takes_texts(rule) or not rule.promises.prefix:
        return
    first = rule.promises.prefix
    for some in (marked(), *(part for kind, part in SERIES if kind in TEXT)):
        for old, new in zip(some, rule.results(texts(some)), strict=True):
            left = isinstance(new, str) and new != REFUSED and (rule.promises.injective or bool(set(new) & set(MARKS)))
            keep_to(not left or len(old) < 2 * first or new[:first] == old[:first], "prefix")


def hides(rule: Rule) -> None:
    """Texts of at most so many characters leave nothing of themselves but their length."""
    if not _takes_texts(rule) or not rule.promises.hides:
        return
    keep_to(rule.promises.shows is Shows.NOTHING or not rule.promises.erases, "hides: what is shown is not hidden")
    for length in (1, 2, 3, 9, 30):
        if length <= rule.promises.hides:
            words = [letter * length for letter in "ab7é漢"] + [("x1" * length)[:length]]
            made = rule.results(texts(words))
            keep_to(len(set(made)) == 1 and REFUSED not in made, "hides: texts of one length have one result")


def bounds(rule: Rule) -> None:
    """The value lies within the promised distance of its result, as the verifier reads it, and not anywhere."""
    if rule.promises.bounds is None or rule.technique.action is not None:
        return
    read, met = interval(rule.promises), False
    numbers = ["0", "0.01", "3", "12.34", "99.99", "-7.25", "1000000", "17"]
    for kind, some in ((Kind.NUMBER, numbers), *SERIES):
        if kind not in rule.technique.inputs or kind not in (Kind.NUMBER, Kind.STRING):
            continue
        for old, new in zip(some, rule.results(batch([(kind, text) for text in some])), strict=True):
            exact = _number_or_day(old, kind)
            if exact is None or new in (None, REFUSED):
                continue
            low, high = read(float(new) if isinstance(new, bytes) else new)
            met |= not math.isinf(high - low)
            keep_to(low - 1e-9 <= exact <= high + 1e-9, "bounds")
    keep_to(met, "bounds: no result is read as a number or a date")


def resolution(rule: Rule) -> None:
    """The number of values that results tell apart is at least one, and less for a narrower domain."""
    counts = [rule.technique.resolution(rule.params, FieldFacts("x", domain=(0, high))) for high in (1_000_000, 10)]
    keep_to(counts[0] >= counts[1] >= 1 and rule.technique.resolution(rule.params, FieldFacts("x")) >= 1, "resolution")


def _takes_texts(rule: Rule) -> bool:
    return rule.technique.action is None and Kind.STRING in rule.technique.inputs


def _text(new: str | bytes) -> str:
    return new.decode() if isinstance(new, bytes) else new


def _marks(given: list[str]) -> set[str]:
    return {character for text in given for character in text if ord(character) >= 0x4E00}


def _own(text: str) -> set[str]:
    """The two characters that no other text has."""
    return {character for character in text if 0x4E00 <= ord(character) < 0x4E60 and character not in MARKS}


def _number_or_day(text: str, kind: Kind) -> float | None:
    if kind is Kind.NUMBER:
        return float(text)
    try:
        return float(date.fromisoformat(text[:10]).toordinal())
    except ValueError:
        return None
