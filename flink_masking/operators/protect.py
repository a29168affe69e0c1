"""Protect as a vectorised Flink function: a column of raw records in, one row of views out."""

import os
import time
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyflink.table import DataTypes
from pyflink.table.types import RowType
from pyflink.table.udf import FunctionContext, ScalarFunction

from flink_masking.engine.plan import Plan
from flink_masking.engine.protect import Protected
from flink_masking.engine.reload import ReloadingProtect
from flink_masking.engine.watermark import EventClock
from flink_masking.operators.faults import without_values
from flink_masking.operators.job_source import JobSource
from flink_masking.operators.packet import NO_TIME, Packet


def columns(plan: Plan) -> list[str]:
    """Names of the output row's columns: a view for each masked segment, packets for each stateful one, audit, quarantine."""
    return [*(f"view{i}" for i in range(len(plan.masked))), *(f"packed{i}" for i in range(len(plan.stateful))), "audit", "quarantine"]


def result_type(plan: Plan) -> RowType:
    """The output row: every column is BYTES."""
    return DataTypes.ROW([DataTypes.FIELD(name, DataTypes.BYTES()) for name in columns(plan)])


class ProtectFunction(ScalarFunction):  # type: ignore[misc]
    """Raw records to one row of views, a batch at a time.

    Deterministic in Flink's sense it is not: nonces, random techniques and the audit chain differ between two evaluations, so a plan
    must evaluate it once for all its sinks.
    """

    def __init__(self, source: JobSource) -> None:
        """Keep what the workers need; nothing is opened yet."""
        self._source = source

    def open(self, function_context: FunctionContext) -> None:
        """Open keys and vault and compile the policy on the worker."""
        self._vault = self._source.open_vault()
        watched = self._source.watcher().ring
        self._protect = ReloadingProtect(self._source.loaded(), watched, self._vault, os.urandom, lambda: time.time_ns() // 1_000_000)
        self._clock = EventClock(self._protect.plan.out_of_orderness)
        self._names = columns(self._protect.plan)

    def close(self) -> None:
        """Let go of the vault."""
        vault = getattr(self, "_vault", None)
        if vault is not None:
            vault.close()

    def is_deterministic(self) -> bool:
        """See the class."""
        return False

    def eval(self, payloads: "pd.Series[Any]", partitions: "pd.Series[Any] | None" = None) -> pd.DataFrame:
        """Protect a batch.

        Args:
            payloads: bytes, n raw records.
            partitions: int, n source partitions, where the source has them; event time is tracked for each.

        Returns:
            n rows of the columns of `result_type`; a view's cell is null where the record is quarantined.
        """
        with without_values("protect"):
            column = pa.Array.from_pandas(payloads, type=pa.binary())
            pieces = self._protect(column)
            frames = [self._frame(piece) for piece in pieces]
            return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)

    def _frame(self, piece: Protected) -> pd.DataFrame:
        n = piece.records
        cells: list[np.ndarray] = [view.to_numpy(zero_copy_only=False) for view in piece.views.values()]
        watermark = self._clock.advance(piece.event_time) if piece.event_time is not None else NO_TIME
        for packets in piece.packed.values():
            cell = np.full(n, None, object)
            for row, packed in enumerate(packets):
                cell[row] = Packet(packed.shard, watermark, packed.blob).encode()
            cells.append(cell)
        audit, quarantine = np.full(n, None, object), np.full(n, None, object)
        audit[:1] = piece.audit
        for row, line in piece.quarantine:
            quarantine[row] = line
        return pd.DataFrame(dict(zip(self._names, [*cells, audit, quarantine], strict=True)), copy=False)
