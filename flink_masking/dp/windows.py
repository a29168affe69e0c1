"""The open windows of a logic: buffered rows, their state entries, and the bound below which windows stay closed.

Rows are kept once, in panes as long as the time from one window to the next; a hopping window is made of several panes, which the windows
share, a tumbling one is its only pane.

State entries: ``w:<start>:<number>`` holds rows of a pane (Arrow IPC), ``closed`` the start of the earliest window that may still open.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from flink_masking.dp.formats import damaged, numbers, payload
from flink_masking.dp.partials import read_blob, write_blob
from flink_masking.dp.spec import AggregateSpec
from flink_masking.errors import JobError

COMPACT_FROM = 32768
"""Rows below which a pane's buffer is not worth compacting."""

FAR = 2**60
"""Beyond every event time and window, ms."""


@dataclass
class _Pane:
    """Rows in pieces, each with its number and the records that it stands for."""

    pieces: dict[int, tuple[pa.RecordBatch, int]] = field(default_factory=dict)
    rows: int = 0
    kept: int = 0


class Windows:
    """Buffers by pane. Contract: `snapshot` equals the sum of all writes.

    Attributes:
        closed: the start of the earliest window that may still open, ms since 1970; None before any was closed.
    """

    def __init__(self, spec: AggregateSpec, schema: pa.Schema, compact: Callable[[pa.RecordBatch], pa.RecordBatch],
                 whole_windows: bool = False) -> None:
        """Start without any window.

        Args:
            spec: the view.
            schema: of the rows.
            compact: reduces rows of one window to what they amount to; compacting twice, or in parts first, changes nothing.
            whole_windows: rows are of one window each, not of all windows that hold their pane.
        """
        self._spec, self._schema, self._compact = spec, schema, compact
        self._size, self._step = spec.window_ms, spec.step
        self._panes = 1 if whole_windows else spec.windows_per_record
        self._open: dict[int, _Pane] = {}
        self.closed: int | None = None

    def heal(self, latest: int, writes: dict[str, bytes | None]) -> None:
        """Open again what a watermark from the future has closed.

        Earlier releases let an event that was dated in the future move the watermark there. Windows that may have been published
        since then stay closed.

        Args:
            latest: the largest event time that there can be now, ms since 1970.
            writes: receives the state entries.
        """
        bound = self._bound(latest)
        if self.closed is not None and self.closed > bound:
            self._close_before(bound, writes)

    def _bound(self, watermark: int) -> int:
        """The start of the earliest window that ends after `watermark`."""
        return (watermark - self._size) // self._step * self._step + self._step

    def _close_before(self, bound: int, writes: dict[str, bytes | None]) -> None:
        self.closed = bound
        writes["closed"] = f"closed.1 {bound}".encode()

    def panes(self, time: np.ndarray) -> np.ndarray:
        """The start of the pane of each event time (int64, ms since 1970)."""
        return time // self._step * self._step

    def missed(self, panes: np.ndarray) -> np.ndarray:
        """How many windows of each pane are closed already, int64."""
        if self.closed is None:
            return np.zeros(len(panes), np.int64)
        closed = max(-FAR, min(FAR, self.closed))  # Flink's first and last watermark are at the ends of 64 bits
        return np.clip((closed - panes) // self._step + self._panes - 1, 0, self._panes)

    def _first(self, pane: int) -> int:
        """The start of the earliest window of a pane that is not closed."""
        earliest = pane - (self._panes - 1) * self._step
        return earliest if self.closed is None else max(earliest, self.closed)

    def first_start(self) -> int | None:
        """The start of the earliest open window, ms since 1970."""
        return self._first(min(self._open)) if self._open else None

    def next_end(self) -> int | None:
        """The end of the earliest open window, ms since 1970."""
        first = self.first_start()
        return None if first is None else first + self._size

    def last_end(self) -> int | None:
        """The end of the latest open window, ms since 1970."""
        return max(self._open) + self._size if self._open else None

    def figures(self) -> dict[str, int]:
        """What is held, for metrics: open windows, and their rows, of which compaction may have left out some."""
        windows, covered = len(self._open), None
        if self._panes > 1:
            windows = 0
            for pane in sorted(self._open):
                first = self._first(pane) if covered is None else max(self._first(pane), covered + self._step)
                windows, covered = windows + (pane - first) // self._step + 1, pane
        return {"windows_open": windows, "records_open": sum(pane.rows for pane in self._open.values())}

    def open(self, start: int, writes: dict[str, bytes | None]) -> None:
        """Open the windows of a pane, if they are not, without a row.

        Args:
            start: the pane's start, ms since 1970.
            writes: receives the state entry.
        """
        if start not in self._open:
            self.add(start, pa.RecordBatch.from_pylist([], schema=self._schema), 0, writes)

    def add(self, start: int, rows: pa.RecordBatch, records: int, writes: dict[str, bytes | None]) -> None:
        """Buffer rows of a pane with an open window; compact it when it has doubled.

        Args:
            start: the pane's start, ms since 1970.
            rows: any number.
            records: input records that the rows stand for.
            writes: receives the state entries.
        """
        pane = self._open.setdefault(start, _Pane())
        number = max(pane.pieces, default=-1) + 1
        pane.pieces[number] = rows, records
        pane.rows += rows.num_rows
        if pane.rows > max(2 * pane.kept, COMPACT_FROM):
            whole, records = self._whole([pane])
            for old in pane.pieces:
                if old != number:
                    writes[_key(start, old)] = None
            pane.pieces, pane.rows, pane.kept = {number: (whole, records)}, whole.num_rows, whole.num_rows
        writes[_key(start, number)] = write_blob(pane.pieces[number][0], self._spec.shape, pane.pieces[number][1])

    def forget(self, people: np.ndarray, writes: dict[str, bytes | None]) -> int:
        """Take out the rows of people.

        Args:
            people: uint64, as in the column ``subject``.
            writes: receives the state entries that change.

        Returns:
            Rows taken out, once for each open window that they were in.
        """
        count = 0
        for start, pane in self._open.items():
            windows = (start - self._first(start)) // self._step + 1
            for number, (rows, records) in pane.pieces.items():
                stays = ~np.isin(rows.column("subject").to_numpy(), people)
                if gone := len(stays) - int(np.count_nonzero(stays)):
                    pane.pieces[number] = rows.filter(pa.array(stays)), records - gone
                    pane.rows -= gone
                    count += gone * windows
                    writes[_key(start, number)] = write_blob(pane.pieces[number][0], self._spec.shape, records - gone)
        return count

    def _whole(self, panes: list[_Pane]) -> tuple[pa.RecordBatch, int]:
        """The panes' rows, compacted as those of one window, and the records that they stand for."""
        pieces = [piece for pane in panes for piece in pane.pieces.values()]
        batches = pa.Table.from_batches([rows for rows, _ in pieces]).combine_chunks().to_batches() or [pieces[0][0]]
        if len(batches) != 1:  # more than 2 GB of group text in one shard's window
            raise JobError("aggregated view: a window's buffer exceeds 2 GB. Hint: more shards, shorter windows or a coarser group_by")
        return self._compact(batches[0]), sum(records for _, records in pieces)

    def close(self, watermark: int, writes: dict[str, bytes | None]) -> Iterator[tuple[int, pa.RecordBatch, int]]:
        """Close every window that ends at or before `watermark`, earliest first, and delete the entries that no window needs any more.

        Yields:
            The start of each window that was opened, its rows, compacted, and the records that they stand for.
        """
        bound = self._bound(watermark)
        starts = {start for pane in self._open for start in range(self._first(pane), min(pane + self._step, bound), self._step)}
        if self.closed is None or bound > self.closed:
            self._close_before(bound, writes)
        for start in sorted(starts):
            held = range(start, start + self._panes * self._step, self._step)
            panes = [self._open[pane] for pane in held if pane in self._open]
            if start in self._open:  # this was the last window of its first pane
                writes.update({_key(start, number): None for number in self._open.pop(start).pieces})
            yield start, *self._whole(panes)

    def snapshot(self) -> dict[str, bytes]:
        """All state entries."""
        entries = {_key(start, number): write_blob(rows, self._spec.shape, records)
                   for start, pane in self._open.items() for number, (rows, records) in pane.pieces.items()}
        return entries if self.closed is None else {**entries, "closed": f"closed.1 {self.closed}".encode()}

    def restore(self, entries: Mapping[str, bytes]) -> None:
        """Take over the entries of this class; others are left alone.

        Raises:
            InputError: an entry is damaged, or of another (newer) version, view or configuration.
        """
        self._open, self.closed = {}, None
        for key, blob in sorted(entries.items()):
            if key == "closed":
                self.closed = whole_number(payload(blob, b"closed", separator=b" "))
            elif key.startswith("w:"):
                start, number = numbers(key, "w", 2)
                rows, records = read_blob(blob, self._schema, self._spec.shape)
                pane = self._open.setdefault(start, _Pane())
                pane.pieces[number] = rows, records
                pane.rows += rows.num_rows


def whole_number(text: bytes) -> int:
    """The number in an entry.

    Raises:
        InputError: it is none.
    """
    if not text.removeprefix(b"-").isdigit():
        raise damaged()
    return int(text)


def _key(start: int, number: int) -> str:
    return f"w:{start}:{number}"


def by_window(rows: pa.RecordBatch, starts: np.ndarray) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Split rows by window or pane.

    Args:
        rows: any batch.
        starts: int64, the start for each row.

    Yields:
        A start and its rows in their order, earliest first.
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
