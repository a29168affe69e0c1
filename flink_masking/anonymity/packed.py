"""Packed records: the Arrow schema in which records travel to the anonymizing step, and in which that step keeps its state."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pyarrow as pa

from flink_masking.anonymity.buffer import Records
from flink_masking.anonymity.space import Space
from flink_masking.errors import InputError


@lru_cache(16)
def schema(space: Space, sensitive: int) -> pa.Schema:
    """The columns of a packed batch.

    ``q0`` … (codes), ``subject``, ``sensitive``, ``sensitive1`` … (one for each sensitive attribute), ``release``.
    """
    fields = [pa.field(f"q{i}", pa.from_numpy_dtype(dimension.dtype), False) for i, dimension in enumerate(space.dimensions)]
    fields.append(pa.field("subject", pa.uint64(), False))
    fields += [pa.field(f"sensitive{i or ''}", pa.uint64(), False) for i in range(sensitive)]
    fields.append(pa.field("release", pa.binary(), False))
    return pa.schema(fields)


def pack(
    space: Space, codes: Sequence[np.ndarray], subjects: np.ndarray, sensitive: Sequence[np.ndarray], release: pa.BinaryArray
) -> pa.RecordBatch:
    """Records as one packed batch.

    Args:
        space: the quasi-identifiers.
        codes: for each dimension n codes from its `encode`, all of them in the domain.
        subjects: uint64, n: keyed hashes of the persons.
        sensitive: for each sensitive attribute uint64, n: codes (or keyed hashes) of the values.
        release: n: the released members, as JSON ``"diagnosis":"A-code","amount":12.50``; may be empty.
    """
    columns = [pa.array(column) for column in (*codes, subjects, *sensitive)]
    return pa.RecordBatch.from_arrays([*columns, release], schema=schema(space, len(sensitive)))


def unpack(space: Space, sensitive: int, batch: pa.RecordBatch, first: int, now: int) -> tuple[Records, pa.BinaryArray]:
    """The records of a packed batch, numbered from `first` and arrived at `now`, and what they release.

    Raises:
        InputError: the batch has other columns, or nulls, or a code that is in no domain.
    """
    if not batch.schema.equals(schema(space, sensitive)):
        raise InputError("packed batch: other columns than the segment's. Hint: all steps of a job must use the same policy")
    if any(column.null_count for column in batch.columns):
        raise InputError("packed batch: a column has nulls. Hint: records without a value in the domain are not packed")
    columns = [column.to_numpy() for column in batch.columns[:-1]]
    d, n = len(space.dimensions), batch.num_rows
    for i, dimension in enumerate(space.dimensions):
        if n and int(columns[i].max()) > dimension.top:
            raise InputError(f"packed batch: a code of q{i} is outside the domain. Hint: all steps of a job must use the same policy")
    values = np.array(columns[d + 1 :], np.uint64).reshape(sensitive, n)
    return Records(columns[:d], columns[d], values, np.arange(first, first + n), np.full(n, now, np.int64)), batch.column("release")
