"""JSON lines of a view as an Arrow table with the types of the columns that the view keeps."""

import io
from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from flink_masking.arrow import parts
from flink_masking.frames.casts import cast, readable, textual
from flink_masking.frames.kept import Kept
from flink_masking.frames.mixed import mixed

_BLOCK = 1 << 30
"""Bytes that the reader takes at once; it cannot take 2 GiB."""
_LONG = r"[:\[,]-?(?:[0-9]\.?){16}"
"""A number of more digits than every double has, perhaps."""
_WIDE = pa.decimal256(76, 38)
"""Numbers of up to 38 digits on either side of the point, exactly."""


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
        if wrong := [one for one in found.schema if one.name not in explicit and textual(one.type) != one.type]:
            found = _read(joined, explicit | {one.name: textual(one.type) for one in wrong})
        exact = not _rounded(found, explicit, lines, joined)
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


def _rounded(found: pa.Table, explicit: Mapping[str, pa.DataType], lines: Sequence[pa.BinaryArray], joined: pa.Buffer) -> bool:
    """Whether the reader has made doubles of numbers that no double is.

    Args:
        found: as it was read.
        explicit: columns of which the reader was told the type; in the others it makes a double of each number that is no int64.
        lines: what was read.
        joined: the same.

    Raises:
        pyarrow.ArrowInvalid: a number is too large or has too many digits for a comparison, so that it may be rounded.
    """
    doubles = [field for field in found.schema if field.name not in explicit and _has(field.type, pa.types.is_floating)]
    if not doubles or not any(pc.any(pc.match_substring_regex(batch, _LONG)).as_py() for batch in lines):
        return False
    if not all(pa.types.is_floating(field.type) for field in doubles):  # in structures, which Arrow does not compare as text
        return True
    written = _read(joined, {**explicit, **{field.name: _WIDE for field in doubles}})
    return not all(found[field.name].cast(pa.string()).cast(_WIDE).equals(written[field.name]) for field in doubles)


def _has(kind: pa.DataType, test: Callable[[pa.DataType], bool]) -> bool:
    return test(kind) or (pa.types.is_nested(kind) and any(_has(kind.field(number).type, test) for number in range(kind.num_fields)))


def _ordered(found: pa.Table, order: list[str]) -> pa.Table:
    first = [name for name in order if name in found.column_names]
    return found.select([*first, *(name for name in found.column_names if name not in first)])
