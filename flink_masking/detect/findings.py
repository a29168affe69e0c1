"""What detection returns, column by column."""

from typing import NamedTuple

import numpy as np

from flink_masking.detect.resolve_kernels import END, FIELDS, REASONS, SCORE, START, TYPE, VALUE


class Findings(NamedTuple):
    """Findings in the values of a batch, ordered by value and start.

    Attributes:
        types: int16, numbers of types: indices of `flink_masking.detect.TYPES`.
        starts: int64, first byte in the data.
        ends: int64, byte after the last one; never inside a UTF-8 character.
        values: int64, ascending, the value that the finding lies in.
        confidence: uint8, 0 to 100.
        reasons: uint16, bits of `Reason`.
    """

    types: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    values: np.ndarray
    confidence: np.ndarray
    reasons: np.ndarray

    def take(self, chosen: np.ndarray) -> "Findings":
        """Some of the findings: by a mask or by indices."""
        return Findings(*(column[chosen] for column in self.columns()))

    def columns(self) -> tuple[np.ndarray, ...]:
        """The columns in the order of the attributes."""
        return self.types, self.starts, self.ends, self.values, self.confidence, self.reasons


def from_rows(rows: np.ndarray, count: int) -> Findings:
    """Columns of the first rows of a kernel's output.

    Args:
        rows: int64, `FIELDS` numbers a row.
        count: how many rows are used.
    """
    table = rows[: count * FIELDS].reshape(-1, FIELDS)
    return Findings(table[:, TYPE].astype(np.int16), table[:, START].copy(), table[:, END].copy(), table[:, VALUE].copy(),
                    table[:, SCORE].astype(np.uint8), table[:, REASONS].astype(np.uint16))
