"""Partial aggregation of one shard of people: bound each subject's contribution, add up exactly, send one blob per window.

Unit of protection: subject × window. All records of a subject must reach the same shard. What leaves this step is exact, not
yet private: it travels encrypted to the single instance that adds the noise.
"""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flink_masking.dp.contribution import LATEST, bound, bounded_schema, prepare
from flink_masking.dp.formats import damaged
from flink_masking.dp.ledger import Ledger
from flink_masking.dp.partials import aggregate, listed, write_blob
from flink_masking.dp.spec import AggregateSpec
from flink_masking.dp.windows import Windows, by_window
from flink_masking.errors import InputError
from flink_masking.logic import Effects


class PartialLogic:
    """The logic of one shard of people.

    Contract: the blobs depend on which records came before their window's end, never on order, batches or restarts. Every record is
    counted once for each window that it lies in: ``counted`` (in a partial aggregate), ``bounded`` (left out by the limits per subject),
    ``suppressed`` (its group is not in the public list, or its subject's lifetime budget is used up) or ``late`` (the window is closed).
    ``people_exhausted`` are the subjects left out of a window because their lifetime budget is used up.

    With a public list, a window in which nobody counts, but records were, sends zeros: the final step publishes every window from the first
    that any record is in, and which one that is must not depend on whether a record's group is listed.
    """

    def __init__(self, spec: AggregateSpec, max_ahead: int | None = None) -> None:
        """Start empty.

        Args:
            spec: the view.
            max_ahead: ms by which an event time may lie after processing time; None: no limit.
        """
        self._spec, self._max_ahead = spec, max_ahead
        self._windows = Windows(spec, bounded_schema(spec), lambda rows: bound(rows, spec))
        self._ledger = Ledger(spec) if spec.lifetime is not None else None
        self._listed = None if spec.groups is None else pa.array(sorted(spec.groups), pa.binary())

    def on_batch(self, batch: pa.RecordBatch, now: int) -> Effects:
        """Buffer the contributions of a batch (`contribution.input_schema`); `now` limits only how far windows are closed.

        Raises:
            InputError: an event time is beyond ± 2**53 ms.
        """
        effects = Effects()
        time = batch.column("time").to_numpy()
        if len(time) and max(-int(time.min()), int(time.max())) > LATEST:
            raise InputError("aggregated view: an event time is out of range. Hint: quarantine records without a valid event time")
        if self._max_ahead is not None:
            self._windows.heal(now + self._max_ahead, effects.writes)
        panes = self._windows.panes(time)
        missed = self._windows.missed(panes)
        stays = missed < self._spec.windows_per_record
        counts = {"late": int(missed.sum()), "suppressed": 0}
        if self._listed is not None:
            unlisted = ~pc.is_in(batch.column("group"), self._listed).to_numpy(zero_copy_only=False)
            counts["suppressed"] = int((self._spec.windows_per_record - missed[unlisted]).sum())
            for start in np.unique(panes[unlisted & stays]).tolist():
                self._windows.open(start, effects.writes)
            stays &= ~unlisted
        if not stays.all():
            batch, panes = batch.filter(pa.array(stays)), panes[stays]
        for start, rows in by_window(prepare(batch, self._spec), panes):
            self._windows.add(start, rows, rows.num_rows, effects.writes)
        return self._counted(effects, counts)

    def forget(self, people: np.ndarray, now: int) -> Effects:
        """Take what erased people contribute out of the windows that are open; their spent budgets stay, as hashes."""
        effects = Effects()
        count = self._windows.forget(people, effects.writes)
        return self._counted(effects, {"suppressed": count, "suppressed_erased": count}) if count else effects

    def on_timer(self, now: int) -> Effects:
        """Nothing waits for processing time."""
        return Effects()

    def on_watermark(self, watermark: int) -> Effects:
        """Close the windows that end at or before `watermark`; one blob (`partials.read_partial`) for each."""
        effects = Effects()
        counts = {"counted": 0, "bounded": 0, "suppressed": 0, "people_exhausted": 0}
        for start, rows, records in self._windows.close(watermark, effects.writes):
            counts["bounded"] += records - rows.num_rows
            if self._ledger is not None:
                subjects = rows.column("subject").to_numpy()
                counts_in = self._ledger.charge(subjects, effects.writes)
                counts["suppressed"] += int(np.count_nonzero(~counts_in))
                counts["people_exhausted"] += len(np.unique(subjects[~counts_in]))
                rows = rows.filter(pa.array(counts_in))
            counts["counted"] += rows.num_rows
            if rows.num_rows:
                effects.outputs.append(write_blob(aggregate(rows, start, self._spec), self._spec.shape))
            elif self._listed is not None:
                effects.outputs.append(write_blob(listed(None, start, self._spec).slice(0, 1), self._spec.shape))
        return self._counted(effects, counts)

    def _counted(self, effects: Effects, counts: dict[str, int]) -> Effects:
        """The effects with their counts and, for metrics, what is held."""
        effects.counts = {name: n for name, n in counts.items() if n}
        effects.figures = self._windows.figures()
        if self._ledger is not None:
            effects.figures["lifetime_epsilon_left_millionths"] = self._ledger.left()
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
        return {**self._windows.snapshot(), **({} if self._ledger is None else self._ledger.snapshot())}

    def restore(self, entries: Mapping[str, bytes]) -> None:
        """Take over a state.

        Raises:
            InputError: an entry is damaged, or of another (newer) version, view or configuration.
        """
        if any(key != "closed" and key.split(":")[0] not in ("w", "ledger") for key in entries):
            raise damaged()
        self._windows.restore(entries)
        if self._ledger is not None:
            self._ledger.restore(entries)
