"""The key version that people are hashed with is kept with the state: a rotation never makes everyone a new person in silence."""

import os

import orjson
import pytest

from flink_masking.engine.plan import compile_plan
from flink_masking.engine.protect import Protect
from flink_masking.errors import InputError, JobError
from flink_masking.keys.ring import KeyRing
from flink_masking.keys.sealer import Sealer
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.records.column import binary_column

NOW = 1_710_498_600_000
MINUTE = 1_710_496_800_000
POLICY = """\
version: 1
stream: events
subject: id
event_time: {field: at, max_out_of_orderness: 1s}
fields:
  id:  {class: identifier, optional: false}
  age: {class: quasi, domain: [0, 120]}
  at:  {class: plain, type: datetime}
  illness: {class: sensitive}
segments:
  partners: {view: anonymized, k: 3, quasi_identifiers: [age], l_diversity: {field: illness, l: 2}, max_delay: 1h}
  seen: {view: anonymized, mode: zero_delay, k: 3, quasi_identifiers: [age]}
  dashboard:
    view: aggregated
    window: {tumbling: 1min}
    metrics: {orders: count}
    privacy: {epsilon: 1.0, delta: 1.0e-6, lifetime_epsilon: 1.0, max_records_per_group: 3}
"""
LOADED = load(PolicySource("policy.yaml", POLICY))


def records(minute, people=range(20)):
    """One record of each person in a minute."""
    return [orjson.dumps({"id": f"p{n}", "age": 20 + n, "at": f"2024-03-15T10:0{minute}:00Z", "illness": f"i{n % 4}"}) for n in people]


class Shard:
    """The first stage of a segment in a job that is started with a ring and, where there is one, a state."""

    def __init__(self, segment, ring, state=None):
        """Compile the policy for the ring and take over the state."""
        self.plan = compile_plan(LOADED, ring)
        self.segment, self.protect = self.plan.segment(segment), Protect(self.plan, os.urandom, lambda: NOW)
        stage = self.segment.stages[0]
        self.logic, self.read = stage.logic(), stage.read
        if state:
            self.logic.restore(state)

    def feed(self, lines, logic=None):
        """Effects of a batch, sealed and opened as between two processes."""
        piece, = self.protect(binary_column(lines))
        packed, = piece.packed[self.segment.name]
        sealer = Sealer(self.plan.ring, "packed", self.segment.name, ("events", self.segment.name))
        return (logic or self.logic).on_batch(self.read(sealer.open(packed.blob)), NOW)


@pytest.fixture
def rotated():
    """A ring with version 1, then with version 2 promoted, then with version 1 disabled."""
    one = KeyRing.new()
    two = one.rotated()
    return one, two, two.disabled(1)


@pytest.mark.parametrize("segment", ["partners", "seen", "dashboard"])
def test_a_restart_without_the_version_is_refused_with_the_way_out(segment, rotated):
    """After a promotion the state goes on; with the oldest version disabled it is refused, and enabling it again is what helps."""
    one, two, without = rotated
    job = Shard(segment, one)
    job.feed(records(0))
    promoted = Shard(segment, two, job.logic.snapshot())
    promoted.feed(records(0, range(20, 40)))
    with pytest.raises(InputError, match=r"'\w+'.*key version 1, .*oldest enabled version is 2.*Hint: enable version 1 again") as raised:
        Shard(segment, without, promoted.logic.snapshot())
    assert "\n" not in str(raised.value)
    again = Shard(segment, without.enabled(1), promoted.logic.snapshot())
    assert again.logic.snapshot() == promoted.logic.snapshot()


def test_a_lifetime_budget_does_not_begin_anew(rotated):
    """Who has spent it under one version cannot spend it again under another; with its version they stay left out."""
    one, two, without = rotated
    job = Shard("dashboard", one)
    job.feed(records(0))
    assert job.logic.on_watermark(MINUTE + 60_000).counts == {"counted": 20}
    state = job.logic.snapshot()
    with pytest.raises(InputError, match="everybody would count as a new person"):
        Shard("dashboard", without, state)
    later = Shard("dashboard", two, state)
    later.feed(records(1))
    assert later.logic.on_watermark(MINUTE + 120_000).counts == {"suppressed": 20, "people_exhausted": 20}


def test_a_new_job_begins_with_the_oldest_enabled_version(rotated):
    """It keeps to that version when an older one is enabled again, and says what to do."""
    _, two, without = rotated
    job = Shard("partners", without)
    job.feed(records(0))
    assert job.logic.snapshot()["people"] == b"people.1 2"
    with pytest.raises(InputError, match="Hint: disable version 1 again"):
        Shard("partners", two, job.logic.snapshot())


def test_packets_of_another_version_are_refused(rotated):
    """A worker that hashes people with another version than the operator holds is noticed at its first packet."""
    one, _, without = rotated
    job, other = Shard("partners", one), Shard("partners", without)
    with pytest.raises(JobError, match=r"key version 2 meets an operator that works with version 1.*Hint"):
        other.feed(records(0), job.logic)


@pytest.mark.parametrize("segment", ["partners", "dashboard"])
def test_a_state_of_the_release_before_is_taken_over(segment, rotated):
    """A state that does not name its version goes on, and names it from the next batch on."""
    one, two, without = rotated
    job = Shard(segment, one)
    job.feed(records(0))
    older = {name: entry for name, entry in job.logic.snapshot().items() if name != "people"}
    again = Shard(segment, two, older)
    assert again.logic.snapshot() == older
    writes = again.feed(records(0, range(20, 40))).writes
    assert writes["people"] == b"people.1 1"
    with pytest.raises(InputError):
        Shard(segment, without, again.logic.snapshot())


def test_a_drained_buffer_may_go_on_with_another_version(rotated):
    """Where nobody's hash is left the version is forgotten; a ledger keeps it."""
    one, _, without = rotated
    for segment, left in (("partners", False), ("dashboard", True)):
        job = Shard(segment, one)
        writes = dict(job.feed(records(0)).writes)
        writes.update(job.logic.on_end().writes)
        state = {name: entry for name, entry in writes.items() if entry is not None}
        assert state == job.logic.snapshot() and ("people" in state) is left
        if not left:
            Shard(segment, without, state).feed(records(1))


@pytest.mark.parametrize(("entry", "error"), [(b"people.2 1", "newer version"), (b"people.1 x", "damaged"), (b"", "damaged")])
def test_an_entry_that_cannot_be_read_is_refused(entry, error, rotated):
    """Never taken for any version."""
    job = Shard("partners", rotated[0])
    job.feed(records(0))
    with pytest.raises(InputError, match=f"{error}.*Hint"):
        Shard("partners", rotated[0], {**job.logic.snapshot(), "people": entry})
