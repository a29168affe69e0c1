"""Edits as the splicer takes them: replacements in the type of each field, and what cannot be written."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking import arrow
from flink_masking.records.codec import Outcome, Result
from flink_masking.records.edits import DROP_VALUE, KEEP_VALUE, USE, USE_LITERAL, Edit, Keys, Replace
from flink_masking.records.protobuf import splice_kernels as kernels
from flink_masking.records.protobuf.layout_kernels import E_BITS, ENTRY, REQUIRED
from flink_masking.records.protobuf.program import GROUP, MESSAGE, STRING, Program
from flink_masking.records.protobuf.values import Wire, to_wire
from flink_masking.records.protobuf.written import Typed


class Prepared(NamedTuple):
    """One path's part of the plan.

    Attributes:
        held: arrays that the plan has addresses of.
        size: bytes that its replacements have in all.
        unwritable: bool, n values: those that the field cannot hold; None: there are none.
    """

    held: list[object]
    size: int
    unwritable: np.ndarray | None


def of_replacement(plan: np.ndarray, edit: Replace, entries: np.ndarray, found: list[int], program: Program | Typed) -> Prepared:
    """Fill in a path's row of the plan.

    Args:
        plan: its row.
        edit: n values, or a scalar for all.
        entries: int32, n: the field of each value.
        found: the different ones.
        program: of the scan, or how the view has its fields.
    """
    count = len(entries)
    scalar, values = isinstance(edit.values, pa.Scalar), edit.values
    if scalar and (len(found) <= 1 and (not found or program.fields[found[0]].type == STRING)):
        values = pa.array([values.as_py()], values.type)
        wire = Wire(values, None)
    elif scalar:
        scalar, values = False, pa.array([values.as_py()], values.type).take(pa.array(np.zeros(count, np.int32)))
        wire = _by_field(values, entries, found, program)
    else:
        wire = _by_field(values, entries, found, program)
    how = None if edit.how is None else np.ascontiguousarray(edit.how)
    unwritable = _unwritable(wire, how, entries, scalar, program, any(program.fields[entry].required for entry in found))
    data, offsets, valid = arrow.parts(wire.values)
    address = [arrow.address(x) for x in (data, offsets, valid, how)]
    plan[:8] = (kernels.REPLACE, address[0], address[0] + len(data), *address[1:], 0, 0 if scalar else 1)
    size = int(offsets[-1] - offsets[0]) * (count if scalar else 1)
    return Prepared([wire.values, data, offsets, valid, how], size, unwritable)


def _by_field(values: pa.Array, entries: np.ndarray, found: list[int], program: Program | Typed) -> Wire:
    """Values on the wire; several fields stand behind one path where records are of several schemas, or types."""
    fields = {entry: program.fields[entry] for entry in found}
    kinds = {(field.type, tuple(field.names)) for field in fields.values()}
    if len(kinds) <= 1:
        return to_wire(next(iter(fields.values())), values) if fields else Wire(values, None)
    pieces, places = [], []
    unfit = np.zeros(len(values), np.bool_)
    for entry, field in fields.items():
        place = np.flatnonzero(entries == entry)
        wire = to_wire(field, values.take(pa.array(place)))
        pieces.append(wire.values.cast(pa.binary()))
        places.append(place)
        if wire.unfit is not None:
            unfit[place] = wire.unfit
    order = np.argsort(np.concatenate(places), kind="stable")
    return Wire(pc.take(pa.concat_arrays(pieces), pa.array(order)), unfit if unfit.any() else None)


def _unwritable(wire: Wire, how: np.ndarray | None, entries: np.ndarray, scalar: bool, program: Program | Typed,
                required_ones: bool) -> np.ndarray | None:
    """Which values the field cannot hold: of another type, or none where it is required."""
    if wire.unfit is None and not required_ones:
        return None
    required = (program.arrays()[1].reshape(-1, ENTRY)[entries, E_BITS] & REQUIRED) != 0 if len(entries) else np.zeros(0, np.bool_)
    gone = np.zeros(len(entries), np.bool_)
    if wire.values.null_count:
        gone |= bool(wire.values.null_count) if scalar else wire.values.is_null().to_numpy(zero_copy_only=False)
    unfit = np.zeros(len(entries), np.bool_) if wire.unfit is None else wire.unfit
    if how is not None:
        unfit = unfit & ((how == USE) | (how == USE_LITERAL))
        gone = (gone & (how != KEEP_VALUE)) | (how == DROP_VALUE)
    unfit = unfit | (gone & required)
    return unfit if unfit.any() else None


def of_drop(entries: np.ndarray, found: list[int], program: Program) -> np.ndarray | None:
    """Which values of a dropped path must stay, because the message requires them: bool, n; None: none."""
    if not any(entry >= 0 and program.fields[entry].required for entry in found):
        return None
    required = (program.arrays()[1].reshape(-1, ENTRY)[entries, E_BITS] & REQUIRED) != 0
    return required & (entries >= 0) if required.any() else None


def of_keys(plan: np.ndarray, edit: Keys, entries: np.ndarray, program: Program) -> Prepared:
    """Fill in the keys of a path's row of the plan; keys that are no text, or names of fields, cannot be written."""
    data, offsets, _ = arrow.parts(edit.keys)
    how = None if edit.how is None else np.ascontiguousarray(edit.how)
    place = data.ctypes.data if len(data) else 0
    plan[8:] = (place, place + len(data), offsets.ctypes.data, 0 if how is None or not len(how) else how.ctypes.data)
    fixed = np.array([field.key != STRING for field in program.fields] or [True])[entries] if len(entries) else np.zeros(0, np.bool_)
    if how is not None:
        fixed = fixed & (how == USE)
    return Prepared([edit.keys, data, offsets, how], int(offsets[-1] - offsets[0]), fixed if fixed.any() else None)


def unheld(types: list[int], outcome: Outcome) -> str | None:
    """Why no field can hold what a rule makes of values of these types, with a hint; None: one can."""
    if outcome.result in (Result.TEXT, Result.KIND) and any(kind in (MESSAGE, GROUP) for kind in types):
        return "a message as a whole can be kept or dropped only. Hint: rules for its fields, keep, or drop"
    return None


def as_text(edit: Edit, before: pa.StringArray) -> Replace:
    """An edit of values of a field that becomes text: those that stay are written anew, too."""
    if not isinstance(edit, Replace):
        return Replace(before)
    if edit.how is None or not (edit.how == KEEP_VALUE).any():
        return edit
    values = edit.values
    if isinstance(values, pa.Scalar):
        values = pa.array([values.as_py()], values.type).take(pa.array(np.zeros(len(before), np.int32)))
    stays = edit.how == KEEP_VALUE
    return Replace(pc.if_else(pa.array(stays), before, values.cast(pa.string())), np.where(stays, USE, edit.how).astype(np.uint8))
