"""Values with spaces and hyphens beyond ASCII, as the search reads them: see `typography_kernels`."""

import numpy as np

from flink_masking.detect.catalogue import NUMBERS
from flink_masking.detect.findings import Findings
from flink_masking.detect.reasons import Reason
from flink_masking.detect.typography_kernels import amounts, holding, write_ascii, written_places
from flink_masking.kernels.memory import SLACK

_TOLD = np.uint16(Reason.KEY | Reason.CONTEXT)


def typographic(data: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The numbers of the values ``data[starts[k]:ends[k]]`` that hold such characters: int64, ascending."""
    chosen = np.empty(len(starts), np.int64)
    return chosen[: holding(data, starts, ends, chosen)]


def as_ascii(data: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The values with the ASCII characters that such ones stand for: their bytes, and int64 offsets, one more than values."""
    out, offsets = np.empty(int((ends - starts).sum()) + SLACK, np.uint8), np.empty(len(starts) + 1, np.int64)
    size = write_ascii(data, starts, ends, out, offsets)
    return out[:size], offsets


def as_written(data: np.ndarray, starts: np.ndarray, ends: np.ndarray, text: np.ndarray, offsets: np.ndarray, found: Findings) -> Findings:
    """Findings in what `as_ascii` gave, as findings in the values as they are.

    No-break spaces keep the thousands of amounts apart in many languages: a telephone number of that form is none, where nothing but its
    form says so.

    Args:
        data: uint8, of the values.
        starts: int64, of the values.
        ends: int64, of the values.
        text: uint8, of `as_ascii`.
        offsets: int64, of `as_ascii`.
        found: in the text, ordered by value and start.
    """
    thousands = np.empty(len(found.types), np.uint8)
    amounts(text, found.starts, found.ends, thousands)
    size = found.ends - found.starts
    firsts, lasts = found.starts.copy(), found.ends.copy()
    written_places(data, starts, ends, offsets, found.values, firsts, lasts)
    amount = (thousands == 1) & (found.types == NUMBERS["PHONE"]) & (found.reasons & _TOLD == 0) & (lasts - firsts > size)
    return found._replace(starts=firsts, ends=lasts).take(~amount)
