"""The interface of stateful work: plain objects with an injected clock, driven by Flink's operators, by the CLI and by tests alike.

A logic holds one shard. It never reads a clock, draws no randomness of its own and knows no engine: batches and times come in, chunks
and state entries go out as plain bytes. Who drives it encrypts both before they leave the process.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pyarrow as pa


@dataclass
class Effects:
    """What one call of a logic did.

    Attributes:
        outputs: chunks to send on: JSON lines joined by ``\\n`` (published views) or opaque blobs (partial aggregates).
        counts: for the audit: ``released``, ``suppressed``, ``groups``, ``late`` and the like; a name that is missing counts 0.
        writes: state entries to put, or (None) to delete, before the outputs are sent.
        figures: for metrics, by their names: sums and extremes of this call, and what is held after it. No part of what a call did, so
            two effects that differ in them only are equal.
    """

    outputs: list[bytes] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    writes: dict[str, bytes | None] = field(default_factory=dict)
    figures: dict[str, int] = field(default_factory=dict, compare=False)

    def __add__(self, later: "Effects") -> "Effects":
        """What two calls did, one after the other."""
        counts = {name: self.counts.get(name, 0) + later.counts.get(name, 0) for name in {**self.counts, **later.counts}}
        return Effects([*self.outputs, *later.outputs], counts, {**self.writes, **later.writes}, {**self.figures, **later.figures})


class Logic(Protocol):
    """Stateful work on one shard of a segment.

    Contract: calls are never concurrent, times never need to be exact (a timer may be late, and a clock that goes back is taken as
    standing still). At any moment ``restore(snapshot())`` on a fresh object built with the same arguments continues as the
    uninterrupted one would; the same holds for the sum of all `Effects.writes` in place of the snapshot.
    """

    def on_batch(self, batch: pa.RecordBatch, now: int) -> Effects:
        """Take in a packed batch.

        Args:
            batch: in the logic's own schema.
            now: processing time, ms since 1970.
        """
        ...

    def on_timer(self, now: int) -> Effects:
        """Processing time has reached `next_timer`.

        Args:
            now: processing time, ms since 1970.
        """
        ...

    def on_watermark(self, watermark: int) -> Effects:
        """Event time has reached `next_watermark`.

        Args:
            watermark: event time, ms since 1970: no record with an earlier time is expected any more.
        """
        ...

    def on_end(self) -> Effects:
        """End of input: release what may be released, suppress the rest; nothing is held afterwards."""
        ...

    def next_timer(self) -> int | None:
        """Processing time, in ms, at which `on_timer` wants to run; None when nothing waits for it."""
        ...

    def next_watermark(self) -> int | None:
        """Event time, in ms, at which `on_watermark` wants to run; None when nothing waits for it."""
        ...

    def snapshot(self) -> dict[str, bytes]:
        """The whole state as versioned bytes (no pickle); equals the sum of all writes so far."""
        ...

    def restore(self, entries: Mapping[str, bytes]) -> None:
        """Take over a state.

        Args:
            entries: what `snapshot` gave, or the entries that remain of all writes.

        Raises:
            InputError: the entries are of another version, of another configuration, or damaged.
        """
        ...


class CountsPeople(Logic, Protocol):
    """Stateful work on a shard of people, which can be told to forget some."""

    def forget(self, people: np.ndarray, now: int) -> Effects:
        """Take the records of erased people out of what has not been released yet; they are counted as ``suppressed_erased``.

        Args:
            people: uint64, their keyed hashes.
            now: processing time, ms since 1970.
        """
        ...
