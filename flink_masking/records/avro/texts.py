"""Values of Avro as text, a column at a time, as techniques take them.

Text is itself; numbers are decimal; dates are ISO dates; enums are their symbols; bytes and fixed are Base64; objects and arrays are JSON.
Times and timestamps stay the numbers that they are.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from flink_masking import arrow
from flink_masking.records.avro.decode import json_at, scalar_text
from flink_masking.records.avro.schema import Type
from flink_masking.records.avro.value_kernels import read_longs, read_wide
from flink_masking.records.kinds import Kind
from flink_masking.records.span_kernels import SPAN, VE, VS, gather_raw
from flink_masking.records.spans import SpanTable


def texts(table: SpanTable, order: np.ndarray, kinds: np.ndarray, types: Sequence[Type], numbers: np.ndarray) -> pa.StringArray:
    """The values of spans as text, null for null.

    Args:
        table: of the batch.
        order: int32, n spans.
        kinds: int32, their kinds.
        types: of values.
        numbers: int, n: the type of each span, in `types`.
    """
    n = len(order)
    there = kinds != Kind.NULL
    present = np.flatnonzero(there)
    if len(present) == 0:
        return pa.nulls(n, pa.string())
    used = np.unique(numbers[present])
    if len(used) == 1:
        made = _column(types[used[0]], table, order if len(present) == n else order[present])
        if len(present) == n:
            return made
        return made.take(pa.array(np.cumsum(there) - 1, mask=~there))
    index, parts, total = np.zeros(n, np.int64), [], 0
    for number in used:
        which = np.flatnonzero(there & (numbers == number))
        parts.append(_column(types[number], table, order[which]))
        index[which] = np.arange(total, total + len(which))
        total += len(which)
    return pa.concat_arrays(parts).take(pa.array(index, mask=~there))


def _column(part: Type, table: SpanTable, order: np.ndarray) -> pa.StringArray:
    """The text of values of one type, none of them null."""
    order = np.ascontiguousarray(order, np.int32)
    if part.kind == "string":
        return _raw(table, order).view(pa.string())
    if part.logical == "decimal":
        return _decimals(part, table, order)
    if part.kind in ("int", "long", "enum"):
        found = np.empty(len(order), np.int64)
        read_longs(table.data, table.spans, order, found)
        if part.kind == "enum":
            return arrow.strings(part.symbols).take(pa.array(found))
        if part.logical == "date":
            if -719_162 <= found.min() and found.max() <= 2_932_896:  # the years 1 to 9999, as Python's dates
                return pa.array(found.astype(np.int32)).view(pa.date32()).cast(pa.string())
            return _each(part, table, order)
        return pa.array(found).cast(pa.string())
    if part.kind in ("float", "double"):
        data, _, _ = arrow.parts(_raw(table, order))
        width = 4 if part.kind == "float" else 8
        return pa.array(np.frombuffer(data[: width * len(order)].tobytes(), f"<f{width}")).cast(pa.string())
    if part.kind == "boolean":
        data, _, _ = arrow.parts(_raw(table, order))
        return arrow.strings(["false", "true"]).take(pa.array(data[: len(order)]))
    return _each(part, table, order)


def _raw(table: SpanTable, order: np.ndarray) -> pa.BinaryArray:
    spans = table.spans.reshape(-1, SPAN)[order]
    buffer, out = arrow.output(int((spans[:, VE] - spans[:, VS]).astype(np.int64).sum()))
    offsets = np.zeros(len(order) + 1, np.int32)
    gather_raw(table.data, table.spans, order, out, offsets)
    return arrow.assemble(pa.binary(), buffer, offsets)


def _decimals(part: Type, table: SpanTable, order: np.ndarray) -> pa.StringArray:
    spans = table.spans.reshape(-1, SPAN)[order]
    if (spans[:, VE] - spans[:, VS]).max() > 15 or part.scale > 6:  # more than Arrow's decimals hold, or writes without an exponent
        return _each(part, table, order)
    found = np.empty(16 * len(order), np.uint8)
    read_wide(table.data, table.spans, order, found)
    return pa.Array.from_buffers(pa.decimal128(38, part.scale), len(order), [None, pa.py_buffer(found)]).cast(pa.string())


def _each(part: Type, table: SpanTable, order: np.ndarray) -> pa.StringArray:
    """Values one by one: of types that are rare, or hold others."""
    spans, data = table.spans.reshape(-1, SPAN)[order], table.data.data
    if part.kind in ("record", "array", "map"):
        return arrow.strings(json_at(part, bytes(data[start:end]), 0)[0] for start, end in spans[:, [VS, VE]].tolist())
    return arrow.strings(scalar_text(part, bytes(data[start:end])) for start, end in spans[:, [VS, VE]].tolist())
