"""Fingerprints of records are kept for their time, in files that tell nothing without the key ring."""

import logging
import os
import random
import time

import pyarrow as pa
import pytest
from unlistable import unlistable

from flink_masking.errors import InputError
from flink_masking.keys.ring import KeyRing
from flink_masking.leaks.canaries import MOST, Canaries, CanaryWriter, canary_fields
from flink_masking.leaks.monitor import Monitor
from flink_masking.leaks.options import LeakOptions
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

POLICY = """
version: 1
stream: events
fields:
  id: {class: identifier}
  mail: {class: direct, type: email}
  name: {class: direct, type: full_name}
  order: {class: identifier}
  note: {class: free_text}
unknown_fields: drop
segments:
  view: {view: masked, rules: {id: {technique: pseudonym, domain: d}, order: keep, "*": drop}}
"""
LOADED = load(PolicySource("policy.yaml", POLICY))


class Time:
    """A clock that stands until it is set."""

    now = 10**12

    def __call__(self) -> int:
        """The time."""
        return self.now


def records(*numbers: int) -> pa.Array:
    """A record for each number, with its own values."""
    return pa.array([b'{"id":"CUST-%08d","mail":"p%d@example.org","name":"John Smith","order":"ORDER-%08d"}' % (n, n, n) for n in numbers])


def writer(path, ring=None, sample=1.0, clock=None, keep=8000, entropy=os.urandom) -> tuple[CanaryWriter, KeyRing, Time]:
    """A writer into a directory."""
    ring, clock = ring or KeyRing.new(), clock or Time()
    return CanaryWriter(LOADED, LeakOptions(str(path), sample, keep), lambda: ring, entropy, clock), ring, clock


def leaked(path, ring, clock, text: str) -> list[str]:
    """The fields of which a text holds values."""
    canaries = Canaries(path, ring, clock)
    canaries.look()
    monitor = Monitor("text", None, canaries)
    monitor.records_of(pa.array([text.encode()]))
    return [leak.what for leak in monitor.leaks if leak.kind == "canary"]


def test_only_fields_that_no_view_shows():
    """A shown identifier and names, which many people share, have no fingerprints."""
    assert canary_fields(LOADED) == ("id", "mail")


def test_values_are_found_for_their_time(tmp_path):
    """A value of a record is found from the writing of the file until its time is over, and the file is removed then."""
    written, ring, clock = writer(tmp_path)
    assert written.note(records(1, 2)) == 4
    written.write()
    assert leaked(tmp_path, ring, clock, '{"x":"call CUST 00000001"}') == ["events/id"]
    assert leaked(tmp_path, ring, clock, '{"x":"call CUST 00000003, ORDER-00000001"}') == []
    clock.now += 8000
    assert leaked(tmp_path, ring, clock, '"P2@example.org"') == ["events/mail"]
    clock.now += 2000
    assert leaked(tmp_path, ring, clock, '"P2@example.org"') == []
    written.note(records(3))
    written.write()
    assert len(list(tmp_path.iterdir())) == 1


def test_files_hold_no_value(tmp_path):
    """Neither a value nor an unkeyed digest of one can be found in what is written, and its owner alone may read the directory."""
    written, _, _ = writer(tmp_path / "canaries")
    written.note(records(*range(50)))
    written.write()
    (path,) = (tmp_path / "canaries").iterdir()
    assert b"example" not in path.read_bytes() and b"CUST" not in path.read_bytes()
    assert (tmp_path / "canaries").stat().st_mode & 0o077 == 0
    assert leaked(tmp_path / "canaries", KeyRing.new(), Time(), '"CUST-00000001"') == []


def test_two_workers_and_two_key_versions(tmp_path):
    """Values of all writers are found, those of a key version that was replaced, too."""
    ring, clock = KeyRing.new(), Time()
    first, _, _ = writer(tmp_path, ring, clock=clock)
    second, _, _ = writer(tmp_path, ring, clock=clock)
    first.note(records(1))
    second.note(records(2))
    first.write()
    second.write()
    newer = ring.added().promoted(2)
    third, _, _ = writer(tmp_path, newer, clock=clock)
    third.note(records(3))
    third.write()
    for number in (1, 2, 3):
        assert leaked(tmp_path, newer, clock, f'"cust {number:08d}"') == ["events/id"]


def test_a_sample(tmp_path):
    """About the share of records that was asked for is kept, and no more than fits in a period."""
    written, _, _ = writer(tmp_path, sample=0.1, entropy=random.Random(1).randbytes)
    assert 300 < written.note(records(*range(2000))) < 500
    everything, _, _ = writer(tmp_path)
    assert everything.note(records(*range(MOST + 100))) == 2 * MOST
    assert everything.note(records(10**6)) == 0


def test_a_directory_that_cannot_be_written_stops_nothing(tmp_path, caplog):
    """The stream goes on, one warning tells it, and what was kept is written when it can be."""
    place = tmp_path / "canaries"
    place.write_text("in the way")
    written, ring, clock = writer(place)
    with caplog.at_level(logging.WARNING):
        written.note(records(1))
        clock.now += 5000
        written.note(records(2))
    assert len(caplog.records) == 1 and "CUST" not in caplog.text
    place.unlink()
    written.write()
    assert leaked(place, ring, clock, '"cust-00000002"') == ["events/id"]


def test_the_last_values_are_written_without_another_batch(tmp_path, monkeypatch):
    """What comes within the time between two writings is written at its end even if no batch follows, and when the disk is back, too."""
    monkeypatch.setattr("flink_masking.leaks.canaries.WRITE", 100)
    written, ring, clock = writer(tmp_path / "canaries")
    written.note(records(1))
    written.note(records(2))

    def until(done):
        end = time.monotonic() + 30
        while not done():
            assert time.monotonic() < end
            time.sleep(0.01)

    until(lambda: leaked(tmp_path / "canaries", ring, clock, '"CUST-00000002"') == ["events/id"])
    (tmp_path / "canaries").rename(tmp_path / "away")
    (tmp_path / "canaries").write_text("in the way")
    written.note(records(3))
    until(lambda: written._failing)
    (tmp_path / "canaries").unlink()
    until((tmp_path / "canaries").exists)
    until(lambda: leaked(tmp_path / "canaries", ring, clock, '"CUST-00000003"') == ["events/id"])
    written.note(records(4))
    written.close()
    assert leaked(tmp_path / "canaries", ring, clock, '"CUST-00000004"') == ["events/id"] and written._timer is None


@pytest.mark.parametrize("away", ["emptied", "removed", "refused"])
def test_a_directory_that_is_away_does_not_take_what_is_known(tmp_path, monkeypatch, away):
    """A network file system that is not mounted, or refuses, is an error each time; fingerprints stay known until their time is over."""
    place = tmp_path / "canaries"
    written, ring, clock = writer(place)
    written.note(records(1))
    written.write()
    canaries = Canaries(place, ring, clock)
    assert canaries.look() and not canaries.look()
    if away == "refused":
        unlistable(monkeypatch, place)
    else:
        place.rename(tmp_path / "elsewhere")
        if away == "emptied":
            place.mkdir()
    for _ in range(2):
        with pytest.raises(InputError, match="Hint: "):
            canaries.look()
        assert len(canaries.filters) == 1
    monkeypatch.undo()
    clock.now += 10_000
    if away == "emptied":
        assert canaries.look() and canaries.filters == []


@pytest.mark.parametrize("damage", [b"", b"flink-masking canaries 1\n", b"flink-masking canaries 1\n{}\n", None])
def test_a_damaged_file_is_told(tmp_path, damage):
    """A file that was cut or is none of ours is an error with its name, not an empty set of canaries."""
    written, ring, clock = writer(tmp_path)
    written.note(records(1))
    written.write()
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-20] if damage is None else damage)
    with pytest.raises(InputError, match=path.name):
        leaked(tmp_path, ring, clock, '""')
