"""JSON records (RFC 8259, strict) as a codec: scanned into spans, never parsed into objects."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking import arrow
from flink_masking.kernels.memory import SLACK
from flink_masking.records.codec import Layout, View
from flink_masking.records.column import binary_column
from flink_masking.records.edits import KEEP, Edit, Keys, Replace, Swept
from flink_masking.records.json import scan_kernels, splice_kernels
from flink_masking.records.json.gather_kernels import gather_text
from flink_masking.records.json.keys_kernels import gather_keys, measure_keys
from flink_masking.records.json.rows import ROWS
from flink_masking.records.json.scan_steps_kernels import SEEN
from flink_masking.records.json.splice_kernels import PLAN
from flink_masking.records.json.text import flat, one_line, quote
from flink_masking.records.span_kernels import FAULT, N_COLUMNS, SPAN, gather_raw
from flink_masking.records.spans import Contents, Flag, Limits, SpanTable
from flink_masking.records.sweep_kernels import merged
from flink_masking.records.trie import Paths

_SEEN_SLOTS = 256


class JsonCodec:
    """JSON; see `flink_masking.records.codec.Codec`."""

    quote = 1
    nested = True
    rows = ROWS
    headers: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    table = SpanTable

    def scan(self, column: Any, paths: Paths, limits: Limits = Limits(),  # noqa: B008 - frozen
             headers: Mapping[str, pa.BinaryArray] = MappingProxyType({})) -> SpanTable:
        """The spans of a column of JSON records; faults of a record are set as flags, never raised.

        Args:
            column: n records, see `binary_column`.
            paths: what to look for.
            limits: depth and size of a record.
            headers: not needed.

        Raises:
            TypeError: not a column of bytes or text.
            ValueError: 2 GB of data or more.
        """
        records = binary_column(column)
        data, offsets, valid = arrow.parts(records)
        n = len(records)
        flags = np.zeros(n, np.int32)
        flags[np.diff(offsets) > limits.max_bytes] = Flag.OVERSIZE
        if len(valid):
            flags[valid == 0] = Flag.ABSENT
        faults = arrow.empty_int32(n * FAULT)
        state = np.array([0, 0, 0, limits.max_depth, 0, 0, int.from_bytes(os.urandom(8), "little", signed=True)])
        spans = arrow.empty_int32(SPAN * (n * (len(paths.names) + 1) + 64))
        seen = np.zeros(_SEEN_SLOTS * SEEN, np.int32)
        scratch = np.empty(scan_kernels.scratch_size(len(paths.nodes) // N_COLUMNS), np.int32)
        while True:
            scan_kernels.scan_rows(data, offsets, paths.nodes, paths.table, paths.keys, spans, flags, faults, seen, state, scratch)
            if state[scan_kernels.S_FULL] == scan_kernels.FULL_SPANS:
                spans = arrow.doubled(spans)
            elif state[scan_kernels.S_FULL] == scan_kernels.FULL_SEEN:
                seen = np.zeros(4 * len(seen), np.int32)
            else:
                used, breaks = int(state[scan_kernels.S_SPANS]), bool(state[scan_kernels.S_BREAKS])
                return self.table(self, paths, data, offsets, flags, faults, spans, used, breaks)

    def text(self, contents: Contents, size: int) -> pa.StringArray:
        """Contents of strings, the text of everything else, null for null."""
        buffer, out = arrow.output(size)
        offsets, valid = np.zeros(len(contents.kinds) + 1, np.int32), np.empty(len(contents.kinds), np.uint8)
        nulls = gather_text(contents.data, contents.starts, contents.ends, contents.kinds, out, offsets, valid)
        return arrow.assemble(pa.string(), buffer, offsets, valid if nulls else None)

    def raw(self, table: SpanTable, path: str) -> pa.BinaryArray:
        """The values at an emitted path, byte for byte as they stand in the records."""
        order = table.spans_of(path)
        buffer, out = arrow.output(int(table.sizes[table.paths.ids[path]]))
        offsets = np.zeros(len(order) + 1, np.int32)
        gather_raw(table.data, table.spans, order, out, offsets)
        return arrow.assemble(pa.binary(), buffer, offsets)

    def write(self, values: pa.Array, literal: np.ndarray | None = None) -> pa.BinaryArray:
        """Texts in quotes, literals as they are; null stays null."""
        if pa.types.is_binary(values.type):
            return values
        quoted = quote(values)
        return quoted if literal is None else pc.if_else(pa.array(literal), values.cast(pa.binary()), quoted)

    def one_line(self, records: pa.BinaryArray) -> pa.BinaryArray:
        """Line breaks become blanks: JSON has them between tokens only."""
        return one_line(records)

    def members(self, record: bytes, columns: Sequence[str] = ()) -> dict[str, str]:
        """Members by path, as JSON text; numbers as they stand."""
        return flat(record)

    def shown(self, paths: Paths, edits: Mapping[str, Edit], unknown: Edit, view: View | None = None) -> tuple[str, ...]:
        """None: records name their members."""
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
        """The key in its quotes, decoded."""
        return str(json.loads(raw)) if b"\\" in raw else raw[1:-1].decode()

    def keys(self, table: SpanTable, order: np.ndarray) -> pa.StringArray:
        """The keys of the members whose spans are in `order`, decoded."""
        offsets = np.zeros(len(order) + 1, np.int32)
        size = int(measure_keys(table.data, table.spans, order))
        buffer, out = arrow.output(size)
        gather_keys(table.data, table.spans, order, out, offsets)
        return arrow.assemble(pa.string(), buffer, offsets)

    def undeclared(self, table: SpanTable, rows: np.ndarray) -> Iterable[tuple[int, np.ndarray]]:
        """None: records name their members."""
        return ()

    def splice(self, table: SpanTable, edits: list[Edit], dead: np.ndarray, added: bytes = b"",
               keys: Mapping[int, Keys] = MappingProxyType({}), swept: Swept | None = None, view: View | None = None) -> pa.BinaryArray:
        """The records with edits[path number], new keys and `swept` carried out, and `added` at their end; null where dead."""
        spans, used, counts = table.spans, table.used, np.diff(table.starts).tolist()
        if swept is not None and len(swept.rows):
            spans, used = _with_swept(spans, used, swept, len(edits)), used + len(swept.rows)
            edits, counts = [*edits, Replace(swept.texts)], [*counts, len(swept.rows)]
        plan, held = np.zeros((len(edits), PLAN), np.int64), []
        capacity = int(table.offsets[-1]) - int(table.offsets[0])
        for number, edit in enumerate(edits):
            if isinstance(edit, Replace):
                arrays, size = _replacement(plan[number], edit, counts[number])
                held.append(arrays)
                capacity += size
            else:
                plan[number, splice_kernels.P_ACTION] = splice_kernels.KEEP if edit is KEEP else splice_kernels.DROP
        for number, renamed in keys.items():
            arrays, size = _keys(plan[number], renamed)
            held.append(arrays)
            capacity += size
        if added:
            capacity += table.n * (len(added) + 1)
        buffer, out = arrow.output(capacity)
        ends, valid = np.zeros(table.n + 1, np.int32), np.empty(table.n, np.uint8)
        member = np.frombuffer(added + bytes(SLACK), np.uint8)
        outcome = splice_kernels.splice_rows(table.data, table.offsets, dead, spans, used, plan.ravel(), member, len(added), out, ends,
                                            valid)
        del held  # alive until here: the plan has their addresses
        if outcome == splice_kernels.TOO_LONG:
            raise ValueError("splice: 2 GB of output or more in one batch. Hint: use smaller batches")
        return arrow.assemble(pa.binary(), buffer, ends, valid)


def _replacement(plan: np.ndarray, edit: Replace, count: int) -> tuple[list[object], int]:
    """Fill in a path's row of the plan; returns what must stay alive while it is used, and the most bytes it can add."""
    scalar = isinstance(edit.values, pa.Scalar)
    values = pa.array([edit.values.as_py()], edit.values.type) if scalar else edit.values
    is_text = pa.types.is_string(values.type)
    data, offsets, valid = arrow.parts(values)
    used = data[offsets[0] : offsets[-1]]
    special = int(splice_kernels.count_special(used)) if is_text else 0
    how = None if edit.how is None else np.ascontiguousarray(edit.how)
    address = [arrow.address(x) for x in (data, offsets, valid, how)]
    plan[:10] = (splice_kernels.REPLACE, is_text, special > 0, address[0], address[0] + len(data), *address[1:], 0, 0 if scalar else 1)
    size = (len(used) + 5 * special) * (count if scalar else 1) + 4 * count
    return [values, data, offsets, valid, how], size


def _with_swept(spans: np.ndarray, used: int, swept: Swept, number: int) -> np.ndarray:
    """The spans, and among them in the order of the bytes what is replaced as values of a path with this number."""
    out = arrow.empty_int32(SPAN * (used + len(swept.rows)))
    merged(spans, used, swept.rows, swept.starts, swept.ends, number, out)
    return out


def _keys(plan: np.ndarray, edit: Keys) -> tuple[list[object], int]:
    """Fill in the keys of a path's row of the plan; returns what must stay alive while it is used, and the most bytes it can add."""
    data, offsets, _ = arrow.parts(edit.keys)
    used = data[offsets[0] : offsets[-1]]
    special = int(splice_kernels.count_special(used))
    how = None if edit.how is None else np.ascontiguousarray(edit.how)
    place = data.ctypes.data if len(data) else 0
    plan[10:] = (special > 0, place, place + len(data), offsets.ctypes.data, 0 if how is None or not len(how) else how.ctypes.data)
    return [edit.keys, data, offsets, how], len(used) + 5 * special


JSON = JsonCodec()
scan = JSON.scan


def make(layout: Layout) -> JsonCodec:
    """The codec; records tell their members and types themselves, and with a schema are held to it."""
    if layout.framing == "none" and layout.schema is None:
        return JSON
    return import_module("flink_masking.records.json.framed").FramedJsonCodec(layout)
