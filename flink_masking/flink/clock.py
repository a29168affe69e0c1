"""The watermark operator between Protect and the keyed operators: one instance receives the marks of all readers.

Flink's own merging of watermarks leaves a channel out that is idle, and takes it back only when it has caught up: all its records are
late until then, and at the end of the input what it still sends comes after the last watermark and is never published. So no channel is
ever idle here. Readers send a beat while they are at work; who is idle is decided in one place, from beats and batches.
"""

from collections.abc import Iterator

from pyflink.common import Row, Types, WatermarkStrategy
from pyflink.datastream import DataStream, KeyedProcessFunction, RuntimeContext
from pyflink.datastream.state import MapStateDescriptor

from flink_masking.engine.reload import ReloadingSealer
from flink_masking.engine.watermark import NO_TIME, EventClock, Marks, beat_of
from flink_masking.flink import compat
from flink_masking.flink.compat.java_objects import java_strategy, java_stream
from flink_masking.flink.compat.versions import VersionChecked
from flink_masking.flink.errors import without_values
from flink_masking.flink.gateway import virtual_machine
from flink_masking.flink.job_source import JobSource
from flink_masking.flink.packet import Packet

END_OF_INPUT = (1 << 63) - 1
"""Flink's last watermark: a bounded source has ended, or the job is drained."""
_ROW = Types.ROW_NAMED(["packed"], [Types.PRIMITIVE_ARRAY(Types.BYTE())])
_TIMED = Types.TUPLE([_ROW, Types.LONG()])


class ClockFunction(VersionChecked, KeyedProcessFunction):  # type: ignore[misc]
    """Passes packets on, each with the watermark after it; one instance for all readers.

    Its own event time is the beat: processing time at which all readers were at work.
    """

    def __init__(self, source: JobSource, segment: str, idle_after: int, senders: int | None) -> None:
        """Keep what the worker needs.

        Args:
            source: policy and address of the keys.
            segment: the segment's name.
            idle_after: milliseconds without a record after which a source partition does not hold back the watermark.
            senders: number of readers of a source without partitions; None for one with partitions.
        """
        self._source, self._segment, self._idle_after, self._senders = source, segment, idle_after, senders

    def open(self, runtime_context: RuntimeContext) -> None:
        """Open the keys, and the state that knows the partitions."""
        compat.apply(compat.KEYED)
        keys = self._source.watcher()
        plan = self._source.stateful_plan(keys.ring())
        self._sealer = ReloadingSealer(keys.ring, keys.look, "state", self._segment, (plan.policy.stream, self._segment, "clock"))
        self._state = runtime_context.get_map_state(MapStateDescriptor("clock", Types.STRING(), Types.PRIMITIVE_ARRAY(Types.BYTE())))
        self._clock = EventClock(plan.out_of_orderness, self._idle_after, beat_of(self._idle_after), self._senders)
        self._restored, self._sent = False, NO_TIME

    def process_element(self, value: Row, ctx: KeyedProcessFunction.Context) -> Iterator[tuple[Row, int]]:
        """Update the clock with a packet's marks and forward the packet."""
        with without_values(self._segment):
            self._advance(ctx)
            packet = Packet.decode(value[0])
            if packet.marks:
                for name, entry in self._clock.observe(Marks.decode(packet.marks)).items():
                    self._state.put(name, self._sealer.seal(entry, name.encode()))
            yield from self._timed(Packet(packet.shard, packet.blob))

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Iterator[tuple[Row, int]]:
        """Advance the watermark if partitions have become idle."""
        with without_values(self._segment):
            self._advance(ctx)
            if self._clock.watermark() > self._sent:
                yield from self._timed(Packet(0, b""))

    def _advance(self, ctx: KeyedProcessFunction.Context) -> None:
        if not self._restored:
            self._clock.restore({name: self._sealer.open(bytes(blob), name.encode()) for name, blob in self._state.items()})
            self._restored = True
        beat = ctx.timer_service().current_watermark()
        if beat == END_OF_INPUT:
            return
        if beat > 0:
            self._clock.tick(beat)
        ctx.timer_service().register_event_time_timer(max(0, beat) + self._clock.beat)

    def _timed(self, packet: Packet) -> Iterator[tuple[Row, int]]:
        self._sent = self._clock.watermark()
        yield Row(packet.encode()), self._sent


def clocked(packets: DataStream, source: JobSource, segment: str, idle_after: int, senders: int | None, uid: str) -> DataStream:
    """Packets with watermarks of event time.

    Args:
        packets: of all readers.
        source: policy and address of the keys.
        segment: the segment's name.
        idle_after: milliseconds without a record after which a source partition does not hold back the watermark.
        senders: number of readers of a source without partitions; None for one with partitions.
        uid: the segment's name in uids.
    """
    jvm = virtual_machine()
    beats = jvm.org.apache.flink.table.runtime.operators.wmassigners.ProcTimeMiniBatchAssignerOperator(beat_of(idle_after))
    java = java_stream(packets)
    beating = DataStream(java.transform(f"{segment}: beat", java.getType(), beats))
    timed = (beating.key_by(lambda row: 0, key_type=Types.INT())
             .process(ClockFunction(source, segment, idle_after, senders), output_type=_TIMED)
             .name(f"{segment}: clock").uid(f"{uid}-clock").set_parallelism(1))
    eventtime = jvm.org.apache.flink.streaming.api.functions.python.eventtime
    strategy = java_strategy(WatermarkStrategy.for_monotonous_timestamps())
    strategy = strategy.withTimestampAssigner(eventtime.CustomTimestampAssigner())
    marked = java_stream(timed).assignTimestampsAndWatermarks(strategy).setParallelism(1)
    return DataStream(marked.map(eventtime.RemoveTimestampMapFunction(), java.getType()).setParallelism(1))
