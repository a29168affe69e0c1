"""Edits of a segment brought into the form of the splice kernel."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from flink_masking import arrow
from flink_masking.records.avro import splice_kernels as kernels
from flink_masking.records.avro.table import AvroTable
from flink_masking.records.avro.values import encoded
from flink_masking.records.avro.written import Written
from flink_masking.records.edits import KEEP, USE, USE_LITERAL, Edit, Keys, Replace

_ROOM = 24
"""Bytes that a value can add besides its replacement: a branch, a length."""
_FIXED_PARTS = 32
"""Bytes that a row can add for another framing, and a block for its header."""


def splice(table: AvroTable, edits: list[Edit], dead: np.ndarray, keys: Mapping[int, Keys], written: Written) -> pa.BinaryArray:
    """The records with edits[path number] carried out; null where dead, or where the schema cannot hold a value.

    The rows of the latter are noted in ``table.unwritable``, by path.

    Raises:
        ValueError: 2 GB of output or more.
    """
    plan, held = np.zeros((len(edits), kernels.PLAN), np.int64), []
    capacity = int(table.offsets[-1]) - int(table.offsets[0]) + _FIXED_PARTS * (table.n + table.n_blocks)
    for number, edit in enumerate(edits):
        count = int(table.starts[number + 1] - table.starts[number])
        if isinstance(edit, Replace):
            if count:
                arrays, size = _replacement(plan[number], edit, table, number, written)
                held.append(arrays)
                capacity += size
        elif edit is not KEEP:
            plan[number, kernels.P_ACTION] = kernels.DROP
            largest = int(written.table[table.image.of_path(number), kernels.S_SIZE].max(initial=0))
            capacity += (largest + _ROOM) * count
    for number, renamed in keys.items():
        arrays, size = _keys(plan[number], renamed)
        held.append(arrays)
        capacity += size
    buffer, out = arrow.output(capacity)
    ends, valid, unwritable = np.zeros(table.n + 1, np.int32), np.empty(table.n, np.uint8), np.full(table.n, -1, np.int32)
    stack = np.empty(kernels.OPENED * (table.depth + 1), np.int64)
    outcome = kernels.splice_rows(table.data, table.offsets, table.begins, dead, table.spans, table.used, table.blocks, table.n_blocks,
                                  plan.ravel(), written.table.ravel(), table.programs, written.frames.ravel(), stack, out, ends, valid,
                                  unwritable)
    del held  # alive until here: the plan has their addresses
    if outcome == kernels.TOO_LONG:
        raise ValueError("splice: 2 GB of output or more in one batch. Hint: use smaller batches")
    names = {number: name for name, number in table.paths.ids.items()}
    table.unwritable = {names.get(number, ""): np.flatnonzero(unwritable == number)
                        for number in np.unique(unwritable).tolist() if number >= 0} if (unwritable >= 0).any() else {}
    return arrow.assemble(pa.binary(), buffer, ends, valid)


def _replacement(plan: np.ndarray, edit: Replace, table: AvroTable, number: int, written: Written) -> tuple[list[object], int]:
    """Fill in a path's row of the plan; returns what must stay alive while it is used, and the most bytes it can add."""
    order = table.numbered(number)
    values, how, text = edit.values, edit.how, 1
    scalar = isinstance(values, pa.Scalar)
    if scalar:
        values = pa.array([values.as_py()], values.type)
    null = values.null_count == len(values)
    literal = pa.types.is_binary(values.type) or (how is not None and bool((how == USE_LITERAL).any()))
    if not null and (literal or not written.holds_text(number)):
        if scalar:
            values, scalar = values.take(pa.array(np.zeros(len(order), np.int32))), False
        values, how = _encoded(values.cast(pa.string()), how, table.sites_of(order), written)
        text = 0
    elif null and not pa.types.is_string(values.type):
        values = values.cast(pa.string())
    data, offsets, valid = arrow.parts(values)
    size = int(offsets[-1] - offsets[0])
    how = None if how is None else np.ascontiguousarray(how, np.uint8)
    address = [arrow.address(x) for x in (data, offsets, valid, how)]
    plan[:9] = (kernels.REPLACE, text, address[0], address[0] + len(data), *address[1:], 0, 0 if scalar else 1)
    return [values, data, offsets, valid, how], size * (len(order) if scalar else 1) + _ROOM * len(order)


def _encoded(values: pa.StringArray, how: np.ndarray | None, sites: np.ndarray, written: Written) -> tuple[pa.BinaryArray, np.ndarray]:
    """Texts and literals as their sites write them; null where there is none, with the code of what cannot be written at all."""
    n = len(values)
    codes = np.full(n, USE, np.uint8) if how is None else np.where(how == USE_LITERAL, USE, how).astype(np.uint8)
    there = values.is_valid().to_numpy(zero_copy_only=False) & (codes == USE)
    index, parts, total = np.zeros(n, np.int64), [], 0
    for site in np.unique(sites[there]).tolist():
        which = np.flatnonzero(there & (sites == site))
        parts.append(encoded(values.take(pa.array(which)), written.types[site], written.branches[site]))
        index[which] = np.arange(total, total + len(which))
        total += len(which)
    made = pa.concat_arrays(parts).take(pa.array(index, mask=~there)) if parts else pa.nulls(n, pa.binary())
    lost = there & made.is_null().to_numpy(zero_copy_only=False)
    codes[lost & (written.table[sites, kernels.S_NULL] == kernels.NONE)] = kernels.UNWRITABLE
    return made, codes


def _keys(plan: np.ndarray, edit: Keys) -> tuple[list[object], int]:
    """Fill in the keys of a path's row of the plan; returns what must stay alive while it is used, and the most bytes it can add."""
    data, offsets, _ = arrow.parts(edit.keys)
    how = None if edit.how is None else np.ascontiguousarray(edit.how)
    place = data.ctypes.data if len(data) else 0
    plan[9:] = (place, place + len(data), offsets.ctypes.data, 0 if how is None or not len(how) else how.ctypes.data)
    return [edit.keys, data, offsets, how], int(offsets[-1] - offsets[0]) + _ROOM * len(edit.keys)


