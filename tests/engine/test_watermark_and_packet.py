"""Event clocks and the packets that carry their watermarks."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_masking.engine.watermark import EventClock
from flink_masking.ipc import from_ipc, to_ipc
from flink_masking.operators.packet import NO_TIME, Packet

I64 = st.integers(-(2**63), 2**63 - 1)


def test_the_watermark_stays_behind_the_newest_event():
    """One partition: the largest event time so far, less the allowed disorder."""
    clock = EventClock(5_000)
    assert [clock.advance(time) for time in (10_000, 8_000, 30_000)] == [5_000, 5_000, 25_000]


def test_a_lagging_partition_holds_the_watermark_back():
    """The watermark is that of the partition that is furthest behind."""
    clock = EventClock(0)
    assert clock.advance(100, 0) == 100
    assert clock.advance(90, 1) == 100  # it never goes back
    assert clock.advance(500, 0) == 100
    assert clock.advance(300, 1) == 300


def test_a_silent_partition_does_not_hold_back():
    """A partition without records for the idle time is left out, and counts again when it speaks."""
    clock = EventClock(0, idle_after=1_000)
    clock.advance(10, 0, now=0)
    assert clock.advance(50, 1, now=1_000) == 10
    assert clock.advance(60, 1, now=1_001) == 60
    assert clock.advance(20, 0, now=1_500) == 60
    assert clock.advance(90, 1, now=1_600) == 60
    assert clock.advance(80, 0, now=1_700) == 80


@given(st.lists(st.tuples(st.integers(-(10**15), 10**15), st.integers(0, 3), st.integers(0, 500)), min_size=1))
def test_the_watermark_never_goes_back_nor_ahead(steps):
    """Whatever comes from whichever partition, the watermark is monotonous and never above the newest event less the disorder."""
    clock, now, before, newest = EventClock(7, idle_after=100), 0, None, None
    for time, partition, passed in steps:
        now += passed
        newest = time if newest is None else max(newest, time)
        mark = clock.advance(time, partition, now)
        assert (before is None or mark >= before) and mark <= newest - 7
        before = mark


@given(st.integers(0, 2**31 - 1), st.one_of(I64, st.just(NO_TIME)), st.binary(max_size=50))
def test_packets_come_back_as_they_were(shard, watermark, blob):
    """decode(encode(p)) == p for every shard, time and content."""
    assert Packet.decode(Packet(shard, watermark, blob).encode()) == (shard, watermark, blob)


@pytest.mark.parametrize("rows", [0, 3])
def test_a_record_batch_travels_as_bytes(rows):
    """A batch comes back equal, schema and nulls included."""
    columns = {"a": pa.array([1, None, 3][:rows], pa.int64()), "b": pa.array([b"x", b"", None][:rows], pa.binary())}
    batch = pa.RecordBatch.from_pydict(columns)
    assert from_ipc(to_ipc(batch)).equals(batch)


def test_the_watermark_waits_for_partitions_that_have_not_spoken():
    """Of several partitions one may be there of which nothing was read yet: for the idle time after the start there is no watermark."""
    clock = EventClock(0, idle_after=1_000, started=500)
    assert clock.observe({0: 900, 3: 100}, 600) == NO_TIME
    assert clock.observe({0: 950, 1: 50}, 1_400) == NO_TIME
    assert clock.observe({0: 960}, 1_501) == 50  # 3 spoke last at 600, 1 at 1,400
    assert clock.observe({0: 970}, 1_601) == 50
    assert clock.observe({0: 980}, 2_401) == 980
    assert clock.observe({}, 9_000) == 980
