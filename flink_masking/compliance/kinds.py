"""Which declared field is which kind of personal data: by its type, its class, and the last name of its path."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from flink_masking.compliance.subject import PolicyViews
from flink_masking.policy.fields import Field

NAME, PLACE, ZIP, DATE, BIRTH, AGE, PHONE, FAX, EMAIL, SSN, RECORD, PLAN, ACCOUNT, LICENCE, VEHICLE, DEVICE, URL, IP, BODY, PHOTO, OTHER = (
    "name", "place", "zip", "date", "birth", "age", "phone", "fax", "email", "ssn", "record", "plan", "account", "licence", "vehicle",
    "device", "url", "ip", "body", "photo", "other")
BY_TYPE: Mapping[str, str] = MappingProxyType({
    "first_name": NAME, "full_name": NAME, "last_name": NAME, "name": NAME, "person": NAME, "user_name": OTHER,
    "city": PLACE, "geo": PLACE, "street": PLACE, "postal_code": ZIP,
    "date": DATE, "datetime": DATE, "partial_date": DATE, "card_expiry": DATE,
    "phone": PHONE, "email": EMAIL, "us_ssn": SSN, "iban": ACCOUNT, "payment_card": ACCOUNT, "cvv": ACCOUNT,
    "passport": LICENCE, "national_id": OTHER, "vin": VEHICLE, "device_id": DEVICE, "imei": DEVICE, "mac_address": DEVICE,
    "url": URL, "ip_address": IP, "uuid": OTHER,
})  # fmt: skip
"""Kind by declared type."""
BY_WORD: tuple[tuple[str, str], ...] = (
    ("fax", FAX), ("phone|mobile|telephone", PHONE), ("e-?mail", EMAIL), ("ssn|social.?security.*", SSN),
    ("mrn|medical.?record.*|patient.?(id|no|number)", RECORD), ("(health.?plan|beneficiary|insurance|member|policy).?(id|no|number)", PLAN),
    ("account|iban|account.?(id|no|number)|card.?number|pan", ACCOUNT),
    ("licen[cs]e|(driver|licen[cs]e|certificate).*(id|no|number)?", LICENCE),
    ("vin|licen[cs]e.?plate|plate|vehicle.?(id|no|number)", VEHICLE), ("imei|imsi|serial.?(no|number)?|device.?(id|serial)", DEVICE),
    ("url|uri|homepage|website", URL), ("ip|ip.?addr(ess)?|client.?address", IP),
    ("finger.?print|voice.?print|retina|iris|biometrics?|face.?id", BODY), ("photo(graph)?|portrait|picture|face.?image|selfie", PHOTO),
    ("(birth.?date|date.?of.?birth|dob|birthday|year.?of.?birth)", BIRTH), ("age", AGE), ("zip|zip.?code|post(al)?.?code", ZIP),
    ("(first|last|full|family|given|maiden|user|display)?.?name|surname|family|given", NAME),
    ("street|line|city|town|county|district|parish|precinct|latitude|longitude|lat|lon|geo.?code|address", PLACE),
)
"""Kind by the last name of a path, or its last words; for fields whose type says nothing."""
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
    if field.role == "free_text" or (found is None and field.role in _PERSONAL):
        return OTHER
    return found


def fields_of(views: PolicyViews, *kinds: str) -> list[str]:
    """Paths of the fields of some kinds."""
    clock = views.loaded.policy.event_time.field if views.loaded.policy.event_time is not None else None
    return [path for path, field in views.fields.items() if kind_of(path, field, clock) in kinds]


def _by_word(path: str) -> str | None:
    names = [name for name in re.split(r"[.\[\]]+", re.sub(r"\[[^\]]*\]", "", path)) if name and name != "*"]
    last = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", names[-1]).lower() if names else ""
    return next((kind for words, kind in BY_WORD if re.fullmatch(f"(?:.*_)?(?:{words})", last)), None)
