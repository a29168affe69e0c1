"""CSV records with a header (RFC 4180, strict) as a codec: cells are spans, types come from the policy."""

import re
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa

from flink_masking import arrow
from flink_masking.errors import InputError
from flink_masking.records.codec import Layout, View
from flink_masking.records.column import binary_column
from flink_masking.records.csv import scan_kernels, splice_kernels
from flink_masking.records.csv.rows import ROWS, cell
from flink_masking.records.csv.scan_kernels import BOOLEANS, H_COLUMNS, NUMBERS, TEXTS
from flink_masking.records.csv.splice_kernels import PLAN
from flink_masking.records.edits import DROP, KEEP, Edit, Keys, Replace, Swept
from flink_masking.records.paths import format_path, labels, parents, parse_path
from flink_masking.records.span_kernels import FAULT, MAY_SCALAR, N_COLUMNS, N_FLAGS, N_PATH, SPAN, UNDECLARED_PATH
from flink_masking.records.spans import FATAL, Contents, Flag, Limits, SpanTable
from flink_masking.records.trie import UNDECLARED, Paths

_CELL = re.compile(r'(?:"((?:[^"]|"")*)"|([^,]*))(,|\Z)')
"""The cells of a record that the scanner takes; Python's csv module has a limit for cells far below that of a record."""
_KINDS = {"number": NUMBERS, "boolean": BOOLEANS}
MOST_COLUMNS = 4096


class CsvTable(SpanTable):
    """A span table that knows where every cell lies, emitted or not.

    Attributes:
        cells: int32, for each row the start of each cell and one after the end of the last.
    """

    cells: np.ndarray


class CsvCodec:
    """CSV; see `flink_masking.records.codec.Codec`."""

    quote = 0
    nested = False
    rows = ROWS
    headers: tuple[str, ...] = ()

    def __init__(self, layout: Layout) -> None:
        """Take over a header.

        Args:
            layout: columns and kinds.

        Raises:
            InputError: no column, too many, or one twice.
        """
        self.columns = layout.columns
        if not self.columns:
            raise InputError("CSV: nothing names the columns of a record. Hint: columns: [id, email, …] in the policy; run and preview "
                             "take them from the first line of a file")
        if len(self.columns) > MOST_COLUMNS:
            raise InputError(f"CSV: a header of {len(self.columns):,} columns. Hint: at most {MOST_COLUMNS:,}")
        meant = [labels(name)[-1] for name in self.columns]
        if len(set(meant)) < len(meant):
            number = next(n for n, label in enumerate(meant) if label in meant[:n])
            raise InputError(f"CSV: column {number + 1} of the header has the name of an earlier one. Hint: give each column its own name")
        kinds = {format_path(parse_path(path)): _KINDS[kind] for path, kind in layout.kinds.items()}
        self._kinds = np.array([next((kinds[label] for label in labels(name) if label in kinds), TEXTS) for name in self.columns])
        names = pa.array(self.columns, pa.string())
        self._names, self._edges, _ = arrow.parts(names)
        self._known: weakref.WeakKeyDictionary[Paths, tuple[np.ndarray, list[tuple[int, ...]]]] = weakref.WeakKeyDictionary()

    def _header(self, paths: Paths) -> tuple[np.ndarray, list[tuple[int, ...]]]:
        """For the scanner, the columns as `paths` sees them; and for each column the numbers of its own path and of those above it."""
        found = self._known.get(paths)
        if found is None:
            found = self._known[paths] = self._compiled(paths)
        return found

    def _compiled(self, paths: Paths) -> tuple[np.ndarray, list[tuple[int, ...]]]:
        nodes, places = paths.nodes.reshape(-1, N_COLUMNS), {label: node for node, label in enumerate(paths.labels) if node > 1}
        table, numbers = np.zeros((len(self.columns), H_COLUMNS), np.int32), list[tuple[int, ...]]()
        for number, name in enumerate(self.columns):
            label = next((label for label in labels(name) if label in places and _leaf(nodes[places[label]])), None)
            if label is None:
                table[number] = UNDECLARED_PATH, TEXTS, paths.deny
                numbers.append((UNDECLARED_PATH,))
                continue
            above = [int(nodes[places[parent], N_PATH]) for parent in parents(label) if parent in places]
            own = int(nodes[places[label], N_PATH])
            table[number] = own, self._kinds[number], 0
            numbers.append(tuple(path for path in (*above, own) if path >= 0))
        return table.ravel(), numbers

    def scan(self, column: Any, paths: Paths, limits: Limits = Limits(),  # noqa: B008 - frozen
             headers: Mapping[str, pa.BinaryArray] = MappingProxyType({})) -> CsvTable:
        """The spans of a column of CSV records, a line break at their end or none; what is wrong is told by flags, never raised.

        Args:
            column: n records, see `binary_column`.
            paths: what to look for.
            limits: size of a record.
            headers: not needed.

        Raises:
            TypeError: not a column of bytes or text.
            ValueError: 2 GB of data or more.
        """
        records = binary_column(column)
        data, offsets, valid = arrow.parts(records)
        n, (header, _) = len(records), self._header(paths)
        flags = np.zeros(n, np.int32)
        flags[np.diff(offsets) > limits.max_bytes] = Flag.OVERSIZE
        if len(valid):
            flags[valid == 0] = Flag.ABSENT
        emitted = int(np.count_nonzero(header[::H_COLUMNS] >= 0))
        faults, cells = arrow.empty_int32(n * FAULT), arrow.empty_int32(n * (len(self.columns) + 1))
        spans, state = arrow.empty_int32(SPAN * (n * emitted + len(self.columns) + 1)), np.zeros(1, np.int64)
        scan_kernels.scan_rows(data, offsets, header, self._names, self._edges, cells, spans, flags, faults, state)
        table = CsvTable(self, paths, data, offsets, flags, faults, spans, int(state[0]))
        table.cells = cells
        return table

    def text(self, contents: Contents, size: int) -> pa.StringArray:
        """Contents of cells, null for empty ones without quotes."""
        buffer, out = arrow.output(size)
        offsets, valid = np.zeros(len(contents.kinds) + 1, np.int32), np.empty(len(contents.kinds), np.uint8)
        nulls = scan_kernels.gather_text(contents.data, contents.starts, contents.ends, contents.kinds, out, offsets, valid)
        return arrow.assemble(pa.string(), buffer, offsets, valid if nulls else None)

    def raw(self, table: SpanTable, path: str) -> pa.BinaryArray:
        """The values as cells, an empty one for null."""
        return self.write(table.values(path).text).fill_null(b"")

    def write(self, values: pa.Array, literal: np.ndarray | None = None) -> pa.BinaryArray:
        """Texts and literals alike as cells."""
        data, offsets, valid = arrow.parts(values)
        used = data[offsets[0] : offsets[-1]]
        buffer, out = arrow.output(len(used) + int(splice_kernels.count_quotes(used)) + 2 * len(values))
        ends = np.zeros(len(values) + 1, np.int32)
        splice_kernels.write_rows(data, offsets, valid, out, ends)
        return arrow.assemble(pa.binary(), buffer, ends, valid)

    def one_line(self, records: pa.BinaryArray) -> pa.BinaryArray:
        """The records: line breaks in quotes are part of a value."""
        return records

    def members(self, record: bytes, columns: Sequence[str]) -> dict[str, str]:
        """The contents of cells by column; nothing for an empty cell."""
        found = _CELL.findall(record.decode()) if columns else []
        cells = [quoted.replace('""', '"') or plain for quoted, plain, _ in found[: len(columns)]]
        return {name: text for name, text in zip(columns, cells, strict=True) if text}

    def derived(self, paths: Paths, view: View) -> tuple[str, bool] | None:
        """None: records have no schema."""
        return None

    def differences(self, paths: Paths) -> Iterable[tuple[str, str]]:
        """None: records have no schema."""
        return ()

    def leaves(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """None: records have no schema."""
        return (), ()

    def header(self, columns: Sequence[str]) -> bytes:
        """The first line of a file."""
        return ",".join(map(cell, columns)).encode() + b"\n"

    def key(self, raw: bytes) -> str:
        """Records have no keys."""
        return raw.decode()

    def keys(self, table: SpanTable, order: np.ndarray) -> pa.StringArray:
        """Records have no keys."""
        return pa.array([""] * len(order), pa.string())

    def undeclared(self, table: SpanTable, rows: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """The columns that no path leads to, and where their cells begin in these rows' records."""
        assert isinstance(table, CsvTable)
        cells, starts = table.cells.reshape(-1, len(self.columns) + 1), table.offsets[:-1]
        for number, (path, _, denied) in enumerate(self._header(table.paths)[0].reshape(-1, H_COLUMNS).tolist()):
            if path == UNDECLARED_PATH and denied:
                yield number, (cells[rows, number] - starts[rows]).astype(np.int64)

    def action(self, numbers: tuple[int, ...], edits: list[Edit]) -> Edit:
        """The edit of a column: its own, unless one above it is no KEEP, which for a format without objects can only remove it."""
        own = edits[numbers[-1]] if numbers else KEEP
        return own if all(edits[number] is KEEP for number in numbers[:-1]) else DROP

    def shown(self, paths: Paths, edits: Mapping[str, Edit], unknown: Edit, view: View | None = None) -> tuple[str, ...]:
        """The columns that records have after a splice with these edits."""
        by_number: list[Edit] = [KEEP] * paths.count
        for path, edit in {**edits, UNDECLARED: unknown}.items():
            by_number[paths.ids[path]] = edit
        return tuple(name for name, numbers in zip(self.columns, self._header(paths)[1], strict=True)
                     if self.action(numbers, by_number) is not DROP)

    def splice(self, table: SpanTable, edits: list[Edit], dead: np.ndarray, added: bytes = b"",
               keys: Mapping[int, Keys] = MappingProxyType({}), swept: Swept | None = None, view: View | None = None) -> pa.BinaryArray:
        """The records with edits[path number] carried out; null where dead."""
        assert isinstance(table, CsvTable)
        assert not added and not keys and swept is None  # refused by the policy's check
        numbers = self._header(table.paths)[1]
        plan, held, used = np.zeros((len(self.columns), PLAN), np.int64), [], set()
        capacity = int(table.offsets[-1]) - int(table.offsets[0]) + 4 * table.n
        for column, above in enumerate(numbers):
            edit = self.action(above, edits)
            if isinstance(edit, Replace):
                if above[-1] in used and not isinstance(edit.values, pa.Scalar):
                    raise ValueError("splice: replacements for several columns at once. Hint: DROP, or one scalar for undeclared columns")
                used.add(above[-1])
                arrays, size = _replacement(plan[column], edit, table.n)
                held.append(arrays)
                capacity += size
            else:
                plan[column, splice_kernels.P_ACTION] = splice_kernels.KEEP if edit is KEEP else splice_kernels.DROP
        buffer, out = arrow.output(capacity)
        ends, valid = np.zeros(table.n + 1, np.int32), np.empty(table.n, np.uint8)
        blank = ((table.flags & int(FATAL)) != 0).view(np.uint8)
        outcome = splice_kernels.splice_rows(table.data, dead, blank, table.cells, len(self.columns), plan.ravel(), out, ends, valid)
        del held  # alive until here: the plan has their addresses
        if outcome == splice_kernels.TOO_LONG:
            raise ValueError("splice: 2 GB of output or more in one batch. Hint: use smaller batches")
        return arrow.assemble(pa.binary(), buffer, ends, valid)


def _leaf(node: np.ndarray) -> bool:
    """Whether a node of the trie can hold a scalar."""
    return bool(node[N_FLAGS] & MAY_SCALAR)


def _replacement(plan: np.ndarray, edit: Replace, n: int) -> tuple[list[object], int]:
    """Fill in a column's row of the plan; returns what must stay alive while it is used, and the most bytes it can add."""
    scalar = isinstance(edit.values, pa.Scalar)
    values = pa.array([edit.values.as_py()], edit.values.type) if scalar else edit.values
    data, offsets, valid = arrow.parts(values)
    used = data[offsets[0] : offsets[-1]]
    how = None if edit.how is None else np.ascontiguousarray(edit.how)
    address = [0 if x is None or not len(x) else x.ctypes.data for x in (data, offsets, valid, how)]
    plan[:] = (splice_kernels.REPLACE, address[0], address[0] + len(data), *address[1:], 0 if scalar else 1)
    size = (len(used) + int(splice_kernels.count_quotes(used)) + 2) * (n if scalar else 1) + 3 * n
    return [values, data, offsets, valid, how], size


def make(layout: Layout) -> CsvCodec:
    """The codec of records with these columns."""
    return CsvCodec(layout)
