"""Partial aggregation of one shard of people: bound each subject's contribution, add up exactly, send one blob per window.

Unit of protection: subject × window. All records of a subject must reach the same shard. What leaves this step is exact, not
yet private: it travels encrypted to the single instance that adds the noise.
"""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from flink_masking.dp.contribution import LATEST, bound, bounded_schema, prepare
from flink_masking.dp.partials import aggregate, write_blob
from flink_masking.dp.spec import AggregateSpec
from flink_masking.dp.windows import Windows, by_window
from flink_masking.errors import InputError
from flink_masking.logic import Effects


class PartialLogic:
    """The logic of one shard of people.

    Contract: the blobs depend on which records came before their window's end, never on order, batches or restarts. Every record is
    counted once: ``counted`` (in a partial aggregate), ``bounded`` (left out by the limits per subject) or ``late`` (its window is closed).
    """

    def __init__(self, spec: AggregateSpec) -> None:
        """Start empty."""
        self._spec = spec
        self._windows = Windows(spec, bounded_schema(spec), lambda rows: bound(rows, spec))

    def on_batch(self, batch: pa.RecordBatch, now: int) -> Effects:
        """Buffer the contributions of a batch (`contribution.input_schema`); `now` plays no part.

        Raises:
            InputError: an event time is beyond ± 2**53 ms.
        """
        effects = Effects()
        time = batch.column("time").to_numpy()
        if len(time) and max(-int(time.min()), int(time.max())) > LATEST:
            raise InputError("aggregated view: an event time is out of range. Hint: quarantine records without a valid event time")
        starts = time // self._spec.window_ms * self._spec.window_ms
        late = self._windows.late(starts)
        if late.any():
            effects.counts["late"] = int(np.count_nonzero(late))
            batch, starts = batch.filter(pa.array(~late)), starts[~late]
        for start, rows in by_window(prepare(batch, self._spec), starts):
            self._windows.add(start, rows, rows.num_rows, effects.writes)
        effects.figures = self._windows.figures()
        return effects

    def on_timer(self, now: int) -> Effects:
        """Nothing waits for processing time."""
        return Effects()

    def on_watermark(self, watermark: int) -> Effects:
        """Close the windows that end at or before `watermark`; one blob (`partials.read_partial`) for each."""
        effects = Effects()
        counts = {"counted": 0, "bounded": 0}
        for start, rows, records in self._windows.close(watermark, effects.writes):
            partial = aggregate(rows, start, self._spec)
            effects.outputs.append(write_blob(partial, self._spec.shape))
            counts["counted"] += rows.num_rows
            counts["bounded"] += records - rows.num_rows
        effects.counts = {name: n for name, n in counts.items() if n}
        effects.figures = self._windows.figures()
        return effects

    def on_end(self) -> Effects:
        """Close all windows."""
        last = self._windows.last_end()
        return Effects() if last is None else self.on_watermark(last)

    def next_timer(self) -> int | None:
        """None: nothing waits for processing time."""
        return None

    def next_watermark(self) -> int | None:
        """The end of the earliest open window."""
        return self._windows.next_end()

    def snapshot(self) -> dict[str, bytes]:
        """The whole state."""
        return self._windows.snapshot()

    def restore(self, entries: Mapping[str, bytes]) -> None:
        """Take over a state.

        Raises:
            InputError: an entry is damaged, or of another version, view or configuration.
        """
        self._windows.restore(entries)


