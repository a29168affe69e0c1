"""What is wrong with the rows of a scanned batch, a group of rows with the same fault at a time: a flood of bad records is no loop."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from flink_masking.records.span_kernels import F_END, F_NODE, F_REASON, F_START, FAULT
from flink_masking.records.spans import REASONS, WITHOUT_PATH, Flag, SpanTable


class Faulty(NamedTuple):
    """Rows with one fault; see `flink_masking.records.spans.Refusal`.

    Attributes:
        rows: int64, ascending.
        reason: of all of them.
        path: of all of them, or None.
        positions: int64, byte in the record for each row; None where none is known.
    """

    rows: np.ndarray
    reason: str
    path: str | None
    positions: np.ndarray | None


def faulty_rows(table: SpanTable, flags: int) -> Iterator[Faulty]:
    """Faults of all rows with one of these flags, by reason and path, as `SpanTable.fault`."""
    rows = np.flatnonzero(table.flags & flags)
    for whole in (Flag.ABSENT, Flag.OVERSIZE):
        if not len(rows):
            return
        found = (table.flags[rows] & whole) != 0
        if found.any():
            yield Faulty(rows[found], REASONS[whole], None, None)
            rows = rows[~found]
    faults = table.faults.reshape(-1, FAULT)[rows].astype(np.int64)
    positions = faults[:, F_START] - table.offsets[rows]
    keyed = (faults[:, F_END] > faults[:, F_START]) & ((faults[:, F_REASON] & int(WITHOUT_PATH)) == 0)
    plain = np.flatnonzero(~keyed)
    kinds = faults[plain, F_NODE] << 16 | faults[plain, F_REASON]
    for kind in np.unique(kinds).tolist():
        some, reason = plain[kinds == kind], Flag(kind & 0xFFFF)
        path = None if reason in WITHOUT_PATH else table.named(kind >> 16, b"")
        yield Faulty(rows[some], REASONS[reason], path, positions[some])
    known: dict[tuple[int, bytes], str] = {}
    groups: dict[tuple[int, str], list[int]] = {}
    data = table.data.data
    for place, (bit, node, start, end) in zip(np.flatnonzero(keyed).tolist(), faults[keyed].tolist(), strict=True):
        key = node, bytes(data[start:end])
        path = known.get(key)
        if path is None:
            path = known[key] = table.named(*key)
        groups.setdefault((bit, path), []).append(place)
    for (bit, path), places in groups.items():
        yield Faulty(rows[places], REASONS[Flag(bit)], path, positions[places])
