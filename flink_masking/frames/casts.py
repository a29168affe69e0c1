"""Types in which columns are read from JSON, and columns as the types that they had."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.frames.forms import is_list
from flink_masking.frames.kept import Kept


def readable(kind: pa.DataType) -> pa.DataType:
    """The type that Arrow reads a column from JSON as without losing anything of a value: of times and all that is no number, text.

    Args:
        kind: the column's own.
    """
    if pa.types.is_dictionary(kind):
        return readable(kind.value_type)
    if pa.types.is_struct(kind):
        return pa.struct([(kind.field(number).name, readable(kind.field(number).type)) for number in range(kind.num_fields)])
    if is_list(kind):
        return pa.list_(readable(kind.value_type))
    if pa.types.is_float16(kind):
        return pa.float64()
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return kind if number or pa.types.is_boolean(kind) or pa.types.is_null(kind) else pa.string()


def textual(kind: pa.DataType) -> pa.DataType:
    """The type with text in the place of times, which the reader makes of what looks like them, and of nothing but nulls in lists.

    It reads lists of nulls as shorter ones, and their arrays end the process when they are looked at (pyarrow 16.1).

    Args:
        kind: the type that values show.
    """
    if pa.types.is_list(kind):
        return pa.list_(pa.string() if pa.types.is_null(kind.value_type) else textual(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(kind.field(number).name, textual(kind.field(number).type)) for number in range(kind.num_fields)])
    return pa.string() if pa.types.is_timestamp(kind) else kind


def cast(column: pa.ChunkedArray, kept: Kept) -> pa.ChunkedArray:
    """The column as the type that it had; as it is where values do not go back, such as those that detection has blanked.

    Args:
        column: as it was read.
        kept: what it was.
    """
    kind = kept.kind.value_type if pa.types.is_dictionary(kept.kind) else kept.kind
    if column.type != readable(kind):
        return column
    try:
        made = [_plain(chunk, kind) for chunk in column.chunks]
    except pa.ArrowException:
        return column
    if pa.types.is_dictionary(kept.kind):
        made = [_encoded(pa.concat_arrays(made), kept.order)]
    return pa.chunked_array(made)


def _plain(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if column.type == kind:
        return column
    if pa.types.is_struct(kind):
        parts = [(kind.field(number).name, _plain(column.field(number), kind.field(number).type)) for number in range(kind.num_fields)]
        return pa.StructArray.from_arrays([part for _, part in parts], [name for name, _ in parts], mask=column.is_null())
    if pa.types.is_nested(kind):
        return pa.ListArray.from_arrays(column.offsets, _plain(column.values, kind.value_type), mask=column.is_null()).cast(kind)
    if pa.types.is_timestamp(kind):
        texts = pc.replace_substring(column, "Z", "") if kind.tz else column
        return texts.cast(pa.timestamp(kind.unit)).cast(pa.timestamp(kind.unit, "UTC")).cast(kind) if kind.tz else texts.cast(kind)
    if pa.types.is_time(kind):  # which Arrow does not read from text
        return pc.binary_join_element_wise("1970-01-01T", column, "").cast(pa.timestamp(kind.unit)).cast(kind)
    if pa.types.is_float16(kind):  # which Arrow does not make of other numbers
        return pa.array(column.to_numpy(zero_copy_only=False).astype(np.float16), mask=column.is_null().to_numpy(zero_copy_only=False))
    return column.cast(kind)


def _encoded(plain: pa.Array, order: pa.Array | None) -> pa.Array:
    """The column with a dictionary of its own values only, in the order of the given ones where they have one."""
    if order is None:
        return plain.dictionary_encode()
    order = order.cast(plain.type)
    shown = order.filter(pc.is_in(order, plain.unique()))
    return pa.DictionaryArray.from_arrays(pc.index_in(plain, shown), shown, ordered=True)
