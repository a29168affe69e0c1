"""partial: part of the text stays readable, the rest is hidden (``j***@example.com``, ``***-**-6789``)."""

import math
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from flink_masking.records.kinds import TEXT
from flink_masking.techniques.base import FieldFacts, Params, Technique
from flink_masking.techniques.promises import Promises, Shows
from flink_masking.techniques.redact import Character

Count = Annotated[int, Field(ge=0, le=1_000_000, strict=True)]
FEW = 2
"""Characters that do not tell people apart by themselves."""


class PartialParams(Params):
    """Parameters of partial. Counts are Unicode code points; with `keep_separators`, letters and digits only.

    Attributes:
        keep_first: characters kept at the start.
        keep_last: characters kept at the end; with `keep_after`, at the end of the part before the anchor.
        keep_after: text that occurs once; from there on everything stays that the field's declared type allows, and the other parameters
            see only what is before it.
        keep_separators: ASCII characters that are neither letters nor digits stay in place; a character beyond ASCII counts as a letter.
        mask: the character that is shown for hidden ones.
        same_length: one mask character for each hidden one, instead of always three; true when `keep_separators` is.
    """

    keep_first: Count = 0
    keep_last: Count = 0
    keep_after: Annotated[str, StringConstraints(min_length=1)] | None = None
    keep_separators: bool = False
    mask: Character = "*"
    same_length: bool | None = None

    @model_validator(mode="after")
    def _separators_keep_the_length(self) -> "PartialParams":
        if self.keep_separators and self.same_length is False:
            raise ValueError("keep_separators keeps the length. Hint: omit same_length, or set it to true")
        return self

    @property
    def one_for_one(self) -> bool:
        """Whether every hidden character is shown as one mask character."""
        return self.keep_separators or bool(self.same_length)


def promises(params: PartialParams) -> Promises:
    """What is kept, as it came; from three characters on, or with everything behind an anchor, it can tell people apart."""
    kept, anchored = params.keep_first + params.keep_last, params.keep_after is not None
    shows = bool(kept) or anchored
    return Promises(
        shows=Shows.PART if shows else Shows.NOTHING,
        deterministic=True,
        lasting=kept > FEW or anchored,
        row_local=True,
        passes=shows,
        hides=0 if anchored else kept,  # no more characters than are kept: nothing is left to hide, and the text is hidden whole
        prefix=params.keep_first,
    )


def _resolution(params: PartialParams, facts: FieldFacts) -> float:
    return math.inf if params.keep_after is not None else 10.0 ** min(300, params.keep_first + params.keep_last)


TECHNIQUE = Technique(
    name="partial",
    summary="Part of the text stays readable, the rest is hidden.",
    params=PartialParams,
    promises=promises,
    inputs=TEXT,
    implementation="flink_masking.techniques.partial.mask",
    examples=(
        {},
        {"keep_first": 1, "keep_after": "@"},
        {"keep_last": 4, "keep_separators": True},
        {"keep_first": 2, "keep_last": 1, "mask": "●", "same_length": True},
        {"keep_first": 1, "keep_last": 1, "keep_after": "→x", "mask": "é", "keep_separators": True},
    ),
    resolution=_resolution,
)
