"""partial at work: all but the kept parts of a text hidden."""

import numpy as np

from flink_masking.techniques.base import Domain, RuleContext
from flink_masking.techniques.masks import Context, Mask, Masked, Values
from flink_masking.techniques.partial import PartialParams, kernels
from flink_masking.techniques.rewriting import padded, rewrite


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


def make(params: PartialParams, rule_context: RuleContext) -> Mask:
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
