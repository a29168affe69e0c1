"""A scanned batch for rules and stateful segments: every field is computed once, when first needed."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.contract.field import Contract
from flink_masking.crypto.prf import Prf
from flink_masking.engine.columns import Column, aligned, aligned_raw, ambiguous, counted
from flink_masking.engine.masking import REDACTED, absences
from flink_masking.records.spans import SpanTable, Values

NO_CONTRACTS: Mapping[str, Contract] = MappingProxyType({})


class RecordView:
    """Fields of one batch, computed when first asked for.

    Attributes:
        table: the span table.
        n: number of rows.
        subject: path of the field that names the person, or None.
    """

    def __init__(self, table: SpanTable, subject: str | None, prf: Prf | None, contracts: Mapping[str, Contract] = NO_CONTRACTS,
                 placeholders: pa.StringArray | None = None) -> None:
        """Look at a scanned batch.

        Args:
            table: the span table.
            subject: path of the field that names the person, or None.
            prf: the keyed hash of people; None when nothing counts people.
            contracts: what is checked of the fields that have something declared, by path.
            placeholders: texts that stand for no value and keep every contract; None: there are none.
        """
        self.table, self.n = table, table.n
        self.subject, self._prf = subject, prf
        self._values: dict[str, Values] = {}
        self._columns: dict[str, Column] = {}
        self._people: np.ndarray | None = None
        self._contracts, self._placeholders = contracts, placeholders
        self._unfit: dict[str, np.ndarray | None] = {}

    def values(self, path: str) -> Values:
        """All values at `path`."""
        if path not in self._values:
            self._values[path] = self.table.values(path)
        return self._values[path]

    def unfit(self, path: str) -> np.ndarray | None:
        """Which of the values at `path` break the field's contract: bool, one a value; None when none does."""
        if path not in self._unfit:
            contract = self._contracts.get(path)
            found = None
            if contract is not None:
                text = self.values(path).text if contract.reads_text else None
                found = contract.unfit(self.table.contents(path), text)
                if found is not None and self._placeholders is not None:
                    absent = absences(self.values(path).text, self.table.kinds(path), self._placeholders)
                    found = found if absent is None else found & ~absent
            self._unfit[path] = found
        return self._unfit[path]

    def broken(self, path: str) -> np.ndarray:
        """Rows with a value at `path` that breaks the field's contract: int, ascending."""
        unfit = self.unfit(path)
        return np.zeros(0, np.int32) if unfit is None else self.table.rows(path)[unfit]

    def unusable(self, path: str) -> np.ndarray:
        """Rows whose value that counts (`column`) breaks the field's contract: int, ascending."""
        unfit = self.unfit(path)
        if unfit is None or not unfit.any():
            return np.zeros(0, np.int32)
        index = counted(self.table.rows(path), self.table.kinds(path), self.n)
        if index is None:
            return np.flatnonzero(unfit)
        return np.flatnonzero((index >= 0) & unfit[index])

    def column(self, path: str) -> Column:
        """The value of each row at `path`; of several, which a path with selectors can have, the first one that is not null."""
        if path not in self._columns:
            self._columns[path] = aligned(self.table, self.values(path))
        return self._columns[path]

    def raw(self, path: str) -> pa.BinaryArray:
        """The bytes of each row's value at `path` that counts, redacted where it breaks its contract; null where the field is missing."""
        raw, broken = aligned_raw(self.table, path), self.unusable(path)
        if not len(broken):
            return raw
        mask = np.zeros(self.n, np.bool_)
        mask[broken] = True
        return pc.if_else(pa.array(mask), self.table.codec.write(pa.array([REDACTED]))[0], raw)

    @property
    def subjects(self) -> pa.StringArray | None:
        """The person of each row, or None when the policy names no subject."""
        return None if self.subject is None else self.column(self.subject).text

    @property
    def ambiguous(self) -> np.ndarray:
        """Rows that name two different people: int, ascending; only a subject with a selector can."""
        return np.zeros(0, np.int32) if self.subject is None else ambiguous(self.values(self.subject))

    @property
    def people(self) -> np.ndarray:
        """Keyed hash of each row's person, uint64."""
        if self._people is None:
            if self._prf is None or self.subjects is None:
                raise AssertionError("a policy that counts people names a subject: checked when it is loaded")
            self._people = self._prf.words(self.subjects)
        return self._people
