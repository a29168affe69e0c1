"""Kafka's own parts of a record, its key and headers: masked like fields, beside the value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.arrow import nulled, replaced
from flink_masking.arrow import parts as parts_of
from flink_masking.contract.field import Contract
from flink_masking.engine.masking import REDACTED, FieldRule, apply
from flink_masking.engine.quarantine import RecordParts
from flink_masking.engine.rejections import Rejections
from flink_masking.engine.row_key import RowKey
from flink_masking.errors import InputError
from flink_masking.records.kinds import Kind
from flink_masking.records.spans import Contents
from flink_masking.techniques.base import OnError
from flink_masking.techniques.masks import Context, Values


@dataclass(frozen=True)
class Part:
    """A part that leaves.

    Attributes:
        header: the header's name; empty for the key.
        technique: its technique's name.
        rule: the compiled rule; None where it stays as it is.
        deterministic: equal values come out equal.
        injective: different values come out different.
        contract: what is checked of its values, or None.
        row: of a changed row's key, its columns; `rule` is None then.
        implied: it follows from the policy's envelope, and nothing is lost where records have no key.
    """

    header: str
    technique: str
    rule: FieldRule | None
    deterministic: bool
    injective: bool
    contract: Contract | None = None
    row: RowKey | None = None
    implied: bool = False


@dataclass(frozen=True)
class RecordPlan:
    """What a masked segment passes on.

    Attributes:
        key: the key; None: records have none.
        headers: the headers, in the policy's order.
        timestamp: whether Kafka's timestamp goes along; it does not pass through Protect.
    """

    key: Part | None = None
    headers: tuple[Part, ...] = ()
    timestamp: bool = False

    def __bool__(self) -> bool:
        """Whether anything leaves."""
        return self.key is not None or bool(self.headers) or self.timestamp


@dataclass(frozen=True)
class Transport:
    """Which parts of Kafka records Protect receives and emits; empty for other sources.

    Attributes:
        partitioned: each record comes with its source partition.
        record: masked records leave for Kafka: rows have the key and the headers that segments have rules for, and every record
            leaves with the key version in use.
        upserts: masked segments whose topic holds the newest record of each key. A record needs a key there; one without a value is
            passed on, and deletes.
        limits: bytes that a record of a masked segment may have, key and headers included, by the segment's name.
        quarantine: bytes that a quarantine line may have; None: any.
        read: headers that the format of the records needs, where the source has headers.
        live: the policy may change while the job runs, so its version and digest leave Protect with each record.
        origins: each record comes with its partition and offset, and with its topic where `topic` is empty; not for SQL scripts.
        topic: the source's only topic.
    """

    partitioned: bool = False
    record: bool = False
    upserts: tuple[str, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)
    quarantine: int | None = None
    read: tuple[str, ...] = ()
    live: bool = False
    origins: bool = False
    topic: str = ""

    def encode(self) -> str:
        """As text, for a job parameter."""
        return orjson.dumps({"partitioned": self.partitioned, "record": self.record, "upserts": self.upserts, "limits": self.limits,
                             "quarantine": self.quarantine, "read": self.read, "live": self.live}).decode()

    @classmethod
    def decode(cls, text: str) -> Self:
        """From `encode`.

        Raises:
            InputError: it is not.
        """
        try:
            body = orjson.loads(text)
            return cls(body["partitioned"], body["record"], tuple(body["upserts"]), body["limits"], body["quarantine"],
                       tuple(body.get("read", ())), bool(body.get("live", False)))
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise InputError("flink-masking.transport cannot be read. Hint: print the script again with flink-masking sql job") from None


def keyed(segments: Sequence[RecordPlan], transport: Transport) -> bool:
    """Whether rows need the key."""
    return transport.record and any(record.key is not None for record in segments)


def header_names(segments: Sequence[RecordPlan], transport: Transport) -> list[str]:
    """The headers that rows need, each once."""
    ruled = [part.header for record in segments for part in record.headers] if transport.record else []
    return list(dict.fromkeys([*ruled, *transport.read]))


def part_columns(segments: Sequence[RecordPlan], transport: Transport) -> list[str]:
    """Names of the columns for the parts as the segments show them: a key, then headers, for each segment that has them."""
    if not transport.record:
        return []
    return [name for number, record in enumerate(segments)
            for name in (*([f"key{number}"] if record.key else []), *(f"header{number}_{place}" for place in range(len(record.headers))))]


@dataclass(frozen=True)
class Origin:
    """Where n records are in the source.

    Attributes:
        topic: the source's only topic, or n names of topics.
        partitions: int, n.
        offsets: int64, n.
    """

    topic: str | pa.StringArray
    partitions: np.ndarray
    offsets: np.ndarray

    def slice(self, start: int, length: int) -> "Origin":
        """Those of some of the records."""
        topic = self.topic if isinstance(self.topic, str) else self.topic.slice(start, length)
        return Origin(topic, self.partitions[start : start + length], self.offsets[start : start + length])


@dataclass(frozen=True)
class Parts:
    """Kafka's parts of a batch of n records.

    Attributes:
        partitions: int, n source partitions; None where they do not come along.
        key: n keys, null where there is none; None where they do not come along.
        headers: by name n values, null where a record has no such header.
        origin: where the records are in the source, for digests; None where it has no offsets, or there are no digests.
    """

    partitions: np.ndarray | None = None
    key: pa.BinaryArray | None = None
    headers: Mapping[str, pa.BinaryArray] = field(default_factory=dict)
    origin: Origin | None = None

    def slice(self, start: int, length: int) -> "Parts":
        """The parts of some of the records."""
        partitions = None if self.partitions is None else self.partitions[start : start + length]
        key = None if self.key is None else self.key.slice(start, length)
        origin = None if self.origin is None else self.origin.slice(start, length)
        return Parts(partitions, key, {name: column.slice(start, length) for name, column in self.headers.items()}, origin)

    def __bool__(self) -> bool:
        """Whether keys or headers came along."""
        return self.key is not None or bool(self.headers)

    def of(self, row: int) -> RecordParts | None:
        """Key and headers of one record; None where it has none."""
        headers = tuple((name, column[row].as_py()) for name, column in self.headers.items() if column[row].is_valid)
        return RecordParts(None if self.key is None else self.key[row].as_py(), headers) or None


@dataclass(frozen=True)
class Released:
    """The parts of n records as a segment shows them; both empty where none leave.

    Attributes:
        key: n keys, null where there is none; None where the segment has no keys.
        headers: a column for each header, in the policy's order.
    """

    key: pa.BinaryArray | None = None
    headers: tuple[pa.BinaryArray, ...] = ()

    @property
    def columns(self) -> list[pa.BinaryArray]:
        """The columns that leave, as `part_columns` names them."""
        return [*([] if self.key is None else [self.key]), *self.headers]

    def sizes(self, view: pa.BinaryArray) -> np.ndarray:
        """int64, n: bytes of each record with its parts; names of headers are not counted."""
        total: np.ndarray = sum((pc.fill_null(pc.binary_length(column), 0).to_numpy().astype(np.int64) for column in [view, *self.columns]),
                                np.zeros(len(view), np.int64))
        return total

    def with_header(self, values: pa.BinaryArray) -> "Released":
        """The parts with one more header, n values."""
        return Released(self.key, (*self.headers, values))

    def without(self, rows: np.ndarray, keys: np.ndarray) -> "Released":
        """The parts with the headers of `rows` and the keys of `keys` taken out; both bool, n."""
        key = None if self.key is None else _blank(self.key, keys)
        return Released(key, tuple(_blank(column, rows) for column in self.headers))

    def take(self, rows: pa.Int64Array) -> "Released":
        """The parts of the records `rows`, in their order."""
        return Released(None if self.key is None else self.key.take(rows), tuple(column.take(rows) for column in self.headers))


def release(plan: RecordPlan, parts: Parts, upsert: bool, context: Context, rejections: Rejections) -> Released:
    """Apply a segment's rules to key and headers.

    Args:
        plan: the segment's.
        parts: of the batch; of a source that has none, nothing leaves.
        upsert: a record without a key, or with one that its rule cannot take, is rejected: its key is what it is kept under.
        context: of the batch.
        rejections: extended in place.
    """
    key = None
    if plan.key is not None and parts.key is not None:
        if upsert:
            rejections.add(parts.key.is_null().to_numpy(zero_copy_only=False), "missing_key", "record.key")
        key = _masked(plan.key, parts.key, "quarantine" if upsert else None, context, rejections)
    headers = tuple(_masked(part, parts.headers[part.header], None, context, rejections)
                    for part in plan.headers if part.header in parts.headers)
    return Released(key, headers)


def _masked(part: Part, column: pa.BinaryArray, on_error: OnError | None, context: Context, rejections: Rejections) -> pa.BinaryArray:
    """A part of n records masked: null where it was null, or where it is left out."""
    if part.row is not None:
        return _row_key(part.row, column, context, rejections)
    if part.rule is None:
        return column
    rows = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False)).astype(np.int32)
    if not len(rows):
        return column
    text, unreadable = _text(column if len(rows) == len(column) else column.drop_null())
    kinds = np.where(unreadable, Kind.NULL, Kind.STRING).astype(np.int32)
    unfit = None
    if part.contract is not None:
        data, offsets, _ = parts_of(text)
        unfit = part.contract.unfit(Contents(data, offsets[:-1], offsets[1:], kinds), text)
    masked, refused = apply(part.rule, Values(text, kinds, rows), context, unfit=unfit)
    wrong = unreadable if refused is None else refused | unreadable
    on_error = on_error or part.rule.on_error
    made = masked.values
    if isinstance(made, pa.Scalar):
        made = pa.array([made.as_py()] * len(rows), made.type)
    made = made.cast(pa.binary())
    if wrong.any():
        if on_error == "quarantine":
            rejections.add(rows[wrong], "refused_value", part.rule.path)
        made = replaced(made, wrong, REDACTED.encode() if on_error == "redact" else None)
    if len(rows) == len(column):
        return made
    return _spread(made, rows, column)


def _row_key(row: RowKey, column: pa.BinaryArray, context: Context, rejections: Rejections) -> pa.BinaryArray:
    """The keys of changed rows; one that cannot be taken always sends its record to quarantine."""
    rows = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False)).astype(np.int32)
    if not len(rows):
        return column
    masked, wrong = row.mask(column if len(rows) == len(column) else column.drop_null(), context)
    rejections.add(rows[wrong], "refused_value", "record.key")
    return masked if len(rows) == len(column) else _spread(masked, rows, column)


def _spread(made: pa.BinaryArray, rows: np.ndarray, column: pa.BinaryArray) -> pa.BinaryArray:
    """The values of `rows` in the places of `column`, null elsewhere."""
    index = np.zeros(len(column), np.int32)
    index[rows] = np.arange(len(rows), dtype=np.int32)
    return made.take(pa.array(index, mask=column.is_null().to_numpy(zero_copy_only=False)))


def _text(column: pa.BinaryArray) -> tuple[pa.StringArray, np.ndarray]:
    """The bytes as text, and where they are none: bool, n; null there."""
    try:
        return column.cast(pa.string()), np.zeros(len(column), bool)
    except pa.ArrowInvalid:  # one at least is not UTF-8; Arrow does not say which, and a batch with such keys is rare
        texts = [_decoded(value.as_py()) for value in column]
        return pa.array(texts, pa.string()), np.array([text is None for text in texts])


def _decoded(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _blank(column: pa.BinaryArray, rows: np.ndarray) -> pa.BinaryArray:
    return nulled(column, rows)
