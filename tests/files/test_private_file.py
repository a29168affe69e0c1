"""Files that appear whole or not at all."""

import errno
import os
import signal
import subprocess
import sys
import time

import pytest
from waiting import CLIENT_S

from flink_masking.files.private_file import Ended, ending_in_order, new_file

PROGRAM = """
import os, sys
if sys.argv[2] == "without":
    del os.O_TMPFILE
from flink_masking.files.private_file import Ended, new_file
try:
    with new_file(sys.argv[1]) as opened:
        opened.write(b"SECRET" * 10_000)
        print("written", flush=True)
        sys.stdin.read()
except Ended as ended:
    sys.exit(128 + ended.signal)
"""


@pytest.fixture(params=["with", "without"])
def anonymous(request, monkeypatch):
    """Both kinds of systems: with files that have no name, and without."""
    if request.param == "without":
        monkeypatch.delattr(os, "O_TMPFILE")
    return request.param


def test_a_file_appears_at_the_end(tmp_path, anonymous):
    """Its name is there after the body, not before; it is whole, and its owner's alone whatever the umask."""
    before = os.umask(0)
    try:
        with new_file(tmp_path / "f") as opened:
            opened.write(b"x" * 100_000)
            assert not (tmp_path / "f").exists() and len(os.listdir(tmp_path)) == (anonymous == "without")
    finally:
        os.umask(before)
    assert os.listdir(tmp_path) == ["f"] and (tmp_path / "f").read_bytes() == b"x" * 100_000
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o600


def test_nothing_is_replaced(tmp_path, anonymous):
    """A name that is taken, before or while the file is written, stays what it was; a link that leads nowhere is a name."""
    (tmp_path / "f").symlink_to("nowhere")
    with pytest.raises(FileExistsError), new_file(tmp_path / "f"):
        pass
    with pytest.raises(FileExistsError), new_file(tmp_path / "g") as opened:
        opened.write(b"new")
        (tmp_path / "g").write_bytes(b"old")
    assert (tmp_path / "g").read_bytes() == b"old" and sorted(os.listdir(tmp_path)) == ["f", "g"]


def test_a_file_system_without_links(tmp_path, monkeypatch):
    """Where a name cannot be linked the file is renamed, and still replaces nothing."""
    def refused(*_, **__):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.delattr(os, "O_TMPFILE")
    monkeypatch.setattr(os, "link", refused)
    with new_file(tmp_path / "f") as opened:
        opened.write(b"new")
    with pytest.raises(FileExistsError), new_file(tmp_path / "g"):
        (tmp_path / "g").write_bytes(b"old")
    assert [(name, (tmp_path / name).read_bytes()) for name in sorted(os.listdir(tmp_path))] == [("f", b"new"), ("g", b"old")]


def test_a_body_that_fails_leaves_nothing(tmp_path, anonymous):
    """An exception of the body is passed on, and no part is there."""
    with pytest.raises(ValueError, match="no"), new_file(tmp_path / "f") as opened:
        opened.write(b"part")
        raise ValueError("no")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
@pytest.mark.parametrize("kind", ["with", "without"])
def test_a_signal_leaves_nothing(tmp_path, kind, number):
    """However often a signal comes in the middle, nothing is left; of SIGKILL a hidden part where no file can be without a name."""
    running = subprocess.Popen([sys.executable, "-P", "-c", PROGRAM, str(tmp_path / "f"), kind], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # fmt: skip
    assert running.stdout.readline() == b"written\n"
    for _ in range(20):
        running.send_signal(number)
    running.communicate(timeout=CLIENT_S)
    assert running.returncode not in (0, None)
    left = os.listdir(tmp_path)
    if (kind, number) == ("without", signal.SIGKILL):
        assert len(left) == 1 and (tmp_path / left[0]).stat().st_mode & 0o777 == 0o600
    else:
        assert left == []


def test_handlers_are_as_before(tmp_path):
    """A signal raises once inside, and afterwards the handlers are those of before; an ignored signal stays ignored."""
    before = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with pytest.raises(Ended, match="SIGTERM"), ending_in_order():
            os.kill(os.getpid(), signal.SIGHUP)
            os.kill(os.getpid(), signal.SIGTERM)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    assert signal.getsignal(signal.SIGTERM) == before


class Dropped:
    """An object that is signalled while it is deleted, where Python reports exceptions and drops them."""

    def __init__(self, number):
        """Keep the signal."""
        self.number = number

    def __del__(self):
        """Be signalled."""
        os.kill(os.getpid(), self.number)


@pytest.mark.parametrize(("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Ended)])
def test_a_signal_whose_exception_python_drops_is_not_lost(number, error):
    """It arrives again a moment later, instead of making the process deaf to all signals."""
    with pytest.raises(error), ending_in_order():
        Dropped(number)
        for _ in range(3_000):
            time.sleep(0.02)
