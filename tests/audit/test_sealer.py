"""The sealer: what it writes, what it leaves out, and what an end at any step leaves behind."""

import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sealed_logs import RING, SIGNER, batches, sealed

from flink_masking.audit.checkpoint import Checkpoint
from flink_masking.audit.entries import read_entries
from flink_masking.audit.events import AuditChain, is_leaves
from flink_masking.audit.notes import NoteSigner
from flink_masking.audit.sealer import Sealer
from flink_masking.audit.stores import Directory
from flink_masking.audit.verify import verify
from flink_masking.errors import InputError

KEYS = [SIGNER.verifier]


class Killed(BaseException):
    """An end at a step."""


class Failing:
    """A store whose n-th change ends the process, before or after it is done; steps are shared between log and state."""

    def __init__(self, inner, steps, error=Killed):
        """Stand before a store."""
        self.inner, self.steps, self.error = inner, steps, error
        self.read, self.names = inner.read, inner.names

    def write(self, name, data):
        """Write, or fail."""
        self._step(lambda: self.inner.write(name, data), name)

    def remove(self, name):
        """Remove, or fail."""
        self._step(lambda: self.inner.remove(name), name)

    def _step(self, change, name):
        self.steps.append(name)
        if self.steps.at == len(self.steps) and not self.steps.after:
            raise self.error
        change()
        if self.steps.at == len(self.steps) and self.steps.after:
            raise self.error


class Steps(list):
    """Changes that were begun; `at` is the one that fails."""

    def __init__(self, at=0, after=False):
        """None so far."""
        super().__init__()
        self.at, self.after = at, after


def failing(folder, steps, error=Killed):
    """A sealer over stores that fail."""
    sealer = Sealer(Failing(Directory(folder), steps, error), SIGNER, folder / ".sealer")
    sealer._state = Failing(sealer._state, steps, error)
    return sealer


def entries(folder):
    """All entries of a log whose checkpoint is sound."""
    found = verify(Directory(folder), KEYS, ring=RING)
    assert found.faults == [] and found.untraced == 0
    return list(read_entries(Directory(folder), found.checkpoint.size))


def test_every_event_is_an_entry_in_order(tmp_path):
    """A log over several rounds, with whole and partial tiles, has each event once, and verifies with chains, codes and leaf hashes."""
    _, lines = batches(700, 2)
    folder = sealed(tmp_path / "log", lines[:3], lines[3:600], [], lines[600:])
    assert entries(folder) == [line for line in lines if not is_leaves(line)]
    assert (folder / "tile/1/000.p/2").stat().st_size == 64 and (folder / "tile/entries/002.p/188").exists()


def test_lines_that_come_again_are_left_out_and_other_events_of_that_number_are_not(tmp_path):
    """What a source repeats is in the log once, after a restart too; an event with the number of another one is kept for verifiers."""
    _, lines = batches(4)
    folder = sealed(tmp_path / "log", lines[:4], lines)
    sealed(folder, lines[::-1])
    assert entries(folder) == [line for line in lines if not is_leaves(line)]
    chain = AuditChain.signed(RING)
    chain._chain = AuditChain("", 1, "", 1, after=lines[0])._chain
    other = chain.event("unmask", 0, {"actor": "a", "purpose": "p", "outcome": "done"})
    sealed(folder, [other])
    assert any("is a duplicate" in fault for fault in verify(Directory(folder), KEYS).faults)


def test_events_that_come_out_of_order_are_complete_in_the_end(tmp_path):
    """Events of a chain may come in any order, over several rounds."""
    _, lines = batches(9)
    folder = sealed(tmp_path / "log", lines[10:], lines[4:10], lines[:6])
    assert sorted(entries(folder)) == sorted(line for line in lines if not is_leaves(line))


def test_events_that_are_too_long_for_an_entry_are_kept_beside_it(tmp_path):
    """An event above 64 KiB is in a file that the entry names by its SHA-256, and a change of that file is found."""
    chain = AuditChain.signed(RING)
    lines = [chain.event("unmask", k, {"actor": "a" * size, "purpose": "p", "outcome": "done"}) for k, size in enumerate((1, 70_000, 1))]
    folder = sealed(tmp_path / "log", lines, lines)
    assert len(entries(folder)) == 3
    [large] = (folder / "large").iterdir()
    large.write_bytes(large.read_bytes().replace(b"aaaa", b"aaab", 1))
    assert "was changed" in verify(Directory(folder), KEYS).faults[0]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_every_step(tmp_path, after):
    """Whatever step the sealer ends at, the next one goes on: nothing is lost or doubled, and no size has two roots."""
    _, lines = batches(260, 2)
    first, second, third = lines[:300], lines[300:515], lines[515:]
    whole = Steps()
    sealed(tmp_path / "whole", first)
    with failing(tmp_path / "whole", whole) as sealer:
        sealer.seal(second, {"f": 1})
    assert len(whole) > 6
    for at in range(1, len(whole) + 1):
        folder, roots = tmp_path / str(at), {}

        def published(folder=folder, roots=roots):
            now = Checkpoint.read((folder / "checkpoint").read_bytes(), KEYS)
            assert roots.setdefault(now.size, now.root) == now.root
            assert verify(Directory(folder), KEYS, ring=RING).faults == []

        sealed(folder, first)
        published()
        with pytest.raises(Killed), failing(folder, Steps(at, after)) as sealer:
            sealer.seal(second, {"f": 1})
        published()
        with Sealer(Directory(folder), SIGNER, folder / ".sealer") as sealer:
            published()
            sealer.seal(second if sealer.position.sources.get("f") != 1 else [], {"f": 1})
            published()
            sealer.seal(third, {"f": 2})
        published()
        assert entries(folder) == [line for line in lines if not is_leaves(line)]


def test_a_disk_that_is_full_loses_nothing(tmp_path):
    """A write that fails is an error; the same sealer goes on when there is room, with the same lines or more."""
    _, lines = batches(40)
    for at in range(1, 8):
        folder, steps = tmp_path / str(at), Steps(at)
        with failing(folder, steps, OSError) as sealer:
            with pytest.raises(OSError):
                sealer.seal(lines[:30], {"f": 30})
            done = sealer.position.sources.get("f", 0)
            sealer.seal(lines[done:], {"f": len(lines)})
            sealer.seal(lines, {"f": len(lines)})
        assert entries(folder) == [line for line in lines if not is_leaves(line)]


def test_a_file_that_does_not_fit_the_disk_leaves_none(tmp_path):
    """Of a file that cannot be written whole, nothing is left; the one before stays."""
    store, limits = Directory(tmp_path), resource.getrlimit(resource.RLIMIT_FSIZE)
    store.write("checkpoint", b"old")
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(OSError):
            store.write("checkpoint", b"x" * 200)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert store.read("checkpoint") == b"old" and len(list(tmp_path.iterdir())) == 1


def test_a_state_that_is_lost_is_made_anew(tmp_path):
    """Without its state the sealer reads the log: what sources give again is left out, and leaf hashes stay."""
    _, lines = batches(300)
    folder = sealed(tmp_path / "log", lines[:400])
    for file in (folder / ".sealer").iterdir():
        file.unlink()
    sealed(folder, lines)
    assert entries(folder) == [line for line in lines if not is_leaves(line)]


def test_one_sealer_at_a_time(tmp_path):
    """A second sealer of a log is refused; so is one on another machine, when the first has published since."""
    _, lines = batches(4)
    folder = sealed(tmp_path / "log", lines[:2])
    with Sealer(Directory(folder), SIGNER, folder / ".sealer"), pytest.raises(InputError, match="another sealer"):
        Sealer(Directory(folder), SIGNER, folder / ".sealer").__enter__()
    with Sealer(Directory(folder), SIGNER, tmp_path / "elsewhere") as other:
        sealed(folder, lines[:4])
        with pytest.raises(InputError, match="another sealer"):
            other.seal(lines, {})


def test_a_log_that_was_cut_back_is_not_continued(tmp_path):
    """An older checkpoint in place of the newest stops the sealer, since it would sign another root of that size."""
    _, lines = batches(4)
    folder = sealed(tmp_path / "log", lines[:2])
    old = (folder / "checkpoint").read_bytes()
    sealed(folder, lines)
    (folder / "checkpoint").write_bytes(old)
    with pytest.raises(InputError, match="cut back"):
        sealed(folder, lines)
    with pytest.raises(InputError, match="no key that was given"):
        sealed(folder, lines, signer=NoteSigner("other", bytes(32)))


def test_a_process_that_is_killed_again_and_again(tmp_path):
    """A sealer process that gets SIGKILL at random moments leaves a log that verifies, and in the end each event once."""
    _, lines = batches(120, 2)
    (tmp_path / "audit").mkdir()
    target, key = tmp_path / "audit" / "events.jsonl", tmp_path / "key"
    NoteSigner.create(key, "orders")
    verifiers = [NoteSigner.read(key).verifier]
    command = [str(Path(sys.executable).with_name("flink-masking")), "audit", "seal", str(tmp_path / "audit"),
               "--log", str(tmp_path / "log"), "--key", str(key)]
    log = Directory(tmp_path / "log")
    for turn in range(6):
        with target.open("ab") as opened:
            opened.write(b"".join(line + b"\n" for line in lines[turn * 40 : turn * 40 + 40]))
        running = subprocess.Popen([*command, "--every", "0.1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        before = log.read("checkpoint")
        while log.read("checkpoint") == before and running.poll() is None and turn % 2:
            time.sleep(0.002)
        running.send_signal(signal.SIGKILL)
        running.wait()
        assert log.read("checkpoint") is None or verify(log, verifiers).faults == []
    subprocess.run([*command, "--once"], check=True, stdout=subprocess.DEVNULL)
    assert list(read_entries(log, verify(log, verifiers).checkpoint.size)) == [line for line in lines if not is_leaves(line)]
