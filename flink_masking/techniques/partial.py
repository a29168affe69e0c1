"""partial: part of the text stays readable, the rest is hidden (``j***@example.com``, ``***-**-6789``)."""

import math
from typing import Annotated

import numpy as np
from pydantic import Field, StringConstraints, model_validator

from flink_masking.records.kinds import TEXT
from flink_masking.techniques import partial_kernels as kernels
from flink_masking.techniques.base import Context, Domain, FieldFacts, Mask, Masked, Params, RuleContext, Shows, Technique, Values, always
from flink_masking.techniques.redact import Character
from flink_masking.techniques.rewriting import padded, rewrite

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
            raise ValueError("keep_separators keeps the length. Hint: leave same_length away, or set it to true")
        return self

    @property
    def one_for_one(self) -> bool:
        """Whether every hidden character is shown as one mask character."""
        return self.keep_separators or bool(self.same_length)


def hide_all_but(
    first: int, last: int = 0, after: str = "", separators: bool = False, same_length: bool = False, character: str = "*"
) -> Mask:
    """The mask itself, for checked arguments (see `PartialParams`)."""
    anchor, mask = padded(after), padded(character)
    splat = np.full(32, anchor[0], np.uint8)
    width = len(character.encode())

    def mask_partially(values: Values, context: Context) -> Masked:
        args = (anchor, splat, first, last, separators, same_length, mask)
        return Masked(rewrite(kernels.partial_rows, values.text, *args, grow=width if same_length else 1, add=3 * width))

    return mask_partially


def make_partial(params: PartialParams, site: RuleContext) -> Mask:
    """A mask that hides all but the kept parts.

    Null stays null and ``""`` stays ``""``. A value whose part to be masked has no more characters than are kept, or that lacks the
    anchor or has it twice, is hidden whole: three mask characters, or one for each character. A value without any letter or digit has no
    separators: all of it is hidden. Deterministic, row-local, not reversible. Leaks what is kept, and the length when it is the same.
    """
    return hide_all_but(
        params.keep_first, params.keep_last, params.keep_after or "", params.keep_separators, params.one_for_one, params.mask
    )


def output_domain(params: PartialParams) -> Domain:
    """Texts in which at least one character (without `same_length`: three in a row) is the mask."""
    hidden = params.mask if params.one_for_one else params.mask * 3
    return Domain(f"text with a hidden part {hidden!r}, or nothing where there was nothing", lambda text: not text or hidden in text)


def _shows(params: PartialParams) -> Shows:
    return Shows.PART if params.keep_first or params.keep_last or params.keep_after else Shows.NOTHING


def _hides(params: PartialParams) -> int:
    """A text with no more characters than are kept has nothing left to hide, and is hidden whole."""
    return 0 if params.keep_after is not None else params.keep_first + params.keep_last


def _lasting(params: PartialParams) -> bool:
    """From three characters on, or with everything behind an anchor, what stays can tell people apart."""
    return params.keep_first + params.keep_last > FEW or params.keep_after is not None


def _resolution(params: PartialParams, facts: FieldFacts) -> float:
    return math.inf if params.keep_after is not None else 10.0 ** min(300, params.keep_first + params.keep_last)


TECHNIQUE = Technique(
    name="partial",
    summary="Part of the text stays readable, the rest is hidden.",
    params=PartialParams,
    make=make_partial,
    deterministic=always,
    reversible=False,
    row_local=True,
    inputs=TEXT,
    output=output_domain,
    hides=_hides,
    examples=(
        {},
        {"keep_first": 1, "keep_after": "@"},
        {"keep_last": 4, "keep_separators": True},
        {"keep_first": 2, "keep_last": 1, "mask": "●", "same_length": True},
        {"keep_first": 1, "keep_last": 1, "keep_after": "→x", "mask": "é", "keep_separators": True},
    ),
    shows=_shows,
    lasting=_lasting,
    resolution=_resolution,
)
