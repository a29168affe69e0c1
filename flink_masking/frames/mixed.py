"""JSON lines as columns of which one has values of several kinds, or numbers that no double holds: record by record, and exact."""

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from flink_masking.frames.casts import textual
from flink_masking.frames.exact import unchanged

_LEAST, _MOST = -(2**63), 2**64 - 1


def mixed(lines: Sequence[pa.BinaryArray], explicit: Mapping[str, pa.DataType]) -> pa.Table:
    """A column for each member.

    Args:
        lines: batches of JSON objects, no nulls.
        explicit: types that columns have where their values fit.

    Returns:
        Numbers are as exact as they are written: int64, uint64, double or decimal. Columns whose values have no type in common are JSON
        text.
    """
    rows: list[dict[str, Any]] = [json.loads(line, parse_float=Decimal, parse_int=_whole) for batch in lines for line in batch.to_pylist()]
    if not any(rows):
        return pa.table({"": pa.nulls(len(rows))}).select([])
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: _column([row.get(name) for row in rows], explicit.get(name)) for name in names})


def _column(values: list[Any], kind: pa.DataType | None) -> pa.Array:
    for given, wanted in _attempts(values, kind):
        try:
            made = pa.array(given, wanted)
        except (pa.ArrowException, OverflowError, TypeError, ValueError):
            continue
        if all(map(unchanged, given, made.to_pylist())):
            kind = textual(made.type)
            return made if kind == made.type else pa.array(given, kind)
    return pa.array([one if one is None or isinstance(one, str) else _json(one) for one in values], pa.string())


def _attempts(values: list[Any], kind: pa.DataType | None) -> Iterator[tuple[list[Any], pa.DataType | None]]:
    if kind is not None:
        yield [_as(one, kind) for one in values], kind
    plain = [_plain(one) for one in values]
    yield plain, None
    yield plain, pa.uint64()
    if all(one is None or _number(one) for one in values):
        yield [one if one is None else Decimal(one) for one in values], None


def _whole(digits: str) -> int | Decimal:
    number = Decimal(digits)
    return int(number) if _LEAST <= number <= _MOST and digits != "-0" else number


def _number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _as(value: Any, kind: pa.DataType) -> Any:
    """A value with floats where the type has them, because they were written as the shortest text that means them."""
    if isinstance(value, dict) and pa.types.is_struct(kind):
        types = {kind.field(number).name: kind.field(number).type for number in range(kind.num_fields)}
        return {name: _as(one, types[name]) if name in types else one for name, one in value.items()}
    if isinstance(value, list) and pa.types.is_list(kind):
        return [_as(one, kind.value_type) for one in value]
    if _number(value) and pa.types.is_floating(kind):
        return float(np.float32(value)) if pa.types.is_float32(kind) else float(value)
    return value


def _plain(value: Any) -> Any:
    """A value with floats where they are what is written."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return float(value) if isinstance(value, Decimal) and Decimal(repr(float(value))) == value else value


def _json(value: Any) -> str:
    return orjson.dumps(value, default=lambda number: orjson.Fragment(str(number))).decode()
