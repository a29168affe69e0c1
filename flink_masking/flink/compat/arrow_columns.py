"""Columns of BYTES and TIMESTAMP_LTZ to vectorised functions as Arrow-backed Series, without a Python object for each value.

PyFlink makes a pandas Series of bytes objects from each Arrow column; for records of 200 bytes that, and the reverse conversion, cost half
of what all of Protect costs. PyFlink 2.3.0 has no setting for it.

Contract: for jobs whose vectorised functions are all of this library; another's may not expect such a Series.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from flink_masking.flink.compat.coder import SCHEMA, replace_conversion
from flink_masking.flink.compat.patch import Patch


def binary_array(column: "pd.Series[Any]") -> pa.BinaryArray:
    """The values of a column of BYTES: as they are where it is backed by Arrow, converted where it holds objects."""
    array = pa.Array.from_pandas(column, type=pa.binary())
    if isinstance(array, pa.ChunkedArray):
        return array.chunk(0) if array.num_chunks == 1 else pa.concat_arrays(array.chunks or [pa.array([], pa.binary())])
    return array


class FromFlink:
    """Arrow batches to Series, in place of ``pyflink.table.utils.arrow_to_pandas``."""

    def __init__(self, before: Any) -> None:
        """Keep PyFlink's own function, for columns of other types."""
        self._before = before

    def __call__(self, timezone: Any, field_types: Sequence[Any], batches: Sequence[pa.RecordBatch]) -> list[Any]:
        """A Series for each column."""
        table = pa.Table.from_batches(batches)
        # A timestamp would be made one of the session's time zone, in which one hour a year occurs twice.
        as_arrow = [pa.types.is_binary(kind) or pa.types.is_timestamp(kind) for kind in table.schema.types]
        others = [i for i, kept in enumerate(as_arrow) if not kept]
        converted = iter(())
        if others:
            rest = [batch.select(others) for batch in batches]
            converted = iter(self._before(timezone, [field_types[i] for i in others], rest))
        return [pd.Series(pd.arrays.ArrowExtensionArray(column), copy=False) if kept else next(converted)
                for column, kept in zip(table.columns, as_arrow, strict=True)]


def _install() -> None:
    replace_conversion("arrow_to_pandas", "973ccae6f6f90d4f", FromFlink, _gives_arrow)


def _gives_arrow(coder: Any) -> bool:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, SCHEMA) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays([pa.array([b"x"])], schema=SCHEMA))
    (column,) = coder.decode(sink.getvalue().to_pybytes())
    return isinstance(column.dtype, pd.ArrowDtype)


ARROW_COLUMNS = Patch("arrow-columns", "columns are converted to Python objects and back: about half the throughput", _install)
