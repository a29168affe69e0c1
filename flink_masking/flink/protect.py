"""Protect inside Flink: a column of raw records in, columns of views out."""

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyflink.table import DataTypes
from pyflink.table.udf import FunctionContext, UserDefinedScalarFunctionWrapper

from flink_masking.engine.plan import Plan
from flink_masking.engine.protected import Packed, Protected
from flink_masking.engine.record import Transport, part_columns
from flink_masking.engine.reload import ReloadingProtect
from flink_masking.engine.watermark import NO_TIME, Marks
from flink_masking.errors import JobError
from flink_masking.flink import compat
from flink_masking.flink.columns import column_functions
from flink_masking.flink.compat.arrow_columns import binary_array
from flink_masking.flink.compat.output_streams import senders
from flink_masking.flink.errors import without_values
from flink_masking.flink.job_source import JobSource
from flink_masking.flink.metrics import Instruments
from flink_masking.flink.packet import Packet
from flink_masking.flink.parts import partitions_of, parts_of
from flink_masking.flink.subtask import place
from flink_masking.leaks.canaries import CanaryWriter
from flink_masking.telemetry.updates import of_access, of_batch, of_control, of_drift, of_patches

KEY_VERSION, POLICY_VERSION, POLICY_DIGEST = "key_version", "policy_version", "policy_digest"
TAKEN = "taken"
"""Value of the job parameter that says that somebody takes the quarantine."""


def columns(plan: Plan, transport: Transport) -> list[str]:
    """Names of the columns.

    A view for each masked segment, packets for each stateful one, audit, quarantine; for Kafka, the parts of each masked segment and the
    key version in use, and where the policy may change its version and digest, and the grants of each record of a granted view.
    """
    parts = part_columns([masked.record for masked in plan.masked], transport)
    views, packets = (f"view{i}" for i in range(len(plan.masked))), (f"packed{i}" for i in range(len(plan.stateful)))
    versions = [KEY_VERSION, *([POLICY_VERSION, POLICY_DIGEST] if transport.live else [])] if transport.record else []
    grants = [f"grants{i}" for i, masked in enumerate(plan.masked) if masked.of] if transport.record and transport.live else []
    return [*views, *packets, "audit", "quarantine", *parts, *versions, *grants]


def protect_functions(source: JobSource, plan: Plan, transport: Transport, idle_after: int,
                      guard: str | None = None) -> dict[str, UserDefinedScalarFunctionWrapper]:
    """A vectorised function for each of `columns`, by name. Every column is BYTES, but for the versions.

    Args:
        source: policy and address of the keys.
        plan: the same, compiled here.
        transport: what is known of the topics at both ends.
        idle_after: milliseconds without a record after which a source partition does not hold back the watermark.
        guard: the job parameter that says that somebody takes the quarantine, for jobs that may also hold functions of somebody else.
    """
    types = {name: DataTypes.INT() if name in (KEY_VERSION, POLICY_VERSION) else DataTypes.BYTES() for name in columns(plan, transport)}
    return column_functions(ProtectColumns(source, transport, idle_after, guard), types)


class ProtectColumns:
    """Raw records to the columns of views, a batch at a time.

    Nonces, random techniques and the audit chain differ between two evaluations, so a plan must evaluate it once for all its sinks.
    """

    def __init__(self, source: JobSource, transport: Transport, idle_after: int, guard: str | None = None) -> None:
        """Keep what the workers need; nothing is opened yet.

        Args:
            source: policy and address of the keys.
            transport: what is known of the topics at both ends.
            idle_after: milliseconds without a record after which a source partition does not hold back the watermark.
            guard: the job parameter that says that somebody takes the quarantine; None: the job is the main job, which does.
        """
        self._source, self._transport, self._idle_after, self._guard = source, transport, idle_after, guard

    def open(self, context: FunctionContext) -> None:
        """Open keys and vault and compile the policy on the worker."""
        compat.apply(compat.PROTECT if self._guard is None else compat.BESIDE)
        self._metrics = Instruments.of_worker(context)
        self._vault = self._source.open_vault()
        self._keys = self._source.watcher()
        loaded = self._source.loaded()
        self._control = self._source.open_control(loaded, self._keys)
        self._protect = ReloadingProtect(loaded, self._keys.ring, self._vault, os.urandom, _now, self._transport,
                                         self._source.open_schemas(), self._source.open_outputs(), self._control,
                                         *place(context))
        self._canaries = None if self._source.leaks is None else CanaryWriter(
            loaded, self._source.leaks, self._keys.ring, os.urandom, _now, self._source.open_schemas())
        self._timed = [segment.has_time for segment in self._protect.plan.stateful]
        self._sender = int.from_bytes(os.urandom(8)) >> 1
        self._abandoned = self._guard is not None and context.get_job_parameter(self._guard, "") != TAKEN
        self._senders: list[Callable[[], None]] | None = None

    def close(self) -> None:
        """Close the vault, end the look at control documents, and write the last fingerprints."""
        if (control := getattr(self, "_control", None)) is not None:
            control.close()
        if (canaries := getattr(self, "_canaries", None)) is not None:
            canaries.close()
        vault = getattr(self, "_vault", None)
        if vault is not None:
            vault.close()

    def __call__(self, payloads: "pd.Series[Any]", *parts: "pd.Series[Any]") -> list[pa.Array]:
        """Protect a batch.

        Args:
            payloads: bytes, n raw records.
            parts: of a Kafka source, what there is of: n source partitions (int; event time is tracked for each) and n of Kafka's
                timestamps, n keys and n values of each header that a rule names (bytes).

        Returns:
            The columns, of n cells each; a view's cell is null where the record is quarantined.
        """
        if self._senders is None:  # not in open(): the output streams are not there yet
            self._senders = senders()
            self._metrics.record(of_patches(len(compat.report().missing)))
        for send in self._senders:
            send()
        with without_values("protect"):
            begun = time.perf_counter_ns()
            column = binary_array(payloads)
            beside = parts_of(parts, [m.record for m in self._protect.plan.masked], self._transport)
            pieces = self._protect(column, beside)
            if self._canaries is not None:
                self._canaries.note(column, beside.headers)
            if self._abandoned and any(piece.quarantine for piece in pieces):
                raise JobError("a record belongs in the quarantine, and this job does nothing with the quarantine. Hint: insert "
                               "views.quarantine into a table of its own")
            cells = [self._cells(piece, marks) for piece, marks in zip(pieces, self._marks(pieces, parts), strict=True)]
            plan, microseconds = self._protect.plan, (time.perf_counter_ns() - begun) // 1_000
            self._metrics.record(of_batch(pieces, microseconds, plan.ring.primary, plan.policy.version))
            self._metrics.record(of_access(self._keys.unreadable_s(), None if self._vault is None else self._vault.unreadable_s()))
            if self._control is not None:
                self._metrics.record(of_control(self._control.unreadable_s(), self._control.view.refused))
            if plan.drift is not None:
                self._metrics.record(of_drift(plan.drift.unknown))
            return cells[0] if len(cells) == 1 else [pa.concat_arrays(list(column)) for column in zip(*cells, strict=True)]

    def _marks(self, pieces: list[Protected], parts: "tuple[pd.Series[Any], ...]") -> list[bytes]:
        """The event-time marks of each piece; the last one carries those of all partitions of the batch."""
        if not any(self._timed):
            return [b""] * len(pieces)
        read, reached = partitions_of(parts, self._transport)
        behind = reached is not None and _now() - reached > self._idle_after
        heard = [dict(piece.event_times) if self._transport.partitioned else {} for piece in pieces]
        heard[-1] = {**dict.fromkeys(read, NO_TIME), **heard[-1]}
        newest = [NO_TIME if piece.event_time is None else piece.event_time for piece in pieces]
        return [Marks(self._sender, behind, times, time).encode() for times, time in zip(heard, newest, strict=True)]

    def _cells(self, piece: Protected, marks: bytes) -> list[pa.Array]:
        """The columns of a piece."""
        n = piece.records
        packets = [_packets(sent, marks if timed else b"") for sent, timed in zip(piece.packed.values(), self._timed, strict=True)]
        quarantine: list[bytes | None] = [None] * (piece.quarantine[-1][0] + 1 if piece.quarantine else 0)
        for row, line in piece.quarantine:
            quarantine[row] = line
        cells = [*piece.views.values(), *(_first(sent, n) for sent in packets), _first(piece.audit_lines, n), _first(quarantine, n)]
        if self._transport.record:
            cells += [column for released in piece.parts.values() for column in released.columns]
            cells.append(pa.array(np.full(n, piece.key_version, np.int32)))
            if self._transport.live:
                policy = self._protect.plan
                cells.append(pa.array(np.full(n, policy.policy.version, np.int32)))
                cells.append(pa.repeat(pa.scalar(policy.digest.encode(), pa.binary()), n))
                cells += [piece.grants[masked.name] for masked in policy.masked if masked.of]
        return cells


def _packets(sent: list[Packed], marks: bytes) -> list[bytes]:
    """Cells of a segment; marks go with the last one, since the watermark that follows from them holds for all that came before."""
    if not sent:
        return [Packet(0, b"", marks).encode()] if marks else []
    last = len(sent) - 1
    return [Packet(packed.shard, packed.blob, marks if number == last else b"").encode() for number, packed in enumerate(sent)]


def _first(values: list[bytes] | list[bytes | None], n: int) -> pa.BinaryArray:
    """A column of n rows that begins with these values; the rest is null."""
    return pa.concat_arrays([pa.array(values, pa.binary()), pa.nulls(n - len(values), pa.binary())])


def _now() -> int:
    return time.time_ns() // 1_000_000
