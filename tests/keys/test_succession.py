"""Which rings a running job takes over: never another root of a known version, never an older ring unless told."""

import base64
import json
import os

import pytest

from flink_masking.cli.keys import restore
from flink_masking.errors import KeyRingError
from flink_masking.keys import files
from flink_masking.keys.checks import check_value
from flink_masking.keys.ring import KeyRing
from flink_masking.keys.watch import RingWatcher
from flink_masking.techniques.registry import purposes


class Clock:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self):
        """Seconds."""
        return self.now


@pytest.fixture
def job(tmp_path):
    """A ring file of three versions, the first of them destroyed, and a job that uses it."""
    path, clock, reports = tmp_path / "keys.json", Clock(), []
    files.create(path)
    files.edit(path, lambda data: KeyRing.parse(data, "x").rotated().added().destroyed(1).dump())
    return path, clock, reports, RingWatcher(f"file://{path}", 30, clock, reports.append)


def put(path, data):
    """Put a ring in place as a copy from elsewhere would be."""
    beside = path.with_name("beside")
    beside.write_bytes(data)
    beside.chmod(0o600)
    beside.replace(path)


def look(job):
    """The ring after the next look, and what was reported since."""
    _, clock, reports, watcher = job
    clock.now += 30
    before = len(reports)
    return watcher.ring(), [str(error) for error in reports[before:]]


def forged(data, number, **changes):
    """A ring in which a version has another root, its check value and generation as they should be."""
    body, root = json.loads(data), os.urandom(32)
    entry = next(entry for entry in body["versions"] if entry["version"] == number)
    entry.update(root=base64.b64encode(root).decode(), check=check_value(root, number))
    return json.dumps({**body, **changes}).encode()


@pytest.mark.parametrize("changes", [{}, {"generation": 99}, {"generation": 99, "replaces": 98}])
def test_another_root_of_a_known_version_is_refused(job, changes):
    """A changed root is refused and reported with both check values, however new the ring says it is; the ring in use stays."""
    path, _, _, watcher = job
    used, good = watcher.ring(), path.read_bytes()
    put(path, forged(good, 2, **changes))
    ring, reports = look(job)
    assert ring is used and len(reports) == 1
    assert f"{path}: version 2 has another secret than the one in use" in reports[0] and used.check(2) in reports[0]
    assert check_value(base64.b64decode(json.loads(path.read_bytes())["versions"][1]["root"]), 2) in reports[0]
    with pytest.raises(KeyRingError, match="another secret"):
        watcher.look()
    put(path, good)
    assert look(job)[1] == []


def test_a_backup_is_refused_unless_told(job, cli_restore):
    """A ring of an earlier generation is refused with the command that allows it; after that command it takes effect."""
    path, _, _, watcher = job
    old, used = path.read_bytes(), watcher.ring()
    files.edit(path, lambda data: KeyRing.parse(data, "x").promoted(3).dump())
    newer, reports = look(job)
    assert (newer.primary, reports) == (3, [])
    put(path, old)
    ring, reports = look(job)
    generation = newer.edition.generation
    assert ring is newer and f"older than the one in use (generation {generation - 1} after {generation})" in reports[0]
    assert f"Hint: if it is meant to replace the newer one, run 'flink-masking keys restore FILE --over {generation}'" in reports[0]
    cli_restore(path, generation)
    ring, reports = look(job)
    assert (ring.primary, ring.edition.generation, reports, used.primary) == (2, generation + 1, [], 2)


@pytest.fixture
def cli_restore(capsys):
    """Runs the command."""
    return lambda path, over: restore(path, over)


@pytest.mark.parametrize(("change", "said"), [
    (lambda body: body["versions"].pop(2), "lacks version 3"),
    (lambda body: body["versions"].pop(0), "lacks version 1"),
])
def test_fewer_versions_are_an_older_ring(job, change, said, cli_restore):
    """Without a version that is known, a destroyed one too, a ring is older, whatever generation it tells; until told."""
    path, _, _, watcher = job
    used, body = watcher.ring(), json.loads(path.read_bytes())
    change(body)
    body["generation"] = 50
    put(path, json.dumps(body).encode())
    ring, reports = look(job)
    assert ring is used and len(reports) == 1 and said in reports[0]
    cli_restore(path, used.edition.generation)
    ring, reports = look(job)
    assert (reports, len(ring.numbers)) == ([], 2)


def test_a_version_that_comes_back_from_the_dead_is_older(tmp_path):
    """A backup from before a version was destroyed, its generation raised by hand, is refused."""
    path, clock, reports = tmp_path / "keys.json", Clock(), []
    alive = KeyRing.new().rotated()
    put(path, alive.destroyed(1).dump())
    watcher = RingWatcher(f"file://{path}", 30, clock, reports.append)
    put(path, json.dumps({**json.loads(alive.dump()), "generation": 50}).encode())
    clock.now += 30
    assert watcher.ring().facts()[0].state == "destroyed" and "holds version 1, which was destroyed" in str(reports[0])


def test_rings_of_an_earlier_release_follow_each_other(tmp_path):
    """Rings without generations and check values are taken over as before; a changed root and a lost version are refused all the same."""
    def old(ring):
        body = json.loads(ring.dump())
        del body["generation"]
        for entry in body["versions"]:
            del entry["check"]
        return json.dumps(body).encode()

    path, clock, reports = tmp_path / "keys.json", Clock(), []
    first = KeyRing.new()
    second = first.rotated()
    put(path, old(first))
    job = path, clock, reports, RingWatcher(f"file://{path}", 30, clock, reports.append)
    put(path, old(second))
    assert (look(job)[0].primary, reports) == (2, [])
    put(path, old(first))
    assert look(job)[0].primary == 2 and "lacks version 2" in str(reports[-1])
    put(path, old(KeyRing.new().rotated()))
    assert look(job)[0].primary == 2 and "version 1 has another secret" in str(reports[-1])
    put(path, second.dump())  # as this release writes it: the same roots
    assert look(job)[0].primary == 2 and len(reports) == 2


def test_exports_are_compared_by_their_keys(tmp_path):
    """An exported ring whose keys were replaced is refused although its check values, which nobody can compute from it, are the same."""
    whole = KeyRing.new()
    path, clock, reports = tmp_path / "part.json", Clock(), []
    put(path, whole.export(["d"], purposes()).dump())
    job = path, clock, reports, RingWatcher(f"file://{path}", 30, clock, reports.append)
    forged_ = json.loads(KeyRing.new().export(["d"], purposes()).dump())
    forged_["versions"][0]["check"] = whole.check()
    put(path, json.dumps(forged_).encode())
    used = look(job)[0]
    assert "version 1 has another secret" in str(reports[0])
    assert used.derive("pseudonym", "d").secret() == whole.derive("pseudonym", "d").secret()
    put(path, whole.rotated().export(["d", "e"], purposes()).dump())
    assert (look(job)[0].domains, len(reports)) == (("d", "e"), 1)


def test_how_long_the_ring_could_not_be_read(job):
    """Seconds since the first of the failed looks, whether nothing can be read or what is there is refused; 0 after a good look."""
    path, clock, _, watcher = job
    good = path.read_bytes()
    assert watcher.unreadable_s() == 0
    path.unlink()
    clock.now += 29
    watcher.ring()
    assert watcher.unreadable_s() == 0  # nobody has looked
    for seconds in (0, 30, 60):
        look(job) if seconds else watcher.ring()
    clock.now += 5
    assert watcher.unreadable_s() == 65 - 30
    put(path, forged(good, 2))
    look(job)
    assert watcher.unreadable_s() == 65
    put(path, good)
    look(job)
    assert watcher.unreadable_s() == 0
