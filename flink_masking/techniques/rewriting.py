"""From a text array to a text array by one kernel: what the text techniques share."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from flink_masking.arrow import assemble, output, parts
from flink_masking.errors import InputError
from flink_masking.kernels.memory import SLACK
from flink_masking.records.kinds import Kind
from flink_masking.techniques.masks import Values

LARGEST = (1 << 31) - 1 - SLACK


def rewrite(kernel: Callable[..., None], text: pa.StringArray, *args: Any, grow: int = 1, add: int = 0) -> pa.StringArray:
    """Run a kernel that writes one text for each text; nulls stay null.

    Args:
        kernel: called as ``kernel(data, offsets, valid, *args, out, ends)``; it must write at most what `grow` and `add` allow.
        text: n texts.
        args: what the kernel needs besides.
        grow: most bytes written for one byte read.
        add: most bytes written for each value besides those.

    Returns:
        n texts, null where `text` is null.

    Raises:
        InputError: the result could exceed what one Arrow array holds.
    """
    data, offsets, valid = parts(text)
    size = int(offsets[-1] - offsets[0]) * grow + len(text) * add
    if size > LARGEST:
        raise InputError("masked text: a batch could grow beyond 2 GiB. Hint: use smaller batches")
    buffer, out = output(size)
    ends = np.zeros(len(text) + 1, np.int32)
    kernel(data, offsets, valid, *args, out, ends)
    return assemble(pa.string(), buffer, ends, valid)


def padded(text: str) -> np.ndarray:
    """The UTF-8 bytes of a constant, uint8, followed by SLACK zeros, so that kernels may read it by whole vectors."""
    return np.frombuffer(text.encode() + bytes(SLACK), np.uint8)


def is_empty(text: pa.StringArray) -> np.ndarray:
    """Which texts are ``""``: bool, n, False for nulls."""
    offsets = parts(text).offsets
    empty: np.ndarray = offsets[1:] == offsets[:-1]
    return empty & text.is_valid().to_numpy(zero_copy_only=False) if text.null_count else empty


def refusals(values: Values, taken: Iterable[Kind], refused: np.ndarray | None = None) -> np.ndarray | None:
    """Which values cannot be taken: those of other kinds and those that a kernel refused, never null nor ``""``.

    Args:
        values: n values.
        taken: the kinds that can be taken.
        refused: n, nonzero where a kernel refused the value.

    Returns:
        bool, n, or None when all are taken.
    """
    other = np.ones(len(Kind), np.bool_)
    other[list(taken)] = False
    kinds = values.kinds
    if len(kinds) and kinds.min() == kinds.max():  # as is usual; a look-up by element takes ten times as long
        result: np.ndarray = np.full(len(kinds), other[kinds[0]])
    else:
        result = other[kinds]
    if refused is not None:
        result |= refused.view(np.bool_)
    if not result.any():
        return None
    result &= values.text.is_valid().to_numpy(zero_copy_only=False) & ~is_empty(values.text)
    return result if result.any() else None
