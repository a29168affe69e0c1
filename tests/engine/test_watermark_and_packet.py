"""The clock of event time, what batches tell it, and the packets that carry that."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_masking.engine.watermark import NO_TIME, PATIENCE, EventClock, Marks
from flink_masking.errors import InputError
from flink_masking.flink.packet import Packet
from flink_masking.ipc import from_ipc, to_ipc

I64 = st.integers(-(2**63), 2**63 - 1)
IDLE, BEAT = 1_000, 100


class Driven:
    """A clock, and beats up to any time."""

    def __init__(self, slack=0, senders=None, start=1_000_000):
        """Begin to beat."""
        self.clock, self.time, self.state = EventClock(slack, IDLE, BEAT, senders), start, {}
        self.clock.tick(start)

    def beats(self, milliseconds):
        """All readers are at work for so long."""
        for _ in range(milliseconds // BEAT):
            self.time += BEAT
            self.clock.tick(self.time)
        return self.clock.watermark()

    def held_up(self, milliseconds):
        """A reader is not at work for so long: no beat comes from it, and so none of all."""
        self.time += milliseconds
        self.clock.tick(self.time)
        return self.clock.watermark()

    def batch(self, times, sender=1, behind=False):
        """A batch comes: a mapping of partitions to event times, or (no partitions) an event time."""
        given = (times, max(times.values())) if isinstance(times, dict) else ({}, times)
        self.state |= self.clock.observe(Marks(sender, behind, *given))
        return self.clock.watermark()

    def again(self):
        """The same after a restart, from its state."""
        new = Driven(self.clock.out_of_orderness, self.clock.senders, self.time)
        new.clock.restore(self.state)
        return new


def settled(slack=0, **partitions):
    """A clock that has heard these partitions, named p0, p1, …, and waits for no others."""
    driven = Driven(slack)
    for _ in range(IDLE // BEAT):
        driven.batch({int(name[1:]): time for name, time in partitions.items()})
        driven.beats(BEAT)
    driven.batch({int(name[1:]): time for name, time in partitions.items()})
    return driven


def test_the_watermark_stays_behind_the_newest_event():
    """One partition: the largest event time so far, less the allowed disorder."""
    clock = settled(5_000, p0=10_000)
    assert [clock.batch({0: time}) for time in (10_000, 8_000, 30_000)] == [5_000, 5_000, 25_000]


def test_a_lagging_partition_holds_the_watermark_back():
    """The watermark is that of the partition that is furthest behind, however far."""
    clock = settled(p0=100, p1=90)
    assert clock.batch({0: 5_000_000}) == 90
    assert clock.batch({1: 300}, sender=2) == 300
    assert clock.batch({0: 9_000_000, 1: 200}) == 300  # it never goes back


def test_a_silent_partition_does_not_hold_back():
    """A partition without records for the idle time is left out, and counts again when it speaks."""
    clock = settled(p0=10, p1=50)
    for _ in range(IDLE // BEAT - 1):
        clock.batch({1: 60})
        assert clock.beats(BEAT) == 10
    clock.batch({1: 70})
    assert clock.beats(BEAT) == 70
    assert clock.batch({0: 20}) == 70
    assert clock.batch({1: 90}) == 70
    assert clock.batch({0: 80}) == 80


def test_time_in_which_a_reader_is_held_up_is_no_silence():
    """While a worker starts, or a batch takes long, nobody's silence counts: what was not read may wait for that reader."""
    clock = settled(p0=10, p1=50)
    clock.batch({1: 60}, sender=2)
    assert clock.held_up(60 * IDLE) == 10
    assert clock.batch({0: 12}) == 12
    assert clock.held_up(60 * IDLE) == 12
    assert clock.batch({1: 500}, sender=2) == 12


def test_a_reader_that_works_off_a_backlog_makes_no_partition_of_its_own_idle():
    """Records of the others may lie before those of a partition in the same reader's queue; one of another reader is idle all the same."""
    clock = settled(p0=10, p1=11, p2=50)
    clock.batch({1: 12}, sender=2)
    clock.batch({2: 60}, sender=1)
    for _ in range(3 * IDLE // BEAT):
        clock.batch({0: 13}, sender=2, behind=True)
        clock.beats(BEAT)
    clock.batch({0: 14, 2: 70}, sender=2, behind=True)
    assert clock.beats(BEAT) == 12
    for _ in range(10 * IDLE // BEAT):
        clock.batch({0: 90, 2: 90}, sender=2, behind=True)
        clock.beats(BEAT)
    assert clock.clock.watermark() == 90  # not for ever: ten times the idle time


def test_a_stream_that_falls_silent_goes_on_in_its_own_time():
    """When all partitions are idle, event time goes on from the newest event as fast as time does."""
    clock = settled(7, p0=10, p1=50)
    assert clock.beats(IDLE - BEAT) == 3
    assert clock.beats(BEAT) == 43
    assert clock.beats(60 * IDLE) == 43 + 60 * IDLE
    assert clock.batch({0: 20}) == 43 + 60 * IDLE


def test_the_watermark_waits_for_partitions_that_have_not_spoken():
    """One may be there of which nothing was read yet: for the idle time after the start, and while a reader is behind, there is none."""
    clock = Driven()
    assert clock.batch({0: 900, 3: 100}) == NO_TIME
    assert clock.held_up(60 * IDLE) == NO_TIME
    clock.batch({0: 900, 3: 100}, behind=True)
    assert clock.beats(IDLE - BEAT) == NO_TIME
    clock.batch({0: 950, 1: 50, 3: 100})
    assert clock.beats(BEAT) == 50


def test_a_restored_job_waits_for_the_partitions_that_its_state_knows():
    """Whichever speaks first after a restore, the others hold the watermark, for longer than a consumer takes to connect."""
    clock = settled(p0=100, p1=90, p2=95).again()
    assert clock.batch({0: 5_000}, sender=7) == 90
    assert clock.beats(PATIENCE - BEAT) == 90
    assert clock.batch({0: 6_000}, sender=7) == 90
    assert clock.batch({2: 200}, sender=8) == 90
    assert clock.beats(BEAT) == 200


def test_a_stream_that_is_silent_after_a_restart_goes_on():
    """Nothing comes after a restore: once the patience is over, event time goes on from what the state knows."""
    for before in (settled(p0=100, p1=90), Driven(senders=2)):
        before.batch(100 if before.clock.senders else {0: 100})
        clock = before.again()
        assert clock.beats(PATIENCE) >= 100
        assert clock.beats(60 * IDLE) >= 100 + 60 * IDLE


def test_readers_of_a_source_without_partitions_count_as_one_each():
    """The watermark waits until all of them have spoken, or for the idle time, and follows the one that is furthest behind."""
    clock = Driven(senders=2)
    assert clock.batch(500, sender=1) == NO_TIME
    assert clock.batch(100, sender=2) == 100
    assert clock.batch(700, sender=2) == 500
    alone = Driven(senders=2)
    alone.batch(500)
    assert alone.beats(IDLE - BEAT) == NO_TIME
    alone.batch(600)
    assert alone.beats(BEAT) == 600
    after = clock.again()
    assert after.batch(900, sender=3) == NO_TIME
    assert after.batch(800, sender=4) == 800


def test_a_partition_without_an_accepted_record_has_no_event_time():
    """It has spoken, but says nothing of the time, and holds nothing back."""
    clock = settled(p0=100)
    assert clock.batch({1: NO_TIME}) == 100
    assert clock.batch({0: 300}) == 300


@given(st.lists(st.tuples(st.integers(-(10**15), 10**15), st.integers(0, 3), st.integers(0, 5), st.booleans()), min_size=1))
def test_the_watermark_never_goes_back_nor_ahead(steps):
    """Whatever comes from whichever partition, the watermark is monotonous, and while they speak never above the newest event."""
    clock, before, newest = Driven(7), NO_TIME, None
    for time, partition, passed, behind in steps:
        mark = clock.beats(passed * BEAT)
        newest = time if newest is None else max(newest, time)
        mark = max(mark, clock.batch({partition: time}, behind=behind))
        assert mark >= before and mark <= newest - 7
        before = mark


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 3)), min_size=1, max_size=30))
def test_state_is_the_sum_of_its_writes(steps):
    """What was written piece by piece is the whole state, with partitions and without."""
    for senders in (None, 2):
        clock = Driven(senders=senders)
        for time, number in steps:
            clock.batch({number: time} if senders is None else time, sender=number)
        assert clock.clock.snapshot() == clock.state


@pytest.mark.parametrize("entries", [{"p:0": b"clock.9 5"}, {"p:0": b"clock.1 x"}, {"q:0": b"clock.1 5"}, {"p:0": b""}])
def test_state_that_cannot_be_read_is_refused(entries):
    """A newer or damaged entry is refused in words."""
    with pytest.raises(InputError, match="Hint: "):
        EventClock(0, IDLE, BEAT).restore(entries)


@given(st.integers(0, 2**63 - 1), st.booleans(), st.dictionaries(st.integers(0, 2**31 - 1), I64, max_size=5), I64)
def test_marks_come_back_as_they_were(sender, behind, times, time):
    """decode(encode(m)) == m."""
    assert Marks.decode(Marks(sender, behind, times, time).encode()) == (sender, behind, times, time)


@given(st.integers(0, 2**31 - 1), st.binary(max_size=50), st.binary(max_size=50))
def test_packets_come_back_as_they_were(shard, marks, blob):
    """decode(encode(p)) == p for every shard, marks and content."""
    cell = Packet(shard, blob, marks).encode()
    assert Packet.decode(cell) == (shard, blob, marks)
    assert Packet.shard_of(cell) == shard


@pytest.mark.parametrize("rows", [0, 3])
def test_a_record_batch_travels_as_bytes(rows):
    """A batch comes back equal, schema and nulls included."""
    columns = {"a": pa.array([1, None, 3][:rows], pa.int64()), "b": pa.array([b"x", b"", None][:rows], pa.binary())}
    batch = pa.RecordBatch.from_pydict(columns)
    assert from_ipc(to_ipc(batch)).equals(batch)
