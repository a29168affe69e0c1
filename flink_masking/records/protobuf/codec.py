"""Protobuf records as a codec: scanned by descriptors into spans, never parsed into objects."""

import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking import arrow
from flink_masking.errors import InputError, SchemaRefusedError
from flink_masking.records.codec import Codec, Layout, Outcome, Rows, View, codec_for, fold, rows_for, united
from flink_masking.records.column import binary_column
from flink_masking.records.edits import DROP, KEEP, Edit, Keys, Replace, Swept
from flink_masking.records.framing import HEADER, refronted
from flink_masking.records.kinds import Kind
from flink_masking.records.paths import Step, Wild, format_path
from flink_masking.records.protobuf import framing, scan_kernels, scan_steps_kernels, splice_kernels
from flink_masking.records.protobuf.frames_kernels import find_keys
from flink_masking.records.protobuf.known import Known, blame
from flink_masking.records.protobuf.layout_kernels import FRAME, O_ENTRY, OWNER
from flink_masking.records.protobuf.program import REPEATED, Field, Program, is_map
from flink_masking.records.protobuf.replacements import as_text, of_drop, of_keys, of_replacement, unheld
from flink_masking.records.protobuf.schemas import Messages, messages
from flink_masking.records.protobuf.table import ProtobufTable
from flink_masking.records.protobuf.values import to_text
from flink_masking.records.protobuf.written import Derived, Typed, by_number, fronts
from flink_masking.records.span_kernels import FAULT, SPAN, UNDECLARED_PATH
from flink_masking.records.spans import Contents, Flag, Limits, SpanTable, texts_as_they_are
from flink_masking.records.trie import UNDECLARED, Paths

_NUMBER = r"^-?[0-9]"
_VIEWS = 256
"""Views of a program that are held."""
_MET = 256
"""Messages whose fields are remembered for `leaves`."""
_NO_FIELD = Field(0, {})
"""Of undeclared members."""


class ProtobufCodec:
    """Protobuf; see `flink_masking.records.codec.Codec`."""

    quote = 0
    nested = True
    columns: tuple[str, ...] = ()

    def __init__(self, layout: Layout) -> None:
        """Take over framing and schemas.

        Args:
            layout: of the records.

        Raises:
            InputError: records without framing, and no schema or message that tells what they are.
        """
        if layout.framing not in framing.FRAMINGS:
            raise InputError(f"Protobuf: records have no such framing. Hint: {' or '.join(framing.FRAMINGS)}")
        self._layout, self._json = layout, codec_for("json")
        self.rows: Rows = rows_for("protobuf")
        self._known: weakref.WeakKeyDictionary[Paths, Known] = weakref.WeakKeyDictionary()
        self._lock = threading.RLock()
        self.headers = (HEADER,) if layout.framing == framing.CONFLUENT else ()
        self._given: Any = None
        self._derived = Derived(layout, self._named)
        self._typed: weakref.WeakKeyDictionary[Program, dict[Any, Typed]] = weakref.WeakKeyDictionary()
        self._schema: Messages | None = None
        self._met: dict[framing.Frame, Any] = {}
        if layout.framing == framing.NONE:
            if layout.schema is None:
                raise InputError("Protobuf: records without framing do not tell their schema. Hint: schema: orders.desc in the policy")
            found = self._schema = messages(layout.schema.text, tuple(layout.schema.references.items()))
            self._given = found.named(layout.message) if layout.message else found.only()
            if self._given is None:
                raise InputError("Protobuf: the schema has no such message, or several. Hint: message: package.Name in the policy")

    def _message(self, frame: framing.Frame) -> Any:
        """The descriptor of the message that a framing names; None where it leads to none."""
        found = self._named(frame)
        return None if found is None else found[0]

    def _named(self, frame: framing.Frame) -> tuple[Any, Messages] | None:
        """The descriptor of the message that a framing names, and its schema; None where it leads to none."""
        if self._layout.schemas is None:
            return None
        schema = self._layout.schemas.schema(frame.schema)
        if schema is None or schema.kind not in ("", "PROTOBUF"):
            return None
        try:
            found = messages(schema.text, tuple(schema.references.items()))
        except InputError:
            return None
        name = frame.name or self._layout.message
        message = found.at(frame.indexes) if frame.indexes else found.named(name) if name else found.only()
        if message is not None and len(self._met) < _MET:
            self._met[frame] = message
        return None if message is None else (message, found)

    def scan(self, column: Any, paths: Paths, limits: Limits = Limits(),  # noqa: B008 - frozen
             headers: Mapping[str, pa.BinaryArray] = MappingProxyType({})) -> ProtobufTable:
        """The spans of a column of Protobuf records; what is wrong is told by flags, never raised.

        Args:
            column: n records, see `binary_column`.
            paths: what to look for.
            limits: depth and size of a record; messages are nested 100 deep at most.
            headers: by name, the columns of Kafka's headers named in `headers` of the codec.

        Raises:
            TypeError: not a column of bytes or text.
            ValueError: 2 GB of data or more.
            RegistryUnavailableError: a schema is not known yet, and the registry was away for longer than its patience.
            RegistryError: the registry cannot be used.
            JobError: the compiler for .proto files is not installed.
        """
        records = binary_column(column)
        headed = framing.told(records, headers.get(HEADER)) if self.headers else None
        records = records if headed is None else headed.records
        data, offsets, valid = arrow.parts(records)
        n = len(records)
        flags, faults = np.zeros(n, np.int32), arrow.empty_int32(n * FAULT)
        if headed is not None:
            for row in np.flatnonzero(headed.wrong).tolist():
                blame(row, Flag.INVALID, int(offsets[row]), flags, faults)
        flags[np.diff(offsets) > limits.max_bytes] = Flag.OVERSIZE
        if len(valid):
            flags[valid == 0] = Flag.ABSENT
        with self._lock:
            known = self._known.get(paths)
            if known is None or known.full:
                known = self._known[paths] = Known(paths, self._layout, self._given, self._message)
            begins, roots = known.resolve(data, offsets, flags, faults)
            program = known.program
            scopes, entries, index = program.arrays()
        room, more = known.room(n)
        spans, owners, frames = arrow.empty_int32(SPAN * room), arrow.empty_int32(OWNER * room), arrow.empty_int32(FRAME * more)
        state = np.zeros(7, np.int64)
        state[scan_kernels.S_DEPTH] = depth = min(limits.max_depth, scan_kernels.MAX_DEPTH)
        state[scan_kernels.S_MOST] = program.most_defaults
        stack, stamps = np.empty((depth + 1) * scan_steps_kernels.OPEN, np.int32), np.zeros(max(1, len(program.fields)), np.int32)
        while True:
            scan_kernels.scan_rows(data, offsets, begins, roots, scopes, entries, index, paths.nodes, paths.table, paths.keys, spans,
                                   owners, frames, flags, faults, stamps, stack, state)
            full = int(state[scan_kernels.S_FULL])
            if full == scan_kernels.FULL_SPANS:
                spans, owners = arrow.doubled(spans), arrow.doubled(owners)
            elif full == scan_kernels.FULL_FRAMES:
                frames = arrow.doubled(frames)
            else:
                break
        table = ProtobufTable(self, paths, data, offsets, flags, faults, spans, int(state[scan_kernels.S_SPANS]), self._layout.folded)
        table.program, table.owners, table.frames, table.begins = program, owners, frames, begins
        table.widths = None if headed is None else headed.widths
        table.used_frames = int(state[scan_kernels.S_FRAMES])
        known.note(n, table.used, table.used_frames)
        return table

    def text(self, contents: Contents, size: int) -> pa.StringArray:
        """Contents of texts; values of other types are read by their table."""
        return texts_as_they_are(contents, size)

    def raw(self, table: SpanTable, path: str) -> pa.BinaryArray:
        """The values as JSON: what views of their own hold."""
        text, kinds, _ = table.values(path)
        number = pc.match_substring_regex(text, _NUMBER).fill_null(False).to_numpy(zero_copy_only=False)
        return self._json.write(text, ((kinds == Kind.NUMBER) & number) | (kinds == Kind.TRUE) | (kinds == Kind.FALSE))

    def write(self, values: pa.Array, literal: np.ndarray | None = None) -> pa.BinaryArray:
        """Values as JSON, as `raw`."""
        return self._json.write(values, literal)

    def one_line(self, records: pa.BinaryArray) -> pa.BinaryArray:
        """The records as they are: a byte like a line break may be part of any value."""
        return records

    def members(self, record: bytes, columns: Sequence[str] = ()) -> dict[str, str]:
        """Members by path, as ProtoJSON."""
        from google.protobuf import json_format, message_factory

        message, start = self._given, 0
        if columns:
            message = messages(columns[0], ()).named(self._given.full_name)
        if message is None:
            frame = framing.parse(record[: framing.LONGEST], self._layout.framing)
            assert not isinstance(frame, int)  # records of views have the framing that came in
            message, start = self._message(frame), len(frame.prefix)
        whole = message_factory.GetMessageClass(message).FromString(record[start:])
        text = json_format.MessageToJson(whole, preserving_proto_field_name=True, indent=None)
        return self._json.members(text.encode(), ())

    def derived(self, paths: Paths, view: View) -> tuple[str, bool] | None:
        """The schema of a view of records of the message that is given."""
        if self._given is None or self._layout.schema is None or self._schema is None:
            return None
        program = self._program(paths)
        for path, outcome in view.outcomes.items():
            wrong = None if path == UNDECLARED else unheld(program.types_at(path), outcome)
            if wrong is not None:
                raise InputError(f"{path}: {wrong}")
        text, differs = self._derived.text(self._given, self._schema, paths, by_number(view, paths))
        return (text, True) if differs else (self._layout.schema.text, False)

    def differences(self, paths: Paths) -> Iterable[tuple[str, str]]:
        """Where the message that is given and the paths differ."""
        if self._given is None:
            return
        program = self._program(paths)
        for node, name in program.unknown:
            yield "unknown_field", ".".join(filter(None, (paths.labels[node], format_path((name,)))))
        yield from (("type_mismatch", paths.labels[node]) for node in program.mismatched)
        yield from (("missing_field", name) for name in program.missing())

    def leaves(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """See `flink_masking.records.codec.Codec`; a message that holds itself is one as a whole."""
        given = [] if self._given is None else [self._given]
        found = [list(_leaves(message, (), ())) for message in (*given, *self._met.values())]
        return united((tuple(path for path, _ in one), tuple(path for path, whole in one if whole)) for one in found)

    def _program(self, paths: Paths) -> Program:
        """The program for the message that is given."""
        program = Program(paths, self._layout.required)
        program.root(self._given)
        return program

    def shown(self, paths: Paths, edits: Mapping[str, Edit], unknown: Edit, view: View | None = None) -> tuple[str, ...]:
        """The text of the schema that records without framing have after a splice, where it is another one."""
        if self._schema is None or view is None:
            return ()
        text, differs = self._derived.text(self._given, self._schema, paths, by_number(view, paths))
        return (text,) if differs else ()

    def header(self, columns: Sequence[str]) -> bytes:
        """None."""
        return b""

    def key(self, raw: bytes) -> str:
        """The key of a map's entry; of an undeclared field its tag, which resembles no name."""
        return raw.decode(errors="replace")

    def keys(self, table: SpanTable, order: np.ndarray) -> pa.StringArray:
        """The keys of the entries of maps, numbers as text; of messages the names of the fields."""
        assert isinstance(table, ProtobufTable)
        entries, found = table.owners.reshape(-1, OWNER)[order, O_ENTRY], pa.array([""] * len(order), pa.string())
        for entry in np.unique(entries).tolist():
            field, mask = table.program.fields[entry] if entry >= 0 else _NO_FIELD, entries == entry
            text = pa.array([field.name] * int(mask.sum()), pa.string())
            if field.key:
                starts, ends = np.zeros(len(text), np.int32), np.zeros(len(text), np.int32)
                find_keys(table.data, table.frames, table.owners, np.ascontiguousarray(order[mask]), starts, ends)
                text = to_text(Field(field.key, {}), table.data, starts, ends)
            found = pc.replace_with_mask(found, pa.array(mask), text)
        return found

    def undeclared(self, table: SpanTable, rows: np.ndarray) -> Iterable[tuple[int, np.ndarray]]:
        """None: there is no header."""
        return ()

    def splice(self, table: SpanTable, edits: list[Edit], dead: np.ndarray, added: bytes = b"",
               keys: Mapping[int, Keys] = MappingProxyType({}), swept: Swept | None = None,
               view: View | None = None) -> pa.BinaryArray:
        """The records with edits[path number] and new keys carried out; null where dead, or where a field cannot hold its new value."""
        assert isinstance(table, ProtobufTable)
        assert not added and swept is None  # refused by the policy's check
        plan, held = np.zeros((len(edits), splice_kernels.PLAN), np.int64), []
        capacity = int(table.offsets[-1]) - int(table.offsets[0]) + 16 * table.used + 8 * table.used_frames
        unwritable: dict[str, np.ndarray] = {}
        dead = dead.copy()
        typed, outcomes = self._types(table, view)
        retyped = bool(typed.changed.any())
        prefixes, numbers = self._fronts(table, outcomes, view, dead) if retyped else ([], np.zeros(0, np.int32))

        def refuse(number: int, values: np.ndarray | None) -> None:
            if values is not None:
                rows = np.unique(table.rows_numbered(number)[values])
                path = next((name for name, known in table.paths.ids.items() if known == number), "")
                unwritable[path] = np.union1d(unwritable.get(path, rows[:0]), rows)
                dead[rows] = 1

        for number, edit in enumerate(edits):
            if edit is KEEP and number != UNDECLARED_PATH and not retyped:
                continue
            entries, found = table.entries(number), table.distinct(number)
            if retyped and number != UNDECLARED_PATH:
                if edit is not DROP and any(typed.changed[entry] for entry in found):
                    edit = as_text(edit, table.decoded(number))
                if edit is KEEP:
                    continue
            if number == UNDECLARED_PATH or edit is DROP:
                plan[number, splice_kernels.P_ACTION] = splice_kernels.DROP
                refuse(number, of_drop(entries, found, table.program))
            else:
                assert isinstance(edit, Replace)
                prepared = of_replacement(plan[number], edit, entries, found, typed)
                held.append(prepared.held)
                capacity += prepared.size
                refuse(number, prepared.unwritable)
        for number, renamed in keys.items():
            prepared = of_keys(plan[number], renamed, table.entries(number), table.program)
            held.append(prepared.held)
            capacity += prepared.size
            refuse(number, prepared.unwritable)
        buffer, out = arrow.output(capacity)
        ends, valid = np.zeros(table.n + 1, np.int32), np.empty(table.n, np.uint8)
        decisions = arrow.empty_int32(max(1, table.used) * splice_kernels.DECISION)
        growth = arrow.empty_int32(max(1, table.used_frames) * splice_kernels.GROWTH)
        outcome = splice_kernels.splice_rows(
            table.data, table.offsets, dead, table.program.arrays()[1], typed.tags, retyped, table.spans, table.owners, table.frames,
            table.used, table.used_frames, plan.ravel(), decisions, growth, out, ends, valid)
        del held  # alive until here: the plan has their addresses
        if outcome == splice_kernels.TOO_LONG:
            raise ValueError("splice: 2 GB of output or more in one batch. Hint: use smaller batches")
        table.unwritable = unwritable
        made = arrow.assemble(pa.binary(), buffer, ends, valid)
        if len(prefixes):
            made = refronted(made, table.begins - table.offsets[:-1], numbers, prefixes, valid != 0)
        return fold(made) if self._layout.folded else made


    def _types(self, table: ProtobufTable, view: View | None) -> tuple[Typed, dict[int, Outcome]]:
        """How a view has the fields of a table, and what it makes of values by path number."""
        outcomes = by_number(view, table.paths)
        key = len(table.program.fields), tuple(outcomes.items())
        with self._lock:
            known = self._typed.setdefault(table.program, {})
            if key not in known:
                if len(known) >= _VIEWS:
                    known.clear()
                known[key] = Typed(table.program, outcomes)
            return known[key], outcomes

    def _fronts(self, table: ProtobufTable, outcomes: Mapping[int, Outcome], view: View | None,
                dead: np.ndarray) -> tuple[list[bytes], np.ndarray]:
        """The framings of a view's records and which of them each record has; records without a schema for the view are dead."""
        assert view is not None  # without a view, no field has another type
        numbers, prefixes, refused = np.zeros(table.n, np.int32), list[bytes](), [np.zeros(0, np.int64)]
        if self._layout.framing == framing.NONE:
            assert self._schema is not None
            self._derived.text(self._given, self._schema, table.paths, outcomes)
            return prefixes, numbers
        for prefix, rows in fronts(table.data, table.offsets, table.begins, dead == 0):
            try:
                with self._lock:
                    front = self._derived.front(prefix, table.paths, outcomes, view)
            except (InputError, SchemaRefusedError):
                refused.append(rows)
                dead[rows] = 1
                continue
            numbers[rows] = len(prefixes)
            prefixes.append(front)
        table.unregistered = np.sort(np.concatenate(refused))
        return prefixes, numbers


def _leaves(message: Any, above: tuple[Step, ...], around: tuple[str, ...]) -> Iterator[tuple[str, bool]]:
    """Paths of the values in a message, and whether they are messages as a whole."""
    for field in message.fields:
        own: tuple[Step, ...] = (*above, field.name)
        if is_map(field):
            own, field = (*own, Wild.KEY), field.message_type.fields_by_number[2]
        elif field.label == REPEATED:
            own = (*own, Wild.ELEMENT)
        inner = field.message_type
        if inner is None or inner.full_name in (*around, message.full_name) or not inner.fields:
            yield format_path(own), inner is not None
        else:
            yield from _leaves(inner, own, (*around, message.full_name))


def make(layout: Layout) -> Codec:
    """The codec of records with this layout."""
    return ProtobufCodec(layout)
