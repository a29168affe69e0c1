"""Number ranges and rounded numbers, in exact decimal arithmetic."""

from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.errors import PolicyError
from flink_masking.records.kinds import NUMERIC
from flink_masking.techniques import generalize_number_kernels as kernels
from flink_masking.techniques.base import Context, Mask, Masked, Values
from flink_masking.techniques.rewriting import is_empty, refusals, rewrite
from flink_masking.values.decimals import BAD, INEXACT, format_fixed, parse_floor


def decimals(*numbers: Decimal) -> int:
    """Decimals that are needed to write all of the numbers."""
    return max(0, *(-int(number.normalize().as_tuple().exponent) for number in numbers))


def _ends(domain: tuple[Any, Any], path: str) -> tuple[Decimal, Decimal]:
    """The domain as decimal numbers."""
    if not all(isinstance(end, int | float | Decimal) and not isinstance(end, bool) for end in domain):
        raise PolicyError(f"{path}: width needs a domain of numbers. Hint: dates are generalised by date: month")
    low, high = (Decimal(str(end)) for end in domain)
    if not (low.is_finite() and high.is_finite() and low <= high):
        raise PolicyError(f"{path}: the domain is not a range of numbers. Hint: domain: [low, high]")
    return low, high


def number_ranges(width: Decimal, origin: Decimal, domain: tuple[Any, Any] | None, path: str) -> Mask:
    """Ranges of `width` from `origin` on, cut at the ends of the domain; values outside it are refused.

    Integers give closed ranges, ``20-29``; where width, origin, an end of the domain or the value is no integer they are half open,
    ``[20, 30)``. Closed ranges are bracketed, ``[-10, -1]``, where the range or the domain reaches below zero. A range of one value is that
    value.

    Raises:
        PolicyError: the domain is not of numbers, or the numbers have too many digits.
    """
    low, high = _ends(domain, path) if domain is not None else (Decimal(0), Decimal(0))
    scale = decimals(width, origin, low, high)
    steps = [int(x.scaleb(scale)) for x in (width, origin, low, high)] if scale <= 9 else [kernels.REACH + 1]
    if any(abs(x) > kernels.REACH for x in steps):
        raise PolicyError(f"{path}: width, origin and domain have too many digits. Hint: at most nine decimals")
    step, start, lowest, highest = steps

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
        result = format_fixed(multiple * unit, scale, values.text.is_valid().to_numpy(zero_copy_only=False)).cast(pa.binary())
        empty = is_empty(values.text)
        if empty.any():
            result = pc.if_else(pa.array(empty), pa.scalar(b'""', pa.binary()), result)
        return Masked(result, refusals(values, NUMERIC, bad))

    return to_multiples
