"""polars frames as Arrow tables and back; categories of a frame do not come along."""

import sys
from typing import Any

import pyarrow as pa

from flink_masking.errors import InputError


def table_of(given: Any) -> pa.Table:
    """The columns of a frame.

    Args:
        given: a frame of polars.

    Raises:
        InputError: a column that Arrow cannot hold.
    """
    polars = sys.modules["polars"]
    try:
        return given.to_arrow(compat_level=polars.CompatLevel.oldest())
    except (pa.ArrowException, polars.exceptions.PolarsError, polars.exceptions.PanicException) as error:
        failure = InputError(f"a column has a type that Arrow does not have ({type(error).__name__}). Hint: of whole numbers of 128 bits, "
                             "text or a decimal")
    raise failure  # here, because the reason may quote values


def frame_of(table: pa.Table, scope: str) -> Any:
    """A frame of polars.

    Categories are in a dictionary of the process that polars keeps for all columns of one name of categories, which a column's type shows.
    Those of a view get one of their own, so that it holds values of this view's column only, and views of several frames have the same.

    Args:
        table: its columns.
        scope: what names the dictionaries: the stream and segment.
    """
    polars = sys.modules["polars"]
    encoded = {field.name: field.type for field in table.schema if pa.types.is_dictionary(field.type)}
    plain = pa.schema([(field.name, encoded[field.name].value_type if field.name in encoded else field.type) for field in table.schema])
    made = polars.from_arrow(table.cast(plain))
    return made.with_columns(polars.col(name).cast(_categories(table.column(name), f"{scope}.{name}")) for name in encoded)


def _categories(column: pa.ChunkedArray, name: str) -> Any:
    polars = sys.modules["polars"]
    if column.type.ordered:
        return polars.Enum(column.chunk(0).dictionary.to_pylist())
    if hasattr(polars, "Categories"):
        return polars.Categorical(polars.Categories(name, namespace="flink_masking"))
    return polars.Categorical  # before 1.32 each column has a dictionary of its own
