"""Types and values that JSON or ISO 8601 text has no form for, refused before the first row is protected."""

import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.errors import InputError

_DAY = 86_400
_FIRST, _LAST = -719_162, 2_932_896
"""Days from 1970 to the first of the year 1 and the last of 9999."""
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def refuse(table: pa.Table) -> None:
    """Look at all types, times and dates of a table, nested ones too.

    Args:
        table: n rows.

    Raises:
        InputError: a type without a form, a time or date outside of the years 1 to 9999, a date64 with a time of day, a time that no day
            has, or a map whose keys are no text.
    """
    for name, column in zip(table.column_names, table.columns, strict=True):
        fault = _no_form(column.type) or next(filter(None, map(_fault, column.chunks)), None)
        if fault is not None:
            raise InputError(f"column {name[:60]!r}: {fault}")


def _no_form(kind: pa.DataType) -> str | None:
    if pa.types.is_dictionary(kind):
        return _no_form(kind.value_type)
    if pa.types.is_map(kind) and not is_text(kind.key_type):
        return f"a map with keys of type {kind.key_type}, and keys of JSON objects are text. Hint: make text of them"
    if pa.types.is_struct(kind) or pa.types.is_map(kind) or is_list(kind):
        return next(filter(None, (_no_form(kind.field(number).type) for number in range(kind.num_fields))), None)
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_boolean(kind)
    time = pa.types.is_timestamp(kind) or pa.types.is_date(kind) or pa.types.is_time(kind)
    if number or time or is_text(kind) or pa.types.is_null(kind):
        return None
    return f"values of type {str(kind)[:60]} have no form in JSON. Hint: make text or numbers of them first"


def is_list(kind: pa.DataType) -> bool:
    """Whether values are lists, whatever their layout."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def is_text(kind: pa.DataType) -> bool:
    """Whether values are text, whatever their layout."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _timed(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _timed(kind.value_type)
    return pa.types.is_temporal(kind) or (pa.types.is_nested(kind) and any(_timed(kind.field(one).type) for one in range(kind.num_fields)))


def _fault(column: pa.Array) -> str | None:
    kind = column.type
    if not _timed(kind):
        return None
    if pa.types.is_dictionary(kind):
        return _fault(column.dictionary)
    if pa.types.is_struct(kind):
        return next(filter(None, map(_fault, column.flatten())), None)
    if pa.types.is_map(kind):
        return _fault(column.items)
    if is_list(kind):
        return _fault(column.flatten())
    if pa.types.is_date64(kind) and pc.any(pc.not_equal(column, column.cast(pa.date32(), safe=False).cast(kind))).as_py():
        return "a date with a time of day. Hint: cast date64 to timestamp, or cut it to whole days"
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind) or pa.types.is_time(kind):
        return _outside(column)
    return None


def _outside(column: pa.Array) -> str | None:
    kind, time = column.type, pa.types.is_time(column.type)
    unit = 1 if pa.types.is_date32(kind) else _DAY * _PER_SECOND["ms" if pa.types.is_date64(kind) else kind.unit]
    first, last = (0, unit - 1) if time else (_FIRST * unit, (_LAST + 1) * unit - 1)
    found = pc.min_max(column.cast(pa.int32() if kind.bit_width == 32 else pa.int64()))
    least, most = found["min"].as_py(), found["max"].as_py()
    if least is None or first <= least <= most <= last:
        return None
    if time:
        return "a time that no day has. Hint: times from 00:00:00 to before 24:00:00"
    return "a date or time before the year 1 or after 9999, which its text has no form for. Hint: null in the place of such values"
