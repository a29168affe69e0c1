"""The field types whose values have a form that can be checked."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from flink_masking.contract import check_kernels as kernels
from flink_masking.contract import number_kernels
from flink_masking.records.kinds import ANYTHING, BOOLEAN, NUMERIC, TEXT, Kind


class Form(NamedTuple):
    """What a value of a type is.

    Attributes:
        code: of the form, for the kernel.
        kinds: of values that can have it.
        says: for people.
        bits: of the kernel for numbers.
    """

    code: int
    kinds: frozenset[Kind]
    says: str
    bits: int = number_kernels.PLAIN


FORMS: Mapping[str, Form] = MappingProxyType({
    "number": Form(kernels.NUMBER, NUMERIC, "a JSON number of at most 40 characters"),
    "integer": Form(kernels.NUMBER, NUMERIC, "a JSON number of digits alone, at most 40", number_kernels.INTEGER),
    "boolean": Form(kernels.ANY, BOOLEAN, "true or false"),
    "date": Form(kernels.DATE, TEXT, "YYYY-MM-DD"),
    "datetime": Form(kernels.MOMENT, TEXT, "an ISO 8601 date, alone or with a time of day and a zone"),
    "partial_date": Form(kernels.PARTIAL, TEXT, "YYYY, YYYY-MM, or what a datetime is"),
    "time": Form(kernels.TIME, TEXT, "an ISO 8601 time of day, alone or with a zone"),
    "email": Form(kernels.EMAIL, TEXT, "one address of ASCII characters: local part, one @, host name"),
    "us_ssn": Form(kernels.SSN, TEXT, "nine digits, DDD-DD-DDDD or DDD DD DDDD"),
    "payment_card": Form(kernels.CARD, TEXT, "12 to 19 digits that pass Luhn's check, in groups by spaces or hyphens"),
    "phone": Form(kernels.PHONE, TEXT, "5 to 15 digits, + in front or none, single spaces, hyphens, points, slashes, one pair of brackets"),
    "iban": Form(kernels.IBAN, TEXT, "15 to 34 characters whose check digits are right, spaces between groups of four"),
    "ip_address": Form(kernels.IP, TEXT, "an IPv4 or IPv6 address"),
    "uuid": Form(kernels.UUID, TEXT, "8-4-4-4-12 hexadecimal digits"),
    "url": Form(kernels.URL, TEXT, "scheme://host and what may follow, at most 2048 characters"),
    "postal_code": Form(kernels.POSTAL_CODE, TEXT, "3 to 8 letters and digits with a digit at least, or DDDDD-DDDD"),
    "vin": Form(kernels.VIN, TEXT, "17 letters and digits without I, O and Q"),
    "mac_address": Form(kernels.MAC, TEXT, "six pairs of hexadecimal digits"),
    "imei": Form(kernels.IMEI, TEXT, "14 to 16 digits; of 15 the last one is Luhn's check"),
    "cvv": Form(kernels.CVV, TEXT, "three or four digits"),
    "card_expiry": Form(kernels.EXPIRY, TEXT, "MM/YY or MM/YYYY"),
    "geo": Form(kernels.PLACE, frozenset({Kind.OBJECT}), "an object of lat and lon, perhaps altitude and accuracy, and nothing else"),
    "text": Form(kernels.ANY, TEXT, "any text"),
})  # fmt: skip
"""By type. Every other known type (names, cities, streets, national ids …) has no form that tells it from other text: any text fits."""

UNTYPED = Form(kernels.ANY, ANYTHING, "any value")
DECLARATIVE = Form(kernels.ANY, TEXT, "any text")
SHORT = Form(kernels.ANY, TEXT | NUMERIC, "a text or number of so many characters")
"""Of a field without a type that has a prefix: a postal code may be a number."""
