"""Top and bottom coding: one label for all numbers beyond an end of the range."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.records.kinds import NUMERIC, Kind
from flink_masking.techniques.generalize.checks import decimals
from flink_masking.techniques.masks import Context, Mask, Masked, Values
from flink_masking.techniques.rewriting import refusals
from flink_masking.values.decimals import BAD, INEXACT, parse_floor


def with_ends(inner: Mask | None, low: Decimal | None, low_label: str | None, high: Decimal | None, label: str | None) -> Mask:
    """Numbers below `low` and above `high` become labels; the others what `inner` makes of them, or stay.

    Args:
        inner: of numbers; None: they stay as they are written.
        low: None: no lower end.
        low_label: None: ``<18``.
        high: None: no upper end.
        label: None: ``>89``.
    """
    ends = [end for end in (low, high) if end is not None]
    scale = decimals(*ends)
    lowest, highest = (None if end is None else int(end.scaleb(scale)) for end in (low, high))
    below, above = low_label or f"<{low}", label or f">{high}"

    def code(values: Values, context: Context) -> Masked:
        floor, status = parse_floor(values.text, scale)
        beyond = np.zeros(len(floor), np.bool_) if highest is None else (floor > highest) | ((floor == highest) & (status == INEXACT))
        short = np.zeros(len(floor), np.bool_) if lowest is None else floor < lowest
        huge = _huge(values, status)  # more digits than 64 bits hold: beyond every end all the same
        if huge.any():
            negative = pc.fill_null(pc.starts_with(values.text, "-"), False).to_numpy(zero_copy_only=False)
            beyond |= huge & ~negative & (highest is not None)
            short |= huge & negative & (lowest is not None)
        readable = status != BAD
        beyond &= readable | huge
        short &= readable | huge
        made = Masked(values.text, None, values.kinds == Kind.NUMBER) if inner is None else inner(values, context)
        text = made.values if pa.types.is_string(made.values.type) else made.values.cast(pa.string())
        literal = (made.literal if pa.types.is_string(made.values.type) else np.ones(len(floor), np.bool_))
        literal = np.zeros(len(floor), np.bool_) if literal is None else literal
        text = pc.if_else(pa.array(beyond), above, pc.if_else(pa.array(short), below, text))
        refused = refusals(values, NUMERIC, ~readable)
        if made.refused is not None:
            refused = made.refused if refused is None else refused | made.refused
        coded = beyond | short
        if refused is not None:
            refused &= ~(coded & (values.kinds == Kind.NUMBER))
        return Masked(text, refused, literal & ~coded)

    return code


def _huge(values: Values, status: np.ndarray) -> np.ndarray:
    """bool, n: JSON numbers without exponent that 64 bits do not hold."""
    bad = (status == BAD) & (values.kinds == Kind.NUMBER)
    if not bad.any():
        return bad
    whole = pc.fill_null(pc.match_substring_regex(values.text, r"\A-?[1-9][0-9]{17,}(\.[0-9]+)?\z"), False)
    found: np.ndarray = bad & whole.to_numpy(zero_copy_only=False)
    return found
