"""Between a column of SQL, as PyFlink hands it over, and the values that techniques take."""


import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.arrow import nulled
from flink_masking.errors import InputError
from flink_masking.records.kinds import Kind
from flink_masking.records.spans import Values

EXACT = float(1 << 53)
"""PyFlink hands a column of integers over as floating-point numbers when it has NULLs: from here on they are not exact."""


def values_of(column: pa.Array, name: str) -> tuple[Values, np.ndarray | None]:
    """A column as values; texts are strings, numbers their decimal text, dates and times their ISO text.

    Whole numbers are written without a point whatever their type, so that a column gives the same texts with and without NULLs in it.

    Args:
        column: n cells of type string, boolean, integer, decimal, floating point, date, time or timestamp.
        name: of the function, for the message.

    Returns:
        The values, and bool, n, where a number is none that can be told exactly (None: nowhere).

    Raises:
        InputError: cells of another type.
    """
    kind, refused = column.type, None
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    kinds = np.full(len(column), int(Kind.STRING), np.int32)
    if pa.types.is_null(kind):
        text = column.cast(pa.string())
    elif pa.types.is_string(kind):
        text = column
    elif pa.types.is_boolean(kind):
        kinds = np.where(column.fill_null(False).to_numpy(zero_copy_only=False), int(Kind.TRUE), int(Kind.FALSE)).astype(np.int32)
        text = column.cast(pa.string())
    elif pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        kinds[:] = int(Kind.NUMBER)
        text = column.cast(pa.string())
    elif pa.types.is_floating(kind):
        kinds[:] = int(Kind.NUMBER)
        text, refused = _floats(column.cast(pa.float64()))
    elif pa.types.is_timestamp(kind):
        text = _without_zeros(pc.strftime(column.cast(pa.timestamp(kind.unit)), "%Y-%m-%dT%H:%M:%S"))
    elif pa.types.is_time(kind):
        text = _without_zeros(column.cast(pa.string()))
    elif pa.types.is_date(kind):
        text = column.cast(pa.string())
    else:
        raise InputError(f"{name}: a column of type {kind} is no text, number or time. Hint: CAST it AS STRING, or DECODE bytes")
    if text.null_count:
        kinds[text.is_null().to_numpy(zero_copy_only=False)] = int(Kind.NULL)
    return Values(text, kinds, np.arange(len(text), dtype=np.int32)), refused


def _floats(column: pa.DoubleArray) -> tuple[pa.StringArray, np.ndarray | None]:
    numbers = column.to_numpy(zero_copy_only=False)
    absent = np.isnan(numbers)
    with np.errstate(invalid="ignore"):
        inexact = ~absent & ~(np.abs(numbers) < EXACT)
        whole = ~inexact & (np.floor(numbers) == numbers)
    integers = pa.array(np.where(whole, numbers, 0).astype(np.int64)).cast(pa.string())
    text = pc.if_else(pa.array(whole), integers, pa.array(numbers).cast(pa.string()))
    return nulled(text, absent), inexact if inexact.any() else None


def _without_zeros(text: pa.StringArray) -> pa.StringArray:
    """Times without the zeros at the end of their fraction: how many are written depends on the column's precision."""
    return pc.replace_substring_regex(pc.replace_substring_regex(text, r"(\.[0-9]*?)0+$", r"\1"), r"\.$", "")


def text_of(values: pa.Array | pa.Scalar, n: int) -> pa.StringArray:
    """What a mask put out, as a column of strings: texts and literals alike.

    Args:
        values: n replacements or one for all, string or binary, as in `flink_masking.techniques.base.Masked`.
        n: number of rows.
    """
    return (pa.repeat(values, n) if isinstance(values, pa.Scalar) else values).cast(pa.string())
