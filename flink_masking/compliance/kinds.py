"""Which declared field is which kind of personal data: by its type, its class, and the last names of its path."""

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from flink_masking.compliance.subject import PolicyViews, Showing
from flink_masking.policy.check_record import HEADERS, KEY
from flink_masking.policy.fields import Field
from flink_masking.policy.segments import MaskedSegment

NAME, PLACE, ZIP, DATE, BIRTH, AGE, PHONE, FAX, EMAIL, SSN, RECORD, PLAN, ACCOUNT, LICENCE, VEHICLE, DEVICE, URL, IP, BODY, PHOTO, OTHER = (
    "name", "place", "zip", "date", "birth", "age", "phone", "fax", "email", "ssn", "record", "plan", "account", "licence", "vehicle",
    "device", "url", "ip", "body", "photo", "other")
CARD, CODE = "card", "code"
"""Numbers of payment cards, and what authenticates a payment by card: security code, PIN, track data."""
BY_TYPE: Mapping[str, str] = MappingProxyType({
    "first_name": NAME, "full_name": NAME, "last_name": NAME, "name": NAME, "person": NAME, "user_name": OTHER,
    "city": PLACE, "geo": PLACE, "street": PLACE, "postal_code": ZIP,
    "date": DATE, "datetime": DATE, "partial_date": DATE, "card_expiry": DATE,
    "phone": PHONE, "email": EMAIL, "us_ssn": SSN, "iban": ACCOUNT, "payment_card": CARD, "cvv": CODE,
    "passport": LICENCE, "national_id": OTHER, "vin": VEHICLE, "device_id": DEVICE, "imei": DEVICE, "mac_address": DEVICE,
    "url": URL, "ip_address": IP, "uuid": OTHER,
})  # fmt: skip
"""Kind by declared type."""
BY_WORD: tuple[tuple[str, str], ...] = (
    ("(cvv|cvc|csc|cav|cid)[12]?(.?(code|value|no|number))?|security.?code|card.?(security|verification|validation).?(code|value|number)|"
     "card.?code|pin(.?(block|code|data|no|number))?|track.?[123].*|track.?data|card.?tracks?|mag(netic)?.?stripe.*", CODE),
    ("pan(.?(no|number))?|(card|cc).?(no|nr|num|number|pan)|(credit|debit|payment|bank).?card|(?<!_)card|"
     "primary.?account.?(no|number)", CARD),
    ("fax", FAX), ("(phone|mobile|telephone)(.?(no|nr|num|number))?", PHONE), ("e-?mail", EMAIL), ("ssn|social.?security.*", SSN),
    ("mrn|medical.?record.*|patient.?(id|no|number)", RECORD), ("(health.?plan|beneficiary|insurance|member|policy).?(id|no|number)", PLAN),
    ("account|iban|account.?(id|no|number)", ACCOUNT),
    ("licen[cs]e|(driver|licen[cs]e|certificate).*(id|no|number)?", LICENCE),
    ("vin|licen[cs]e.?plate|plate|vehicle.?(id|no|number)", VEHICLE), ("imei|imsi|serial.?(no|number)?|device.?(id|serial)", DEVICE),
    ("url|uri|homepage|website", URL), ("ip|ip.?addr(ess)?|client.?address", IP),
    ("finger.?print|voice.?print|retina|iris|biometrics?|face.?id", BODY), ("photo(graph)?|portrait|picture|face.?image|selfie", PHOTO),
    ("(birth.?date|date.?of.?birth|dob|birthday|year.?of.?birth)", BIRTH), ("age", AGE), ("zip|zip.?code|post(al)?.?code", ZIP),
    ("(first|last|full|family|given|maiden|user|display)?.?name|surname|family|given", NAME),
    ("street|line|city|town|county|district|parish|precinct|latitude|longitude|lat|lon|geo.?code|address", PLACE),
)
"""Kind by the last name of a path, or its last words; for fields whose type says nothing."""
_VAGUE = ("id", "no", "nr", "num", "number", "code")
"""Last names that say something only together with the name before: ``account.number``, ``zip.code``."""
_SOFT = (URL, OTHER, NAME, PLACE)
"""Kinds of fields of class plain or measure that are taken at the policy's word: a brand's name, the address of a schema."""
_PERSONAL = ("identifier", "direct")


def kind_of(path: str, field: Field, clock: str | None = None) -> str | None:
    """The kind of a field, None where it is none.

    Args:
        path: of the field.
        field: its declaration.
        clock: path of the event time.
    """
    found = _by_word(path)
    if found not in (FAX, BIRTH, AGE) or field.type in ("email", "us_ssn", "phone"):
        found = BY_TYPE.get(field.type or "") or found
    if field.derive is not None and field.derive.age_on is not None:
        found = BIRTH
    if found is None and (field.unit is not None or path == clock or (field.domain is not None and isinstance(field.domain[0], str))):
        found = DATE
    if found is DATE and _by_word(path) is BIRTH:
        found = BIRTH
    if field.role in ("plain", "measure") and found in _SOFT:
        return None
    if found in (CARD, CODE) and field.values is not None:  # a public list of values has no number in it
        found = None
    if field.role == "free_text" or (found is None and field.role in _PERSONAL):
        return OTHER
    return found


def fields_of(views: PolicyViews, *kinds: str) -> list[str]:
    """Paths of the fields of some kinds."""
    clock = views.loaded.policy.event_time.field if views.loaded.policy.event_time is not None else None
    return [path for path, field in views.fields.items() if kind_of(path, field, clock) in kinds]


def showings_of(views: PolicyViews, *kinds: str) -> list[Showing]:
    """What views show of the fields of some kinds, and of the keys and headers of records that are known to be of one."""
    return [*views.of(fields_of(views, *kinds)), *(one for one in views.showings if _kind_of_part(one, views) in kinds)]


def _kind_of_part(one: Showing, views: PolicyViews) -> str | None:
    """The kind of a record's key by its type, of a header by its type or name; None for fields and where neither says anything."""
    segment = views.loaded.policy.segments[one.segment]
    if not isinstance(segment, MaskedSegment) or segment.record is None:
        return None
    if one.path == KEY:
        return BY_TYPE.get(segment.record.key_type or "")
    name = one.path.removeprefix(HEADERS)
    if name == one.path or one.field is not None:
        return None
    return BY_TYPE.get(segment.record.header_types.get(name, "")) or _by_word(name)


@cache
def _by_word(path: str) -> str | None:
    names = [_spelled(name) for name in re.split(r"[.\[\]]+", re.sub(r"\[[^\]]*\]", "", path)) if name and name != "*"]
    if not names:
        return None
    last, both = names[-1], "_".join(names[-2:])
    return next((kind for words, kind in BY_WORD for told in (last, both)
                 if (told is last or last in _VAGUE or kind in (CARD, CODE)) and re.fullmatch(f"(?:.*_)?(?:{words})", told)), None)


def _spelled(name: str) -> str:
    """A name in lower case with its words apart: ``cardNumber`` and ``Card-Number`` are ``card_number``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).replace("-", "_").lower()
