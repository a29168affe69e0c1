"""redact: a constant in the place of the value, or the same number of one character."""

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from flink_masking.records.kinds import ANYTHING
from flink_masking.techniques.base import Params, Technique
from flink_masking.techniques.promises import WHATEVER, Promises, Shows

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


def promises(params: RedactParams) -> Promises:
    """Nothing but that there was a value; with `fill` its length."""
    return Promises(shows=Shows.NOTHING, deterministic=True, lasting=False, row_local=True, passes=False, hides=WHATEVER)


TECHNIQUE = Technique(
    name="redact",
    summary="A constant, or one character as often as the value has characters.",
    params=RedactParams,
    promises=promises,
    inputs=ANYTHING,
    implementation="flink_masking.techniques.redact.mask",
    examples=({}, {"with": "hidden – hidden – hidden – hidden – hidden"}, {"with": ""}, {"fill": "#"}, {"fill": "●"}),
)
