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


def counted(rows: np.ndarray, kinds: np.ndarray, n: int) -> np.ndarray | None:
    """Which value of each row counts, an index into values that lie at `rows`: int32, -1 where a row has none.

    Of several, which a path with selectors can have, the first one that is not null counts. None when row i simply has value i.
    """
    if len(rows) == n and (n == 0 or (rows[0] == 0 and bool((np.diff(rows) == 1).all()))):
        return None
    index = np.full(n, -1, np.int32)
    null = kinds == Kind.NULL
    for group in (np.flatnonzero(null), np.flatnonzero(~null)):
        index[rows[group[::-1]]] = group[::-1]  # of equal indices the one that is assigned last stays: the first value
    return index


def aligned(table: SpanTable, values: Values) -> Column:
    """The values of a field that count, one a row of the batch."""
    index = counted(values.rows, values.kinds, table.n)
    if index is None:
        return Column(values.text, values.kinds)
    there = index >= 0
    kinds = np.full(table.n, MISSING, np.int32)
    kinds[there] = values.kinds[index[there]]
    return Column(values.text.take(pa.array(index, mask=~there)), kinds)


def aligned_raw(table: SpanTable, path: str) -> pa.BinaryArray:
    """The bytes of the values at `path` that count, as they stand in the records, one a row; null where missing."""
    raw = table.raw(path)
    index = counted(table.rows(path), table.kinds(path), table.n)
    return raw if index is None else raw.take(pa.array(index, mask=index < 0))


def ambiguous(values: Values) -> np.ndarray:
    """Rows that have two different values: int32, ascending; null is none."""
    live = np.flatnonzero(values.kinds != Kind.NULL)
    rows, text = values.rows[live], values.text.take(pa.array(live))
    codes = text.dictionary_encode().indices.to_numpy(zero_copy_only=False)
    changes = (rows[1:] == rows[:-1]) & (codes[1:] != codes[:-1])
    return np.unique(rows[1:][changes])
