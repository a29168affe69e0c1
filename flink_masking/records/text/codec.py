"""Texts as a codec: a record is the value of the only field that the policy declares."""

import json
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking import arrow
from flink_masking.records.codec import TEXT, Codec, Layout, View, rows_for
from flink_masking.records.column import binary_column
from flink_masking.records.edits import DROP, DROP_VALUE, KEEP_VALUE, Edit, Keys, Replace, Swept
from flink_masking.records.kinds import Kind
from flink_masking.records.span_kernels import F_END, F_NODE, F_REASON, F_START, FAULT, KIND, MS, NX, PATH, PE, ROW, SPAN, VE, VS
from flink_masking.records.spans import FATAL, Contents, Flag, Limits, SpanTable
from flink_masking.records.trie import UNDECLARED, Paths


class TextCodec:
    """Texts; see `flink_masking.records.codec.Codec`."""

    quote = 0
    nested = False
    rows = rows_for("text")
    headers: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    def __init__(self, layout: Layout) -> None:
        """Take over the name of the field."""
        self._name = layout.columns[0] if layout.columns else TEXT

    def scan(self, column: Any, paths: Paths, limits: Limits = Limits(),  # noqa: B008 - frozen
             headers: Mapping[str, pa.BinaryArray] = MappingProxyType({})) -> SpanTable:
        """One span for each record that is UTF-8; others are flagged, never raised.

        Args:
            column: n records, see `binary_column`.
            paths: the only field.
            limits: size of a record.
            headers: not needed.

        Raises:
            TypeError: not a column of bytes or text.
            ValueError: 2 GB of data or more.
        """
        records = binary_column(column)
        data, offsets, valid = arrow.parts(records)
        n = len(records)
        flags, faults = np.zeros(n, np.int32), np.zeros(n * FAULT, np.int32)
        flags[np.diff(offsets) > limits.max_bytes] = Flag.OVERSIZE
        if len(valid):
            flags[valid == 0] = Flag.ABSENT
        for row, position in _wrong(records, flags):
            flags[row] = Flag.INVALID
            fault, place = faults[row * FAULT : (row + 1) * FAULT], int(offsets[row]) + position
            fault[F_REASON], fault[F_NODE], fault[F_START], fault[F_END] = Flag.INVALID, 0, place, place
        found = paths.ids.get(self._name)
        rows = np.flatnonzero(flags == 0) if found is not None else np.zeros(0, np.int64)
        spans = np.zeros((len(rows), SPAN), np.int32)
        spans[:, ROW], spans[:, PATH], spans[:, KIND] = rows, found or 0, Kind.STRING
        spans[:, VS] = spans[:, MS] = offsets[:-1][rows]
        spans[:, VE], spans[:, PE], spans[:, NX] = offsets[1:][rows], -1, -1
        return SpanTable(self, paths, data, offsets, flags, faults, spans.ravel(), len(rows))

    def text(self, contents: Contents, size: int) -> pa.StringArray:
        """The texts, copied only where they do not follow each other."""
        starts, ends = np.asarray(contents.starts, np.int32), np.asarray(contents.ends, np.int32)
        if not len(starts):
            return pa.array([], pa.string())
        if (starts[1:] == ends[:-1]).all():
            offsets = np.append(starts, ends[-1])
            return pa.StringArray.from_buffers(len(starts), pa.py_buffer(offsets), pa.py_buffer(contents.data))
        edges = np.stack([starts, ends], 1).ravel()  # texts, and between them what is passed over
        whole = pa.StringArray.from_buffers(len(edges) - 1, pa.py_buffer(edges), pa.py_buffer(contents.data))
        return whole.take(pa.array(np.arange(0, 2 * len(starts), 2)))

    def raw(self, table: SpanTable, path: str) -> pa.BinaryArray:
        """The texts."""
        return table.values(path).text.cast(pa.binary())

    def write(self, values: pa.Array, literal: np.ndarray | None = None) -> pa.BinaryArray:
        """Texts and literals as they are."""
        return values.cast(pa.binary())

    def one_line(self, records: pa.BinaryArray) -> pa.BinaryArray:
        """The records as they are: a line break is part of a text."""
        return records

    def members(self, record: bytes, columns: Sequence[str] = ()) -> dict[str, str]:
        """The only field, as JSON text."""
        return {self._name: json.dumps(record.decode(), ensure_ascii=False)}

    def shown(self, paths: Paths, edits: Mapping[str, Edit], unknown: Edit, view: View | None = None) -> tuple[str, ...]:
        """None: there is no header."""
        return ()

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
        """None."""
        return b""

    def key(self, raw: bytes) -> str:
        """Records have no keys."""
        return raw.decode(errors="replace")

    def keys(self, table: SpanTable, order: np.ndarray) -> pa.StringArray:
        """Records have no keys."""
        return pa.array([""] * len(order), pa.string())

    def undeclared(self, table: SpanTable, rows: np.ndarray) -> Iterable[tuple[int, np.ndarray]]:
        """None: a record has one field."""
        return ()

    def splice(self, table: SpanTable, edits: list[Edit], dead: np.ndarray, added: bytes = b"",
               keys: Mapping[int, Keys] = MappingProxyType({}), swept: Swept | None = None, view: View | None = None) -> pa.BinaryArray:
        """The records with the field's edit carried out; null where dead, or where nothing would be left of the record."""
        assert not added and not keys and swept is None  # refused by the policy's check
        number = table.paths.ids.get(self._name, table.paths.ids[UNDECLARED])
        edit, rows = edits[number], np.flatnonzero((table.flags & int(FATAL)) == 0)
        live = dead == 0
        first = int(table.offsets[0])
        offsets = np.ascontiguousarray(table.offsets - first)
        before = pa.BinaryArray.from_buffers(pa.binary(), table.n, [None, pa.py_buffer(offsets), pa.py_buffer(table.data[first:])])
        made = before
        if isinstance(edit, Replace):
            values = pa.array([edit.values.as_py()] * len(rows), edit.values.type) if isinstance(edit.values, pa.Scalar) else edit.values
            values = values.cast(pa.binary())
            if edit.how is not None:
                values = arrow.nulled(values, edit.how == DROP_VALUE)
                values = pc.if_else(pa.array(edit.how == KEEP_VALUE), before.take(pa.array(rows)), values)
            made = values if len(rows) == table.n else pc.replace_with_mask(before, pa.array((table.flags & int(FATAL)) == 0), values)
        elif edit is DROP and number != table.paths.ids[UNDECLARED]:
            made = pa.nulls(table.n, pa.binary())
        lost = np.flatnonzero(live & made.is_null().to_numpy(zero_copy_only=False))
        table.unwritable = {self._name: lost} if len(lost) else {}
        return arrow.nulled(made, ~live)


def _wrong(records: pa.BinaryArray, flags: np.ndarray) -> Iterable[tuple[int, int]]:
    """Rows that are no UTF-8, and the position of the first wrong byte; batches without any are checked as a whole."""
    try:
        records.cast(pa.string())
    except pa.ArrowInvalid:
        for row in np.flatnonzero(flags == 0).tolist():
            try:
                records[row].as_py().decode()
            except UnicodeDecodeError as error:
                yield row, error.start


def make(layout: Layout) -> Codec:
    """The codec of records whose field has this name."""
    return TextCodec(layout)

