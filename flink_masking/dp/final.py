"""Final aggregation: one instance adds the shards' partial aggregates, draws the noise of each window once, and publishes.

Unit of protection: subject × window. A window is published at most once: what comes after its end is counted and left out.

Counts are exact and so not private: they are meant for whoever runs the job, never for those who read the published rows.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa

from flink_masking.dp.noise import AddNoise, Mechanisms, discrete_laplace
from flink_masking.dp.partials import merge, partial_schema
from flink_masking.dp.rows import render
from flink_masking.dp.spec import AggregateSpec
from flink_masking.dp.windows import Windows, by_window
from flink_masking.errors import InputError
from flink_masking.logic import Effects

_DRAWN = b"drawn.1\n"


class FinalLogic:
    """The logic that publishes.

    Contract: noise is drawn once, and the rows are stored under ``drawn:<start>`` by the same `Effects` that send them. A driver that
    commits writes and outputs together (a Flink checkpoint with a transactional sink) needs nothing more. One that cannot, commits the
    writes first and, after a restart, sends `last_drawn` again: the same bytes, never a second draw. Stored rows are deleted by the next
    call that publishes a window. With a sink that is not transactional, a checkpoint lost between drawing and committing means that
    the window is drawn again, and its readers have two noisy values.

    Every record of a partial aggregate is counted once: ``released`` (its group is published), ``suppressed`` (its group is below the
    threshold) or ``late``. ``rows`` are published groups, ``groups_suppressed`` the others.
    """

    def __init__(self, spec: AggregateSpec, sampler: Callable[[float], AddNoise] = discrete_laplace) -> None:
        """Start empty.

        Args:
            spec: the view.
            sampler: makes a noise mechanism from a scale. Another one than `discrete_laplace` gives no privacy.
        """
        self._spec = spec
        self._mechanisms = Mechanisms(spec, sampler)
        self._windows = Windows(spec, partial_schema(spec), lambda rows: merge(rows, spec))
        self._drawn: dict[int, bytes] = {}

    def on_batch(self, batch: pa.RecordBatch, now: int) -> Effects:
        """Take in partial aggregates (`partials.partial_schema`), of any windows; `now` plays no part."""
        effects = Effects()
        starts = batch.column("window_start").to_numpy()
        late = self._windows.late(starts)
        if late.any():
            effects.counts["late"] = int(batch.column("records").to_numpy()[late].sum())
            batch, starts = batch.filter(pa.array(~late)), starts[~late]
        for start, rows in by_window(batch, starts):
            self._windows.add(start, rows, 0, effects.writes)
        effects.figures = self._figures(0)
        return effects

    def on_timer(self, now: int) -> Effects:
        """Nothing waits for processing time."""
        return Effects()

    def on_watermark(self, watermark: int) -> Effects:
        """Close the windows that end at or before `watermark`: draw, store and send the rows, one chunk of JSON lines per window.

        A window without a published group is closed all the same and sends nothing.
        """
        effects = Effects()
        counts = {"rows": 0, "released": 0, "suppressed": 0, "groups_suppressed": 0}
        drawn: dict[int, bytes] = {}
        windows = 0
        for start, totals, _ in self._windows.close(watermark, effects.writes):
            published, noisy = self._mechanisms.draw(totals)
            windows += 1
            records, shown = totals.column("records").to_numpy(), int(np.count_nonzero(published))
            counts["rows"] += shown
            counts["groups_suppressed"] += len(published) - shown
            counts["released"] += int(records[published].sum())
            counts["suppressed"] += int(records[~published].sum())
            if shown:
                drawn[start] = render(self._spec, start, totals.column("group").filter(pa.array(published)).to_pylist(), noisy)
        if drawn:
            effects.writes.update({f"drawn:{start}": None for start in self._drawn})
            effects.writes.update({f"drawn:{start}": _DRAWN + rows for start, rows in drawn.items()})
            self._drawn = drawn
        effects.outputs = list(drawn.values())
        effects.counts = {name: n for name, n in counts.items() if n}
        effects.figures = self._figures(windows)
        return effects

    def _figures(self, released: int) -> dict[str, int]:
        """For metrics; `released` windows were closed by the call."""
        return {**self._windows.figures(), "windows_released": released,
                "epsilon_per_window_millionths": round(1_000_000 * self._spec.epsilon)}

    def on_end(self) -> Effects:
        """Close all windows."""
        last = self._windows.last_end()
        return Effects() if last is None else self.on_watermark(last)

    def last_drawn(self) -> list[bytes]:
        """The chunks of the last call that published, byte for byte, to be sent again where that call's outputs may be lost."""
        return [self._drawn[start] for start in sorted(self._drawn)]

    def next_timer(self) -> int | None:
        """None: nothing waits for processing time."""
        return None

    def next_watermark(self) -> int | None:
        """The end of the earliest open window."""
        return self._windows.next_end()

    def snapshot(self) -> dict[str, bytes]:
        """The whole state."""
        return {**self._windows.snapshot(), **{f"drawn:{start}": _DRAWN + rows for start, rows in self._drawn.items()}}

    def restore(self, entries: Mapping[str, bytes]) -> None:
        """Take over a state.

        Raises:
            InputError: an entry is damaged, or of another version, view or configuration.
        """
        self._windows.restore({key: blob for key, blob in entries.items() if not key.startswith("drawn:")})
        self._drawn = {}
        for key, blob in entries.items():
            if key.startswith("drawn:"):
                start = key.removeprefix("drawn:")
                if not blob.startswith(_DRAWN) or not start.removeprefix("-").isdecimal():
                    raise InputError("aggregated view: the state is damaged or of another version. "
                                     "Hint: restore with the release that wrote it")
                self._drawn[int(start)] = blob.removeprefix(_DRAWN)
