"""Frames through the engine: rows become records, records of the views become rows again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from flink_masking.engine.quarantine import Entry
from flink_masking.errors import InputError
from flink_masking.frames.forms import refuse
from flink_masking.frames.kept import kept
from flink_masking.frames.kinds import Frame
from flink_masking.frames.tables import table
from flink_masking.frames.texts import records

if TYPE_CHECKING:
    from flink_masking.engine.plan import Plan
    from flink_masking.policy.load import LoadedPolicy

ROWS = 10_000
"""Rows of a batch."""


@dataclass(frozen=True)
class FrameResult:
    """The outcome of a frame; all frames are of the kind that was given.

    Attributes:
        views: for each masked segment the rows that are not in quarantine, in the order of the frame (but for ``order: shuffled``) and
            with its index. Columns that a view keeps have the type that they had.
        released: for each anonymized or aggregated segment the rows that were set free; windows close with ``last=True``.
        quarantine: a row for each row in quarantine: ``row`` (its number in the frame, from 0), ``reason``, ``field`` and ``line`` (the
            entry, with the record sealed).
        audit: JSON lines that tell what was done, without values.
    """

    views: dict[str, Any]
    released: dict[str, Any]
    quarantine: Any
    audit: list[bytes]


def protect_table(given: Any, segment: str | None, keep_index: bool, loaded: "LoadedPolicy", plan: "Callable[[], Plan]",
                  protect: Callable[[pa.Array], Any], finish: Callable[[], dict[str, list[bytes]]] | None) -> FrameResult:
    """Protect a frame.

    Args:
        given: see `flink_masking.protector.Protector.protect_frame`.
        segment: the only one whose rows are wanted; None: all.
        keep_index: see `Frame.of`.
        loaded: the policy.
        plan: the plan in force.
        protect: of a batch of records.
        finish: the end of the input; None where more frames follow.
    """
    if loaded.policy.format != "json":
        raise InputError(f"the policy reads records of format {loaded.policy.format}, and rows of a frame are JSON records. Hint: format: "
                         "json")
    names = list(loaded.policy.segments)
    if segment is not None and segment not in names:
        raise InputError(f"there is no segment {str(segment)[:60]!r}. Hint: segments are {', '.join(names)}")
    frame = Frame.of(given, keep_index)
    refuse(frame.table)  # before stateful segments have seen a row
    lines: dict[str, list[pa.BinaryArray]] = {}
    released: dict[str, list[bytes]] = {}
    entries: list[tuple[int, bytes]] = []
    audit: list[bytes] = []
    start = 0
    for batch in frame.table.to_batches(ROWS):
        result = protect(records(batch))
        for name, view in result.views.items():
            lines.setdefault(name, []).append(view)
        for name, found in result.released.items():
            released.setdefault(name, []).extend(found)
        entries += [(start + row, line) for row, line in result.quarantine]
        audit += result.audit
        start += len(batch)
    if finish is not None:
        for name, found in finish().items():
            released.setdefault(name, []).extend(found)
    order, stream = frame.table.column_names, loaded.policy.stream
    views = {}
    for masked in plan().masked:
        if segment in (None, masked.name):
            batches = lines.get(masked.name, [])
            shown = {} if masked.of else kept(loaded, masked.name, frame.table)
            made = table([view.drop_null() for view in batches], shown, order)
            views[masked.name] = frame.again(made, f"{stream}.{masked.name}", None if masked.shuffled else _rows(batches))
    stateful = {one.name: frame.again(table([pa.array(released.get(one.name, []), pa.binary())], {}, order), f"{stream}.{one.name}")
                for one in plan().stateful if segment in (None, one.name)}
    return FrameResult(views, stateful, frame.plain(_quarantine(entries), stream), audit)


def _rows(batches: list[pa.BinaryArray]) -> np.ndarray:
    """Numbers of the rows that are not in quarantine."""
    return np.flatnonzero(np.concatenate([np.zeros(0, bool), *(view.is_valid().to_numpy(zero_copy_only=False) for view in batches)]))


def _quarantine(entries: list[tuple[int, bytes]]) -> pa.Table:
    decoded = [Entry.decode(line) for _, line in entries]
    return pa.table({"row": pa.array([row for row, _ in entries], pa.int64()),
                     "reason": pa.array([one.reason for one in decoded], pa.string()),
                     "field": pa.array([one.path for one in decoded], pa.string()),
                     "line": pa.array([line.decode() for _, line in entries], pa.string())})
