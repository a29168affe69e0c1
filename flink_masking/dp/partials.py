"""Partial aggregates: exact sums per window and group that add up over shards."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.dp import bounding_kernels as kernels
from flink_masking.dp.contribution import code_groups, flags
from flink_masking.dp.formats import refuse_newer
from flink_masking.dp.spec import AggregateSpec
from flink_masking.errors import InputError, JobError

_FORMAT = b"flink-masking.aggregate."
_VERSION = b"1"


def partial_schema(spec: AggregateSpec) -> pa.Schema:
    """The columns of partial aggregates.

    Returns:
        ``window_start`` int64 (ms since 1970), ``group`` binary, ``records`` and ``subjects`` int64 (after bounding); for measure i
        ``s{i}`` int64 (sum of clipped values, units) and ``n{i}`` int64 (records that have a value); where metrics ask for them ``q{i}``
        int64 (sum of the squares of the distances from the measure's centre), and for list j of bins ``h{j}_{b}`` int64 (values in bin
        b). No nulls.
    """
    names = ["records", "subjects"] + [name for i in range(len(spec.measures)) for name in (f"s{i}", f"n{i}")]
    names += [f"q{i}" for i in spec.squared]
    names += [f"h{j}_{b}" for j, (_, edges) in enumerate(spec.binned) for b in range(len(edges) - 1)]
    fields = [("window_start", pa.int64()), ("group", pa.binary())] + [(name, pa.int64()) for name in names]
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in fields])


def aggregate(bounded: pa.RecordBatch, start: int, spec: AggregateSpec) -> pa.RecordBatch:
    """Add up the contributions of one window.

    Args:
        bounded: what `contribution.bound` leaves.
        start: the window's start, ms since 1970.

    Returns:
        Rows of `partial_schema`, one per group, in the order of the groups' bytes.

    Raises:
        JobError: a sum could leave 64 bits.
    """
    code, groups = code_groups(bounded.column("group"))
    records, subjects = np.zeros(len(groups), np.int64), np.zeros(len(groups), np.int64)
    kernels.count(bounded.column("subject").to_numpy(), code, records, subjects)
    _refuse_overflow(records, spec)
    columns = [np.full(len(groups), start, np.int64), groups, records, subjects]
    for i in range(len(spec.measures)):
        sums, counts = np.zeros(len(groups), np.int64), np.zeros(len(groups), np.int64)
        kernels.add(code, bounded.column(f"m{i}").to_numpy(), flags(bounded.column(f"v{i}")), sums, counts)
        columns += [sums, counts]
    for i in spec.squared:
        sums = np.zeros(len(groups), np.int64)
        kernels.add_squares(code, bounded.column(f"m{i}").to_numpy(), flags(bounded.column(f"v{i}")), spec.measures[i].centre, sums)
        columns.append(sums)
    for i, edges in spec.binned:
        bins = np.zeros((len(groups), len(edges) - 1), np.int64)
        kernels.add_bins(code, bounded.column(f"m{i}").to_numpy(), flags(bounded.column(f"v{i}")), np.array(edges[1:-1], np.int64),
                         bins.reshape(-1))
        columns += list(bins.T.copy())
    return pa.RecordBatch.from_arrays([pa.array(column) for column in columns], schema=partial_schema(spec))


def merge(partials: pa.RecordBatch, spec: AggregateSpec) -> pa.RecordBatch:
    """Add up the partial aggregates of one window.

    Args:
        partials: rows of `partial_schema`, all of one window.

    Returns:
        One row per group, in the order of the groups' bytes.

    Raises:
        JobError: a sum could leave 64 bits.
    """
    schema = partial_schema(spec)
    totals = pa.Table.from_batches([partials]).group_by(["window_start", "group"], use_threads=False)
    totals = totals.aggregate([(name, "sum") for name in schema.names[2:]]).combine_chunks()
    _refuse_overflow(totals.column("records_sum").to_numpy(), spec)
    order = pc.sort_indices(totals.column("group"))
    names = [*schema.names[:2], *(f"{name}_sum" for name in schema.names[2:])]
    return pa.RecordBatch.from_arrays([totals.column(name).combine_chunks().take(order) for name in names], schema=schema)


def _refuse_overflow(records: np.ndarray, spec: AggregateSpec) -> None:
    """Stop where exact 64-bit sums end: a sum that wraps round would publish nonsense."""
    squares = [spec.measures[i].reach ** 2 for i in spec.squared]
    largest = max([1, *squares, *(max(abs(m.low), abs(m.high)) for m in spec.measures)])
    if len(records) and int(records.max()) * largest >= 2**62:
        raise JobError("aggregated view: a group's sum could leave 64 bits. Hint: use a smaller scale, narrower bounds or shorter windows")


def write_blob(batch: pa.RecordBatch, shape: str, records: int = 0) -> bytes:
    """Rows as an Arrow IPC stream that says its format, its shape and how many records went into it."""
    batch = batch.replace_schema_metadata({b"format": _FORMAT + _VERSION, b"shape": shape.encode(), b"records": str(records).encode()})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return sink.getvalue().to_pybytes()


def read_blob(blob: bytes, schema: pa.Schema, shape: str) -> tuple[pa.RecordBatch, int]:
    """Take apart what `write_blob` made.

    Raises:
        InputError: the blob is damaged, or of another (newer) version, view or configuration.
    """
    try:
        with pa.ipc.open_stream(blob) as stream:
            found = dict(stream.schema.metadata or {})
            batch = stream.read_next_batch()
    except (pa.ArrowInvalid, OSError, StopIteration):
        raise InputError("aggregated view: a state entry or partial aggregate is damaged. Hint: restore an older savepoint") from None
    version = found.get(b"format", b"").removeprefix(_FORMAT)
    if version.isdigit():
        refuse_newer(int(version))
    if version != _VERSION or found.get(b"shape") != shape.encode() or not batch.schema.equals(schema):
        raise InputError("aggregated view: a state entry or partial aggregate is of another version or configuration. "
                         "Hint: window, bounds, scale and the limits per subject can change only once all windows are closed")
    return batch.replace_schema_metadata(None), int(found[b"records"])


def read_partial(blob: bytes, spec: AggregateSpec) -> pa.RecordBatch:
    """The rows of a partial aggregate, as `PartialLogic` sends it and `FinalLogic` takes it in.

    Raises:
        InputError: the blob is damaged, or of another version, view or configuration.
    """
    return read_blob(blob, partial_schema(spec), spec.shape)[0]


def listed(totals: pa.RecordBatch | None, start: int, spec: AggregateSpec) -> pa.RecordBatch:
    """The groups of the public list, all of them, with zeros where no one counts, and no others.

    Args:
        totals: what `merge` gives, or None for a window that no one is in.
        start: the window's start, ms since 1970.

    Returns:
        Rows of `partial_schema` in the order of the groups' bytes.
    """
    schema = partial_schema(spec)
    groups = pa.array(sorted(spec.groups or ()), pa.binary())
    totals = pa.RecordBatch.from_pylist([], schema=schema) if totals is None else totals
    place = pc.index_in(groups, totals.column("group"))
    columns = [pa.array(np.full(len(groups), start, np.int64)), groups]
    columns += [pc.fill_null(totals.column(name).take(place), 0) for name in schema.names[2:]]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
