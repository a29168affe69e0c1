"""A scanned batch as the rules and the stateful segments see it: every field handed out once, whoever asks."""

import numpy as np
import pyarrow as pa

from flink_masking.crypto.prf import Prf
from flink_masking.engine.columns import Column, aligned, aligned_raw
from flink_masking.records.spans import SpanTable, Values


class RecordView:
    """Fields of one batch, computed when first asked for.

    Attributes:
        table: the span table.
        n: number of rows.
        subject: path of the field that names the person, or None.
    """

    def __init__(self, table: SpanTable, subject: str | None, prf: Prf | None) -> None:
        """Look at a scanned batch.

        Args:
            table: the span table.
            subject: path of the field that names the person, or None.
            prf: the keyed hash of people; None when nothing counts people.
        """
        self.table, self.n = table, table.n
        self.subject, self._prf = subject, prf
        self._values: dict[str, Values] = {}
        self._columns: dict[str, Column] = {}
        self._people: np.ndarray | None = None

    def values(self, path: str) -> Values:
        """All values at `path`."""
        if path not in self._values:
            self._values[path] = self.table.values(path)
        return self._values[path]

    def column(self, path: str) -> Column:
        """The value of each row at `path`, a field that occurs at most once a record."""
        if path not in self._columns:
            self._columns[path] = aligned(self.table, self.values(path))
        return self._columns[path]

    def raw(self, path: str) -> pa.BinaryArray:
        """The bytes of each row's value at `path`; null where the field is missing."""
        return aligned_raw(self.table, path)

    @property
    def subjects(self) -> pa.StringArray | None:
        """The person of each row, or None when the policy names no subject."""
        return None if self.subject is None else self.column(self.subject).text

    @property
    def people(self) -> np.ndarray:
        """Keyed hash of each row's person, uint64."""
        if self._people is None:
            if self._prf is None or self.subjects is None:
                raise AssertionError("a policy that counts people names a subject: checked when it is loaded")
            self._people = self._prf.words(self.subjects)
        return self._people
