"""The open tumbling windows of a logic: buffered rows, their state entries, and the bound below which windows stay closed.

State entries: ``w:<start>:<number>`` holds rows of a window (Arrow IPC), ``closed`` the start of the earliest window that may still open.
"""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from flink_masking.dp.partials import read_blob, write_blob
from flink_masking.dp.spec import AggregateSpec
from flink_masking.errors import InputError, JobError

COMPACT_FROM = 32768
"""Rows below which a window's buffer is not worth compacting."""


@dataclass
class _Window:
    """Rows of an open window in pieces, each with its number and the records that it stands for."""

    pieces: dict[int, tuple[pa.RecordBatch, int]] = field(default_factory=dict)
    rows: int = 0
    kept: int = 0


class Windows:
    """Buffers by window. Contract: `snapshot` equals the sum of all writes."""

    def __init__(self, spec: AggregateSpec, schema: pa.Schema, compact: Callable[[pa.RecordBatch], pa.RecordBatch]) -> None:
        """Start without any window.

        Args:
            spec: the view.
            schema: of the rows.
            compact: reduces rows of one window to what they amount to; compacting twice, or in parts first, changes nothing.
        """
        self._spec, self._schema, self._compact = spec, schema, compact
        self._open: dict[int, _Window] = {}
        self._closed: int | None = None

    def late(self, starts: np.ndarray) -> np.ndarray:
        """Bool per window start (int64, ms): whether the window is closed already."""
        return np.zeros(len(starts), bool) if self._closed is None else np.asarray(starts < self._closed)

    def next_end(self) -> int | None:
        """The end of the earliest open window, ms since 1970."""
        return min(self._open) + self._spec.window_ms if self._open else None

    def last_end(self) -> int | None:
        """The end of the latest open window, ms since 1970."""
        return max(self._open) + self._spec.window_ms if self._open else None

    def figures(self) -> dict[str, int]:
        """What is held, for metrics: open windows, and their rows, of which compaction may have left out some."""
        return {"windows_open": len(self._open), "records_open": sum(window.rows for window in self._open.values())}

    def add(self, start: int, rows: pa.RecordBatch, records: int, writes: dict[str, bytes | None]) -> None:
        """Buffer rows of an open window; compact it when it has doubled.

        Args:
            start: the window's start, ms since 1970.
            rows: at least one.
            records: input records that the rows stand for.
            writes: receives the state entries.
        """
        window = self._open.setdefault(start, _Window())
        number = max(window.pieces, default=-1) + 1
        window.pieces[number] = rows, records
        window.rows += rows.num_rows
        if window.rows > max(2 * window.kept, COMPACT_FROM):
            whole, records = self._whole(window)
            for old in window.pieces:
                if old != number:
                    writes[_key(start, old)] = None
            window.pieces, window.rows, window.kept = {number: (whole, records)}, whole.num_rows, whole.num_rows
        writes[_key(start, number)] = write_blob(window.pieces[number][0], self._spec.shape, window.pieces[number][1])

    def _whole(self, window: _Window) -> tuple[pa.RecordBatch, int]:
        """The window's rows, compacted, and the records that they stand for."""
        batches = pa.Table.from_batches([rows for rows, _ in window.pieces.values()]).combine_chunks().to_batches()
        if len(batches) != 1:  # more than 2 GB of group text in one shard's window
            raise JobError("aggregated view: a window's buffer exceeds 2 GB. Hint: more shards, shorter windows or a coarser group_by")
        return self._compact(batches[0]), sum(records for _, records in window.pieces.values())

    def close(self, watermark: int, writes: dict[str, bytes | None]) -> Iterator[tuple[int, pa.RecordBatch, int]]:
        """Close every window that ends at or before `watermark`, earliest first, and delete its entries.

        Yields:
            The window's start, its rows, compacted, and the records that they stand for.
        """
        bound = watermark // self._spec.window_ms * self._spec.window_ms
        if self._closed is None or bound > self._closed:
            self._closed = bound
            writes["closed"] = f"closed.1 {bound}".encode()
        for start in sorted(start for start in self._open if start + self._spec.window_ms <= watermark):
            window = self._open.pop(start)
            writes.update({_key(start, number): None for number in window.pieces})
            yield start, *self._whole(window)

    def snapshot(self) -> dict[str, bytes]:
        """All state entries."""
        entries = {_key(start, number): write_blob(rows, self._spec.shape, records)
                   for start, window in self._open.items() for number, (rows, records) in window.pieces.items()}
        return entries if self._closed is None else {**entries, "closed": f"closed.1 {self._closed}".encode()}

    def restore(self, entries: Mapping[str, bytes]) -> None:
        """Take over a state.

        Raises:
            InputError: an entry is damaged, of another version, view or configuration, or not of this class.
        """
        self._open, self._closed = {}, None
        for key, blob in sorted(entries.items()):
            if key == "closed":
                self._closed = int(_match(rb"closed\.1 (-?\d+)", blob)[1])
            else:
                start, number = map(int, _match(rb"w:(-?\d+):(\d+)", key.encode()).groups())
                rows, records = read_blob(blob, self._schema, self._spec.shape)
                window = self._open.setdefault(start, _Window())
                window.pieces[number] = rows, records
                window.rows += rows.num_rows


def _match(pattern: bytes, text: bytes) -> re.Match[bytes]:
    found = re.fullmatch(pattern, text)
    if found is None:
        raise InputError("aggregated view: the state is damaged or of another version. Hint: restore with the release that wrote it")
    return found


def _key(start: int, number: int) -> str:
    return f"w:{start}:{number}"


def by_window(rows: pa.RecordBatch, starts: np.ndarray) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Split rows by window.

    Args:
        rows: any batch.
        starts: int64, the window start of each row.

    Yields:
        A window's start and its rows in their order, earliest window first.
    """
    if not len(starts):
        return
    if starts.min() == starts.max():
        yield int(starts[0]), rows
        return
    order = np.argsort(starts, kind="stable")
    rows, starts = rows.take(pa.array(order)), starts[order]
    edges = [0, *(np.flatnonzero(np.diff(starts)) + 1).tolist(), len(starts)]
    for a, b in itertools.pairwise(edges):
        yield int(starts[a]), rows.slice(a, b - a)
