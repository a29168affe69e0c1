"""The span table: where the values that a policy names lie in the bytes of a batch, whatever the records' format.

A codec scans a column of records into a table. The table hands out fields as Arrow arrays, tells what is wrong with a row, and writes
the records out again with edits, as often as there are segments. A record with a fatal flag has no values and comes out null.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from flink_masking import arrow
from flink_masking.records import span_kernels as kernels
from flink_masking.records.edits import DROP, KEEP, Edit, Keys, Replace, Swept
from flink_masking.records.kinds import Kind
from flink_masking.records.selection import select
from flink_masking.records.span_kernels import F_END, F_NODE, F_REASON, F_START, FAULT
from flink_masking.records.trie import UNDECLARED, Paths

if TYPE_CHECKING:
    from flink_masking.records.codec import Codec, View


class Flag(IntFlag):
    """What is wrong with a row; all but UNKNOWN are fatal."""

    INVALID = kernels.INVALID
    NOT_OBJECT = kernels.NOT_OBJECT
    UNKNOWN = kernels.UNKNOWN
    DUPLICATE = kernels.DUPLICATE
    MISMATCH = kernels.MISMATCH
    ABSENT = kernels.ABSENT
    OVERSIZE = kernels.OVERSIZE
    RAGGED = kernels.RAGGED
    HEADER = kernels.HEADER
    UNKNOWN_SCHEMA = kernels.NO_SCHEMA


FATAL = Flag(kernels.FATAL)
WITHOUT_PATH = Flag.INVALID | Flag.NOT_OBJECT | Flag.RAGGED | Flag.HEADER | Flag.UNKNOWN_SCHEMA
"""Flags that concern a record as a whole, from some position on."""
REASONS: dict[Flag, str] = {
    Flag.INVALID: "malformed",
    Flag.NOT_OBJECT: "not_an_object",
    Flag.UNKNOWN: "unknown_field",
    Flag.DUPLICATE: "duplicate_field",
    Flag.MISMATCH: "type_mismatch",
    Flag.ABSENT: "missing_payload",
    Flag.OVERSIZE: "oversize",
    Flag.RAGGED: "ragged",
    Flag.HEADER: "header",
    Flag.UNKNOWN_SCHEMA: "unknown_schema",
}
"""The word for each flag, as it stands in audit events and quarantine records."""


class Values(NamedTuple):
    """The values of one field in one batch, in row order; several a row under ``[*]``, none where the field is missing.

    Attributes:
        text: string array of n values: contents of strings, the text of numbers, booleans, objects and arrays; null for null.
        kinds: int32, n `Kind` codes.
        rows: int32, n batch row numbers, ascending.
    """

    text: pa.StringArray
    kinds: np.ndarray
    rows: np.ndarray


class Contents(NamedTuple):
    """Where the values of one field lie, undecoded bytes and text alike: what a check of every value needs.

    Attributes:
        data: uint8.
        starts: int32, n.
        ends: int32, n: value i is ``data[starts[i]:ends[i]]``, the contents of a string or the text of anything else.
        kinds: int32, n `Kind` codes.
    """

    data: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    kinds: np.ndarray


def texts_as_they_are(contents: Contents, size: int) -> pa.StringArray:
    """Values that stand in the records as UTF-8, null for null; `size` bytes at most."""
    buffer, out = arrow.output(size)
    offsets, valid = np.zeros(len(contents.kinds) + 1, np.int32), np.empty(len(contents.kinds), np.uint8)
    nulls = kernels.gather(contents.data, contents.starts, contents.ends, contents.kinds, out, offsets, valid)
    return arrow.assemble(pa.string(), buffer, offsets, valid if nulls else None)


class Refusal(NamedTuple):
    """Why a row is refused.

    Attributes:
        reason: one of `REASONS`.
        path: the first member concerned. The key of an undeclared member is never shown, because a key can hold personal data: it is
            ``?``, or ``?~email`` when it resembles the declared ``email``. None when the record as a whole is meant.
        position: byte in the record where the fault was noticed, or None.
    """

    reason: str
    path: str | None
    position: int | None


@dataclass(frozen=True)
class Limits:
    """Limits of a record.

    Attributes:
        max_depth: nested objects and arrays, the record included; 1 to 1024.
        max_bytes: length of a record; 1 to 2³¹ - 1.
    """

    max_depth: int = 128
    max_bytes: int = 1_000_000

    def __post_init__(self) -> None:
        """Check the ranges; raises ValueError."""
        if not 1 <= self.max_depth <= 1024:
            raise ValueError("limits: max_depth is out of range. Hint: 1 to 1024")
        if not 1 <= self.max_bytes < 1 << 31:
            raise ValueError("limits: max_bytes is out of range. Hint: 1 to 2147483647")


class SpanTable:
    """The spans of one scanned batch.

    Attributes:
        codec: who made it.
        paths: what was looked for.
        data: uint8, the column's data buffer.
        offsets: int32, n + 1 record boundaries in `data`.
        flags: int32, n, `Flag` bits.
        faults: int32, `FAULT` numbers a row, meaningful where flags are set by scanning.
        spans: int32, `SPAN` numbers a span, in document order.
        used: number of spans.
        breaks: whether line breaks may stand in a record, outside of values.
        starts: int32, for path number k the spans are ``order[starts[k]:starts[k + 1]]``.
        order: int32, indices of spans grouped by path, each group in row order.
        sizes: int64, for each path number the bytes of its values.
        unwritable: after a splice, by path the rows that came out null because the view's schema cannot hold their value.
        unregistered: after a splice, the rows that came out null because the view has no schema for them, or none that is registered.
    """

    unregistered: np.ndarray = np.zeros(0, np.int64)
    unwritable: Mapping[str, np.ndarray] = MappingProxyType({})

    def __init__(
        self,
        codec: "Codec",
        paths: Paths,
        data: np.ndarray,
        offsets: np.ndarray,
        flags: np.ndarray,
        faults: np.ndarray,
        spans: np.ndarray,
        used: int,
        breaks: bool = False,
    ) -> None:
        """Group the spans that a codec has found; for the arguments see the attributes."""
        self.codec, self.paths, self.data, self.offsets = codec, paths, data, offsets
        self.flags, self.faults, self.spans, self.used, self.breaks = flags, faults, spans, used, breaks
        self._values: dict[str, Values] = {}
        self._group_spans()
        if paths.selections and used and select(self):
            self._group_spans()

    def _group_spans(self) -> None:
        self.starts, self.sizes = np.zeros(self.paths.count + 1, np.int32), np.zeros(self.paths.count, np.int64)
        self.order, self._rows, self._kinds, self._firsts, self._lasts = (arrow.empty_int32(self.used) for _ in range(5))
        grouped = self.starts, self.sizes, self.order, self._rows, self._kinds, self._firsts, self._lasts
        self._encoded = kernels.group_spans(self.spans, self.codec.quote, *grouped)
        self._edges: list[int] = self.starts.tolist()

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.flags)

    def _group(self, path: str) -> slice:
        """Where a path's spans are in `order`."""
        number = self.paths.ids.get(path)
        if number is None:
            raise ValueError(f"path {path!r}: not emitted by this scan. Hint: known are {', '.join(self.paths.names)}")
        return slice(self._edges[number], self._edges[number + 1])

    def numbered(self, number: int) -> np.ndarray:
        """Which spans are those of a path number: int32 indices, in row order."""
        return self.order[self._edges[number] : self._edges[number + 1]]

    def kinds_of(self, number: int) -> np.ndarray:
        """`Kind` of each value of a path number: int32."""
        return self._kinds[self._edges[number] : self._edges[number + 1]]

    def decoded(self, number: int) -> pa.StringArray:
        """The values of a path number, as those of a path."""
        return self.codec.text(self._places(slice(self._edges[number], self._edges[number + 1])), int(self.sizes[number]))

    def rows_numbered(self, number: int) -> np.ndarray:
        """Row of each value of a path number: int32, ascending."""
        return self._rows[self._edges[number] : self._edges[number + 1]]

    def spans_of(self, path: str) -> np.ndarray:
        """Which spans are those of an emitted path: int32 indices, in row order."""
        return self.order[self._group(path)]

    def count(self, path: str) -> int:
        """Number of values at an emitted path (`UNDECLARED`: of members that no path leads to)."""
        group = self._group(path)
        return group.stop - group.start

    def rows(self, path: str) -> np.ndarray:
        """Row of each value at an emitted path: int32, ascending; several a row under ``[*]``, none where it is missing."""
        return self._rows[self._group(path)]

    def kinds(self, path: str) -> np.ndarray:
        """`Kind` of each value at an emitted path: int32."""
        return self._kinds[self._group(path)]

    def values(self, path: str) -> Values:
        """The values at an emitted path, decoded; gathered once, however often they are asked for.

        Raises:
            ValueError: the path is not emitted.
        """
        if path not in self._values:
            group = self._group(path)
            text = self.codec.text(self._places(group), int(self.sizes[self.paths.ids[path]]))
            self._values[path] = Values(text, self._kinds[group], self._rows[group])
        return self._values[path]

    def contents(self, path: str) -> Contents:
        """Where the values at an emitted path lie; they are copied only where they have to be decoded, or have been anyway.

        Raises:
            ValueError: the path is not emitted.
        """
        group = self._group(path)
        if path in self._values or (self._encoded and (self._kinds[group] == Kind.ENCODED).any()):
            data, offsets, _ = arrow.parts(self.values(path).text)
            return Contents(data, offsets[:-1], offsets[1:], self._kinds[group])
        return self._places(group)

    def _places(self, group: slice) -> Contents:
        """Where the contents of values lie in the records, escapes and all."""
        return Contents(self.data, self._firsts[group], self._lasts[group], self._kinds[group])

    def raw(self, path: str) -> pa.BinaryArray:
        """The values at an emitted path, as the format writes them.

        Raises:
            ValueError: the path is not emitted.
        """
        return self.codec.raw(self, path)

    def keys(self, path: str) -> pa.StringArray:
        """The keys of the members at an emitted path that ends in ``*``, decoded, one for each of its values.

        Raises:
            ValueError: the path is not emitted.
        """
        return self.codec.keys(self, self.spans_of(path))

    def public_keys(self, path: str) -> bool:
        """Whether the keys of the members at an emitted path that ends in ``*`` stand in a schema, so that none of them is data."""
        return False

    def fault(self, row: int) -> Refusal | None:
        """What is wrong with a row: the first fatal fault, else the first undeclared member; None for a row without flags."""
        flags = Flag(int(self.flags[row]))
        for whole in (Flag.ABSENT, Flag.OVERSIZE):
            if whole in flags:
                return Refusal(REASONS[whole], None, None)
        if not flags:
            return None
        fault, record = self.faults[row * FAULT : (row + 1) * FAULT].tolist(), int(self.offsets[row])
        reason, position = Flag(fault[F_REASON]), fault[F_START] - record
        if reason in WITHOUT_PATH:
            return Refusal(REASONS[reason], None, position)
        return Refusal(REASONS[reason], self.named(fault[F_NODE], self.data[fault[F_START] : fault[F_END]].tobytes()), position)

    def named(self, node: int, key: bytes) -> str:
        """What messages call the member of a trie node with an undeclared key, as in the record; the node itself where it is empty.

        A node below 0 is column ``-1 - node`` of the header.
        """
        if node < 0:
            near = self.paths.near(0, self.codec.columns[-1 - node])
            return f"?~{near}" if near else "?"
        path = self.paths.labels[node]
        if key:
            near = self.paths.near(node, self.codec.key(key))
            path += ("." if path else "") + (f"?~{near}" if near else "?")
        return path

    def splice(
        self,
        edits: Mapping[str, Edit],
        unknown: Edit = DROP,
        reject: np.ndarray | None = None,
        added: bytes = b"",
        keys: Mapping[str, Keys] = MappingProxyType({}),
        swept: Swept | None = None,
        view: "View | None" = None,
    ) -> pa.BinaryArray:
        """The records with edits; every byte outside an edit is copied as it was.

        An edit on a value goes before edits inside of it, except that KEEP leaves those to happen.

        Args:
            edits: one edit for every emitted path: a path left out is a mistake, never a field passed through.
            unknown: what becomes of members that no path leads to: DROP, or a Replace with a scalar; KEEP only together with `swept`.
            reject: bool, n rows, True for records that shall come out null besides those with a fatal flag.
            added: what becomes the end of every record, members in the records' own format (JSON: ``"key":value``, commas between them);
                that they are well-formed and no record has them already is the caller's promise.
            keys: new keys for the members at emitted paths that end in ``*``.
            swept: what is replaced inside of members that stay; an edit of a value that it lies in goes before it.
            view: that is written, where the format has schemas.

        Returns:
            n records; null where rejected, or `unwritable`.

        Raises:
            ValueError: a path missing or not emitted; a wrong number of values or codes; `unknown` would keep; output of 2 GB or more.
            TypeError: values of another type than string or binary.
        """
        missing = [name for name in self.paths.names if name not in edits]
        if missing:
            raise ValueError(f"splice: no edit for {', '.join(missing)}. Hint: KEEP leaves values as they are")
        plan: list[Edit] = [KEEP] * self.paths.count
        for path, edit in edits.items():
            _check(path, edit, self.count(path))
            if path != UNDECLARED:
                plan[self.paths.ids[path]] = edit
        told = isinstance(unknown, Replace) and isinstance(unknown.values, pa.Scalar) and unknown.how is None
        if unknown is not DROP and not told and (unknown is not KEEP or swept is None):
            raise ValueError("splice: unknown members can be dropped or replaced by one scalar, or kept where they are swept. Hint: DROP "
                             "or Replace(pa.scalar(…))")
        _check("unknown members", unknown, 0)
        plan[self.paths.ids[UNDECLARED]] = unknown
        dead = (self.flags & int(FATAL)) != 0
        if reject is not None:
            if len(reject) != self.n:
                raise ValueError(f"splice: reject has {len(reject)} rows, the batch {self.n}. Hint: one bool a row")
            dead |= np.asarray(reject, bool)
        for path, renamed in keys.items():
            _check_keys(path, renamed, self.count(path))
        renamed_keys = {self.paths.ids[path]: edit for path, edit in keys.items()}
        return self.codec.splice(self, plan, dead.view(np.uint8), added, renamed_keys, swept, view)


def _check_keys(path: str, edit: Keys, count: int) -> None:
    """That new keys fit the `count` members at a path."""
    if not path.endswith("*"):
        raise ValueError(f"splice: {path}: keys are for members that a path names by *. Hint: such as attrs.*")
    if not pa.types.is_string(edit.keys.type) or edit.keys.null_count or len(edit.keys) != count:
        given = f"{len(edit.keys)} keys of type {edit.keys.type}"
        raise ValueError(f"splice: {path}: {count} members, {given}. Hint: a text for each of keys(path)")
    if edit.how is not None and (len(edit.how) != count or edit.how.dtype != np.uint8):
        raise ValueError(f"splice: {path}: how needs {count} uint8 codes. Hint: USE or DROP_VALUE for each member")


def _check(path: str, edit: Edit, count: int) -> None:
    """That an edit fits the `count` values at a path."""
    if not isinstance(edit, Replace):
        return
    kind = edit.values.type
    if not (pa.types.is_string(kind) or pa.types.is_binary(kind)):
        raise TypeError(f"splice: {path}: replacements are of type {kind}. Hint: string for text, binary for literals")
    if not isinstance(edit.values, pa.Scalar) and len(edit.values) != count:
        raise ValueError(f"splice: {path}: {count} values, {len(edit.values)} replacements. Hint: one for each of values(path)")
    if edit.how is not None and (len(edit.how) != count or edit.how.dtype != np.uint8):
        raise ValueError(f"splice: {path}: how needs {count} uint8 codes. Hint: a code of records.edits for each value")
