"""Records as they arrive, whatever their format: one binary array."""

from typing import Any

import pyarrow as pa


def binary_column(column: Any) -> pa.BinaryArray:
    """A column of records as one binary array.

    Args:
        column: an Arrow array or chunked array of binary or string; a pandas Series or a sequence of bytes, str and None.

    Raises:
        TypeError: of another type.
        ValueError: 2 GB of data or more.
    """
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    if not isinstance(column, pa.Array):
        try:
            column = pa.Array.from_pandas(column, type=pa.binary())
        except UnicodeEncodeError:  # half a surrogate pair in a str: let the scanner refuse that row alone
            rows = [x.encode("utf-8", "surrogatepass") if isinstance(x, str) else x for x in column]
            column = pa.array(rows, pa.binary())
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise TypeError("records: bytes, str or None are needed in every row. Hint: read the stream with the raw format") from error
        if isinstance(column, pa.ChunkedArray):
            raise ValueError("records: 2 GB of data or more in one batch. Hint: use smaller batches")
    kind = column.type
    if not any(test(kind) for test in (pa.types.is_binary, pa.types.is_string, pa.types.is_large_binary, pa.types.is_large_string,
                                       pa.types.is_null)):
        raise TypeError(f"records: a column of type {kind}. Hint: binary or string is needed")
    return column if pa.types.is_binary(kind) else column.cast(pa.binary())
