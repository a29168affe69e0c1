"""Commands that write clear values, ended by a signal while they write: nothing of the output is left, and the audit says so."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from waiting import CLIENT_S

from flink_masking.audit.events import broken_links
from flink_masking.keys.files import create
from flink_masking.protector import Protector

POLICY = """\
version: 3
stream: orders
fields: {name: {class: direct}}
segments: {masked: {view: masked, rules: {name: {technique: encrypt, domain: name}}}}
"""
ROWS = 10_000
"""Records of a batch of unmask and rekey (cli/rewrite.py)."""
RUN = "{before}from flink_masking.cli import main; main()"
ANONYMOUS = {"with": "", "without": "import os; del os.O_TMPFILE; "}
"""File systems (here: systems) with and without files that have no name."""


@pytest.fixture(scope="module")
def masked():
    """A key ring's file contents and the masked records of more than one batch."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        create(Path(folder) / "keys.json")
        (Path(folder) / "policy.yaml").write_text(POLICY)
        protector = Protector(Path(folder) / "policy.yaml", f"file://{folder}/keys.json")
        records = [b'{"name":"SECRET-%d"}' % i for i in range(ROWS + 5_000)]
        rows = protector.protect(records).views["masked"].to_pylist()
        yield (Path(folder) / "keys.json").read_bytes(), b"".join(row + b"\n" for row in rows)


@pytest.fixture
def place(masked, tmp_path):
    """A policy, its key ring, and a pipe in the place of the masked records."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "keys.json").write_bytes(masked[0])
    (tmp_path / "keys.json").chmod(0o600)
    os.mkfifo(tmp_path / "input")
    return tmp_path


def begin(place, before):
    """The command at work, as far as a first batch written: it waits for the rest of the second."""
    options = {"--segment": "masked", "--input": place / "input", "--output": place / "clear.jsonl", "--keys": f"file://{place}/keys.json",
               "--actor": "ann", "--purpose": "case 7"}
    arguments = [str(part) for pair in options.items() for part in pair]
    return subprocess.Popen([sys.executable, "-P", "-c", RUN.format(before=before), "unmask", str(place / "policy.yaml"), *arguments],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip


@contextlib.contextmanager
def feeding(place, running, records):
    """The pipe, once the command has read all of the records but what a pipe holds: its second batch is under way."""
    while True:
        try:
            pipe = os.open(place / "input", os.O_WRONLY | os.O_NONBLOCK)
            break
        except OSError:  # nobody reads yet
            assert running.poll() is None, running.communicate()
            time.sleep(0.01)
    os.set_blocking(pipe, True)
    with os.fdopen(pipe, "wb", buffering=0) as opened:
        opened.write(records)
        yield


@pytest.mark.parametrize(("number", "anonymous"), [
    (signal.SIGTERM, "with"), (signal.SIGKILL, "with"), (signal.SIGTERM, "without"), (signal.SIGINT, "without"),
    (signal.SIGKILL, "without"),
])
def test_a_signal_leaves_no_clear_value(place, masked, number, anonymous):
    """Ended in the middle, unmask leaves the policy, the keys and its audit; only SIGKILL, and only where no file can be without a name,
    leaves a hidden part, for its owner only."""
    before = set(os.listdir(place))
    running = begin(place, ANONYMOUS[anonymous])
    with feeding(place, running, masked[1]):
        during = {name for name in os.listdir(place) if "clear.jsonl" in name and "audit" not in name}
        running.send_signal(number)
        out, err = running.communicate(timeout=CLIENT_S)
    left = set(os.listdir(place)) - before
    part = [name for name in left if name != "clear.jsonl.audit.jsonl"]
    if anonymous == "with":
        assert during == set() and part == []
    elif number == signal.SIGKILL:
        assert [(place / name).stat().st_mode & 0o777 for name in part] == [0o600] and part[0].startswith(".clear.jsonl.")
    else:
        assert len(during) == 1 and part == []
    lines = (place / "clear.jsonl.audit.jsonl").read_bytes().splitlines()
    outcomes = [json.loads(line)["outcome"] for line in lines]
    assert broken_links(lines) == [] and "SECRET" not in out + err
    if number == signal.SIGKILL:
        assert (running.returncode, outcomes) == (-signal.SIGKILL, ["begun"])
    else:
        assert (running.returncode, outcomes) == (130 if number == signal.SIGINT else 128 + number, ["begun", "failed"])
        assert "Traceback" not in err


def test_a_file_that_is_never_named_is_what_it_should_be(place, masked):
    """When all is written the output is there at once, whole, for its owner only."""
    running = begin(place, "")
    with feeding(place, running, masked[1]):
        assert not (place / "clear.jsonl").exists()
    assert running.wait(60) == 0
    assert (place / "clear.jsonl").stat().st_mode & 0o777 == 0o600
    assert (place / "clear.jsonl").read_bytes().count(b"SECRET") == ROWS + 5_000


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_no_copy_of_the_input_is_left(place, end):
    """`run` copies CSV into a directory of its own for Flink; ended while it reads, it removes the copy."""
    (place / "policy.yaml").write_text(POLICY.replace("stream: orders", "stream: orders\nformat: csv\ncolumns: [name]"))
    (place / "temporary").mkdir()
    arguments = ["run", place / "policy.yaml", "--input", "-", "--output", place / "views", "--keys", f"file://{place}/keys.json"]
    environment = {**os.environ, "TMPDIR": str(place / "temporary")}
    with subprocess.Popen([sys.executable, "-P", "-c", RUN.format(before=""), *map(str, arguments)], env=environment,
                          stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        process.stdin.write(b"name\n" + b"SECRET\n" * 500_000)
        process.stdin.flush()
        deadline = time.monotonic() + CLIENT_S
        while not list((place / "temporary").rglob("part-*")) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert list((place / "temporary").rglob("part-*"))
        process.send_signal(end)
        process.wait(CLIENT_S)
    assert list((place / "temporary").glob("flink-masking-*")) == []
    assert process.returncode == (130 if end == signal.SIGINT else 128 + end)
