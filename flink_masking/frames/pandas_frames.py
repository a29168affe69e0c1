"""pandas frames as Arrow tables, and Arrow tables as pandas frames with the types that they had."""

import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.errors import InputError
from flink_masking.frames.exact import may_change, unchanged
from flink_masking.frames.forms import is_text

_FLOATS = 2**53
_NUMBERS = ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float32", "Float64")
_EXACT = ("string", "boolean", "integer", "floating", "decimal", "empty")
"""Kinds of objects that Arrow holds as they are, or refuses."""


def table_of(given: Any, keep_index: bool) -> tuple[pa.Table, list[str], Any, dict[str, Any]]:
    """The columns of a frame.

    Args:
        given: a frame of pandas.
        keep_index: see `flink_masking.frames.kinds.Frame.of`.

    Returns:
        The columns and those of its index that have a name; the names of these; the index where it has none; types by column.

    Raises:
        InputError: see `flink_masking.frames.kinds.Frame.of`.
    """
    pandas = sys.modules["pandas"]
    index, named = given.index, [name for name in given.index.names if name is not None]
    if not named and not isinstance(index, pandas.RangeIndex) and not keep_index:
        raise InputError("the index is no plain range and has no name, so that it could hold data that no rule is for. Hint: name it as "
                         "the field that it is, reset_index(drop=True), or keep_index=True where it holds numbers of rows")
    if named and len(named) < index.nlevels:
        raise InputError("a level of the index has no name. Hint: name it as the field that it is, or reset_index()")
    names = [*named, *given.columns]
    if not all(isinstance(name, str) for name in names):
        raise InputError("a column's name is no text. Hint: frame.columns = frame.columns.astype(str)")
    if len(set(names)) < len(names):
        raise InputError("a column has the name of another. Hint: rename one")
    flat = given.reset_index() if named else given
    try:
        table = pa.Table.from_pandas(flat, preserve_index=False).replace_schema_metadata(None)
        table.schema.empty_table().to_pandas()  # a time zone may have no way back
        zoned = next((name for name in flat.columns if _zoned(table[name])), None)
        changed = next((name for name in flat.columns if flat[name].dtype == object and _changed(flat[name], table[name])), None)
    except (pa.ArrowException, TypeError, ValueError, OverflowError, KeyError) as error:
        failure = InputError(f"a column holds values that Arrow has no one type for ({type(error).__name__}). Hint: values of one kind in "
                             "each column; of whole numbers beyond 64 bits text or Decimal")
    else:
        if zoned is not None:
            failure = InputError(f"column {zoned[:60]!r}: a time with a zone before 1678 or after 2261. Hint: no zone, or null")
        elif changed is not None:
            failure = InputError(f"column {changed[:60]!r}: no one type holds each value exactly. Hint: values of one kind in "
                                 "each column; of times, pandas.to_datetime(column)")
        else:
            return table, named, None if named else index, dict(flat.dtypes)
    raise failure  # here, because the reason quotes values


def _zoned(column: pa.ChunkedArray) -> bool:
    """Whether times with a zone lie where pandas ends the process when it shows them (2.2.3): outside of what nanoseconds hold."""
    if not pa.types.is_timestamp(column.type) or not column.type.tz:
        return False
    try:
        column.cast(pa.timestamp("ns", column.type.tz))
    except pa.ArrowInvalid:
        return True
    return False


def _changed(column: Any, made: pa.ChunkedArray) -> bool:
    """Whether Arrow has found a type that does not hold what objects are."""
    if not may_change(made.type):
        return False
    if sys.modules["pandas"].api.types.infer_dtype(column, skipna=True) in _EXACT:
        return False
    return not all(map(unchanged, column, made.to_pylist()))


def frame_of(table: pa.Table, dtypes: dict[str, Any]) -> Any:
    """A frame of pandas; nothing of a given frame is in it but what types are called.

    Args:
        table: its columns.
        dtypes: types of the given frame by column. Those that could hold values, such as categories, are not looked at: what Arrow has is
            what the column has.
    """
    made = table.to_pandas(integer_object_nulls=True)  # in lists, too, where it would make doubles of them
    for name in table.column_names:
        column, dtype = table.column(name), dtypes.get(name)
        again = _extended(column, dtype)
        if again is None and pa.types.is_integer(column.type) and column.null_count and str(dtype) != "object":
            again = _whole(column)
        if again is not None:
            made[name] = again
    return made


def _extended(column: pa.ChunkedArray, dtype: Any) -> Any:
    """The column as nullable numbers, text or Arrow's own types, where the given one was; None where its values are of another kind."""
    pandas, kind = sys.modules["pandas"], column.type
    if isinstance(dtype, pandas.ArrowDtype):
        return pandas.ArrowDtype(kind).__from_arrow__(column)
    try:
        if isinstance(dtype, pandas.StringDtype):
            return dtype.__from_arrow__(column) if is_text(kind) else None
        if str(dtype) == "boolean":
            return dtype.__from_arrow__(column) if pa.types.is_boolean(kind) else None
        if str(dtype) in _NUMBERS and (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            return dtype.__from_arrow__(column)
    except (pa.ArrowException, TypeError, ValueError):
        return None
    return None


def _whole(column: pa.ChunkedArray) -> Any:
    """Whole numbers with nulls: doubles, as pandas has them, where these are exact; else nullable ones."""
    found = pc.min_max(column)
    least, most = found["min"].as_py(), found["max"].as_py()
    if least is None or -_FLOATS <= least <= most <= _FLOATS:
        return column.cast(pa.float64()).to_pandas()
    name = "UInt64" if pa.types.is_unsigned_integer(column.type) else "Int64"
    return sys.modules["pandas"].api.types.pandas_dtype(name).__from_arrow__(column)


def labels_of(index: Any, rows: np.ndarray) -> Any:
    """The labels of some rows, in an index that holds those of no other row.

    Args:
        index: of pandas, without a name.
        rows: int64, numbers of rows.
    """
    pandas = sys.modules["pandas"]
    taken = index.take(rows)
    if isinstance(taken, pandas.MultiIndex):
        return pandas.MultiIndex.from_arrays([_own(taken.get_level_values(level)) for level in range(taken.nlevels)])
    return _own(taken)


def _own(index: Any) -> Any:
    return index.remove_unused_categories() if isinstance(index, sys.modules["pandas"].CategoricalIndex) else index
