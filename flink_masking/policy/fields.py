"""The fields of a stream as a policy declares them."""

import datetime
import math
from typing import Annotated, Any, Literal

import pydantic
from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainValidator, WithJsonSchema

from flink_masking.policy.durations import Duration
from flink_masking.values.units import Unit

LARGEST = 10**15
"""Numbers of a policy lie within ± this, so that they are exact as floats and fit int64 at any scale."""

KINDS = (
    "boolean", "card_expiry", "city", "company", "country", "cvv", "date", "datetime", "device_id", "email", "first_name", "full_name",
    "gender", "geo", "iban", "imei", "integer", "ip_address", "json", "last_name", "mac_address", "name", "national_id", "number",
    "partial_date", "passport", "payment_card", "person", "phone", "postal_code", "street", "text", "time", "url", "us_ssn", "user_name",
    "uuid", "vin",
)  # fmt: skip
"""What a field's ``type`` may say; `flink_masking.contract.forms.FORMS` says which of them have a form that values are checked for."""

OBJECT_TYPES = ("json", "geo")
"""Types of fields that hold an object or array as a whole."""

Role = Literal["identifier", "direct", "quasi", "sensitive", "measure", "free_text", "plain"]


class Model(BaseModel):
    """Any part of a policy: frozen, no unknown keys, and values stay out of error texts."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError("must be a number")
    if abs(value) > LARGEST:
        raise ValueError("is too large. Hint: numbers of a policy lie within ±1e15")
    return value


def _bound(value: Any) -> int | float | str:
    return value if isinstance(value, str) else _number(value)


WORDS = "; words have no order: they are generalised by a hierarchy, a file such as cities.csv"
"""Hint for who lists words in the place of two bounds."""


def _pair(value: Any) -> Any:
    if not isinstance(value, list | tuple) or len(value) != 2:
        words = isinstance(value, str) or (isinstance(value, list) and any(isinstance(one, str) for one in value))
        raise ValueError(f"must be a low and a high value. Hint: such as [0, 120]{WORDS if words else ''}")
    return tuple(value)


Whole = Annotated[int, pydantic.Field(strict=True, le=LARGEST)]
Number = Annotated[int | float, PlainValidator(_number), WithJsonSchema({"type": "number"})]
Real = Annotated[float, pydantic.Field(strict=True, allow_inf_nan=False)]
Flag = Annotated[bool, pydantic.Field(strict=True)]
Text = Annotated[str, pydantic.Field(strict=True, min_length=1, max_length=500)]
Name = Annotated[str, pydantic.Field(min_length=1, max_length=500)]
_Bound = Annotated[int | float | str, PlainValidator(_bound), WithJsonSchema({"type": ["number", "string"]})]


def _a_day(value: Any) -> Any:
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value.isoformat()
    try:
        return datetime.date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise ValueError("must be a date. Hint: such as 2024-12-31") from None


CYCLES = {"hour_of_day": (0, 23), "weekday": (1, 7)}
"""What comes round again in a date, and its values."""


class Derive(Model):
    """What a quasi-identifier is generalised by instead of its date itself; exactly one of the two.

    Attributes:
        age_on: a date of birth counts as the age in whole years on this day, within `domain`.
        date: hour_of_day, 0 to 23, or weekday, 1 (Monday) to 7.
        domain: lowest and highest age.
    """

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    age_on: Annotated[str, BeforeValidator(_a_day)] | None = None
    date: Literal["hour_of_day", "weekday"] | None = None
    domain: Annotated[tuple[Number, Number], BeforeValidator(_pair)] = (0, 120)

    @pydantic.model_validator(mode="after")
    def _one_of_two(self) -> "Derive":
        if (self.age_on is None) == (self.date is None):
            raise ValueError("must be one of age_on and date. Hint: {age_on: 2024-12-31}, or {date: hour_of_day}")
        if self.date is not None and "domain" in self.model_fields_set:
            raise ValueError("has a domain, which is for age_on. Hint: hours and days of the week are what they are")
        if not self.domain[0] < self.domain[1] or any(end != int(end) for end in self.domain):
            raise ValueError("must have a domain of whole years. Hint: domain: [0, 120]")
        return self

    @property
    def range(self) -> tuple[int, int]:
        """The lowest and the highest number."""
        low, high = self.domain if self.date is None else CYCLES[self.date]
        return int(low), int(high)

    @property
    def parameters(self) -> dict[str, Any]:
        """Of the technique generalize, which makes the numbers."""
        return {"age_on": self.age_on} if self.date is None else {"date": self.date}


class Field(Model):
    """The declaration of one field: its contract. A value that breaks it is shown in no view.

    Attributes:
        role: written ``class``: how the field relates to the person.
        type: what it holds, one of `KINDS`; None when not said: then any scalar is shown as it comes.
        optional: a record may lack it.
        domain: public lower and upper bound of a number or (ISO text) a date; no value beyond is shown.
        hierarchy: name of the file with its generalisation hierarchy, relative to the policy.
        prefix: it is text of at most this many characters, generalised by cutting from the right; of type geo, the characters of
            its geohash.
        values: the only texts that it may hold.
        pattern: a regular expression (RE2) that its text matches as a whole.
        bounds: for a measure, what values are clipped to in aggregates; where it has no domain, no value beyond is shown.
        scale: decimals of a number, at most; a measure without scale counts whole units.
        compare: for class sensitive, how texts are compared where diversity is counted: exact, or folded, without case and the blanks
            around it; numbers always count by value.
        unit: it is a time, as a number (or a text of digits) of so many seconds, milliseconds, microseconds or nanoseconds since 1970.
        derive: for class quasi, the number that a date is generalised by in anonymized segments: the age, the hour of the day, the weekday.
    """

    role: Role = pydantic.Field(alias="class")
    type: Annotated[Name | None, pydantic.Field(examples=[*KINDS])] = None
    optional: Flag = True
    domain: Annotated[tuple[_Bound, _Bound], BeforeValidator(_pair)] | None = None
    hierarchy: Name | None = None
    prefix: Annotated[Whole, pydantic.Field(ge=1, le=32)] | None = None
    values: Annotated[tuple[Text, ...] | None, pydantic.Field(min_length=1, max_length=10_000)] = None
    pattern: Name | None = None
    bounds: Annotated[tuple[Number, Number], BeforeValidator(_pair)] | None = None
    scale: Annotated[Whole, pydantic.Field(ge=0, le=9)] | None = None
    compare: Literal["exact", "folded"] = "exact"
    unit: Unit | None = None
    derive: Derive | None = None


class EventTime(Model):
    """The field of the event time and the bound on disorder.

    Attributes:
        field: a declared field.
        unit: of a field that is a number since 1970: s, ms, us or ns; else that of the field, or ms.
        max_out_of_orderness: milliseconds by which the watermark stays behind the largest event time.
        max_ahead: milliseconds by which an event may be dated after the time at which it is processed; a later one is quarantined.
    """

    field: Name
    unit: Unit | None = None
    max_out_of_orderness: Annotated[Duration, pydantic.Field(json_schema_extra={"default": "0s"})] = 0
    max_ahead: Annotated[Duration, pydantic.Field(json_schema_extra={"default": "5min"})] = 300_000
