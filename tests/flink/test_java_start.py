"""How the Java virtual machine of an embedded cluster is started; that jobs run in it is shown by test_runs.py."""

import gzip
import os
import time
from pathlib import Path

import pytest
from pyflink import java_gateway

from flink_masking.errors import InputError
from flink_masking.flink.environment import stream_environment
from flink_masking.flink.java_start import QUICK, SMALL, UNCUT, JavaStart, options, settings


def sized(path: Path, size: int) -> Path:
    """A file of a size, which takes no room."""
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size)
    return path


def test_a_small_input_is_run_with_the_quick_compiler_only(tmp_path: Path):
    """Up to a size of all files together, Java's second compiler, which would not pay off, is left out; compressed files count for more."""
    assert options(sized(tmp_path / "few.jsonl", SMALL)) == QUICK
    assert options(sized(tmp_path / "many.jsonl", SMALL + 1)) == ""
    for name in ("a", "b"):
        sized(tmp_path / "parts" / name, SMALL // 2)
    assert options(tmp_path / "parts") == QUICK
    sized(tmp_path / "parts" / "c", 1)
    assert options(tmp_path / "parts") == ""
    assert options(sized(tmp_path / "few.jsonl.gz", SMALL // 4)) == ""
    (tmp_path / "one.jsonl.gz").write_bytes(gzip.compress(b"{}\n"))
    assert options(tmp_path / "one.jsonl.gz") == QUICK


def test_batches_of_a_small_input_are_not_cut_by_the_clock(tmp_path: Path):
    """Files that fit in memory are cut where a batch is full; large ones and a stream of unknown length also by the clock."""
    assert settings(sized(tmp_path / "few.jsonl", SMALL)) == UNCUT
    assert settings(sized(tmp_path / "many.jsonl", SMALL + 1)) == {}
    assert settings(Path("-")) == {}


@pytest.mark.parametrize("name", ["missing.zip", "workers.tar"])
def test_an_archive_that_is_none_is_refused_before_java_starts(tmp_path: Path, name: str, monkeypatch):
    """Workers run from a zip file that is there; anything else is refused at submission, with the command that makes one."""
    (tmp_path / "workers.tar").touch()
    monkeypatch.setattr(java_gateway, "_gateway", None)  # another test of this process may have started Java
    with pytest.raises(InputError, match=f"{name}: no archive for workers. Hint: make one: flink-masking package --output .*zip"):
        stream_environment(archive=tmp_path / name)
    assert java_gateway._gateway is None


@pytest.mark.parametrize("given", [None, "-Xmx1g"])
def test_what_the_environment_says_goes_before_the_own_options(monkeypatch: pytest.MonkeyPatch, given: str | None):
    """Java reads the last of two options that contradict each other, and the variable is as it was when Java runs."""
    seen: list[str] = []

    def start() -> None:
        time.sleep(0.05)
        seen.append(os.environ["JVM_ARGS"])

    monkeypatch.setattr(java_gateway, "get_gateway", start)
    monkeypatch.delenv("JVM_ARGS", raising=False)
    if given is not None:
        monkeypatch.setenv("JVM_ARGS", given)
    JavaStart(QUICK).wait()
    assert seen == [QUICK if given is None else f"{QUICK} {given}"]
    assert os.environ.get("JVM_ARGS") == given


def test_a_start_that_fails_is_told_by_the_next_one(monkeypatch: pytest.MonkeyPatch):
    """A machine that does not start is no error of the thread: PyFlink tries again where it needs it, and reports that."""
    def start() -> None:
        raise RuntimeError("Java gateway process exited before sending its port number")

    monkeypatch.setattr(java_gateway, "get_gateway", start)
    before = dict(os.environ)
    JavaStart("").wait()
    assert dict(os.environ) == before
