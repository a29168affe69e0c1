"""tokenize: a random token that stands in a vault beside the sealed value; without the vault nothing leads back."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from flink_masking.records.kinds import SCALAR
from flink_masking.techniques.base import Params, Technique
from flink_masking.techniques.promises import Promises, Shows

LEAST_DIGITS, MOST_DIGITS = 6, 1_000
"""Digits that a value of format digits has; with fewer there are less than a million tokens."""


class TokenizeParams(Params):
    """Parameters of tokenize.

    Attributes:
        domain: tokens of the same domain and form can be joined; a token stands once in its domain.
        format: uuid (version 4), digits (as many as the value has, what lies between them stays) or alphanumeric.
        length: letters and digits of an alphanumeric token.
        prefix: text put in front of every token.
        luhn: for digits: any, or the last digit makes the Luhn check valid or invalid; the prefix does not count.
    """

    domain: Annotated[str, StringConstraints(min_length=1)]
    format: Literal["uuid", "digits", "alphanumeric"] = "uuid"
    length: int = Field(22, ge=4, le=40, strict=True)
    prefix: Annotated[str, StringConstraints(max_length=100)] = ""
    luhn: Literal["any", "valid", "invalid"] = "any"

    @model_validator(mode="after")
    def _of_the_format(self) -> "TokenizeParams":
        if self.luhn != "any" and self.format != "digits":
            raise ValueError("luhn is for digits. Hint: write format: digits, or omit luhn")
        if "length" in self.model_fields_set and self.format != "alphanumeric":
            raise ValueError("length is for alphanumeric tokens. Hint: write format: alphanumeric, or omit length")
        return self

    @property
    def least_digits(self) -> int:
        """Digits that a value needs so that there are a million tokens: the Luhn check takes one."""
        return LEAST_DIGITS if self.luhn == "any" else LEAST_DIGITS + 1


def promises(params: TokenizeParams) -> Promises:
    """Which values are equal; of digits their number and the separators."""
    return Promises(
        shows=Shows.NOTHING,
        deterministic=True,
        lasting=True,
        row_local=True,
        injective=True,
        reversible=True,
        passes=False,
        needs_vault=True,
        purposes=("tokenize-lookup", "tokenize-value"),
        domain=params.domain,
    )


TECHNIQUE = Technique(
    name="tokenize",
    summary="A random token from a vault, the same for the same value in every stream; the vault maps it back to the value.",
    params=TokenizeParams,
    promises=promises,
    inputs=SCALAR,
    implementation="flink_masking.techniques.tokenize.mask",
    examples=(
        {"domain": "customer"},
        {"domain": "card", "format": "digits", "luhn": "invalid"},
        {"domain": "account", "format": "alphanumeric", "length": 16, "prefix": "t-"},
    ),
)
