"""Key ring files that are changed while others read them."""

import fcntl
import json
import os
import stat
import subprocess
import sys

import pytest
from waiting import CLIENT_S

from flink_masking.errors import KeyRingError
from flink_masking.keys import files
from flink_masking.keys.ring import KeyRing


@pytest.fixture
def path(tmp_path):
    """A key ring file."""
    files.create(tmp_path / "keys.json")
    return tmp_path / "keys.json"


def added(data):
    """A ring with one more version."""
    return KeyRing.parse(data, "x").added().dump()


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_an_edit_replaces_the_file_and_keeps_its_mode(path, mode):
    """After an edit the file is another one with the same mode, and nothing else lies beside it."""
    path.chmod(mode)
    before, stamp = path.stat().st_ino, files.stamp(path)
    files.edit(path, added)
    assert files.read(path).versions == (1, 2)
    assert (stat.S_IMODE(path.stat().st_mode), os.listdir(path.parent)) == (mode, ["keys.json"])
    assert (path.stat().st_ino != before, files.stamp(path) != stamp) == (True, True)


def test_a_reader_keeps_what_it_opened(path):
    """Who has the file open reads the old ring to its end: it is never written in place."""
    with path.open("rb") as stream:
        files.edit(path, added)
        assert KeyRing.parse(stream.read(), "x").versions == (1,)


def test_a_link_stays_a_link(path):
    """Editing through a symbolic link changes the file that it leads to."""
    link = path.with_name("link.json")
    link.symlink_to(path)
    files.edit(link, added)
    assert link.is_symlink()
    assert files.read(path).versions == (1, 2)


def test_a_change_that_fails_changes_nothing(path):
    """When the change raises, the file is the same file and nothing lies beside it."""
    stamp = files.stamp(path)

    def failing(data):
        raise KeyRingError("no. Hint: none")

    with pytest.raises(KeyRingError, match="no"):
        files.edit(path, failing)
    assert (files.stamp(path), os.listdir(path.parent)) == (stamp, ["keys.json"])


def test_a_full_disk_changes_nothing(path, monkeypatch):
    """When the new file cannot be written to the end, the old one stays and the part is removed."""
    before = path.read_bytes()

    def full(file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeyRingError, match=r"cannot be replaced \(No space left"):
        files.edit(path, added)
    assert (path.read_bytes(), os.listdir(path.parent)) == (before, ["keys.json"])


ADD_FIVE = """
import sys
from pathlib import Path
from flink_masking.keys import files
from flink_masking.keys.ring import KeyRing
print("ready", flush=True)
sys.stdin.readline()
for _ in range(5):
    files.edit(Path(sys.argv[1]), lambda data: KeyRing.parse(data, "x").added().dump())
"""


def test_concurrent_edits_lose_nothing(path):
    """Edits of several processes at once all take effect, one after the other."""
    command = [sys.executable, "-P", "-c", ADD_FIVE, path]
    workers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [worker.stdout.readline() for worker in workers] == ["ready\n"] * 4
    for worker in workers:
        worker.stdin.write("\n")
        worker.stdin.flush()
    for worker in workers:
        worker.communicate(timeout=CLIENT_S)
    assert [worker.returncode for worker in workers] == [0] * 4
    assert files.read(path).versions == tuple(range(1, 22))


def test_waiting_for_an_edit_ends(path, monkeypatch):
    """An edit gives up when another one holds the file for too long."""
    monkeypatch.setattr(files, "PATIENCE_S", 0.05)
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(KeyRingError, match=r"another command is changing it.*Hint"):
            files.edit(path, added)
    assert files.read(path).versions == (1,)


@pytest.mark.parametrize(("mode", "owner", "user", "exposed"), [
    (0o600, 2000, 1000, True), (0o400, 2000, 0, True), (0o600, 1000, 0, True),
    (0o600, 1000, 1000, False), (0o400, 0, 0, False), (0o400, 0, 1000, False),
    (0o440, 0, 1000, False), (0o640, 0, 1000, False),
    (0o440, 1000, 1000, True), (0o640, 0, 0, True), (0o440, 2000, 1000, True),
    (0o444, 0, 1000, True), (0o644, 0, 1000, True), (0o660, 0, 1000, True), (0o450, 0, 1000, True), (0o604, 1000, 1000, True),
])
def test_who_may_use_a_key_file(mode, owner, user, exposed):
    """Its owner, who is this user or root; and through its group whoever is not root, where root owns it, as Kubernetes mounts secrets."""
    assert (files.exposure(mode, owner, user) is not None) == exposed


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file of root's for another user's group")
def test_a_secret_under_fsgroup_is_read(tmp_path):
    """A process of another user reads a file of root's through its group, and not through everyone's rights."""
    directory = tmp_path / "secret"
    directory.mkdir()
    path = directory / "keys.json"
    files.create(path)
    os.chown(path, 0, 9999)
    program = ("import os, sys; from flink_masking.keys import files\n"
               "f = os.open(sys.argv[1], os.O_RDONLY); os.setgid(9999); os.setuid(9999)\n"
               "try: print(files.read(f'/proc/self/fd/{f}').versions)\nexcept Exception as e: print(e)")
    said = []
    for mode in (0o440, 0o444):
        path.chmod(mode)
        said.append(subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True).stdout)
    assert said[0] == "(1,)\n"
    assert "accessible to other users (mode 0444)" in said[1]


def test_what_is_no_file_is_refused_at_once(tmp_path):
    """A pipe is refused without waiting for a writer; a file that is too large without reading it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    large = tmp_path / "large"
    large.write_bytes(b" " * ((1 << 20) + 1))
    large.chmod(0o600)
    for path in (pipe, large):
        with pytest.raises(KeyRingError, match="not a key ring"):
            files.read(path)


def test_stamps_of_nothing(tmp_path):
    """A file that is not there has no stamp."""
    with pytest.raises(KeyRingError, match=r"cannot be read.*Hint"):
        files.stamp(tmp_path / "none.json")


def test_old_files_stay_readable(tmp_path):
    """A file as the first release wrote it opens."""
    root = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    versions = [
        {"version": 1, "state": "enabled", "created": "2024-03-15T10:30:00+00:00", "root": root},
        {"version": 2, "state": "primary", "created": "2024-03-16", "root": root},
    ]
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"format": "flink-masking key ring 1", "versions": versions}))
    path.chmod(0o600)
    assert (files.read(path).primary, files.read(path).versions) == (2, (1, 2))
