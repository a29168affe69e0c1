"""Number ranges and rounded numbers, in exact decimal arithmetic."""

from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.records.kinds import NUMERIC
from flink_masking.techniques.generalize import number_kernels as kernels
from flink_masking.techniques.generalize.checks import decimals, steps
from flink_masking.techniques.masks import Context, Mask, Masked, Values
from flink_masking.techniques.rewriting import is_empty, refusals, rewrite
from flink_masking.values.decimals import BAD, INEXACT, format_fixed, parse_floor


def number_ranges(width: Decimal, origin: Decimal, domain: tuple[Any, Any] | None, path: str) -> Mask:
    """Ranges of `width` from `origin` on, cut at the ends of the domain; values outside it are refused.

    Integers give closed ranges, ``20-29``; where width, origin, an end of the domain or the value is no integer they are half open,
    ``[20, 30)``. Closed ranges are bracketed, ``[-10, -1]``, where the range or the domain reaches below zero. A range of one value is that
    value.

    Raises:
        PolicyError: the domain is not of numbers, or the numbers have too many digits.
    """
    step, start, lowest, highest, scale = steps(width, origin, domain, path)

    def to_ranges(values: Values, context: Context) -> Masked:
        refused = np.zeros(len(values.text), np.uint8)
        args = (step, start, scale, domain is not None, lowest, highest, refused)
        return Masked(rewrite(kernels.range_rows, values.text, *args, grow=0, add=48), refusals(values, NUMERIC, refused))

    return to_ranges


def round_numbers(step: Decimal) -> Mask:
    """JSON numbers rounded to multiples of `step`, a value halfway between two to the even multiple.

    The result has the decimals of `step`. One more is looked at, so half a step is a whole number of units and what lies beyond only
    has to be known as "something".
    """
    scale = decimals(step)
    unit = int(step.scaleb(scale))

    def to_multiples(values: Values, context: Context) -> Masked:
        floor, status = parse_floor(values.text, scale + 1)
        multiple, over = np.divmod(floor, 10 * unit)
        half = 5 * unit
        up = (over > half) | ((over == half) & ((status == INEXACT) | (multiple % 2 == 1)))
        multiple += up
        bad = (status == BAD) | (np.abs(multiple) > kernels.REACH // unit)
        multiple[bad] = 0
        result = format_fixed(multiple * unit, scale, values.text.is_valid().to_numpy(zero_copy_only=False))
        refused, empty = refusals(values, NUMERIC, bad), is_empty(values.text)
        if empty.any():
            return Masked(pc.if_else(pa.array(empty), "", result), refused, ~empty)
        return Masked(result.cast(pa.binary()), refused)

    return to_multiples
