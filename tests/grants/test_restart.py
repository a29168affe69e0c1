"""Workers that end and begin again while grants are in force: what was opened stays counted."""

import random

import pytest
from control_documents import NOW
from granted_jobs import policy_of, record

from flink_masking.control.ledger import Ledger
from flink_masking.errors import ControlUnavailableError
from flink_masking.keys.ring import KeyRing
from flink_masking.keys.sealer import Sealer

PERSON = [record(0)]


@pytest.fixture
def again(job, tmp_path):
    """Makes workers of one job, one after the other, with one ledger and one source of documents."""
    ring, feed = KeyRing.new(), []

    def make(policy=None, began=NOW, begun=NOW - 1, **options):
        ledger = Ledger(f"file://{tmp_path}/state", "s", Sealer(ring, "control", "s"))
        ledger.begin(begun)
        made = job(policy, ring, began=began, ledger=ledger, **options)
        made.feed.documents = feed
        made.watcher.look()
        return made

    return make


def opened(job, count):
    """How many of `count` records of the granted person a worker shows."""
    return sum(one is not None for one in job.shown(PERSON * count))


def test_a_grant_outlasts_its_worker(again):
    """A worker that begins after a grant took effect goes on with it, without what the worker before had claimed."""
    first = again()
    first.grant(["p0"], max_records=40)
    assert opened(first, 5) == 5
    second = again(began=NOW + 1_000)
    assert opened(second, 100) == 35 and opened(again(began=NOW + 2_000), 1) == 0


def test_what_was_claimed_and_not_used_is_forfeited(again):
    """A twentieth of the share at most is lost with a worker; the audit tells what is left."""
    first = again()
    first.grant(["p0"], max_records=1_000)
    assert opened(first, 1) == 1
    second = again(began=NOW + 1)
    (told,) = [one for one in second.event(PERSON * 2_000)["control"] if one["outcome"] == "in_force"]
    assert "at most 950 records here, as one of 1 workers" in told["reason"]
    assert opened(second, 1) == 0


@pytest.mark.parametrize("seed", range(6))
def test_never_more_than_max_records(again, seed):
    """Whatever workers end, begin, are doubled or become more or fewer: all of them together open no more than the grant says."""
    random_ = random.Random(seed)
    most = random_.choice([1, 3, 40, 200])
    running = [again()]
    running[0].grant(["p0"], max_records=most)
    shown = 0
    for _ in range(25):
        if random_.random() < 0.4:
            workers = random_.randrange(1, 4)
            running.append(again(began=NOW + 5, workers=workers, worker=random_.randrange(workers)))
        if len(running) > 1 and random_.random() < 0.3:
            running.pop(random_.randrange(len(running)))
        shown += opened(random_.choice(running), random_.randrange(1, 10))
    assert 0 < shown <= most


def test_a_live_policy_lowers_max_records(again, signers):
    """A policy that allows fewer records counts those that were opened before."""
    made = again()
    made.grant(["p0"])
    assert opened(made, 60) == 60
    made.feed.documents.append(signers.policy(2, policy_of(2, most=100).source.text))
    made.watcher.look()
    assert opened(made, 60) <= 40 and opened(again(policy_of(2, most=100), began=NOW + 1), 60) == 0


def test_a_live_policy_raises_max_records(again, signers):
    """A grant that was used up goes on under a policy that allows more, as far as its own limit."""
    made = again(policy_of(most=20))
    made.grant(["p0"])
    assert opened(made, 30) == 20 and opened(made, 1) == 0
    made.feed.documents.append(signers.policy(2, policy_of(2, most=30).source.text))
    made.watcher.look()
    assert opened(made, 60) == 10


def test_a_lost_ledger_opens_nothing_more(again, tmp_path):
    """Where the ledger was deleted, nobody knows what was opened: a new worker refuses the grant, and a running one gets no more."""
    first = again()
    name = first.grant(["p0"], max_records=40)
    assert opened(first, 2) == 2
    (tmp_path / "state.grants").unlink()
    second = again(began=NOW + 1, begun=NOW + 1, now=NOW + 1)
    (told,) = [one for one in second.event(PERSON)["control"] if one["outcome"] == "refused"]
    assert "before this job began to keep" in told["reason"] and told["id"] == name


def test_a_ledger_that_was_begun_later(again, tmp_path):
    """A running worker whose ledger was lost and begun anew by itself claims nothing more of a grant that is older."""
    made = again()
    made.grant(["p0"], at=NOW, max_records=40)
    assert opened(made, 2) == 2
    (tmp_path / "state.grants").unlink()
    made.now = NOW + 1_000
    assert opened(made, 5) == 0
    (told,) = [one for one in made.event(PERSON)["control"] if one["outcome"] == "refused"]
    assert "before this job began to keep" in told["reason"]


@pytest.mark.parametrize("broken", [b"", b"x" * 100])
def test_a_ledger_of_somebody_else(again, tmp_path, broken):
    """A file that this job did not write opens nothing, and its worker's masking goes on."""
    made = again()
    (tmp_path / "state.grants").write_bytes(broken)
    made.grant(["p0"])
    event = made.event(PERSON)
    assert event["segments"]["debug"]["released"] == 0 and event["segments"]["support"]["released"] == 1
    assert any("was not written by a job" in one["reason"] for one in event["control"] if one["outcome"] == "refused")


def test_a_ledger_that_is_away_is_tried_again(again, tmp_path):
    """While the ledger cannot be read or written nothing is opened; once it can be, the grant goes on with the same count."""
    made = again()
    made.grant(["p0"], max_records=40)
    assert opened(made, 2) == 2
    place, aside = tmp_path / "state.grants", tmp_path / "aside"
    place.rename(aside)
    place.mkdir()
    assert opened(made, 2) == 0
    assert any(one["outcome"] == "refused" and "cannot be read" in one["reason"] for one in made.event(PERSON)["control"])
    place.rmdir()
    aside.rename(place)
    assert opened(made, 1) == 0
    made.now += 5_000
    assert opened(made, 100) == 38


def test_a_state_directory_that_is_mounted_later(job, tmp_path):
    """A ledger that cannot be begun when the job starts is begun as soon as its directory is there: grants that take effect from then on
    are carried out, and counted over restarts; older ones stay refused, for nobody counted."""
    ring, place = KeyRing.new(), tmp_path / "state"
    ledger = Ledger(f"file://{place}/control", "s", Sealer(ring, "control", "s"))
    with pytest.raises(ControlUnavailableError):
        ledger.begin(NOW)
    made = job(ring=ring, ledger=ledger)
    early = made.grant(["p0"], max_records=40)
    event = made.event(PERSON)
    assert event["segments"]["debug"]["released"] == 0
    assert [one["outcome"] for one in event["control"] if one["id"] == early] == ["taken", "refused"]
    place.mkdir()
    made.now += 6_000
    assert opened(made, 1) == 0
    made.now += 1
    late = made.grant(["p0"], max_records=4)
    event = made.event(PERSON * 3)
    assert event["segments"]["debug"]["grants"] == {late: 3}
    assert opened(made, 9) == 1 and (place / "control.grants").exists()


class Failing(Ledger):
    """A ledger whose directory is away at the reads with these numbers."""

    def __init__(self, *arguments, away=()):
        """Keep them."""
        super().__init__(*arguments)
        self.reads, self.away, self._read_file = 0, away, self._file.read
        self._file.read = self._counted

    def _counted(self):
        self.reads += 1
        if self.reads in self.away:
            raise ControlUnavailableError("control.state: away. Hint: none")
        return self._read_file()


@pytest.mark.parametrize("away", [*((number,) for number in range(1, 6)), (1, 2), (2, 3), (2, 3, 4, 5)])
def test_a_ledger_that_is_away_between_two_reads(job, tmp_path, away):
    """At whichever of its reads a ledger is away: the batch is masked, what cannot be counted is not opened, and it goes on later."""
    ring = KeyRing.new()
    Ledger(f"file://{tmp_path}/state", "s", Sealer(ring, "control", "s")).begin(NOW - 1)
    made = job(ring=ring, ledger=Failing(f"file://{tmp_path}/state", "s", Sealer(ring, "control", "s"), away=away))
    made.grant(["p0"], max_records=40)
    total = 0
    for _ in range(8):
        piece = made(PERSON * 10)
        assert piece.views["support"].null_count == 0
        total += 10 - piece.views["debug"].null_count
        made.now += 5_000
    assert total == 40
