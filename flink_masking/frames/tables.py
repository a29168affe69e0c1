"""JSON lines of a view as an Arrow table with the types of the columns that the view keeps."""

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from flink_masking.arrow import parts


def table(lines: pa.BinaryArray, kept: Mapping[str, pa.DataType], order: list[str]) -> pa.Table:
    """Read the records of a view.

    Args:
        lines: JSON objects, no nulls.
        kept: types of the columns whose values the view shows as they are.
        order: names of columns, the first ones of the result in this order.

    Returns:
        A table with a column for each member. A column that is not kept has the type that its values show; text stays text, also where it
        looks like a time.
    """
    explicit = {name: kind for name, kind in kept.items() if _direct(kind)}
    if not len(lines):
        return _ordered(pa.table({name: pa.array([], kind) for name, kind in kept.items()}), order)
    try:
        found = _read(lines, explicit)
        if times := [one.name for one in found.schema if one.name not in explicit and _has_time(one.type)]:
            nested = [name for name in times if not pa.types.is_timestamp(found.schema.field(name).type)]
            found = _read(lines, explicit | {name: _texts(found.schema.field(name).type) for name in times}) if nested or times else found
    except pa.ArrowInvalid:  # a column with values of several kinds
        found = _mixed(lines)
    for number, name in enumerate(found.column_names):
        kind = kept.get(name)
        if kind is not None and found.schema.field(number).type != kind:
            found = found.set_column(number, name, _cast(found.column(number), kind))
    return _ordered(found, order)


def _read(lines: pa.BinaryArray, explicit: Mapping[str, pa.DataType]) -> pa.Table:
    joined = pc.binary_join_element_wise(lines, b"\n", b"")
    found = parts(joined)
    start, end = int(found.offsets[0]), int(found.offsets[-1])
    source = pa.BufferReader(pa.py_buffer(found.data[start:end]))
    options = pj.ParseOptions(explicit_schema=pa.schema(list(explicit.items())) if explicit else None)
    return pj.read_json(source, pj.ReadOptions(block_size=max(1024, end - start + 1)), options)


def _direct(kind: pa.DataType) -> bool:
    """Whether the reader takes the type as it is."""
    return (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind) or pa.types.is_string(kind)
            or (pa.types.is_struct(kind) and all(_direct(kind.field(number).type) for number in range(kind.num_fields)))
            or (pa.types.is_list(kind) and _direct(kind.value_type)))


def _has_time(kind: pa.DataType) -> bool:
    return (pa.types.is_timestamp(kind) or (pa.types.is_list(kind) and _has_time(kind.value_type))
            or (pa.types.is_struct(kind) and any(_has_time(kind.field(number).type) for number in range(kind.num_fields))))


def _texts(kind: pa.DataType) -> pa.DataType:
    """The type with text in the place of times, which the reader makes of what looks like them."""
    if pa.types.is_list(kind):
        return pa.list_(_texts(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(kind.field(number).name, _texts(kind.field(number).type)) for number in range(kind.num_fields)])
    return pa.string() if pa.types.is_timestamp(kind) else kind


def _mixed(lines: pa.BinaryArray) -> pa.Table:
    """Columns of which one has values of several kinds: such a column becomes JSON text."""
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines.to_pylist()]
    columns = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row.get(name) for row in rows]
        try:
            columns[name] = pa.array(values)
        except pa.ArrowException:
            columns[name] = pa.array([one if one is None or isinstance(one, str) else json.dumps(one) for one in values], pa.string())
    return pa.table(columns)


def _cast(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """The column as the type that it had; as it is where values do not go back."""
    try:
        if pa.types.is_dictionary(kind):
            return column.cast(kind.value_type).dictionary_encode()
        if pa.types.is_timestamp(kind) and pa.types.is_string(column.type):
            texts = pc.replace_substring(column, "Z", "") if kind.tz else column
            return texts.cast(pa.timestamp(kind.unit)).cast(pa.timestamp(kind.unit, "UTC")).cast(kind) if kind.tz else texts.cast(kind)
        return column.cast(kind)
    except pa.ArrowException:
        return column


def _ordered(found: pa.Table, order: list[str]) -> pa.Table:
    first = [name for name in order if name in found.column_names]
    return found.select([*first, *(name for name in found.column_names if name not in first)])
