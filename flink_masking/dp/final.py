"""Final aggregation: one instance adds the shards' partial aggregates, makes the noise of each window once, and publishes.

Unit of protection: subject × window. A window is published at most once: what comes after its end is counted and left out.

Which windows are published. With groups from the data, those in which a group passes the threshold. With a public list, every window from
the first one that anyone was in: that a window is empty would tell that nobody was there, so it is published like any other. A stream in
which nobody at all appears for `MOST_EMPTY` windows (fewer with a long list) is taken to stand still, until it goes on. When a stream
begins, stands still for so long and how far its event time has come is not protected.

Counts are exact and so not private: they are meant for whoever runs the job, never for those who read the published rows.
"""

import os
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pyarrow as pa

from flink_masking.dp.formats import damaged, numbers, payload
from flink_masking.dp.noise import Mechanisms, Sampler
from flink_masking.dp.partials import listed, merge, partial_schema
from flink_masking.dp.rows import render
from flink_masking.dp.seeds import Seeds
from flink_masking.dp.spec import AggregateSpec
from flink_masking.dp.windows import Windows, by_window, whole_number
from flink_masking.logic import Effects

MOST_EMPTY = 10_000
"""Windows in a row without anybody that are published with a public list of groups."""
_MOST_EMPTY_ROWS = 200_000
_DRAWN = b"drawn.1\n"


class FinalLogic:
    """The logic that publishes.

    Contract: what a window shows is settled before it closes. Its noise is a function of a seed that was drawn and stored earlier, as a
    rule a day earlier, and of each group's sums (`flink_masking.dp.noise` tells why): a window that is computed again, from the same
    partial aggregates after any restart that still has the seed, takes the same bytes; a group that is computed again from others, because
    records were late in one run only, takes independent noise and costs its people the budget twice. So

    - a transactional sink shows one value, and even those who read uncommitted output see it repeated;
    - an at-least-once sink shows the same row again, which readers can tell by its bytes;
    - until the first checkpoint of a new job is complete a restart begins with new seeds, and rows that a sink without transactions has
      already shown are drawn a second time.

    The rows themselves are stored under ``drawn:<start>`` by the same `Effects` that send them, until the next window is published:
    a driver whose outputs may be lost although its writes were kept sends `last_drawn` again.

    Every record of a partial aggregate is counted once: ``released`` (its group is published), ``suppressed`` (its group is below the
    threshold, or no longer in the public list) or ``late``. ``rows`` are published groups, ``groups_suppressed`` the others.
    """

    def __init__(self, spec: AggregateSpec, sampler: Sampler | None = None, entropy: Callable[[int], bytes] = os.urandom,
                 max_ahead: int | None = None) -> None:
        """Start empty.

        Args:
            spec: the view.
            sampler: None for that of the spec's mechanism. Another one gives no privacy.
            entropy: n → n random bytes, for seeds.
            max_ahead: ms by which an event time may lie after processing time; None: no limit.

        Raises:
            PolicyError: by OpenDP's account, a window would cost more than its epsilon.
        """
        self._spec, self._max_ahead = spec, max_ahead
        self._mechanisms = Mechanisms(spec, sampler)
        self._windows = Windows(spec, partial_schema(spec), lambda rows: merge(rows, spec), whole_windows=True)
        self._seeds = Seeds(entropy)
        self._drawn: dict[int, bytes] = {}
        self._heard: int | None = None
        self._patience = max(1, min(MOST_EMPTY, _MOST_EMPTY_ROWS // len(spec.groups or (b"",)))) * spec.step

    def on_batch(self, batch: pa.RecordBatch, now: int) -> Effects:
        """Take in partial aggregates (`partials.partial_schema`), of any windows; `now` limits only how far windows are closed."""
        effects = Effects()
        if self._max_ahead is not None:
            self._heal(now + self._max_ahead, effects.writes)
        starts = batch.column("window_start").to_numpy()
        late = self._windows.missed(starts) > 0
        if late.any():
            effects.counts["late"] = int(batch.column("records").to_numpy()[late].sum())
            batch, starts = batch.filter(pa.array(~late)), starts[~late]
        for start, rows in by_window(batch, starts):
            self._windows.add(start, rows, 0, effects.writes)
            self._seeds.of(start, effects.writes)
        effects.figures = self._figures(0)
        return effects

    def _heal(self, latest: int, writes: dict[str, bytes | None]) -> None:
        self._windows.heal(latest, writes)
        closed = self._windows.closed
        if closed is not None and self._heard is not None and self._heard >= closed:
            self._heard = closed - self._spec.step
            writes["heard"] = f"heard.1 {self._heard}".encode()

    def on_timer(self, now: int) -> Effects:
        """Nothing waits for processing time."""
        return Effects()

    def on_watermark(self, watermark: int) -> Effects:
        """Close the windows that end at or before `watermark`: make, store and send the rows, one chunk of JSON lines per window.

        A window without a published group is closed all the same and sends nothing.
        """
        effects = Effects()
        counts = {"rows": 0, "released": 0, "suppressed": 0, "groups_suppressed": 0}
        drawn: dict[int, bytes] = {}
        windows = 0
        for start, totals in self._closing(watermark, effects.writes):
            published, noisy = self._mechanisms.draw(totals, self._seeds.of(start, effects.writes))
            windows += 1
            records, shown = totals.column("records").to_numpy(), int(np.count_nonzero(published))
            counts["rows"] += shown
            counts["groups_suppressed"] += len(published) - shown
            counts["released"] += int(records[published].sum())
            counts["suppressed"] += int(records[~published].sum())
            if shown:
                drawn[start] = render(self._spec, start, totals.column("group").filter(pa.array(published)), noisy)
        counts["suppressed"] += self._unlisted
        if drawn:
            effects.writes.update({f"drawn:{start}": None for start in self._drawn})
            effects.writes.update({f"drawn:{start}": _DRAWN + rows for start, rows in drawn.items()})
            self._drawn = drawn
        if self._windows.closed is not None:
            self._seeds.forget(self._windows.closed, effects.writes)
        effects.outputs = list(drawn.values())
        effects.counts = {name: n for name, n in counts.items() if n}
        effects.figures = self._figures(windows)
        return effects

    def _closing(self, watermark: int, writes: dict[str, bytes | None]) -> Iterator[tuple[int, pa.RecordBatch]]:
        """The windows that close and their totals, earliest first; with a public list the empty ones, too, and all its groups."""
        self._unlisted = 0
        begin = self._windows.closed
        if begin is None:
            begin = self._windows.first_start()
        for start, totals, _ in self._windows.close(watermark, writes):
            if self._spec.groups is None:
                yield start, totals
                continue
            yield from self._empty(begin, start)
            whole = listed(totals, start, self._spec)
            self._unlisted += int(totals.column("records").to_numpy().sum() - whole.column("records").to_numpy().sum())
            yield start, whole
            self._heard, begin = start, start + self._spec.step
            writes["heard"] = f"heard.1 {start}".encode()
        if self._spec.groups is not None and self._windows.closed is not None:
            yield from self._empty(begin, self._windows.closed)

    def _empty(self, begin: int | None, end: int) -> Iterator[tuple[int, pa.RecordBatch]]:
        """The windows from `begin` to before `end`, which nobody was in, as long as the stream is not taken to stand still."""
        if begin is not None and self._heard is not None:
            for start in range(begin, min(end, self._heard + self._patience + self._spec.step), self._spec.step):
                yield start, listed(None, start, self._spec)

    def _figures(self, released: int) -> dict[str, int]:
        """For metrics; `released` windows were closed by the call."""
        return {**self._windows.figures(), "windows_released": released,
                "epsilon_per_window_millionths": round(1_000_000 * self._spec.epsilon)}

    def on_end(self) -> Effects:
        """Close all windows; with a public list, no empty one is published after the last that anyone was in."""
        last = self._windows.last_end()
        effects = Effects() if last is None else self.on_watermark(last)
        if self._heard is not None:
            self._heard = effects.writes["heard"] = None
        return effects

    def last_drawn(self) -> list[bytes]:
        """The chunks of the last call that published, byte for byte, to be sent again where that call's outputs may be lost."""
        return [self._drawn[start] for start in sorted(self._drawn)]

    def next_timer(self) -> int | None:
        """None: nothing waits for processing time."""
        return None

    def next_watermark(self) -> int | None:
        """The end of the earliest open window, or with a public list of the earliest one that is still to be published."""
        closed, ends = self._windows.closed, [self._windows.next_end()]
        if self._heard is not None and closed is not None and closed <= self._heard + self._patience:
            ends.append(closed + self._spec.window_ms)
        return min((end for end in ends if end is not None), default=None)

    def snapshot(self) -> dict[str, bytes]:
        """The whole state."""
        heard = {} if self._heard is None else {"heard": f"heard.1 {self._heard}".encode()}
        drawn = {f"drawn:{start}": _DRAWN + rows for start, rows in self._drawn.items()}
        return {**self._windows.snapshot(), **self._seeds.snapshot(), **heard, **drawn}

    def restore(self, entries: Mapping[str, bytes]) -> None:
        """Take over a state.

        Raises:
            InputError: an entry is damaged, or of another (newer) version, view or configuration.
        """
        if any(key not in ("closed", "heard") and key.split(":")[0] not in ("w", "seed", "drawn") for key in entries):
            raise damaged()
        self._windows.restore(entries)
        self._seeds.restore(entries)
        self._heard = whole_number(payload(entries["heard"], b"heard", separator=b" ")) if "heard" in entries else None
        self._drawn = {numbers(key, "drawn", 1)[0]: payload(blob, b"drawn") for key, blob in entries.items() if key.startswith("drawn:")}
