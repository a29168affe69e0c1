"""fpe: format-preserving encryption: the result has the form of the value, and a key holder gets the value back."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from flink_masking.crypto.alphabet import NAMED, alphabet
from flink_masking.crypto.ff1_domain import MINIMUM_DOMAIN
from flink_masking.errors import PolicyError
from flink_masking.records.kinds import TEXT
from flink_masking.techniques.base import Params, RuleContext, Technique
from flink_masking.techniques.fpe.formats import FORMATS, LONGEST, USUAL_LENGTH, Shape, of_alphabet
from flink_masking.techniques.promises import Promises, Shows

Count = Annotated[int, Field(ge=0, le=LONGEST, strict=True)]

TOO_FEW = {"boolean": 2, "gender": 10, "card_expiry": 1_200, "cvv": 10_000, "time": 86_400, "date": 73_049, "datetime": 73_049}
"""Types of fields that never have enough values, and about how many (a date: the calendar days of two centuries)."""


class FpeParams(Params):
    """Parameters of fpe: a domain, and one of `format` and `alphabet`.

    Attributes:
        domain: values of the same domain can be joined, those of two domains cannot.
        format: card (12 to 19 digits), ssn (9 digits), phone (up to 15 digits, the country code behind ``+`` kept), email (lower-case
            letters and digits of the local part; ``. _ - +`` and the host kept) or iban (country kept, check digits computed).
        alphabet: digits, lower, upper, letters, alphanumeric, hex, or the characters themselves.
        keep_first: characters of the alphabet kept in clear at the start (phone: behind the country code; iban: of the account).
        keep_last: the same at the end.
        keep_separators: punctuation, spaces and symbols stay where they are; false: a value that has any is refused.
        luhn: values pass Luhn's check, and so do results; for cards and the alphabet digits.
        max_length: characters of the alphabet in a value, at most; longer ones are refused. Numbers of up to 72 digits are encrypted in
            columns; what longer values take grows with the square of their length, up to a millisecond.
    """

    domain: Annotated[str, StringConstraints(min_length=1)]
    format: Literal["card", "ssn", "phone", "email", "iban"] | None = None
    alphabet: Annotated[str, StringConstraints(min_length=1)] | None = None
    keep_first: Count = 0
    keep_last: Count = 0
    keep_separators: bool = True
    luhn: bool = False
    max_length: Annotated[int, Field(ge=1, le=LONGEST, strict=True)] = USUAL_LENGTH

    @field_validator("alphabet")
    @classmethod
    def _alphabet_can_be_used(cls, text: str | None) -> str | None:
        if text is not None:
            alphabet(text)
        return text

    @model_validator(mode="after")
    def _one_form(self) -> "FpeParams":
        if (self.format is None) == (self.alphabet is None):
            known = f"{', '.join(FORMATS)}; {', '.join(NAMED)}, or the characters themselves"
            raise ValueError(f"exactly one of format and alphabet. Hint: {known}")
        if self.luhn and self.format != "card" and self.alphabet != "digits":
            raise ValueError("luhn is for numbers with Luhn's check digit. Hint: format card, or alphabet digits")
        if self.format is not None and "max_length" in self.model_fields_set:
            raise ValueError("max_length belongs to alphabet. Hint: omit it, a format has a length of its own")
        return self


def shape_of(params: FpeParams, most: int | None = None) -> Shape:
    """What the parameters say of a value; `most` characters of the alphabet at most, those of the parameters when None."""
    form = FORMATS.get(params.format or "") or of_alphabet(alphabet(params.alphabet or ""), most or params.max_length)
    return Shape(params.format, form, params.keep_first, params.keep_last, params.keep_separators, params.luhn)


def promises(params: FpeParams) -> Promises:
    """Which values are equal, their length, and what is kept."""
    part = params.keep_first or params.keep_last or params.format in ("phone", "email")
    return Promises(
        shows=Shows.PART if part else Shows.NOTHING,
        deterministic=True,
        lasting=True,
        row_local=True,
        injective=True,
        reversible=True,
        passes=False,
        prefix=0 if params.format == "iban" else params.keep_first,
        purposes=("fpe",),
        domain=params.domain,
        composes=True,
    )


def check(params: FpeParams, rule_context: RuleContext, most: int | None = None) -> None:
    """Refuse what leaves too few values to encrypt into.

    Args:
        params: of the rule.
        rule_context: of the rule.
        most: as for `shape_of`.

    Raises:
        PolicyError: fewer than a million values are left, by the rule or by the type of its field.
    """
    kind = rule_context.facts.kind
    if kind in TOO_FEW:
        raise PolicyError(
            f"fpe: a field of type {kind} has about {TOO_FEW[kind]:,} values, and fewer than {MINIMUM_DOMAIN:,} can be searched. "
            "Hint: use a keyed date shift (date_shift) for dates and times, a token (tokenize), or generalize"
        )
    shape = shape_of(params, most)
    shape.form.check_reach(shape.first + shape.last, int(shape.luhn))


TECHNIQUE = Technique(
    name="fpe",
    summary="Format-preserving encryption (FF1): the same length and characters, reversible with the key.",
    params=FpeParams,
    promises=promises,
    inputs=TEXT,
    implementation="flink_masking.techniques.fpe.mask",
    check=check,
    examples=(
        {"domain": "pan", "format": "card", "keep_first": 6, "luhn": True},
        {"domain": "pan", "format": "card", "keep_first": 6, "keep_last": 4},
        {"domain": "ssn", "format": "ssn"},
        {"domain": "phone", "format": "phone"},
        {"domain": "mail", "format": "email"},
        {"domain": "account", "format": "iban"},
        {"domain": "id", "alphabet": "digits"},
        {"domain": "id", "alphabet": "alphanumeric", "keep_first": 1, "keep_separators": False},
        {"domain": "name", "alphabet": "aábcdefghiíjklmnoóprstuúvyž", "keep_last": 1},
    ),
)
