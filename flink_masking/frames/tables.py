"""JSON lines of a view as an Arrow table with the types of the columns that the view keeps."""

import io
from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from flink_masking.arrow import parts
from flink_masking.frames.casts import cast, readable
from flink_masking.frames.kept import Kept
from flink_masking.frames.mixed import mixed

_BLOCK = 1 << 30
"""Bytes that the reader takes at once; it cannot take 2 GiB."""
_LONG = r"[:\[,]-?(?:[0-9]\.?){16}"
"""A number of more digits than every double has, perhaps."""


def table(lines: Sequence[pa.BinaryArray], kept: Mapping[str, Kept], order: list[str]) -> pa.Table:
    """Read the records of a view.

    Args:
        lines: batches of JSON objects, no nulls.
        kept: columns whose values the view shows as they are.
        order: names of columns, the first ones of the result in this order.

    Returns:
        A table with a column for each member. A column that is not kept has the type that its values show; text stays text, also where it
        looks like a time. Numbers are exact: those that have no type of numbers in common are JSON text.
    """
    explicit = {name: readable(one.kind) for name, one in kept.items()}
    if not any(map(len, lines)):
        return _ordered(pa.table({name: cast(pa.chunked_array([pa.array([], explicit[name])]), one) for name, one in kept.items()}), order)
    joined = _joined(lines)
    try:
        found = _read(joined, explicit)
        if wrong := [one for one in found.schema if one.name not in explicit and _texts(one.type) != one.type]:
            found = _read(joined, explicit | {one.name: _texts(one.type) for one in wrong})
        exact = not _rounded(found, explicit, lines)
    except pa.ArrowException:  # a column with values of several kinds
        exact = False
    if not exact:
        found = mixed(lines, explicit)
    for number, name in enumerate(found.column_names):
        if name in kept and found.schema.field(number).type != kept[name].kind:
            found = found.set_column(number, name, cast(found.column(number), kept[name]))
    return _ordered(found, order)


def _joined(lines: Sequence[pa.BinaryArray]) -> pa.Buffer:
    out = io.BytesIO()
    for batch in lines:
        ended = parts(pc.binary_join_element_wise(batch, b"\n", b""))
        out.write(pa.py_buffer(ended.data[int(ended.offsets[0]) : int(ended.offsets[-1])]))
    return pa.py_buffer(out.getbuffer())


def _read(joined: pa.Buffer, explicit: Mapping[str, pa.DataType]) -> pa.Table:
    options = pj.ParseOptions(explicit_schema=pa.schema(list(explicit.items())) if explicit else None)
    return pj.read_json(pa.BufferReader(joined), pj.ReadOptions(block_size=min(_BLOCK, max(1024, joined.size + 1))), options)


def _rounded(found: pa.Table, explicit: Mapping[str, pa.DataType], lines: Sequence[pa.BinaryArray]) -> bool:
    """Whether the reader may have made doubles of numbers that no double is.

    Args:
        found: as it was read.
        explicit: columns of which the reader was told the type; in the others it makes a double of each number that is no int64.
        lines: what was read.
    """
    doubles = any(field.name not in explicit and _has(field.type, pa.types.is_floating) for field in found.schema)
    return doubles and any(pc.any(pc.match_substring_regex(batch, _LONG)).as_py() for batch in lines)


def _has(kind: pa.DataType, test: Callable[[pa.DataType], bool]) -> bool:
    return test(kind) or (pa.types.is_nested(kind) and any(_has(kind.field(number).type, test) for number in range(kind.num_fields)))


def _texts(kind: pa.DataType) -> pa.DataType:
    """The type with text in the place of times, which the reader makes of what looks like them, and of nothing but nulls in lists.

    It reads lists of nulls as shorter ones, and their arrays end the process when they are looked at (pyarrow 16.1).
    """
    if pa.types.is_list(kind):
        return pa.list_(pa.string() if pa.types.is_null(kind.value_type) else _texts(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(kind.field(number).name, _texts(kind.field(number).type)) for number in range(kind.num_fields)])
    return pa.string() if pa.types.is_timestamp(kind) else kind


def _ordered(found: pa.Table, order: list[str]) -> pa.Table:
    first = [name for name in order if name in found.column_names]
    return found.select([*first, *(name for name in found.column_names if name not in first)])
