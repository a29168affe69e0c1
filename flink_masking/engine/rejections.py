"""Which rows of a batch go to the quarantine, and why: the first reason found for a row stands."""

import numpy as np


class Rejections:
    """Reasons by row, kept as one small integer a row.

    Attributes:
        codes: int32, one a row; 0 = accepted, else an index into `reasons`.
        reasons: pairs (reason, path or None); reasons[0] is unused.
        positions: int64, one a row: byte position in the record, -1 where none is known.
    """

    def __init__(self, n: int) -> None:
        """Start with `n` accepted rows."""
        self.codes = np.zeros(n, np.int32)
        self.reasons: list[tuple[str, str | None]] = [("", None)]
        self.positions = np.full(n, -1, np.int64)
        self._index: dict[tuple[str, str | None], int] = {}

    def add(self, rows: np.ndarray, reason: str, path: str | None, positions: np.ndarray | None = None) -> None:
        """Reject rows.

        Args:
            rows: row numbers, or a bool mask over all rows.
            reason: a stable word such as ``out_of_domain``.
            path: the field's path as in the policy, or None.
            positions: byte in the record at which the fault was found, one for each row number; None where none is known.
        """
        if rows.dtype == bool:
            rows = np.flatnonzero(rows)
        if len(rows):
            accepted = self.codes[rows] == 0
            fresh = rows[accepted]
            self.codes[fresh] = self._code(reason, path)
            if positions is not None:
                self.positions[fresh] = positions[accepted]

    def _code(self, reason: str, path: str | None) -> int:
        key = (reason, path)
        if key not in self._index:
            self._index[key] = len(self.reasons)
            self.reasons.append(key)
        return self._index[key]

    @property
    def mask(self) -> np.ndarray:
        """bool, one a row: True where the row is rejected."""
        return self.codes != 0

    @property
    def rows(self) -> np.ndarray:
        """The rejected rows, ascending."""
        return np.flatnonzero(self.codes)

    def of(self, reason: str) -> np.ndarray:
        """bool, one a row: True where it was rejected for this reason."""
        codes = [code for code, (word, _) in enumerate(self.reasons) if word == reason and code]
        found: np.ndarray = np.isin(self.codes, codes) if codes else np.zeros(len(self.codes), bool)
        return found

    def counts(self) -> dict[str, int]:
        """Number of rejected rows by reason."""
        totals: dict[str, int] = {}
        for (reason, _), count in zip(self.reasons, np.bincount(self.codes, minlength=len(self.reasons)).tolist(), strict=True):
            if reason and count:
                totals[reason] = totals.get(reason, 0) + count
        return totals
