"""The anonymizing step without delay: z-anonymity, as stateful work.

Jha, Favale, Vassio, Trevisan, Mellia, "z-anonymity: zero-delay anonymization for data streams" (2020): a value is released only if at
least z - 1 other people showed it within a window of time. Here a quasi-identifier that is too rare is not hidden at once: it is released
in the finest of its coarser forms that enough people showed.
"""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.anonymity.ladder import climb, rungs
from flink_masking.anonymity.lines import LineWriter
from flink_masking.anonymity.releases import ReleaseLimit
from flink_masking.anonymity.shown import ShownValues
from flink_masking.anonymity.space import Space
from flink_masking.errors import InputError
from flink_masking.logic import Effects
from flink_masking.records.codec import Rows, joined, rows_for

MIX = np.uint64(0x9E3779B97F4A7C15)


class ZeroDelayLogic:
    """Releases every record at once, each value only as finely as enough people show it.

    Contract: a label below ``*`` of a quasi-identifier, and the value of a released field, leave only if z distinct people, this record's
    among them, showed them within the window of processing time that ends now. Each value is protected by itself, not their combination.
    Values that are not released become null; a missing field stays missing. Lines of one call are shuffled. At most `max_values` values
    (and coarser forms) are remembered; what finds no room is not released.
    """

    def __init__(self, space: Space, members: Sequence[str], z: int, window: int, max_values: int, generator: np.random.Generator,
                 limit: ReleaseLimit | None = None, rows: Rows | None = None) -> None:
        """An empty shard.

        Args:
            space: the quasi-identifiers.
            members: names of released fields.
            z: people, at least 2.
            window: ms.
            max_values: remembered at most.
            generator: shuffles the lines.
            limit: of the records of a person that are released, fresh; None: without limit. Records over it still count among those
                who showed a value.
            rows: how rows are written; None: as JSON.
        """
        self.space, self.z, self.window, self.members = space, z, window, tuple(members)
        self._generator, self._limit, self._rows = generator, limit, rows or rows_for()
        self._lines = LineWriter(space, self._rows)
        forms = [*(rungs(dimension) for dimension in space.dimensions), *(1 for _ in members)]
        self._first = np.cumsum([0, *forms])
        self._shown = ShownValues(max_values, z, self._signature())

    def on_batch(self, batch: pa.RecordBatch, now: int) -> Effects:
        """Release the records of a batch.

        Raises:
            InputError: the batch is not of this segment.
        """
        if not batch.schema.equals(schema(self.space, len(self.members))):
            raise InputError("packed batch: other columns than the segment's. Hint: all steps of a job must use the same policy")
        n, d = batch.num_rows, len(self.space.dimensions)
        if not n:
            return Effects()
        codes = [column.to_numpy() for column in batch.columns[:d]]
        keys = self._keys(codes, [column.to_numpy() for column in batch.columns[d + 1 : d + 1 + len(self.members)]])
        level = self._shown.admit(keys, self._first, batch.column(d).to_numpy(), now, self.window)
        low, high = self._boxes(codes, level)
        writes: dict[str, bytes | None] = {}
        kept = np.ones(n, bool) if self._limit is None else self._limit.admit(batch.column(d).to_numpy(), self._shown.clock, writes)
        withheld = sum(int((kept & (level[:, d + i] > 0) & column.is_valid().to_numpy(zero_copy_only=False)).sum())
                       for i, column in enumerate(batch.columns[d + 1 + len(self.members) :]))
        order = self._generator.permutation(n)
        order = order[kept[order]]
        release = self._release(batch, level[:, d:]).take(pa.array(order))
        counts = {"released": len(order), "suppressed": n - len(order), "values_withheld": withheld}
        if len(order) < n:
            counts["suppressed_max_releases"] = n - len(order)
        self._shown.write(writes)
        return Effects([self._lines.write(low, high, order, release)] if len(order) else [], counts, writes)

    def _keys(self, codes: Sequence[np.ndarray], values: Sequence[np.ndarray]) -> np.ndarray:
        """What is counted: one number for each form of each attribute of each record."""
        found = np.empty((len(codes[0]), int(self._first[-1])), np.uint64)
        for a, dimension in enumerate(self.space.dimensions):
            for rung in range(int(self._first[a + 1] - self._first[a])):
                found[:, self._first[a] + rung] = climb(dimension, codes[a], rung)[0]
        for i, column in enumerate(values):
            found[:, self._first[len(codes) + i]] = column
        return mixed(mixed(found) ^ np.arange(1, found.shape[1] + 1, dtype=np.uint64))

    def _boxes(self, codes: Sequence[np.ndarray], level: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The range of codes that is released of each quasi-identifier, (n, dimensions) each."""
        low, high = (np.empty((len(level), len(codes)), np.uint64) for _ in range(2))
        for a, dimension in enumerate(self.space.dimensions):
            forms = int(self._first[a + 1] - self._first[a])
            low[:, a], high[:, a] = 0, dimension.top
            for rung in range(forms):
                first, last = climb(dimension, codes[a], rung)
                here = level[:, a] == rung
                low[here, a], high[here, a] = first[here], last[here]
        return low, high

    def _release(self, batch: pa.RecordBatch, level: np.ndarray) -> pa.BinaryArray:
        """The released members, null for what is withheld."""
        columns, null = [], self._rows.null.encode()
        for i in range(len(self.members)):
            raw = batch.column(batch.num_columns - len(self.members) + i)
            columns.append(pc.if_else(pc.or_(pa.array(level[:, i] == 0), pc.is_null(raw)), raw, null))
        return joined(self._rows, self.members, columns, batch.num_rows)

    def forget(self, people: np.ndarray, now: int) -> Effects:
        """Nothing waits; that somebody showed a value is forgotten when the window is over."""
        return Effects()

    def on_timer(self, now: int) -> Effects:
        """Nothing waits."""
        return Effects()

    def on_watermark(self, watermark: int) -> Effects:
        """Event time does not matter here."""
        return Effects()

    def on_end(self) -> Effects:
        """Forget everything but how often whom was released."""
        return Effects([], {"released": 0, "suppressed": 0}, self._shown.forget())

    def next_timer(self) -> int | None:
        """Never."""
        return None

    def next_watermark(self) -> int | None:
        """Never."""
        return None

    def snapshot(self) -> dict[str, bytes]:
        """The values shown (see `flink_masking.anonymity.shown`), and what the limit of releases keeps."""
        return {**self._shown.snapshot(), **({} if self._limit is None else self._limit.snapshot())}

    def restore(self, entries: Mapping[str, bytes]) -> None:
        """Take over a snapshot.

        Raises:
            InputError: an entry is damaged, of another version, or of another segment.
        """
        self._shown.restore(entries)
        if self._limit is not None:
            self._limit.restore(entries)

    def _signature(self) -> bytes:
        names = tuple(json.dumps(name, ensure_ascii=False) for name in self.members)
        return f"{self.space.fingerprint} {self.z} {names}".encode()


def schema(space: Space, members: int) -> pa.Schema:
    """The columns of a packed batch: ``q0`` … (codes), ``subject``, ``v0`` … (hashes of released values), ``m0`` … (these as written)."""
    fields = [pa.field(f"q{i}", pa.from_numpy_dtype(dimension.dtype), False) for i, dimension in enumerate(space.dimensions)]
    fields.append(pa.field("subject", pa.uint64(), False))
    fields += [pa.field(f"v{i}", pa.uint64(), False) for i in range(members)]
    return pa.schema(fields + [pa.field(f"m{i}", pa.binary()) for i in range(members)])


def mixed(numbers: np.ndarray) -> np.ndarray:
    """Numbers spread over all 64 bits (the finaliser of splitmix64), one to one."""
    x = numbers + MIX
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
