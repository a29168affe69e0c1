"""JSON records that have a JSON Schema: behind the identifier of the schema, or all of one that is given.

For the scanner the bytes of the framing are blanks, which JSON may begin with, so that every position stays what it is in the record.
"""

import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa

from flink_masking import arrow
from flink_masking.errors import InputError, RegistryError, SchemaRefusedError
from flink_masking.records.codec import Layout, View
from flink_masking.records.column import binary_column
from flink_masking.records.edits import Edit, Keys, Swept
from flink_masking.records.framing import HEADER, frame, read_frames, refronted
from flink_masking.records.json.codec import JsonCodec
from flink_masking.records.json.described import Holding, lost_values, outcomes_of
from flink_masking.records.json.schema import Document
from flink_masking.records.json.walk import Walk
from flink_masking.records.nodes import Trie
from flink_masking.records.paths import format_path, parse_path
from flink_masking.records.span_kernels import F_END, F_NODE, F_REASON, F_START, FAULT
from flink_masking.records.spans import Flag, Limits, SpanTable
from flink_masking.records.trie import Paths
from flink_masking.registry.source import IdKind, Schema, SchemaId

_BLANK = 0x20
_KEPT = 256
"""Schemas, and views of each, that are held; after that all are read again as they are met."""


class Known:
    """A schema that records name.

    Attributes:
        identifier: of the schema.
        document: the schema.
        held: what views of its records hold, by outcomes and names of views.
    """

    def __init__(self, identifier: SchemaId, document: Document) -> None:
        """Nothing is derived yet."""
        self.identifier, self.document = identifier, document
        self.held: dict[Any, tuple[Holding, bytes]] = {}


class FramedTable(SpanTable):
    """A span table that knows what stood in front of each record.

    Attributes:
        known: the schemas of the batch.
        numbers: int32, n: which of them a record has; -1: none.
        widths: int32, n: bytes of the framing in the value.
    """

    known: list[Known]
    numbers: np.ndarray
    widths: np.ndarray


class FramedJsonCodec(JsonCodec):
    """JSON with a schema; see `flink_masking.records.codec.Codec`."""

    table = FramedTable

    def __init__(self, layout: Layout) -> None:
        """Take over framing and schemas.

        Args:
            layout: of the records.

        Raises:
            InputError: the schema that is given is none.
        """
        self._layout = layout
        self.headers = (HEADER,) if layout.framing == "confluent" else ()
        self._given = None if layout.schema is None else Document(layout.schema.text, layout.schema.references)
        self._met: weakref.WeakKeyDictionary[Paths, dict[SchemaId, Known]] = weakref.WeakKeyDictionary()
        self._lock = threading.RLock()

    def scan(self, column: Any, paths: Paths, limits: Limits = Limits(),  # noqa: B008 - frozen
             headers: Mapping[str, pa.BinaryArray] = MappingProxyType({})) -> SpanTable:
        """See `JsonCodec.scan`; a record without a usable framing is flagged.

        Raises:
            RegistryUnavailableError: a schema is not known yet, and the registry was away for longer than its patience.
            RegistryError: the registry cannot be used.
        """
        if self._layout.framing == "none":
            return super().scan(column, paths, limits)
        records = binary_column(column)
        data, offsets, valid = arrow.parts(records)
        n = len(records)
        usable = np.diff(offsets) <= limits.max_bytes
        if len(valid):
            usable &= valid != 0
        framed = read_frames(self._layout.framing, data, offsets, usable, headers)
        with self._lock:
            known = [self._known(paths, identifier) for identifier in framed.identifiers]
        index = np.array([*(number if one is not None else -1 for number, one in enumerate(known)), -1], np.int32)
        numbers = index[framed.numbers]
        widths = np.where(numbers >= 0, framed.starts - offsets[:-1], 0).astype(np.int32)
        table = super().scan(_blanked(data, offsets, usable & (numbers >= 0), valid, widths), paths, limits)
        assert isinstance(table, FramedTable)
        table.known = [one or Known(identifier, Document("true", {})) for one, identifier in zip(known, framed.identifiers, strict=True)]
        table.numbers, table.widths, table.breaks = numbers, widths, False
        for wrong, flag in ((usable & (framed.numbers < 0), Flag.INVALID), (usable & (framed.numbers >= 0) & (numbers < 0),
                                                                           Flag.UNKNOWN_SCHEMA)):
            for row in np.flatnonzero(wrong).tolist():
                table.flags[row] = flag
                fault = table.faults[row * FAULT : (row + 1) * FAULT]
                fault[F_REASON], fault[F_NODE], fault[F_START], fault[F_END] = flag, 0, table.offsets[row], table.offsets[row]
        assert table.n == n
        return table

    def _known(self, paths: Paths, identifier: SchemaId) -> Known | None:
        """The schema with an identifier; None where there is none that can be used, which is not remembered."""
        met = self._met.setdefault(paths, {})
        if identifier not in met:
            found = None if self._layout.schemas is None else self._layout.schemas.schema(identifier)
            if found is None or found.kind not in ("", "JSON"):
                return None
            try:
                document = Document(found.text, found.references)
            except InputError:
                return None
            if len(met) >= _KEPT:
                met.clear()
            met[identifier] = Known(identifier, document)
        return met[identifier]

    def members(self, record: bytes, columns: Sequence[str] = ()) -> dict[str, str]:
        """See `JsonCodec.members`."""
        if self._layout.framing == "none":
            return super().members(record)
        data, offsets, _ = arrow.parts(pa.array([record], pa.binary()))
        framed = read_frames(self._layout.framing, data, offsets, np.ones(1, bool), {})
        return super().members(record[int(framed.starts[0] - offsets[0]) :])

    def derived(self, paths: Paths, view: View) -> tuple[str, bool] | None:
        """The schema of a view of records of the schema that is given."""
        if self._given is None or self._layout.schema is None:
            return None
        holding = Holding(self._given, Trie(_with_all(paths, view)), view.outcomes, sorted(view.renamed))
        return (holding.text, True) if holding.changed else (self._layout.schema.text, False)

    def differences(self, paths: Paths) -> Iterable[tuple[str, str]]:
        """Where the schema that is given and the paths differ."""
        if self._given is not None:
            yield from _differences(Walk(self._given.top, Trie(paths)), paths)

    def splice(self, table: SpanTable, edits: list[Edit], dead: np.ndarray, added: bytes = b"",
               keys: Mapping[int, Keys] = MappingProxyType({}), swept: Swept | None = None, view: View | None = None) -> pa.BinaryArray:
        """See `JsonCodec.splice`; each record has the identifier of its view's schema in front."""
        if self._layout.framing == "none":
            return super().splice(table, edits, dead, added, keys, swept, view)
        assert isinstance(table, FramedTable)
        assert not added and swept is None  # refused by the policy's check
        dead, unwritable = dead.copy(), dict[str, np.ndarray]()
        prefixes = [b""] * len(table.known)
        table.unregistered = np.zeros(0, np.int64)
        for number in np.unique(table.numbers[dead == 0]).tolist():
            try:
                with self._lock:
                    holding, prefixes[number] = self._held(table, table.known[number], edits, keys, view)
            except SchemaRefusedError:
                table.unregistered = np.union1d(table.unregistered, np.flatnonzero((table.numbers == number) & (dead == 0)))
                continue
            own = None if len(table.known) == 1 else table.numbers == number
            for path, rows in lost_values(holding, table, edits, own).items():
                unwritable[path] = np.union1d(unwritable.get(path, rows[:0]), rows)
                dead[rows] = 1
        table.unwritable = unwritable
        dead[table.unregistered] = 1
        made = super().splice(table, edits, dead, b"", keys, None, view)
        return refronted(made, table.widths, table.numbers, prefixes, dead == 0)

    def _held(self, table: FramedTable, known: Known, edits: Sequence[Edit], keys: Mapping[int, Keys],
              view: View | None) -> tuple[Holding, bytes]:
        """What a view of records with a schema holds, and their framing.

        Raises:
            RegistryError: the schema of the view has no identifier.
        """
        outcomes = outcomes_of(edits, table.paths, view)
        renamed = sorted(view.renamed) if view is not None else sorted(path for path, number in table.paths.ids.items() if number in keys)
        key = view.subject if view is not None else "", tuple(outcomes.items()), tuple(renamed)
        if key not in known.held:
            if len(known.held) >= _KEPT:
                known.held.clear()
            holding = Holding(known.document, Trie(table.paths), outcomes, renamed)
            own = known.identifier
            known.held[key] = holding, frame(self._identifier(holding, view, own.kind) if holding.changed else own)
        return known.held[key]

    def _identifier(self, holding: Holding, view: View | None, kind: IdKind) -> SchemaId:
        name, outputs = view.subject if view is not None else "", self._layout.outputs
        found = outputs.identifier(name, Schema(holding.text, "JSON"), kind) if outputs is not None else None
        if found is None:
            raise RegistryError(f"view {name}: its schema differs from the writer's and has no identifier. Hint: flink-masking check shows "
                                "it; register it, or use techniques that keep the type")
        return found


def _with_all(paths: Paths, view: View) -> Paths:
    """The paths, and those that the view has rules for besides: parents of declared fields."""
    more = [path for path in view.outcomes if path and path not in paths.ids]
    return Paths([*paths.names, *more], opaque=[name for name in paths.names if _opaque(paths, name)]) if more else paths


def _opaque(paths: Paths, name: str) -> bool:
    from flink_masking.records.span_kernels import MAY_ARRAY, MAY_OBJECT, MAY_SCALAR

    trie, every = Trie(paths), MAY_ARRAY | MAY_OBJECT | MAY_SCALAR
    return any(trie.flags(node) & every == every for node in trie.places(name))


def _differences(walk: Walk, paths: Paths) -> Iterator[tuple[str, str]]:
    for node, name in walk.unknown:
        label = paths.labels[node]
        yield "unknown_field", format_path((*(parse_path(label) if label else ()), name))
    for node in walk.mismatched:
        yield "type_mismatch", paths.labels[node]
    for name in walk.missing(paths):
        yield "missing_field", name


def _blanked(data: np.ndarray, offsets: np.ndarray, there: np.ndarray, valid: np.ndarray, widths: np.ndarray) -> pa.BinaryArray:
    """The records with blanks in place of their framing; null where they are not to be read."""
    first, last = int(offsets[0]), int(offsets[-1])
    buffer, out = arrow.output(last - first)
    out[: last - first] = data[first:last]
    begins = (offsets - first).astype(np.int32)
    for width in np.unique(widths).tolist():
        rows = begins[:-1] if len(widths) and (widths == width).all() else begins[:-1][widths == width]
        out[rows[:, None] + np.arange(width, dtype=np.int32)] = _BLANK
    return arrow.assemble(pa.binary(), buffer, begins, None if there.all() else there.view(np.uint8))
