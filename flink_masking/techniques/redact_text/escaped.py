"""Entities behind escapes: a text that holds JSON, as text, can hold ``jane\\u0040example.com``."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from flink_masking.arrow import parts
from flink_masking.detect import Detectors
from flink_masking.detect.json_kernels import decode, written_spans
from flink_masking.techniques.redact_text.spans import DENIED, NONE, Spans

DEEPEST = 8
"""Times that a text is read without its escapes; what has more of them, one inside another, is hidden whole."""
_BACKSLASH = 92


class _Level(NamedTuple):
    """Texts that hold escapes.

    Attributes:
        owners: int64, m: the text of the level above that each was made of.
        data: uint8.
        starts: int64, m.
        ends: int64, m.
        offsets: int64, m + 1: where the texts without escapes begin in the data of the next level.
    """

    owners: np.ndarray
    data: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    offsets: np.ndarray


def escaped(detectors: Detectors, text: pa.StringArray, hints: np.ndarray) -> Spans:
    """What is found in texts that hold a backslash once JSON's escapes are read, again and again until none is left.

    Args:
        detectors: that find it.
        text: n texts.
        hints: int32, n: see `Detectors.find`.

    Returns:
        Spans of the texts as they are, which never cut an escape in two.
    """
    data, offsets, _ = parts(text)
    starts, ends = offsets[:-1].astype(np.int64), offsets[1:].astype(np.int64)
    base, levels, found = np.arange(len(text)), list[_Level](), [NONE]
    while True:
        places = np.flatnonzero(data[starts[0] : ends[-1]] == _BACKSLASH) + starts[0] if len(starts) else np.zeros(0, np.int64)
        if not len(places):
            break
        chosen = np.unique(np.searchsorted(ends, places, side="right"))
        chosen = chosen[(starts[chosen] < ends[chosen] - 1)]  # a backslash alone is no escape
        if levels:
            chosen = chosen[_shorter(levels[-1], chosen)]
        if not len(chosen):
            break
        first, last = starts[chosen], ends[chosen]
        if len(levels) == DEEPEST:
            found.append(_written(levels, Spans(np.full(len(chosen), DENIED), first, last), chosen))
            break
        out, at = np.empty(int((last - first).sum()) + 64, np.uint8), np.empty(len(chosen) + 1, np.int64)
        size = decode(data, first, last, out, at)
        levels.append(_Level(chosen, data, first, last, at))
        base = base[chosen]
        data, starts, ends = out[:size], at[:-1], at[1:]
        inside = detectors.find(data, starts, ends, hints[base])
        found.append(_written(levels, Spans(inside.types.astype(np.int64), inside.starts, inside.ends), inside.values))
    joined = Spans(*(np.concatenate(column) for column in zip(*found, strict=True)))
    return joined.take(np.lexsort((joined.ends, joined.starts)))


def _shorter(above: _Level, chosen: np.ndarray) -> np.ndarray:
    """Which texts have become shorter by reading their escapes: where nothing has changed, nothing will."""
    shorter: np.ndarray = np.diff(above.offsets)[chosen] < (above.ends - above.starts)[chosen]
    return shorter


def _written(levels: list[_Level], spans: Spans, values: np.ndarray) -> Spans:
    """Spans of the texts made by the last level, as spans of the texts at the beginning."""
    starts, ends = spans.starts.copy(), spans.ends.copy()
    for level in reversed(levels):
        written_spans(level.data, level.starts, level.ends, level.offsets, values, starts, ends)
        values = level.owners[values]
    return Spans(spans.kinds, starts, ends)
