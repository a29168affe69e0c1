"""Batches between Flink and a vectorised function as Arrow arrays, without a Python object for each value.

On its way through PyFlink a batch is copied three times before Arrow has read it, a column is made from Arrow into a pandas Series of
bytes objects, and a result back again: for records of 200 bytes this costs half of what all of Protect costs. PyFlink 2.3.0 has no
setting for it, so three functions on that way are replaced in the worker; each takes what it does not know to the one before. The
dependency on apache-flink is pinned to that release.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
from pyflink.fn_execution import coders
from pyflink.fn_execution.ResettableIO import ResettableIO


def exchange_arrow() -> None:
    """From now on, columns of BYTES and TIMESTAMP_LTZ reach the functions of this process as Arrow-backed Series; they may return Arrow.

    Contract: for jobs whose vectorised functions are all of this library; another's may not expect such a Series. May be called again.
    """
    arrow_results()
    if not isinstance(coders.coder_impl.arrow_to_pandas, _FromFlink):
        coders.coder_impl.arrow_to_pandas = _FromFlink(coders.coder_impl.arrow_to_pandas)
    if not isinstance(pa.ipc.open_stream, _Opening):
        pa.ipc.open_stream = _Opening(pa.ipc.open_stream)


def arrow_results() -> None:
    """From now on, functions of this process may return Arrow arrays; who returns Series sees no difference. May be called again."""
    if not isinstance(coders.coder_impl.pandas_to_arrow, _ToFlink):
        coders.coder_impl.pandas_to_arrow = _ToFlink(coders.coder_impl.pandas_to_arrow)


def binary_array(column: "pd.Series[Any]") -> pa.BinaryArray:
    """The values of a column of BYTES: as they are where it is backed by Arrow, converted where it holds objects."""
    array = pa.Array.from_pandas(column, type=pa.binary())
    if isinstance(array, pa.ChunkedArray):
        return array.chunk(0) if array.num_chunks == 1 else pa.concat_arrays(array.chunks or [pa.array([], pa.binary())])
    return array


class _Opening:
    """Streams of Arrow, in place of ``pyarrow.ipc.open_stream``: the bytes that PyFlink has received are read where they lie."""

    def __init__(self, before: Any) -> None:
        self._before = before

    def __call__(self, source: Any, **options: Any) -> Any:
        if isinstance(source, ResettableIO):
            received, source._input_offset = memoryview(source._input_bytes)[source._input_offset :], source._size
            source = pa.BufferReader(pa.py_buffer(received))
        return self._before(source, **options)


class _FromFlink:
    """Arrow batches to Series, in place of ``pyflink.table.utils.arrow_to_pandas``."""

    def __init__(self, before: Any) -> None:
        self._before = before

    def __call__(self, timezone: Any, field_types: Sequence[Any], batches: Sequence[pa.RecordBatch]) -> list[Any]:
        table = pa.Table.from_batches(batches)
        # A timestamp would be made one of the session's time zone, in which an hour a year is there twice.
        as_arrow = [pa.types.is_binary(kind) or pa.types.is_timestamp(kind) for kind in table.schema.types]
        others = [i for i, kept in enumerate(as_arrow) if not kept]
        converted = iter(())
        if others:
            rest = [batch.select(others) for batch in batches]
            converted = iter(self._before(timezone, [field_types[i] for i in others], rest))
        return [pd.Series(pd.arrays.ArrowExtensionArray(column), copy=False) if kept else next(converted)
                for column, kept in zip(table.columns, as_arrow, strict=True)]


class _ToFlink:
    """Results to an Arrow batch, in place of ``pyflink.table.utils.pandas_to_arrow``."""

    def __init__(self, before: Any) -> None:
        self._before = before

    def __call__(self, schema: pa.Schema, timezone: Any, field_types: Sequence[Any], results: Sequence[Any]) -> pa.RecordBatch:
        if all(isinstance(result, pa.Array) for result in results):
            return pa.RecordBatch.from_arrays(list(results), schema=schema)
        return self._before(schema, timezone, field_types, results)
