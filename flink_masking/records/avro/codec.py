"""Avro records as a codec: scanned into spans by a program of their writer schema, never decoded into objects."""

import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa

from flink_masking import arrow
from flink_masking.errors import InputError
from flink_masking.records.avro import scan_kernels as ops
from flink_masking.records.avro.decode import json_at, long_at
from flink_masking.records.avro.files import container_header
from flink_masking.records.avro.leaves import leaf_paths
from flink_masking.records.avro.program import Image
from flink_masking.records.avro.schema import Type, fingerprint, parse_schema, to_text
from flink_masking.records.avro.splice import splice
from flink_masking.records.avro.table import AvroTable
from flink_masking.records.avro.written import Written
from flink_masking.records.codec import Codec, Layout, Rows, View, codec_for, fold, rows_for, united
from flink_masking.records.column import binary_column
from flink_masking.records.edits import Edit, Keys, Swept
from flink_masking.records.framing import HEADER, read_frames
from flink_masking.records.inferred import inferred
from flink_masking.records.kinds import Kind
from flink_masking.records.span_kernels import FAULT, N_COLUMNS, PE, SPAN
from flink_masking.records.spans import Contents, Flag, Limits, SpanTable, texts_as_they_are
from flink_masking.records.trie import UNDECLARED, Paths
from flink_masking.registry.source import SchemaId

GIVEN = SchemaId("fingerprint", -1)
"""Stands for the schema of records without framing."""
_NO_HEADERS: Mapping[str, pa.BinaryArray] = MappingProxyType({})
_PROGRAMS, _CODE = 256, 1 << 22
"""Programs, and numbers of code, after which all are compiled again as they are met."""


class AvroCodec:
    """Avro; see `flink_masking.records.codec.Codec`."""

    quote = 0
    nested = True
    columns: tuple[str, ...] = ()

    def __init__(self, layout: Layout) -> None:
        """Take over framing and schemas.

        Args:
            layout: of the records.

        Raises:
            InputError: a schema that is given is none.
        """
        self.rows: Rows = rows_for("avro")
        self._layout, self._json = layout, codec_for("json")
        self.headers = (HEADER,) if layout.framing == "confluent" else ()
        self._given = None if layout.schema is None else parse_schema(layout.schema.text, layout.schema.references)
        self._own = None if self._given is None or layout.framing != "single_object" else SchemaId("fingerprint", fingerprint(self._given))
        if layout.framing == "none" and self._given is None:
            raise InputError("Avro: records without framing do not tell their schema. Hint: schema: orders.avsc in the policy; run and "
                             "preview take it from .avro files")
        self._images: weakref.WeakKeyDictionary[Paths, _Programs] = weakref.WeakKeyDictionary()
        self._lock = threading.RLock()
        self._met: dict[SchemaId, Type] = {}

    def _type(self, identifier: SchemaId) -> Type | None:
        """The schema with an identifier; None where there is none that can be used."""
        if identifier == GIVEN or identifier == self._own:
            return self._given
        if self._layout.schemas is None:
            return None
        found = self._layout.schemas.schema(identifier)
        if found is None or found.kind not in ("", "AVRO"):
            return None
        try:
            parsed = parse_schema(found.text, found.references)
        except InputError:
            return None
        if len(self._met) < _PROGRAMS:
            self._met[identifier] = parsed
        return parsed

    def scan(self, column: Any, paths: Paths, limits: Limits = Limits(),  # noqa: B008 - frozen
             headers: Mapping[str, pa.BinaryArray] = _NO_HEADERS) -> AvroTable:
        """The spans of a column of Avro records; what is wrong is told by flags, never raised.

        Args:
            column: n records, see `binary_column`.
            paths: what to look for.
            limits: depth and size of a record.
            headers: by name, the columns of Kafka's headers named in `headers` of the codec.

        Raises:
            TypeError: not a column of bytes or text.
            ValueError: 2 GB of data or more.
            RegistryUnavailableError: a schema is not known yet, and the registry was away for longer than its patience.
            RegistryError: the registry cannot be used.
        """
        records = binary_column(column)
        data, offsets, valid = arrow.parts(records)
        n = len(records)
        flags, faults = np.zeros(n, np.int32), arrow.empty_int32(n * FAULT)
        flags[np.diff(offsets) > limits.max_bytes] = Flag.OVERSIZE
        if len(valid):
            flags[valid == 0] = Flag.ABSENT
        with self._lock:
            programs, begins, image = self._resolved(data, offsets, flags, faults, paths, headers)
        known = np.array([program.entry for program in image.programs] or [0], np.int32)
        entries = known[programs] if len(known) > 1 else np.full(n, known[0], np.int32)
        spans = arrow.empty_int32(SPAN * (n * (len(paths.names) + 1) + 64))
        blocks = arrow.empty_int32(ops.BLOCK * (n + 64))
        state = np.zeros(8, np.int64)
        state[ops.S_DEPTH] = depth = 2 * limits.max_depth
        stack = np.empty(ops.FRAME * (depth + 1), np.int32)
        stamps = np.full(len(paths.nodes) // N_COLUMNS, -1, np.int32)
        code = image.code
        while True:
            ops.scan_rows(data, offsets, begins, entries, code, paths.nodes, paths.table, paths.keys, spans, blocks, flags, faults, state,
                          stack, stamps)
            full = int(state[ops.S_FULL])
            if full == ops.FULL_SPANS:
                spans = arrow.doubled(spans)
            elif full == ops.FULL_BLOCKS:
                blocks = arrow.doubled(blocks)
            else:
                break
        table = AvroTable(self, paths, data, offsets, flags, faults, spans, int(state[ops.S_SPANS]), self._layout.folded)
        table.image, table.programs, table.begins, table.blocks = image, programs, begins, blocks
        table.n_blocks, table.depth = int(state[ops.S_BLOCKS]), depth
        return table

    def _resolved(self, data: np.ndarray, offsets: np.ndarray, flags: np.ndarray, faults: np.ndarray, paths: Paths,
                  headers: Mapping[str, pa.BinaryArray]) -> tuple[np.ndarray, np.ndarray, Image]:
        """The program of each record and where its datum begins; records of which none is known are flagged."""
        known = self._images.get(paths)
        if known is None or known.full:
            known = self._images[paths] = _Programs(paths)
        n = len(offsets) - 1
        if self._layout.framing == "none":
            known.number(GIVEN, self._type)
            return np.zeros(n, np.int32), offsets[:-1].copy(), known.image
        framed = read_frames(self._layout.framing, data, offsets, flags == 0, headers)
        numbers = np.array([*(known.number(identifier, self._type) for identifier in framed.identifiers), -1], np.int32)
        if n and len(framed.identifiers) == 1 and numbers[0] >= 0 and framed.numbers.min() == 0:  # one schema, as nearly always
            return np.full(n, numbers[0], np.int32), framed.starts, known.image
        programs = numbers[framed.numbers]
        for rows, flag in ((flags == 0) & (framed.numbers < 0), Flag.INVALID), ((flags == 0) & (framed.numbers >= 0) & (programs < 0),
                                                                                Flag.UNKNOWN_SCHEMA):
            if rows.any():
                flags[rows] = flag
                found = faults.reshape(-1, FAULT)
                found[rows] = np.array([flag, 0, 0, 0], np.int32)
                found[rows, 2:] = offsets[:-1][rows][:, None]
        programs[programs < 0] = 0
        return programs, framed.starts, known.image

    def text(self, contents: Contents, size: int) -> pa.StringArray:
        """Texts as they lie there."""
        return texts_as_they_are(contents, size)

    def raw(self, table: SpanTable, path: str) -> pa.BinaryArray:
        """The values at an emitted path as JSON, which rows of groups and figures are written in."""
        values = table.values(path)
        literal = values.kinds > Kind.ENCODED
        if path in table.paths.ids and literal.any():
            special = pa.compute.match_substring_regex(values.text, "nan|inf|NaN|Inf").fill_null(False).to_numpy(zero_copy_only=False)
            literal &= ~(special & (values.kinds == Kind.NUMBER))
        return self.write(values.text, literal).fill_null(b"null")

    def write(self, values: pa.Array, literal: np.ndarray | None = None) -> pa.BinaryArray:
        """Values as JSON, see `raw`."""
        return self._json.write(values, literal)

    def one_line(self, records: pa.BinaryArray) -> pa.BinaryArray:
        """Records whose line breaks are written otherwise, see `flink_masking.records.codec.folded`."""
        return fold(records)

    def members(self, record: bytes, columns: Sequence[str] = ()) -> dict[str, str]:
        """The members of a valid record by path, as JSON text.

        Args:
            record: a record.
            columns: the text of its schema, where it is another one than that of raw records or that its framing tells.
        """
        if columns:
            top, begin = parse_schema(columns[0]), 0
            if self._layout.framing != "none":
                begin = self._begin(record)[1]
        else:
            identifier, begin = self._begin(record)
            found = self._type(identifier)
            if found is None:
                return {}
            top = found
        return self._json.members(json_at(top, record, begin)[0].encode(), ())

    def _begin(self, record: bytes) -> tuple[SchemaId, int]:
        """The schema's identifier and the begin of the datum."""
        if self._layout.framing == "none":
            return GIVEN, 0
        data, offsets, _ = arrow.parts(pa.array([record], pa.binary()))
        framed = read_frames(self._layout.framing, data, offsets, np.ones(1, bool), _NO_HEADERS)
        return (framed.identifiers[0] if framed.identifiers else GIVEN), int(framed.starts[0] - offsets[0])

    def derived(self, paths: Paths, view: View) -> tuple[str, bool] | None:
        """See `flink_masking.records.codec.Codec`."""
        if self._given is None:
            return None
        made = self._derived(paths, [None] * paths.count, view)
        return to_text(made), made is not self._given

    def differences(self, paths: Paths) -> Iterator[tuple[str, str]]:
        """See `flink_masking.records.codec.Codec`."""
        if self._given is None:
            return
        image = Image(paths)
        image.add(self._given)
        for node, name in dict.fromkeys(image.unknown):
            above = paths.labels[node]
            yield "unknown_field", f"{above}.{name}" if above else name
        for node in dict.fromkeys(image.mismatches):
            yield "type_mismatch", paths.labels[node]
        reached = {site.path for site in image.sites}
        yield from (("missing_field", name) for name in paths.names if paths.ids[name] not in reached)

    def leaves(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """See `flink_masking.records.codec.Codec`."""
        given = [] if self._given is None else [self._given]
        return united(map(leaf_paths, [*given, *self._met.values()]))

    def _derived(self, paths: Paths, edits: list[Edit | None], view: View | None) -> Type:
        """The schema of a view of records with the schema that is given."""
        known = _Programs(paths)
        known.number(GIVEN, self._type)
        written = Written(known.image, inferred(edits, paths, view), None, "")
        written.extend()
        return written.schemas[0]

    def shown(self, paths: Paths, edits: Mapping[str, Edit], unknown: Edit, view: View | None = None) -> tuple[str, ...]:
        """The text of the schema that records have after a splice with these edits; nothing where their framing tells it."""
        if self._layout.framing != "none":
            return ()
        by_number: list[Edit | None] = [None] * paths.count
        for path, edit in {**edits, UNDECLARED: unknown}.items():
            by_number[paths.ids[path]] = edit
        return (to_text(self._derived(paths, by_number, view)),)

    def header(self, columns: Sequence[str]) -> bytes:
        """The header of an object container file whose records have this schema."""
        return container_header(columns[0]) if columns else b""

    def key(self, raw: bytes) -> str:
        """The key of a map."""
        return raw.decode()

    def keys(self, table: SpanTable, order: np.ndarray) -> pa.StringArray:
        """Keys of maps from the records, names of fields from the schema."""
        assert isinstance(table, AvroTable)
        data, sites = table.data.data, table.image.sites
        found = []
        for number, place in zip(table.sites_of(order).tolist(), table.spans.reshape(-1, SPAN)[order, PE].tolist(), strict=True):
            field = sites[number].field
            if field is not None:
                found.append(field.name)
                continue
            size, start = long_at(bytes(data[place : place + 10]), 0)
            found.append(bytes(data[place + start : place + start + size]).decode())
        return arrow.strings(found)

    def undeclared(self, table: SpanTable, rows: np.ndarray) -> Iterable[tuple[int, np.ndarray]]:
        """None: fields stand in the schema."""
        return ()

    def splice(self, table: SpanTable, edits: list[Edit], dead: np.ndarray, added: bytes = b"",
               keys: Mapping[int, Keys] = MappingProxyType({}), swept: Swept | None = None, view: View | None = None) -> pa.BinaryArray:
        """The records with edits[path number] carried out and new keys; null where dead, or where the schema cannot hold a value."""
        assert isinstance(table, AvroTable)
        assert not added and swept is None  # refused by the policy's check
        outcomes = inferred(edits, table.paths, view)
        with self._lock:
            known = self._images.get(table.paths)
            if known is None or known.image is not table.image:
                known = _Programs(table.paths, table.image)
            subject = view.subject if view is not None and self._layout.framing != "none" else ""
            written = known.written.get((subject, outcomes))
            if written is None:
                if len(known.written) >= _PROGRAMS:
                    known.written.clear()
                written = known.written[subject, outcomes] = Written(table.image, outcomes, self._layout, subject)
            one = [] if dead.all() else [0]
            written.extend({*(np.unique(table.programs[dead == 0]).tolist() if len(table.image.programs) > 1 else one)})
            refused = written.refused
        rows = (dead == 0) & np.isin(table.programs, list(refused)) if refused else np.zeros(0, bool)
        table.unregistered = np.flatnonzero(rows)
        if len(table.unregistered):
            dead = dead | rows
        return splice(table, edits, dead, keys, written)


class _Programs:
    """The programs for some paths, and how views of them are written."""

    def __init__(self, paths: Paths, image: Image | None = None) -> None:
        self.image = image or Image(paths)
        self._numbers: dict[SchemaId, int] = {}
        self._refused: set[SchemaId] = set()
        self.written: dict[Any, Written] = {}

    @property
    def full(self) -> bool:
        """Whether so much was compiled that it is time to begin anew."""
        return len(self._numbers) + len(self._refused) > _PROGRAMS or len(self.image.code) > _CODE

    def number(self, identifier: SchemaId, read: Any) -> int:
        """The number of the program of a schema; -1 where there is none, which is not remembered, or where it cannot be compiled.

        Raises:
            InputError: the schema that is given cannot be compiled.
        """
        found = -1 if identifier in self._refused else self._numbers.get(identifier)
        if found is None:
            schema = read(identifier)
            if schema is None:
                return -1
            try:
                found = self._numbers[identifier] = self.image.add(schema, identifier)
            except InputError:
                if identifier == GIVEN:
                    raise
                self._refused.add(identifier)
                return -1
        return found


def make(layout: Layout) -> Codec:
    """The codec of records with this framing and these schemas."""
    return AvroCodec(layout)
