"""From a text array to a text array by one kernel: what the text techniques share."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from flink_masking.arrow import assemble, output, parts
from flink_masking.errors import InputError
from flink_masking.kernels.memory import SLACK
from flink_masking.records.kinds import Kind

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


def other_kinds(kinds: np.ndarray, taken: Iterable[Kind]) -> np.ndarray | None:
    """Which values are of none of the kinds `taken` nor null; None when there are none.

    Args:
        kinds: int32, n `Kind` codes.
        taken: the kinds that can be taken.

    Returns:
        bool, n, or None.
    """
    table = np.ones(len(Kind), np.bool_)
    table[[*taken, Kind.NULL]] = False
    refused: np.ndarray = table[kinds]
    return refused if refused.any() else None
