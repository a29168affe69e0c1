"""Logs before an implementation that is not ours: Go's golang.org/x/mod/sumdb, packages note and tlog."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from sealed_logs import SIGNER, batches, sealed

from flink_masking.audit.stores import Directory
from flink_masking.audit.verify import verify

SOURCES = Path(__file__).resolve().parent / "go"
GO = shutil.which("go") or next((str(path) for path in (Path("/usr/local/go/bin/go"),) if path.exists()), None)


@pytest.fixture(scope="session")
def verifier(tmp_path_factory):
    """The program, built, which takes a minute the first time: a tier of its own, in which Go and its modules must be there."""
    if os.environ.get("FLINK_MASKING_LOG") != "1":
        pytest.skip("FLINK_MASKING_LOG=1 asks for it (make test-log)")
    assert GO is not None, "there is no Go on this machine"
    folder = tmp_path_factory.mktemp("go")
    shutil.copytree(SOURCES, folder / "source")
    built = subprocess.run([GO, "build", "-o", folder / "verify", "."], cwd=folder / "source", capture_output=True, text=True,
                           env={**os.environ, "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}, timeout=300)
    assert built.returncode == 0, built.stderr
    return folder / "verify"


def run(program, *arguments):
    """What the program says of a log."""
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("count", [1, 2, 255, 256, 257, 700])
def test_go_accepts_what_we_write(verifier, tmp_path, count):
    """Signature, every entry's inclusion and the consistency with an older checkpoint hold for Go's implementation."""
    lines = batches(count, 1)[1]
    folder = sealed(tmp_path / "log", lines[: count // 2 + 1])
    shutil.copy(folder / "checkpoint", tmp_path / "old")
    sealed(folder, lines)
    done = run(verifier, folder, SIGNER.verifier, tmp_path / "old")
    assert done.returncode == 0, done.stderr
    now = verify(Directory(folder), [SIGNER.verifier]).checkpoint
    assert done.stdout.split() == [str(now.size), now.root.hex()] and now.size == count


@pytest.mark.parametrize("name", ["checkpoint", "tile/0/000", "tile/entries/001", "tile/1/000.p/2"])
def test_go_refuses_what_was_changed(verifier, tmp_path, name):
    """A bit that is changed in any kind of file is refused by Go's implementation and by ours."""
    folder = sealed(tmp_path / "log", batches(600, 1)[1])
    data = bytearray((folder / name).read_bytes())
    data[40] ^= 1
    (folder / name).write_bytes(data)
    assert run(verifier, folder, SIGNER.verifier).returncode == 1 and verify(Directory(folder), [SIGNER.verifier]).faults
