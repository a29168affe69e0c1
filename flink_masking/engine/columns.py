"""One value a row: fields that stateful views compute on, lined up with the batch."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from flink_masking.records.kinds import Kind
from flink_masking.records.spans import SpanTable, Values

MISSING = -1


class Column(NamedTuple):
    """A field with one value a row.

    Attributes:
        text: string array, n rows; null where the value is null or the field is missing.
        kinds: int32, n rows; a `Kind`, or MISSING.
    """

    text: pa.StringArray
    kinds: np.ndarray

    @property
    def absent(self) -> np.ndarray:
        """bool, n rows: True where the field is missing or null."""
        absent: np.ndarray = (self.kinds == MISSING) | (self.kinds == Kind.NULL)
        return absent


def take_rows(rows: np.ndarray, n: int) -> pa.Int32Array | None:
    """Index of each row's value among values that lie at `rows`; null where a row has none, None when row i simply has value i.

    A row that has several (a duplicate field; the record is rejected for it) gets its last.
    """
    if len(rows) == n and (n == 0 or (rows[0] == 0 and bool((np.diff(rows) == 1).all()))):
        return None
    index = np.full(n, -1, np.int32)
    index[rows] = np.arange(len(rows), dtype=np.int32)
    return pa.array(index, mask=index < 0)


def aligned(table: SpanTable, values: Values) -> Column:
    """The values of a field, one a row of the batch."""
    index = take_rows(values.rows, table.n)
    if index is None:
        return Column(values.text, values.kinds)
    kinds = np.full(table.n, MISSING, np.int32)
    kinds[values.rows] = values.kinds
    return Column(values.text.take(index), kinds)


def aligned_raw(table: SpanTable, path: str) -> pa.BinaryArray:
    """The bytes of the values at `path` as they stand in the records, one a row; null where missing."""
    raw = table.raw(path)
    index = take_rows(table.rows(path), table.n)
    return raw if index is None else raw.take(index)
