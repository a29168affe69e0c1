"""Bounding what one subject contributes to a window, before anything is added up.

At most c groups of a subject count, and r records in each: those with the smallest hashes. The choice depends on the subject's own
records alone, never on their order of arrival, on batches or on parallelism, and bounding what was bounded before together with more
records gives the same as bounding everything at once.

Unit of protection: subject × window.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.arrow import parts
from flink_masking.dp import bounding_kernels as kernels
from flink_masking.dp.spec import AggregateSpec

LATEST = 2**53
"""Event times are within ± this many ms of 1970, which leaves room for every window bound in 64 bits."""


def input_schema(spec: AggregateSpec) -> pa.Schema:
    """The columns of a batch of contributions.

    Returns:
        ``time`` int64 (event time, ms since 1970), ``subject`` uint64 (keyed hash), ``group`` binary (the members of the group as JSON text
        without braces, empty when there is no group_by); for measure i ``m{i}`` int64 (units, not yet clipped) and ``v{i}`` bool (has a
        value). No nulls.
    """
    return _schema([("time", pa.int64()), ("subject", pa.uint64()), ("group", pa.binary())], spec)


def bounded_schema(spec: AggregateSpec) -> pa.Schema:
    """The columns of buffered contributions: those of the input with values clipped and ``rank`` (uint64) in place of the time."""
    return _schema([("subject", pa.uint64()), ("group", pa.binary()), ("rank", pa.uint64())], spec)


def _schema(fields: list[tuple[str, pa.DataType]], spec: AggregateSpec) -> pa.Schema:
    measures = [pair for i in range(len(spec.measures)) for pair in ((f"m{i}", pa.int64()), (f"v{i}", pa.bool_()))]
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in fields + measures])


def contributions(spec: AggregateSpec, time: np.ndarray, subject: np.ndarray, group: pa.Array, values: Sequence[np.ndarray] = (),
                  valid: Sequence[np.ndarray] = ()) -> pa.RecordBatch:
    """Build a batch of contributions from its columns.

    Args:
        spec: the view.
        time: int64, event time, ms since 1970.
        subject: uint64, keyed hash of the person.
        group: binary or string, the group's members, see `flink_masking.records.codec.Rows`.
        values: for each measure int64, units.
        valid: for each measure bool, whether the record has a value; empty when every record has all.
    """
    flags = valid or [np.ones(len(time), bool)] * len(values)
    measures = [array for pair in zip(values, flags, strict=True) for array in pair]
    columns = [pa.array(time, pa.int64()), pa.array(subject, pa.uint64()), group.cast(pa.binary())]
    kinds = [field.type for field in input_schema(spec)][3:]
    columns += [pa.array(column, kind) for column, kind in zip(measures, kinds, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=input_schema(spec))


def prepare(batch: pa.RecordBatch, spec: AggregateSpec) -> pa.RecordBatch:
    """Clip the measures to their public bounds and hash each record's content.

    Args:
        batch: of `input_schema`.

    Returns:
        As many rows of `bounded_schema`, in the same order.
    """
    subject = batch.column("subject").to_numpy()
    rank = np.empty(batch.num_rows, np.uint64)
    kernels.start_ranks(subject, batch.column("time").to_numpy(), rank)
    measures = []
    for i, measure in enumerate(spec.measures):
        valid, clipped = batch.column(f"v{i}"), np.empty(batch.num_rows, np.int64)
        kernels.clip_and_rank(batch.column(f"m{i}").to_numpy(), flags(valid), measure.low, measure.high, clipped, rank)
        measures += [pa.array(clipped), valid]
    columns = [batch.column("subject"), batch.column("group"), pa.array(rank), *measures]
    return pa.RecordBatch.from_arrays(columns, schema=bounded_schema(spec))


def flags(column: pa.Array) -> np.ndarray:
    """A boolean array without nulls as uint8."""
    return np.asarray(column.to_numpy(zero_copy_only=False), bool).view(np.uint8)


def code_groups(groups: pa.Array) -> tuple[np.ndarray, pa.Array]:
    """Number the distinct groups in the order of their bytes.

    Args:
        groups: binary, no nulls.

    Returns:
        int64, the number of each row's group; and the distinct groups, sorted.
    """
    encoded = groups.dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(len(order))
    return number[encoded.indices.to_numpy()], encoded.dictionary.take(pa.array(order))


def bound(batch: pa.RecordBatch, spec: AggregateSpec) -> pa.RecordBatch:
    """Leave at most c groups of each subject and r records in each of them.

    Args:
        batch: rows of one window, of `bounded_schema`.

    Returns:
        The rows that stay, those of a subject and group together, in an order that depends on the rows alone. Records that tie are
        equal (up to a collision of 64-bit hashes of one subject's records).
    """
    subject = batch.column("subject").to_numpy()
    code, groups = code_groups(batch.column("group"))
    view, hashes = parts(groups), np.empty(len(groups), np.uint64)
    kernels.hash_groups(view.data, view.offsets, hashes)
    order, pair = np.argsort(subject), np.empty(batch.num_rows, np.uint64)
    kept = kernels.choose(subject, code, hashes, batch.column("rank").to_numpy(), spec.max_groups_per_subject, spec.max_records_per_group,
                          pair, order)
    return batch.take(pa.array(order[:kept]))
