"""What a worker sees of control documents."""

import json
import threading

import pytest
from control_documents import NOW

from flink_masking.control.envelope import parse
from flink_masking.control.memory import Store
from flink_masking.control.options import ControlOptions
from flink_masking.control.sources.local import DirectorySource
from flink_masking.control.state import NEVER
from flink_masking.control.watcher import ControlWatcher
from flink_masking.errors import ControlError, ControlUnavailableError
from flink_masking.keys.ring import KeyRing
from flink_masking.keys.sealer import Sealer


class Times:
    """Clocks that are set by hand."""

    now, s = NOW, 0.0


class Scripted:
    """A source that gives what the test says: documents, an error, or None."""

    def __init__(self, answer):
        """Begin with an answer."""
        self.answer, self.waits = answer, None

    def read(self):
        """The answer now."""
        if self.waits is not None:
            self.waits.wait()
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def close(self):
        """Nothing to release."""


@pytest.fixture
def made(signers, tmp_path):
    """Makes watchers of a scripted source."""
    def make(answer, store=None, times=Times, **options):
        options = ControlOptions(f"file://{tmp_path}", signers.trust().decode(), **options)
        source = Scripted(answer)
        return source, ControlWatcher(options, "s", 1, "", store, lambda: times.now, lambda: times.s, source)
    return make


def outcomes(watcher):
    """Of the events since the call before."""
    return [event.outcome for event in watcher.events()]


def test_nothing_is_due_without_documents(made):
    """Without a document nothing is due, and the answer is one comparison."""
    _, watcher = made([])
    watcher.look()
    assert watcher.next_policy == NEVER and watcher.due(NOW) is None and watcher.grants_in_force(NOW) == () and outcomes(watcher) == []


def test_a_policy_is_due_at_its_instant(made, signers):
    """Not a millisecond earlier, and not after it was adopted."""
    _, watcher = made([signers.policy(2, effective_at=NOW + 10)])
    watcher.look()
    assert watcher.due(NOW + 9) is None
    policy = watcher.due(NOW + 10)
    watcher.adopted(policy)
    assert watcher.due(NOW + 10) is None and watcher.next_policy == NEVER and outcomes(watcher) == ["taken", "in_force"]


def test_the_last_good_state_is_kept_while_the_source_is_away(made, signers):
    """Errors of a source end nothing; they are told once, and so is the answer that comes again."""
    class Own(Times):
        pass

    source, watcher = made([signers.policy(2, effective_at=NOW + 10), signers.grant()], times=Own)
    watcher.look()
    watcher.events()
    source.answer = ControlUnavailableError("away")
    for Own.s in (5.0, 10.0):
        watcher.look()
    assert outcomes(watcher) == ["unreadable"] and watcher.unreadable_s() == 5
    assert watcher.due(NOW + 10) is not None and len(watcher.grants_in_force(NOW)) == 1
    source.answer = None
    watcher.look()
    assert outcomes(watcher) == ["readable"] and watcher.unreadable_s() == 0


def test_grants_are_suspended_when_the_source_is_stale(made, signers):
    """After max_staleness no grant is in force, masking goes on, and an answer restores them; their end comes all the same."""
    class Own(Times):
        pass

    source, watcher = made([signers.grant(expires_at=NOW + 1000)], times=Own, max_staleness=60_000)
    watcher.look()
    watcher.events()
    source.answer = ControlUnavailableError("away")
    Own.s = 60.0
    watcher.look()
    assert len(watcher.grants_in_force(NOW)) == 1
    Own.s = 60.1
    assert watcher.grants_in_force(NOW) == ()
    watcher.look()
    assert outcomes(watcher) == ["unreadable", "stale"]
    source.answer = None
    watcher.look()
    assert len(watcher.grants_in_force(NOW)) == 1
    assert watcher.grants_in_force(NOW + 1000) == () and watcher.grants_in_force(NOW) == ()  # an end is final


def test_no_grant_is_in_force_before_the_first_answer(made):
    """A worker that starts while the source is away has the submitted policy and no grants."""
    _, watcher = made(ControlUnavailableError("away"))
    watcher.look()
    assert watcher.due(NOW) is None and watcher.grants_in_force(NOW) == () and outcomes(watcher) == ["unreadable", "stale"]


@pytest.mark.parametrize("answer", [RuntimeError("4111111111111111"), ControlError("x"), [b"\x00" * 100], [b"{}"] * 50])
def test_a_lying_source_ends_nothing(made, signers, answer):
    """Whatever a source answers, what was taken stays, and its text is not shown."""
    source, watcher = made([signers.policy(2, effective_at=NOW + 10)])
    watcher.look()
    source.answer = answer if isinstance(answer, BaseException) else [*answer, signers.policy(2, effective_at=NOW + 10, by=())]
    watcher.look()
    assert all("4111111111111111" not in event.reason for event in watcher.events())
    assert isinstance(answer, list) or watcher.due(NOW + 10) is not None


def test_a_slow_source_does_not_hold_up_batches(made, signers):
    """While a look takes its time, what is in force can be asked and changed."""
    source, watcher = made([signers.policy(2), signers.policy(3, effective_at=NOW + 10)])
    watcher.look()
    source.waits = threading.Event()
    looking = threading.Thread(target=watcher.look)
    looking.start()
    watcher.adopted(watcher.due(NOW))
    assert watcher.due(NOW + 10).body.version == 3
    source.waits.set()
    looking.join()


def test_looks_come_by_themselves(signers, tmp_path):
    """A document that is put into the directory takes effect without anybody asking, and close ends the thread."""
    watcher = ControlWatcher(ControlOptions(f"file://{tmp_path}", signers.trust().decode(), refresh=10), "s", 1, "", clock=lambda: NOW)
    watcher.start()
    DirectorySource(tmp_path).publish("x", signers.policy(2))
    while watcher.due(NOW) is None:
        watcher._wanted.set()
    watcher.close()
    assert not watcher._thread.is_alive()


def test_a_restart_keeps_what_was_in_force(made, signers, tmp_path):
    """With a store, a worker that starts while the source is away, or holds less, has the policy and the revocations of before."""
    store = Store(f"file://{tmp_path}/state", "s", Sealer(KeyRing.new(), "control", "s"))
    grant = signers.grant()
    name = json.loads(parse(grant).payload)["id"]
    _, watcher = made([signers.policy(2), grant, signers.revocation(name)], store)
    watcher.look()
    watcher.adopted(watcher.due(NOW))
    watcher.look()
    for answer in (ControlUnavailableError("away"), [grant, signers.policy(1)], []):
        _, again = made(answer, store)
        assert again.upcoming()[0].body.version == 2 and again.due(NOW).body.version == 2
        again.look()
        assert again.grants_in_force(NOW) == () and again.due(NOW).body.version == 2
        again.adopted(again.due(NOW))
        assert again.due(NOW) is None


def test_a_state_directory_that_is_mounted_later(made, signers, tmp_path):
    """Where the directory of the store is not there when a worker starts, what it holds has effect as soon as it is: revocations that the
    source no longer has, and the policy's version."""
    (tmp_path / "away").mkdir()
    ring, grant = KeyRing.new(), signers.grant()
    name = json.loads(parse(grant).payload)["id"]
    before = made([signers.policy(2), grant, signers.revocation(name)], Store(f"file://{tmp_path}/away/state", "s",
                                                                              Sealer(ring, "control", "s")))[1]
    before.look()
    before.adopted(before.due(NOW))
    before.look()
    _, watcher = made([grant, signers.policy(1)], Store(f"file://{tmp_path}/there/state", "s", Sealer(ring, "control", "s")))
    watcher.look()
    assert len(watcher.grants_in_force(NOW)) == 1 and watcher.due(NOW) is None
    (tmp_path / "away").rename(tmp_path / "there")
    watcher.look()
    watcher.look()
    assert watcher.grants_in_force(NOW) == () and watcher.due(NOW).body.version == 2


def test_two_workers_write_one_store(made, signers, tmp_path):
    """What one worker knows and what the other knows are both kept, and versions only rise."""
    store = Store(f"file://{tmp_path}/state", "s", Sealer(KeyRing.new(), "control", "s"))
    one, other = made([signers.policy(2), signers.policy(3)], store)[1], made([signers.policy(2)], store)[1]
    for watcher in (one, other):
        watcher.look()
        watcher.adopted(watcher.due(NOW))
    one.look()
    other.look()
    assert store.load().version == 3 and other.due(NOW).body.version == 3


def test_a_store_of_another_ring_is_refused(made, tmp_path):
    """A state file that somebody else wrote is an error, and shows nothing of its contents."""
    (tmp_path / "state").write_bytes(b"x" * 100)
    with pytest.raises(ControlError, match="was not written by a job"):
        made([], Store(f"file://{tmp_path}/state", "s", Sealer(KeyRing.new(), "control", "s")))


def test_a_full_disk_ends_nothing(made, signers, tmp_path):
    """A store that cannot be written leaves documents in effect."""
    store = Store(f"file://{tmp_path}/no/such/state", "s", Sealer(KeyRing.new(), "control", "s"))
    _, watcher = made([signers.policy(2)], store)
    watcher.look()
    assert watcher.due(NOW).body.version == 2
