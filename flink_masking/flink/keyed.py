"""Stateful segments on Flink: a keyed operator that moves Flink state in and out of a pure `Logic`."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from pyflink.common import Row, Types
from pyflink.datastream import KeyedProcessFunction, RuntimeContext, TimeDomain
from pyflink.datastream.state import MapStateDescriptor

from flink_masking.audit.digests import leaf_lines
from flink_masking.audit.events import AuditChain
from flink_masking.audit.reports import StageReport
from flink_masking.crypto.merkle import leaf_hashes, root_of
from flink_masking.engine.reload import ReloadingSealer
from flink_masking.engine.stateful import LogicStage
from flink_masking.errors import InputError, JobError
from flink_masking.flink import compat
from flink_masking.flink.clock import END_OF_INPUT
from flink_masking.flink.compat.versions import VersionChecked
from flink_masking.flink.errors import without_values
from flink_masking.flink.job_source import JobSource
from flink_masking.flink.metrics import Instruments
from flink_masking.flink.packet import Packet
from flink_masking.keys.ring import KeyRing
from flink_masking.logic import Effects, Logic
from flink_masking.telemetry.updates import StageUpdates, of_access

PUBLISHED = Types.ROW_NAMED(["lines", "audit"], [Types.PRIMITIVE_ARRAY(Types.BYTE())] * 2)
"""Output: a chunk of JSON lines (or a packet for the next stage), or an audit event; the other is null."""


class SegmentFunction(VersionChecked, KeyedProcessFunction):  # type: ignore[misc]
    """Drives the logic of one stage of a stateful segment, one instance a key (shard).

    State is the logic's own entries, each sealed (AES-GCM) before it goes to Flink: buffers, checkpoints and savepoints hold no clear
    value. Timers: processing time for a logic's delay, event time for its windows, and the end of input.
    """

    def __init__(self, source: JobSource, segment: str, stage: int) -> None:
        """Keep what the workers need.

        Args:
            source: policy and address of the keys.
            segment: the segment's name.
            stage: 0 for the first keyed operator of the segment, 1 for the next.
        """
        self._source, self._segment, self._number = source, segment, stage

    def open(self, runtime_context: RuntimeContext) -> None:
        """Open the keys, compile the policy and attach the state.

        Packets and state are sealed under the version that is primary at the time; any version that is enabled opens.
        """
        compat.apply(compat.KEYED)
        self._metrics = Instruments.of_worker(runtime_context)
        self._keys = keys = self._source.watcher()
        self._plan = plan = self._source.stateful_plan(keys.ring())
        segment = plan.segment(self._segment)
        self._stage: LogicStage = segment.stages[self._number]
        self._last = self._number == len(segment.stages) - 1
        place = plan.policy.stream, self._segment
        self._packets = ReloadingSealer(keys.ring, keys.look, "packed", self._segment, place)
        self._sealed_state = ReloadingSealer(keys.ring, keys.look, "state", self._segment, place)
        self._begin_audit(plan.ring)
        self._updates = StageUpdates(self._segment, plan.policy.version)
        self._state = runtime_context.get_map_state(
            MapStateDescriptor(f"logic-{self._number}", Types.STRING(), Types.PRIMITIVE_ARRAY(Types.BYTE())))
        self._logics: dict[Any, Logic] = {}

    def _begin_audit(self, ring: KeyRing) -> None:
        """Begin a chain of events that names the key version in force."""
        self._used, plan = ring, self._plan
        self._audit = AuditChain.signed(ring, plan.policy.stream, plan.policy.version, plan.digest)

    def _logic(self, key: Any) -> Logic:
        if key not in self._logics:
            logic = self._stage.logic()
            entries = {name: self._sealed_state.open(bytes(blob), name.encode()) for name, blob in self._state.items()}
            if entries:
                try:
                    logic.restore(entries)
                except InputError as error:
                    raise JobError(f"segment '{self._segment}': {error}") from None
            self._logics[key] = logic
        return self._logics[key]

    def process_element(self, value: Row, ctx: KeyedProcessFunction.Context) -> Iterator[Row]:
        """Take in one packet."""
        with without_values(self._segment):
            packet = Packet.decode(value[0])
            if not packet.blob:  # it came for its watermark
                return
            batch: pa.RecordBatch = self._stage.read(self._packets.open(packet.blob))
            logic = self._logic(ctx.get_current_key())
            ctx.timer_service().register_event_time_timer(END_OF_INPUT)
            yield from self._settle(logic.on_batch(batch, _now()), logic, ctx)

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Iterator[Row]:
        """A delay is over, a window's end is reached, or the input has ended."""
        with without_values(self._segment):
            logic = self._logic(ctx.get_current_key())
            if ctx.time_domain() == TimeDomain.PROCESSING_TIME:
                effects = logic.on_timer(_now())
            elif ctx.timer_service().current_watermark() == END_OF_INPUT:  # before the windows' own timers, which the end also sets off
                effects = logic.on_end()
            else:
                effects = logic.on_watermark(timestamp)
            yield from self._settle(effects, logic, ctx)

    def _settle(self, effects: Effects, logic: Logic, ctx: Any) -> Iterator[Row]:
        for name, entry in effects.writes.items():
            if entry is None:
                self._state.remove(name)
            else:
                self._state.put(name, self._sealed_state.seal(entry, name.encode()))
        timers = ctx.timer_service()
        due, window = logic.next_timer(), logic.next_watermark()
        if due is not None:
            timers.register_processing_time_timer(due)
        if window is not None:
            timers.register_event_time_timer(window)
        for chunk in effects.outputs:
            yield Row(chunk if self._last else Packet(0, self._packets.seal(chunk)).encode(), None)
        self._metrics.record(self._updates.of(ctx.get_current_key(), effects, _now(), self._keys.ring().primary))
        self._metrics.record(of_access(self._keys.unreadable_s()))
        if any(effects.counts.values()):
            if (ring := self._keys.ring()) is not self._used:
                self._begin_audit(ring)
            now, leaves = _now(), self._leaves(effects)
            root = root_of(leaves) if len(leaves) else None
            report = StageReport(self._segment, self._stage.name, effects.counts, root, len(leaves))
            yield Row(None, self._audit.event("release", now, report.body()))
            for line in leaf_lines(self._audit.place, now, {self._segment: leaves}):
                yield Row(None, line)

    def _leaves(self, effects: Effects) -> np.ndarray:
        """Leaf hashes of the lines that the last stage releases, n by 32; none without digests."""
        wanted = self._last and self._plan.policy.audit is not None and self._plan.policy.audit.digests
        separator = self._plan.codec.rows.separator.encode()
        lines = [line for chunk in effects.outputs for line in chunk.split(separator)] if wanted else []
        return leaf_hashes(pa.array(lines, pa.binary()))


def _now() -> int:
    return time.time_ns() // 1_000_000
