"""Arrow columns as JSON texts, column by column: nested values, too, without a loop over rows."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.arrow import nulled
from flink_masking.errors import InputError
from flink_masking.frames.forms import is_list, is_text

_CONTROLS = r"[\x00-\x1f]"
_CLOCK = {"s": "%Y-%m-%dT%H:%M:%S", "ms": "%Y-%m-%dT%H:%M:%S", "us": "%Y-%m-%dT%H:%M:%S", "ns": "%Y-%m-%dT%H:%M:%S"}
"""Arrow's %S has the fraction of the unit."""


def records(batch: pa.RecordBatch) -> pa.BinaryArray:
    """Each row as a JSON object; null stays a member that is null.

    Args:
        batch: n rows of types that `flink_masking.frames.forms.refuse` lets pass; members get the names of columns.

    Raises:
        InputError: more text than a batch can have.
    """
    try:
        return _object(list(zip(batch.schema.names, batch.columns, strict=True)), len(batch)).cast(pa.binary())
    except pa.ArrowException as error:
        failure = InputError(f"{len(batch)} rows cannot be written as JSON records ({type(error).__name__}). "
                             "Hint: values of less than 200 kB")
    raise failure  # here, because the reason may quote values


def _object(members: list[tuple[str, pa.Array]], size: int) -> pa.StringArray:
    pieces: list[pa.Array | str] = []
    for number, (name, column) in enumerate(members):
        pieces += [f"{',' if number else '{'}{_quoted(name)}:", _text(column)]
    if not pieces:
        return pa.array(["{}"], pa.string()).take(pa.array([0] * size, pa.int32()))
    return pc.binary_join_element_wise(*pieces, "}", "")


def _text(column: pa.Array) -> pa.StringArray:
    """The JSON text of each value; never null."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _text(column.dictionary_decode())
    if pa.types.is_struct(kind):
        members = [(kind.field(number).name, part) for number, part in enumerate(column.flatten())]
        return _filled(_object(members, len(column)), column)
    if pa.types.is_map(kind):
        return _filled(_map(column), column)
    if is_list(kind):
        return _filled(_list(column), column)
    return pc.fill_null(_scalar(column), "null")


def _filled(texts: pa.StringArray, column: pa.Array) -> pa.StringArray:
    return texts if not column.null_count else pc.if_else(column.is_valid(), texts, "null")


def _scalar(column: pa.Array) -> pa.StringArray:
    kind = column.type
    if is_text(kind):
        return pc.binary_join_element_wise('"', _escaped(column.cast(pa.string())), '"', "")
    if pa.types.is_floating(kind):
        column = column.cast(pa.float64()) if pa.types.is_float16(kind) else column
        return nulled(column, pc.invert(pc.fill_null(pc.is_finite(column), False)).to_numpy(zero_copy_only=False)).cast(pa.string())
    if pa.types.is_decimal(kind):
        return pc.replace_substring(column.cast(pa.string()), ".E", "E")  # Arrow writes 1.E-10, which is no number of JSON
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind):
        return column.cast(pa.string())
    if pa.types.is_timestamp(kind):
        texts = pc.strftime(column.cast(pa.timestamp(kind.unit, "UTC")) if kind.tz else column, _CLOCK[kind.unit])
        return pc.binary_join_element_wise('"', texts, 'Z"' if kind.tz else '"', "")
    return pc.binary_join_element_wise('"', (column.cast(pa.date32()) if pa.types.is_date(kind) else column).cast(pa.string()), '"', "")


def _list(column: pa.Array) -> pa.StringArray:
    if pa.types.is_fixed_size_list(column.type):
        size = column.type.list_size
        values, offsets = column.values.slice(column.offset * size, len(column) * size), np.arange(len(column) + 1) * size
    else:
        values, offsets = _within(column.values, column)
    return pc.binary_join_element_wise("[", _joined(_text(values), offsets), "]", "")


def _map(column: pa.MapArray) -> pa.StringArray:
    keys, offsets = _within(column.keys, column)
    values, _ = _within(column.items, column)
    return pc.binary_join_element_wise("{", _joined(pc.binary_join_element_wise(_text(keys), ":", _text(values), ""), offsets), "}", "")


def _within(values: pa.Array, column: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """The values between the first and the last offset of lists, and the offsets in them.

    Neither casts nor `flatten` are used, of which lists of nulls come out with too few of them, and end the process (pyarrow 16.1).
    """
    offsets = column.offsets.to_numpy()
    return values.slice(offsets[0], offsets[-1] - offsets[0]), offsets - offsets[0]


def _joined(texts: pa.StringArray, offsets: np.ndarray) -> pa.StringArray:
    """The texts of the items of each list, with commas between; those of null lists are of no use."""
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), texts), ",")


def _escaped(texts: pa.StringArray) -> pa.StringArray:
    """What stands between the quotes."""
    texts = pc.replace_substring(pc.replace_substring(texts, "\\", "\\\\"), '"', '\\"')
    if pc.any(pc.match_substring_regex(texts, _CONTROLS)).as_py():
        for code in range(32):
            texts = pc.replace_substring(texts, chr(code), f"\\u{code:04x}")
    return texts


def _quoted(name: str) -> str:
    return '"' + str(_escaped(pa.array([name], pa.string()))[0]) + '"'
