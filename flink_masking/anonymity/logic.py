"""The anonymizing step of one shard: packed batches in, rows of groups of k people out."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from flink_masking.anonymity.buffer import PER_RECORD, Buffer, Groups, Records
from flink_masking.anonymity.dictionary import Dictionary
from flink_masking.anonymity.figures import Figures
from flink_masking.anonymity.lines import LineWriter
from flink_masking.anonymity.models import Models
from flink_masking.anonymity.models.t_closeness import MOST
from flink_masking.anonymity.packed import pack, schema, unpack
from flink_masking.anonymity.releases import ReleaseLimit
from flink_masking.anonymity.space import Space
from flink_masking.errors import InputError
from flink_masking.logic import Effects
from flink_masking.records.codec import Rows, rows_for

__all__ = ["KAnonymityLogic", "pack", "schema"]

ENTRY = "buffer"
"""The one state entry."""
FORMAT, FIRST_FORMAT = 2, 1
"""Versions of what the entry holds: this one, and the oldest that can still be read (no running counts, no models named)."""
NAME = b"k-anonymity "
MEMORY = b"memory "
"""Begins the names under which the numbers that outlive the records are kept, int64 each."""
BEGINNING = -(1 << 62)
"""The clock before the first call."""


class KAnonymityLogic:
    """Groups of k people that satisfy the models, as stateful work (`flink_masking.logic.Logic`).

    Contract: every record leaves once, released or suppressed; a line is released only with at least k - 1 other people's under the same
    labels. Lines of one call are shuffled; they carry no number of their group, no time. The time of a record is that of its arrival
    here. Between calls the released members of the records held are kept in memory, during a call those of the batch as well.

    Suppressed records are counted in all, and by reason: ``suppressed_people`` (fewer than k could be brought together),
    ``suppressed_l_diversity``, ``suppressed_t_closeness`` or ``suppressed_alpha_k``, and ``suppressed_max_releases``.

    The state is one entry, an Arrow IPC stream of the records held, and those of the limit of releases, which outlive the end. Two runs
    over the same calls, one of them restored in between, form the same groups; only the order of lines within a call depends on the
    generator.
    """

    def __init__(
        self,
        space: Space,
        models: Models,
        buffer: Callable[[], Buffer],
        max_delay: int | None,
        generator: np.random.Generator,
        open_columns: Sequence[int] = (),
        limit: ReleaseLimit | None = None,
        rows: Rows | None = None,
    ) -> None:
        """An empty shard.

        Args:
            space: the quasi-identifiers.
            models: what the buffer's groups satisfy besides k.
            buffer: makes an empty buffer, of the same space and models each time.
            max_delay: ms (processing time) that a record is held at most, as the buffer has it; None = no limit.
            generator: shuffles the lines; seed it from the system for production.
            open_columns: sensitive attributes that closeness models compare, and that come as hashes since nobody declared their domain.
            limit: of the records of a person that are released, fresh; None: without limit.
            rows: how rows are written; None: as JSON.
        """
        self.space, self.models, self.max_delay = space, models, max_delay
        self._make, self._generator, self._lines, self._open = buffer, generator, LineWriter(space, rows or rows_for()), tuple(open_columns)
        self._figures, self._limit = Figures(space), limit
        self._empty()

    def _empty(self) -> None:
        self._buffer = self._make()
        self._dictionaries = {column: Dictionary(MOST) for column in self._open}
        self._release = pa.array([], pa.binary())
        self._held = self._buffer.held()
        self._next, self._clock, self._fresh = 0, BEGINNING, True

    def on_batch(self, batch: pa.RecordBatch, now: int) -> Effects:
        """Hold the records of a batch; release what is due or more than `max_buffer`.

        Raises:
            InputError: the batch is not of this space (`packed.unpack`).
        """
        now = max(now, self._clock)
        records, release = unpack(self.space, self.models.columns, batch, self._next, now)
        if not batch.num_rows:
            return self.on_timer(now)
        over = 0
        writes: dict[str, bytes | None] = {}
        if self._limit is not None:
            self._postpone(now, writes)
            kept = self._limit.admit(records.subject, now, writes)
            over = len(kept) - int(np.count_nonzero(kept))
            if over:
                records, release = unpack(self.space, self.models.columns, batch.filter(pa.array(kept)), self._next, now)
        for column, dictionary in self._dictionaries.items():
            records.sensitive[column] = dictionary.encode(records.sensitive[column])
        self._next += len(records.seq)
        self._clock, self._fresh = now, False
        groups = self._buffer.push(records, now)
        effects = self._leave(groups, writes, records, release)
        if over:
            effects.counts["suppressed"] += over
            effects.counts["suppressed_max_releases"] = over
        effects.writes[ENTRY] = self._entry()
        return effects

    def forget(self, people: np.ndarray, now: int) -> Effects:
        """Suppress the records of erased people that wait for a group.

        Running counts of sensitive values that closeness models keep stay as they are: they hold nobody's record.
        """
        held = self._held
        gone = np.isin(held.subject, people)
        count = int(np.count_nonzero(gone))
        if not count:
            return Effects()
        stays = ~gone
        memory = {name: array[stays] if name in PER_RECORD else array for name, array in self._buffer.memory().items()}
        self._buffer = self._make()
        self._buffer.load(Records([codes[stays] for codes in held.codes], held.subject[stays], held.sensitive[:, stays], held.seq[stays],
                                  held.arrival[stays]), memory, self._next - 1)
        self._held, self._release = self._buffer.held(), self._release.filter(pa.array(stays))
        return Effects([], {"suppressed": count, "suppressed_erased": count}, {ENTRY: self._entry()})

    def on_timer(self, now: int) -> Effects:
        """Release what is due by now."""
        now = max(now, self._clock)
        writes: dict[str, bytes | None] = {}
        self._postpone(now, writes)
        groups = self._buffer.expire(now)
        if not len(groups.seq) and not len(groups.suppressed):
            return Effects()  # the clock stays as it is in the state last written
        self._clock = now
        effects = self._leave(groups, writes)
        effects.writes[ENTRY] = self._entry()
        return effects

    def _postpone(self, now: int, writes: dict[str, bytes | None]) -> None:
        """Let records that are overdue, and so leave now, count against the limit from now on."""
        if self._limit is not None and self.max_delay is not None:
            overdue = self._held.arrival < now - self.max_delay
            if overdue.any():
                self._limit.postpone(self._held.subject[overdue], self._held.arrival[overdue], now, writes)

    def on_watermark(self, watermark: int) -> Effects:
        """Event time does not matter here."""
        return Effects()

    def on_end(self) -> Effects:
        """Release what still forms groups, suppress the rest, forget everything but how often whom was released."""
        effects = self._leave(self._buffer.flush(), {})
        if not self._fresh:
            effects.writes[ENTRY] = None
        self._empty()
        return effects

    def next_timer(self) -> int | None:
        """When the oldest record held is due."""
        oldest = self._buffer.oldest()
        return None if oldest is None or self.max_delay is None else oldest + self.max_delay

    def next_watermark(self) -> int | None:
        """Never."""
        return None

    def snapshot(self) -> dict[str, bytes]:
        """The entry `buffer` (none before the first record and after the end), and what the limit of releases keeps."""
        return {**({} if self._fresh else {ENTRY: self._entry()}), **({} if self._limit is None else self._limit.snapshot())}

    def restore(self, entries: Mapping[str, bytes]) -> None:
        """Take over a snapshot.

        Raises:
            InputError: the entry is damaged, of another version, or of a segment with other quasi-identifiers or sensitive field.
        """
        self._empty()
        if self._limit is not None:
            self._limit.restore(entries)
        if ENTRY not in entries:
            return
        try:
            with pa.ipc.open_stream(entries[ENTRY]) as reader:
                batch = reader.read_next_batch()
            facts = batch.schema.metadata or {}
            self._next, self._clock = (int(facts[name]) for name in (b"next", b"clock"))
            version = int(facts[b"format"].removeprefix(NAME))
        except (pa.ArrowException, OSError, KeyError, ValueError, StopIteration):
            raise InputError("state of an anonymized segment: damaged. Hint: restore from an earlier savepoint") from None
        if not FIRST_FORMAT <= version <= FORMAT:
            age = "a newer version" if version > FORMAT else "a version that is no longer read"
            raise InputError(f"state of an anonymized segment: written by {age}. Hint: restore with the version that wrote it")
        self._take_over(batch, facts, version)

    def _take_over(self, batch: pa.RecordBatch, facts: Mapping[bytes, bytes], version: int) -> None:
        if facts.get(b"space") != self.space.fingerprint.encode():
            raise InputError("state of an anonymized segment: of other quasi-identifiers. Hint: end the old job before these change")
        if version > FIRST_FORMAT and facts.get(b"models") != self.models.fingerprint.encode():
            raise InputError("state of an anonymized segment: of other privacy models. Hint: end the old job before these change")
        packed = batch.select(batch.schema.names[:-2]).replace_schema_metadata(None)
        records, self._release = unpack(self.space, self.models.columns, packed, 0, 0)
        seq, arrival = (batch.column(name).to_numpy() for name in ("seq", "arrival"))
        self._held = Records(records.codes, records.subject, records.sensitive, seq, arrival)
        try:
            memory = {name[len(MEMORY) :].decode(): np.frombuffer(data, np.int64)
                      for name, data in facts.items() if name.startswith(MEMORY)}
            for column, dictionary in self._dictionaries.items():
                dictionary.load(memory.pop(f"values{column}").view(np.uint64))
            self._buffer.load(self._held, memory, self._next - 1)
        except (KeyError, ValueError):
            raise InputError("state of an anonymized segment: of another algorithm. Hint: end the old job before it changes") from None
        self._fresh = False

    def _leave(self, groups: Groups, writes: dict[str, bytes | None], came: Records | None = None,
               release: pa.BinaryArray | None = None) -> Effects:
        """The lines of groups of the records held before and those that came; keep the released members of the others only."""
        seq, release = (self._held.seq, self._release) if came is None else (
            np.concatenate((self._held.seq, came.seq)), pa.concat_arrays([self._release, release]))
        if self._limit is not None and len(groups.suppressed):
            at = np.searchsorted(seq, groups.suppressed)
            pieces = [self._held] if came is None else [self._held, came]
            subjects, arrivals = (np.concatenate([getattr(piece, of) for piece in pieces])[at] for of in ("subject", "arrival"))
            if self.max_delay is not None:  # overdue ones were postponed
                arrivals = np.maximum(arrivals, self._clock - self.max_delay)
            self._limit.give_back(subjects, arrivals, writes)
        counts = {"released": len(groups.seq), "suppressed": len(groups.suppressed), "groups": len(groups.end)}
        reasons = ("people", *(model.name for model in self.models.models))
        counts |= Counter(f"suppressed_{reasons[reason]}" for reason in groups.reason.tolist())
        outputs = []
        if len(groups.seq):
            order = self._generator.permutation(len(groups.seq))
            group = np.repeat(np.arange(len(groups.end)), np.diff(groups.end, prepend=0))[order]
            rows = np.searchsorted(seq, groups.seq[order])
            outputs.append(self._lines.write(groups.low, groups.high, group, release.take(pa.array(rows))))
        self._held = self._buffer.held()
        self._release = release.take(pa.array(np.searchsorted(seq, self._held.seq)))
        return Effects(outputs, counts, writes, self._figures(groups, self._held))

    def _entry(self) -> bytes:
        """The records held as an Arrow IPC stream."""
        held = self._held
        facts = {b"format": NAME + b"%d" % FORMAT, b"space": self.space.fingerprint.encode(), b"models": self.models.fingerprint.encode(),
                 b"next": b"%d" % self._next, b"clock": b"%d" % self._clock}
        memory = self._buffer.memory() | {f"values{column}": d.values() for column, d in self._dictionaries.items()}
        facts |= {MEMORY + name.encode(): array.astype(array.dtype if array.dtype == np.uint64 else np.int64).tobytes()
                  for name, array in sorted(memory.items())}
        fields = [*schema(self.space, self.models.columns), pa.field("seq", pa.int64(), False), pa.field("arrival", pa.int64(), False)]
        columns = [*held.codes, held.subject, *held.sensitive, self._release, held.seq, held.arrival]
        batch = pa.RecordBatch.from_arrays([pa.array(column) for column in columns], schema=pa.schema(fields, facts))
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        return bytes(sink.getvalue())
