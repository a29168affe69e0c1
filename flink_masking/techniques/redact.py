"""redact: a constant in the place of the value, or the same number of one character."""

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from flink_masking.records.kinds import ANYTHING, SCALAR
from flink_masking.techniques import redact_kernels as kernels
from flink_masking.techniques.base import (
    Context,
    Domain,
    Mask,
    Masked,
    Params,
    RuleContext,
    Shows,
    Technique,
    Values,
    always,
    never,
    showing,
)
from flink_masking.techniques.rewriting import padded, refusals, rewrite

Character = Annotated[str, StringConstraints(min_length=1, max_length=1)]
"""Exactly one Unicode code point."""


class RedactParams(Params):
    """Parameters of redact; `with` and `fill` exclude each other.

    Attributes:
        constant: written ``with``: the text that replaces every value.
        fill: the character that replaces each code point; takes no objects or arrays.
    """

    constant: str = Field("***", alias="with")
    fill: Character | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> "RedactParams":
        if self.fill is not None and "constant" in self.model_fields_set:
            raise ValueError("with and fill exclude each other. Hint: fill keeps the length, with does not")
        return self


def make_redact(params: RedactParams, site: RuleContext) -> Mask:
    """A mask that hides values whole.

    Null stays null and ``""`` stays ``""``. Deterministic, row-local, not reversible. A constant leaks nothing but that there was a
    value; `fill` leaks its length in code points, for numbers and booleans that of their text.
    """
    if params.fill is None:
        constant = padded(params.constant)

        def replace(values: Values, context: Context) -> Masked:
            return Masked(rewrite(kernels.constant_rows, values.text, constant, grow=0, add=len(constant)))

        return replace
    character = padded(params.fill)
    width = len(params.fill.encode())

    def fill(values: Values, context: Context) -> Masked:
        return Masked(rewrite(kernels.fill_rows, values.text, character, grow=width), refusals(values, SCALAR))

    return fill


def output_domain(params: RedactParams) -> Domain:
    """The constant, or repetitions of the fill character; and the empty text."""
    if params.fill is None:
        return Domain("the constant, or nothing where there was nothing", lambda text: text in ("", params.constant))
    return Domain("the fill character, as often as the value had characters", lambda text: set(text) <= {params.fill})


TECHNIQUE = Technique(
    name="redact",
    summary="A constant, or one character as often as the value has characters.",
    params=RedactParams,
    make=make_redact,
    deterministic=always,
    reversible=False,
    row_local=True,
    inputs=ANYTHING,
    output=output_domain,
    examples=({}, {"with": "hidden – hidden – hidden – hidden – hidden"}, {"with": ""}, {"fill": "#"}, {"fill": "●"}),
    shows=showing(Shows.NOTHING),
    lasting=never,
)
