"""HIPAA Safe Harbor: the 18 identifiers of 45 CFR 164.514(b)(2)(i), each removed or in the form that the rule allows."""

from collections.abc import Callable

from flink_masking.compliance import finest, kinds
from flink_masking.compliance.kinds import fields_of
from flink_masking.compliance.model import Evidence, Framework, Point
from flink_masking.compliance.questions import undeclared, unknown
from flink_masking.compliance.separation import separated
from flink_masking.compliance.subject import TIMESTAMP, PolicyViews, Showing

Finest = Callable[[Showing], str | None]
_ID = "164.514(b)(2)(i)"
IDENTIFIERS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("A", "names", (kinds.NAME,)),
    ("B", "geographic subdivisions smaller than a state", (kinds.PLACE, kinds.ZIP)),
    ("C", "elements of dates except the year, ages over 89", (kinds.DATE, kinds.BIRTH, kinds.AGE)),
    ("D", "telephone numbers", (kinds.PHONE,)),
    ("E", "fax numbers", (kinds.FAX,)),
    ("F", "e-mail addresses", (kinds.EMAIL,)),
    ("G", "social security numbers", (kinds.SSN,)),
    ("H", "medical record numbers", (kinds.RECORD,)),
    ("I", "health plan beneficiary numbers", (kinds.PLAN,)),
    ("J", "account numbers", (kinds.ACCOUNT, kinds.CARD, kinds.CODE)),
    ("K", "certificate and licence numbers", (kinds.LICENCE,)),
    ("L", "vehicle identifiers, licence plates", (kinds.VEHICLE,)),
    ("M", "device identifiers and serial numbers", (kinds.DEVICE,)),
    ("N", "web addresses (URLs)", (kinds.URL,)),
    ("O", "IP addresses", (kinds.IP,)),
    ("P", "biometric identifiers", (kinds.BODY,)),
    ("Q", "full-face photographs", (kinds.PHOTO,)),
    ("R", "any other unique identifying number, characteristic or code", (kinds.OTHER,)),
)
"""Letter, title, kinds of fields."""
FINEST: dict[str, tuple[Finest, str]] = {
    kinds.ZIP: (finest.zip_codes, "tried on all three-digit areas: three digits at most, none of the 17 areas of at most 20,000 people"),
    kinds.DATE: (finest.dates, "tried on dates of 141 years: the year at most"),
    kinds.BIRTH: (finest.births, "tried on dates of birth: the year or age at most, everybody over 89 alike"),
    kinds.AGE: (finest.ages, "tried on ages from 90 to 120: all alike"),
}
"""Kinds of which something may be shown: what decides, and what it means."""
_DERIVED = ("is computed from the value by a key, which 164.514(c)(1) rules out for codes of record; use random tokens from "
            "a vault, or drop it")


def points(views: PolicyViews) -> list[Point]:
    """The 18 identifiers, other members of records, codes of record, and actual knowledge."""
    found = [Point(f"{_ID}({letter})", title, tuple(_evidence(views, asked)), _text(views, letter, asked))
             for letter, title, asked in IDENTIFIERS]
    others = [_judged(one, kinds.OTHER) for one in undeclared(views)]
    dated = [one.evidence(False, "the time at which the record was written to the source, to the millisecond; use timestamp: drop")
             for one in views.showings if one.path == TIMESTAMP]
    found.append(Point(_ID, "members of a record besides its fields: keys, headers, timestamp, undeclared ones",
                       (*others, *dated, *unknown(views)), "an undeclared field can hold any of the 18 identifiers"))
    tokens = [one.evidence(True, "drawn at random and kept in a vault: not derived from the value; who may read the vault is decided there")
              for one in views.showings if one.random_token]
    found.append(Point("164.514(c)", "codes by which records are identified again", tuple(tokens),
                       "not used: no view has a random token" if not tokens else
                       "whether the vault, and so the mechanism, is kept from the readers is outside this tool"))
    found.append(Point("164.514(b)(2)(ii)", "no actual knowledge that the rest could identify somebody", (),
                       "what the covered entity knows is outside this tool; "
                       f"joins of these views: {'; '.join(one.note for one in separated(views))}"))
    return found


def _evidence(views: PolicyViews, asked: tuple[str, ...]) -> list[Evidence]:
    found = []
    for kind in asked:
        found += [_judged(one, kind) for one in views.of(fields_of(views, kind))]
    return found


def _judged(one: Showing, kind: str) -> Evidence:
    if one.hidden:
        return one.evidence(True, "nothing of the value leaves")
    if kind in FINEST:
        decide, meaning = FINEST[kind]
        if one.view == "anonymized":
            return one.evidence(False, "how fine a label is depends on the data; Expert Determination judges such views")
        wrong = decide(one)
        return one.evidence(wrong is None, meaning if wrong is None else f"{wrong}: {meaning.partition(': ')[2]} is what may leave")
    if one.random_token:
        return one.evidence(True, "a random token, a code of record under 164.514(c)")
    if one.stand_in and one.keyed:
        return one.evidence(False, _DERIVED)
    if one.promises.parts or (one.field is not None and one.field.role == "free_text"):
        return one.evidence(False, "text in which only what is detected is replaced; detection finds most and not all: drop or redact it")
    if one.view == "aggregated" and one.rule is None:
        return one.evidence(True, "in figures with noise over many people only")
    return one.evidence(False, f"leaves as {one.tell()}; drop, nullify or redact it")


def _text(views: PolicyViews, letter: str, asked: tuple[str, ...]) -> str:
    if not fields_of(views, *asked):
        return "no declared field is one, by its type, class or name; whether a record holds one is outside this tool ('scan --against')"
    if letter == "B":
        return ("the 17 areas are those of the 2000 census, as the guidance of the Office for Civil Rights lists them; later census "
                "data is the reader's to check")
    if letter == "C":
        return ("fields with dates or ages are known by type, class or name; a date in other text is not seen; when a record comes, a "
                "stream tells roughly when its event was, which is outside this tool")
    return ""


FRAMEWORK = Framework(
    "hipaa-safe-harbor", "HIPAA Safe Harbor, 45 CFR 164.514(b)(2)", points,
    "The method asks that the 18 identifiers of the individual, and of relatives, employers and household members, be removed. Whether the "
    "data are protected health information at all, and whose, is outside this tool.")
