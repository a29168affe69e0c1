"""How much of the personal data in texts contestants find, by kind."""

from collections.abc import Iterable, Sequence
from typing import Any

Span = Sequence[Any]
NAMES = {
    "PERSON": {"PERSON"}, "EMAIL": {"EMAIL", "EMAIL_ADDRESS"}, "PHONE": {"PHONE", "PHONE_NUMBER"}, "CARD": {"CARD_NUMBER", "CREDIT_CARD"},
    "IBAN": {"IBAN", "IBAN_CODE"}, "IP": {"IP_ADDRESS"}, "SSN": {"US_SSN"}, "URL": {"URL", "URL_CREDENTIALS", "URL_SECRET"},
    "PLACE": {"CITY", "COUNTRY", "STREET_ADDRESS", "POSTCODE", "LOCATION"}, "NATIONALITY": {"NATIONALITY", "NRP"},
    "ORGANIZATION": {"ORGANIZATION"}, "DATE": {"DATE", "DATE_OF_BIRTH", "DATE_TIME"}, "AGE": {"AGE"},
}
"""Kinds, and what the two call them."""
KIND = {name: kind for kind, names in NAMES.items() for name in names}
HALF = 0.5


def score(found: Sequence[Iterable[Span]], gold: Sequence[Iterable[Span]]) -> dict[str, dict[str, float]]:
    """Recall and precision by kind, and of all together.

    A datum is found where spans of its kind cover half of its characters or more; a span is right where data of its kind cover half of it.
    `found anyhow` also counts spans of another kind, which is what matters when everything that is found is replaced. Spans of types that
    are no kind here are no part of the precision.

    Args:
        found: for each text spans (first character, character after the last, type).
        gold: the same for what there is, with kinds as types.
    """
    tally: dict[str, list[float]] = {}
    for spans, truth in zip(found, gold, strict=False):
        named = [(one[0], one[1], KIND.get(one[2], "")) for one in spans]
        true = [(one[0], one[1], one[2]) for one in truth if one[2] in NAMES]
        for first, last, kind in true:
            of_kind = _covered(first, last, [one for one in named if one[2] == kind])
            entry = tally.setdefault(kind, [0.0] * 5)
            entry[0] += 1
            entry[1] += of_kind
            entry[2] += _covered(first, last, named)
        for first, last, kind in named:
            if kind:
                entry = tally.setdefault(kind, [0.0] * 5)
                entry[3] += 1
                entry[4] += _covered(first, last, [one for one in true if one[2] == kind])
    tally["all"] = [sum(column) for column in zip(*tally.values(), strict=True)] if tally else [0.0] * 5
    return {kind: {"data": there, "recall": hit / max(1, there), "found anyhow": anyhow / max(1, there),
                   "precision": right / max(1, said)}
            for kind, (there, hit, anyhow, said, right) in sorted(tally.items()) if there}


def _covered(first: int, last: int, spans: list[tuple[int, int, str]]) -> bool:
    inside = {at for start, end, _ in spans for at in range(max(first, start), min(last, end))}
    return len(inside) >= HALF * (last - first)
