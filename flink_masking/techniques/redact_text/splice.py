"""Replaces spans of a column of texts at once."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.arrow import assemble, parts
from flink_masking.errors import InputError
from flink_masking.techniques.rewriting import LARGEST


def splice(text: pa.StringArray, starts: np.ndarray, ends: np.ndarray, instead: pa.StringArray, which: np.ndarray) -> pa.StringArray:
    """Replace spans of texts; null stays null.

    Args:
        text: n texts.
        starts: int64, k: first byte of each span in ``parts(text).data``; ordered, each span within one text, no two overlap.
        ends: int64, k.
        instead: replacements, none null.
        which: int64, k: the replacement of each span.

    Raises:
        InputError: the result could exceed what one Arrow array holds.
    """
    _, offsets, valid = parts(text)
    n, k = len(text), len(starts)
    # Each text is cut into 1 + 2m pieces for its m spans: what stays and what is replaced take turns.
    owner = np.searchsorted(offsets[1:], starts, side="right")
    before = np.searchsorted(owner, np.arange(n + 1))
    head = np.arange(n + 1) + 2 * before
    replaced = owner + 2 * np.arange(k) + 1
    edges = np.empty(n + 2 * k + 1, np.int32)
    edges[head] = offsets
    edges[replaced], edges[replaced + 1] = starts, ends
    pieces = pa.StringArray.from_buffers(n + 2 * k, pa.py_buffer(edges), text.buffers()[2] or pa.py_buffer(b""))
    added = int(pc.sum(pc.binary_length(instead.take(pa.array(which)))).as_py() or 0)
    size = int(offsets[-1] - offsets[0])
    if max(size + added, size + int(pc.sum(pc.binary_length(instead)).as_py() or 0)) > LARGEST:
        raise InputError("redacted text: a batch could grow beyond 2 GiB. Hint: use smaller batches")
    order = np.arange(n + 2 * k)
    order[replaced] = n + 2 * k + which
    made = pa.concat_arrays([pieces, instead]).take(pa.array(order))
    return assemble(pa.string(), made.buffers()[2] or pa.py_buffer(b""), np.ascontiguousarray(parts(made).offsets[head]), valid)
