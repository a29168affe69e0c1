"""Decimal numbers as int64 units of 10^-scale: what techniques compute with, so that 0.1 is a tenth and no result has float artefacts."""

import numpy as np
import pyarrow as pa

from flink_masking.arrow import assemble, output, parts
from flink_masking.values import decimals_kernels as kernels

EXACT, INEXACT, BAD = kernels.EXACT, kernels.INEXACT, kernels.BAD
MAX_SCALE = 18
"""Most decimals of a fixed-point number: 10^18 units still fit into an int64."""


def _parse(text: pa.StringArray, scale: int, floor: bool) -> tuple[np.ndarray, np.ndarray]:
    if not 0 <= scale <= MAX_SCALE:
        raise ValueError(f"scale must be 0 to {MAX_SCALE}")
    data, offsets, valid = parts(text)
    units, status = np.empty(len(text), np.int64), np.empty(len(text), np.uint8)
    kernels.parse_numbers(data, offsets, valid, scale, floor, units, status)
    return units, status


def parse_fixed(text: pa.StringArray, scale: int) -> tuple[np.ndarray, np.ndarray]:
    """Read JSON number texts as integers, rounding half to even.

    Args:
        text: n texts; exponents are understood (``15e0``, ``1.5E-3``), nulls allowed.
        scale: decimals kept, 0 to 18.

    Returns:
        units: int64, n, the value times 10^scale; 0 where the status is BAD.
        status: uint8, n: EXACT (0), INEXACT (1: rounded), BAD (2: null, not a JSON number, or outside int64).

    Raises:
        ValueError: scale out of range.

    >>> parse_fixed(pa.array(["1.005", "15e0", "x"]), 2)[0].tolist()
    [100, 1500, 0]
    """
    return _parse(text, scale, False)


def parse_floor(text: pa.StringArray, scale: int) -> tuple[np.ndarray, np.ndarray]:
    """Read JSON number texts as integers, rounding down, towards minus infinity: the bin edges below each value.

    Args:
        text: as for `parse_fixed`.
        scale: as for `parse_fixed`.

    Returns:
        units: int64, n; the value lies in ``[units, units + 1)`` times 10^-scale.
        status: uint8, n: EXACT, INEXACT (the value is above units) or BAD.

    Raises:
        ValueError: scale out of range.
    """
    return _parse(text, scale, True)


def format_fixed(units: np.ndarray, scale: int, valid: np.ndarray | None = None) -> pa.StringArray:
    """Write integers as JSON numbers with exactly `scale` decimals.

    Args:
        units: int64, n, in units of 10^-scale.
        scale: decimals, 0 to 18.
        valid: uint8 or bool, n, zero where the result is to be null; None when nothing is.

    Returns:
        n texts, ``-0.05`` and the like; cast to binary they are JSON.

    Raises:
        ValueError: scale out of range.

    >>> format_fixed(np.array([-5, 1500]), 2).to_pylist()
    ['-0.05', '15.00']
    """
    if not 0 <= scale <= MAX_SCALE:
        raise ValueError(f"scale must be 0 to {MAX_SCALE}")
    mask = np.zeros(0, np.uint8) if valid is None else np.ascontiguousarray(valid).view(np.uint8)
    buffer, out = output(22 * len(units))
    ends = np.zeros(len(units) + 1, np.int32)
    kernels.format_numbers(np.ascontiguousarray(units, np.int64), mask, scale, out, ends)
    return assemble(pa.string(), buffer, ends, mask)
