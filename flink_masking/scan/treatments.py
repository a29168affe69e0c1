"""What a proposal does with each type of data, until a person decides otherwise: nothing is shown that can say who somebody is."""

from typing import NamedTuple

TYPED = frozenset((
    "email", "phone", "payment_card", "iban", "us_ssn", "postal_code", "ip_address", "mac_address", "imei", "cvv", "card_expiry", "vin",
    "date", "person", "street", "city", "country", "national_id", "passport", "user_name", "device_id", "uuid", "url"))
"""Types of fields that a proposal may name for texts."""


class Treatment(NamedTuple):
    """Class, type and rule of a field.

    Attributes:
        role: the class.
        type: a type of fields, or None.
        rule: in YAML; None: drop.
        decide: what a person must decide, "" for nothing.
        unit: of a time as a number, "" for none.
    """

    role: str
    type: str | None
    rule: str | None
    decide: str = ""
    unit: str = ""


_TYPES = {
    "EMAIL": Treatment("direct", "email", "pseudonym"),
    "PHONE": Treatment("direct", "phone", "pseudonym"),
    "PERSON": Treatment("direct", "person", "redact"),
    "TITLE": Treatment("plain", None, None),
    "USERNAME": Treatment("direct", "user_name", "pseudonym"),
    "AGE": Treatment("quasi", None, "{technique: generalize, width: 10}", "width of the ranges"),
    "DATE_OF_BIRTH": Treatment("quasi", "date", "{technique: generalize, date: year}", "how coarse it is shown"),
    "DATE": Treatment("quasi", "date", "{technique: generalize, date: month}"),
    "STREET_ADDRESS": Treatment("direct", "street", None),
    "POSTCODE": Treatment("quasi", "postal_code", "{technique: generalize, prefix: 2}", "how many characters are shown"),
    "CITY": Treatment("quasi", "city", None, "a city may be shown where enough people live in it"),
    "COUNTRY": Treatment("quasi", "country", None, "a country may be shown where enough people live in it"),
    "NATIONALITY": Treatment("sensitive", None, None),
    "ORGANIZATION": Treatment("plain", None, None, "companies may be shown if they are no persons"),
    "GEO": Treatment("quasi", None, None, "a place may be shown as a geohash of few characters"),
    "IP_ADDRESS": Treatment("direct", "ip_address", "pseudonym"),
    "MAC_ADDRESS": Treatment("direct", "mac_address", "pseudonym"),
    "UUID": Treatment("identifier", "uuid", "pseudonym"),
    "IMEI": Treatment("direct", "imei", "pseudonym"),
    "VIN": Treatment("direct", "vin", "pseudonym"),
    "URL": Treatment("plain", "url", None, "addresses often hold identifiers; keep it if these do not"),
    "CARD_NUMBER": Treatment("direct", "payment_card", "pseudonym"),
    "CARD_CVV": Treatment("direct", "cvv", None),
    "CARD_EXPIRY": Treatment("direct", "card_expiry", None),
    "CARD_TRACK": Treatment("direct", None, None),
    "IBAN": Treatment("direct", "iban", "pseudonym"),
    "BIC": Treatment("plain", None, None, "a bank's code may be shown if it says nothing of a person"),
    "ISIN": Treatment("plain", None, None, "a security's number may be shown if it says nothing of a person"),
    "US_SSN": Treatment("direct", "us_ssn", "pseudonym"),
    "PASSPORT": Treatment("direct", "passport", "pseudonym"),
}  # fmt: skip
"""By type; the rule ``pseudonym`` gets the domain of its type."""
_CATEGORIES = {
    "person": Treatment("direct", None, None),
    "contact": Treatment("direct", None, "pseudonym"),
    "place": Treatment("quasi", None, None, "whether a coarser place may be shown"),
    "device": Treatment("direct", "device_id", "pseudonym"),
    "finance": Treatment("direct", None, "pseudonym"),
    "identity": Treatment("direct", "national_id", "pseudonym"),
    "health": Treatment("direct", None, "pseudonym"),
    "secret": Treatment("direct", None, None),
}  # fmt: skip


def treatment(type_: str, category: str, domain: str | None, text: bool) -> Treatment:
    """What a proposal does with a field that holds a type of data.

    Args:
        type_: name of the type.
        category: of the type.
        domain: of the pseudonyms where the field's values recur in others; None: of the type.
        text: whether values are texts, not numbers.
    """
    found = _TYPES.get(type_) or _CATEGORIES.get(category) or Treatment("direct", None, None)
    rule = found.rule
    if rule == "pseudonym":
        rule = f"{{technique: pseudonym, domain: {domain or type_.lower().replace('_', '-')}}}"
    elif rule is not None and (("width" in rule and text) or (("prefix" in rule or "date" in rule) and not text)):
        return found._replace(rule=None, decide=found.decide or "how it is shown")
    return found._replace(rule=rule)
