"""What is written durably stays after a power cut: with the contents, the name in the directory is on the disk."""

import os
import stat

import pytest

from flink_masking.audit.log import AuditLog
from flink_masking.audit.stores import Directory
from flink_masking.control.sealed_file import SealedFile
from flink_masking.control.sources.local import replace_file
from flink_masking.files.private_file import new_file
from flink_masking.keys import files
from flink_masking.keys.ring import KeyRing
from flink_masking.keys.sealer import Sealer

RING = KeyRing.new()


def state(path):
    """Control documents' state, or the ledger of grants."""
    file = SealedFile(path, b"s", Sealer(RING, "control", "s"), "")
    with file.locked():
        file.write(b"contents")


def document(path):
    """A control document."""
    replace_file(path, b"contents")


def tile(path):
    """A file of the log."""
    Directory(path.parent).write(path.name, b"contents")


def event(path):
    """The first event of a command."""
    AuditLog(path, RING).append("unmask", 0, {})


def fresh(path):
    """A file that appears whole."""
    with new_file(path) as opened:
        opened.write(b"contents")


def ring(path):
    """A key ring that is changed."""
    files.edit(path, lambda data: data + b" ")


@pytest.mark.parametrize("anonymous", [True, False])
@pytest.mark.parametrize("write", [state, document, tile, event, fresh, ring])
def test_the_name_is_on_the_disk(tmp_path, monkeypatch, write, anonymous):
    """After the file has its name, and before the writer goes on, its directory is flushed."""
    path, flushed, sync = tmp_path / "file", [], os.fsync
    if not anonymous:
        monkeypatch.delattr(os, "O_TMPFILE")
    if write is ring:
        files.create(path)
    elif write not in (event, fresh):
        write(path)
    before = path.stat().st_ino if path.exists() else None

    def noted(file):
        sync(file)
        facts = os.fstat(file)
        if stat.S_ISDIR(facts.st_mode) and path.exists() and path.stat().st_ino != before:
            flushed.append(os.path.samestat(facts, tmp_path.stat()))

    monkeypatch.setattr(os, "fsync", noted)
    write(path)
    assert flushed and all(flushed)
