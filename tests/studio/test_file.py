"""The policy's file: replaced as a whole, never over what has changed, and nothing else is written."""

import errno
import hashlib
import os
from pathlib import Path

import pytest

from flink_masking.errors import InputError
from flink_masking.studio.file import LARGEST, ConflictError, PolicyFile


def test_a_new_file_is_made_and_then_replaced(tmp_path):
    """The digest of a save is what the next save begins with; nothing lies beside the file."""
    file = PolicyFile(tmp_path / "policy.yaml")
    assert file.read() == ("", "")
    first = file.save("version: 1\n", "")
    assert file.read() == ("version: 1\n", first)
    second = file.save("version: 2\n", first)
    assert file.read() == ("version: 2\n", second) and [one.name for one in tmp_path.iterdir()] == ["policy.yaml"]


@pytest.mark.parametrize("begun", ["version: 1\n", None])
def test_what_changed_on_disk_is_not_overwritten(tmp_path, begun):
    """A file that changed, or appeared, since the editor began stays as it is."""
    path = tmp_path / "policy.yaml"
    if begun is not None:
        path.write_text(begun)
    file = PolicyFile(path)
    _, digest = file.read()
    path.write_text("version: 7  # somebody else's\n")
    with pytest.raises(ConflictError, match="on disk meanwhile, and is not overwritten"):
        file.save("version: 2\n", digest)
    assert path.read_text() == "version: 7  # somebody else's\n" and len(list(tmp_path.iterdir())) == 1


def test_a_file_that_appears_at_the_last_moment_is_not_overwritten(tmp_path, monkeypatch):
    """Also where a file appears between the check and the writing, it stays."""
    file = PolicyFile(tmp_path / "policy.yaml")
    digest = file.digest

    def appears():
        found = digest()
        (tmp_path / "policy.yaml").write_text("theirs")
        return found

    monkeypatch.setattr(file, "digest", appears)
    with pytest.raises(ConflictError, match="appeared"):
        file.save("mine", "")
    assert (tmp_path / "policy.yaml").read_text() == "theirs"


def test_a_file_that_is_gone_is_a_conflict(tmp_path):
    """A file that was removed is not made again without being asked."""
    path = tmp_path / "policy.yaml"
    path.write_text("version: 1\n")
    file = PolicyFile(path)
    _, digest = file.read()
    path.unlink()
    with pytest.raises(ConflictError):
        file.save("version: 2\n", digest)
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_without_links(tmp_path, monkeypatch):
    """Where a name cannot be linked a new file is made all the same, and one that appeared meanwhile stays."""
    def refused(*_, **__):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    file = PolicyFile(tmp_path / "policy.yaml")
    digest = file.save("version: 1\n", "")
    assert file.read() == ("version: 1\n", digest)
    (tmp_path / "policy.yaml").unlink()
    looked = file.digest

    def appears():
        found = looked()
        (tmp_path / "policy.yaml").write_text("theirs")
        return found

    monkeypatch.setattr(file, "digest", appears)
    with pytest.raises(ConflictError, match="appeared"):
        file.save("mine", "")
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("policy.yaml", "theirs")]


def test_text_and_digest_are_of_the_same_bytes(tmp_path, monkeypatch):
    """A file that is replaced while it is read gives the digest of the text that was read, so that saving it is a conflict."""
    path = tmp_path / "policy.yaml"
    path.write_text("version: 1\n")
    opened, times = Path.open, []

    def replaced(self, *arguments, **options):
        times.append(self)
        found = opened(self, *arguments, **options)
        if len(times) == 1:
            (tmp_path / "new").write_text("version: 2  # theirs\n")
            (tmp_path / "new").replace(path)
        return found

    file = PolicyFile(path)
    monkeypatch.setattr(Path, "open", replaced)
    text, digest = file.read()
    monkeypatch.undo()
    assert (text, digest) == ("version: 1\n", hashlib.sha256(b"version: 1\n").hexdigest())
    with pytest.raises(ConflictError):
        file.save("version: 3\n", digest)


def test_links_and_permissions_are_kept(tmp_path):
    """A link stays one, and what it names keeps its permissions."""
    (tmp_path / "real").mkdir()
    real = tmp_path / "real" / "policy.yaml"
    real.write_text("version: 1\n")
    real.chmod(0o640)
    (tmp_path / "link.yaml").symlink_to(real)
    file = PolicyFile(tmp_path / "link.yaml")
    file.save("version: 2\n", file.read()[1])
    assert (tmp_path / "link.yaml").is_symlink() and real.read_text() == "version: 2\n" and real.stat().st_mode & 0o777 == 0o640


def test_a_failure_leaves_the_old_file(tmp_path, monkeypatch):
    """Where the new text cannot be written to the disk, the file is the old one, and no part is left."""
    path = tmp_path / "policy.yaml"
    path.write_text("version: 1\n")
    file = PolicyFile(path)

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left on device"):
        file.save("version: 2\n", file.read()[1])
    assert path.read_text() == "version: 1\n" and len(list(tmp_path.iterdir())) == 1


def test_large_texts_are_neither_read_nor_saved(tmp_path):
    """The bound of a policy counts for reading and saving."""
    path = tmp_path / "policy.yaml"
    file = PolicyFile(path)
    with pytest.raises(InputError, match="is not saved"):
        file.save("#" * (LARGEST + 1), "")
    path.write_text("#" * (LARGEST + 1))
    with pytest.raises(InputError, match="larger than"):
        file.read()


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", bytes(range(256))])
def test_a_binary_file_is_refused(tmp_path, data):
    """What is no UTF-8 text is not opened."""
    (tmp_path / "policy.yaml").write_bytes(data)
    with pytest.raises(InputError, match="Hint"):
        PolicyFile(tmp_path / "policy.yaml").read()


def test_a_directory_is_no_policy(tmp_path):
    """A directory, and a file in no directory, are refused at once."""
    for path in (tmp_path, tmp_path / "none" / "policy.yaml"):
        with pytest.raises(InputError, match="name a policy file"):
            PolicyFile(path)
