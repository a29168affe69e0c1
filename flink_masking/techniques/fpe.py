"""fpe: format-preserving encryption: the result has the form of the value, and a key holder gets the value back."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from flink_masking.crypto.alphabet import NAMED, alphabet
from flink_masking.crypto.ff1 import MINIMUM_DOMAIN
from flink_masking.errors import PolicyError
from flink_masking.records.kinds import TEXT
from flink_masking.techniques.base import Context, Domain, Mask, Masked, Params, RuleContext, Shows, Technique, Values, always
from flink_masking.techniques.fpe_formats import FORMATS, LONGEST, USUAL_LENGTH, contains, of_alphabet
from flink_masking.techniques.fpe_numerals import Converter, Shape
from flink_masking.techniques.rewriting import refusals

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


def _prepared(params: FpeParams, site: RuleContext, most: int | None = None) -> Converter:
    """The rule's cipher.

    Raises:
        PolicyError: fewer than a million values are left to encrypt into, by the rule or by the type of its field.
    """
    shape, kind = shape_of(params, most), site.facts.kind
    if kind in TOO_FEW:
        raise PolicyError(
            f"fpe: a field of type {kind} has about {TOO_FEW[kind]:,} values, and fewer than {MINIMUM_DOMAIN:,} can be searched. "
            "Hint: use a keyed date shift (date_shift) for dates and times, a token (tokenize), or generalize"
        )
    shape.form.check_reach(shape.first + shape.last, int(shape.luhn))
    return Converter(shape, site.keys.derive("fpe", params.domain))


def make_fpe(params: FpeParams, site: RuleContext) -> Mask:
    """A mask that encrypts the characters of a format or alphabet by FF1 (NIST SP 800-38G) under the key of the domain.

    Null stays null, ``""`` stays ``""``. A value is brought into Unicode's normal form NFC first. Refused are: a value of which fewer
    than 10^6 could be told apart after what is kept, a wrong number of digits, wrong check digits, a letter or other character that
    the format does not have, more characters than `max_length`, and a letter, digit, mark or control character that the alphabet does
    not have: ``Smith 1234567`` and ``12345 ١٢`` are no digits. Of what the alphabet does not have, only punctuation, spaces and symbols
    stay.
    Deterministic, reversible, row-local. What is kept, the format and the length of the value are the tweak: the same digits behind
    two BINs are encrypted differently. Leaks which values are equal, their length, and what is kept. An IBAN's letters are encrypted
    when there are at least five, fewer (a bank's code) are kept.

    Raises:
        PolicyError: fewer than a million values are left to encrypt into, by the rule or by the type of its field.
    """
    return _mask(_prepared(params, site), back=False)


def unmake_fpe(params: FpeParams, site: RuleContext) -> Mask:
    """The way back: the exact value (in NFC) that `make_fpe` took, under the same parameters and key.

    Refused is what cannot be a result: a wrong number of characters, wrong check digits. FF1 has no integrity: under another key, or
    for a value that was never protected, comes another value of the same form, and nothing tells.

    Raises:
        PolicyError: as `make_fpe`.
    """
    return _mask(_prepared(params, site, LONGEST), back=True)  # as long as earlier releases took them


def _mask(converter: Converter, back: bool) -> Mask:
    def convert(values: Values, context: Context) -> Masked:
        text, refused = converter.convert(values.text, back)
        return Masked(text, refusals(values, TEXT, refused))

    return convert


def output_domain(params: FpeParams) -> Domain:
    """Texts of the form that the rule takes: as many characters as it asks for, with valid check digits."""
    shape = shape_of(params)
    belongs = contains(*shape)
    return Domain(f"{shape.form.title}, or nothing where there was nothing", lambda text: not text or belongs(text))


def _shows(params: FpeParams) -> Shows:
    return Shows.PART if params.keep_first or params.keep_last or params.format in ("phone", "email") else Shows.NOTHING


TECHNIQUE = Technique(
    name="fpe",
    summary="Format-preserving encryption (FF1): the same length and characters, reversible with the key.",
    params=FpeParams,
    make=make_fpe,
    deterministic=always,
    reversible=True,
    row_local=True,
    inputs=TEXT,
    output=output_domain,
    keyed=True,
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
    unmake=unmake_fpe,
    injective=always,
    composes=True,
    shows=_shows,
)
