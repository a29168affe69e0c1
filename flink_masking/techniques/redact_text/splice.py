"""Replaces spans of a column of texts at once."""

import numpy as np
import pyarrow as pa

from flink_masking.arrow import assemble, output, parts
from flink_masking.errors import InputError
from flink_masking.techniques.redact_text.kernels import replace_spans
from flink_masking.techniques.rewriting import LARGEST


def splice(text: pa.StringArray, starts: np.ndarray, ends: np.ndarray, instead: pa.StringArray, which: np.ndarray,
           rows: np.ndarray | None = None) -> pa.StringArray:  # fmt: skip
    """Replace spans of texts; null stays null.

    Args:
        text: n texts.
        starts: int64, k: first byte of each span in ``parts(text).data``; ordered, each span within one text, no two overlap.
        ends: int64, k.
        instead: replacements, none null.
        which: int64, k: the replacement of each span.
        rows: int64, ascending: the texts that are wanted, all spans lie in them; None: all texts.

    Raises:
        InputError: the result could exceed what one Arrow array holds.
    """
    data, offsets, valid = parts(text)
    new, new_offsets, _ = parts(instead)
    wanted = np.arange(len(text)) if rows is None else np.ascontiguousarray(rows, np.int64)
    size = int((offsets[wanted + 1] - offsets[wanted]).sum(dtype=np.int64)) + int((new_offsets[which + 1] - new_offsets[which]).sum(
        dtype=np.int64))
    if size > LARGEST:
        raise InputError("redacted text: a batch could grow beyond 2 GiB. Hint: use smaller batches")
    buffer, out = output(size)
    places = np.zeros(len(wanted) + 1, np.int32)
    replace_spans(data, offsets, wanted, starts, ends, new, new_offsets, which, out, places)
    return assemble(pa.string(), buffer, places, valid[wanted] if len(valid) else None)
