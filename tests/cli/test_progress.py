"""Progress on a real terminal, nothing on a pipe, and Ctrl-C in the middle of every command that takes long."""

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time

import pytest
from command_tree import COMMANDS
from waiting import CLIENT_S

from flink_masking.cli.progress import Pace, estimated, first
from flink_masking.keys.files import create
from flink_masking.protector import Protector
from flink_masking.records.inputs import Input

POLICY = """\
version: 3
stream: orders
subject: id
fields: {id: {class: identifier}, name: {class: direct}, zip: {class: quasi, prefix: 5}}
segments:
  masked: {view: masked, rules: {id: keep, name: {technique: encrypt, domain: name}, zip: keep}}
  groups: {view: anonymized, quasi_identifiers: [zip], k: 2, max_delay: 1h}
"""
ROWS = 30_000
PIPE = "{place}/pipe"
RECORDS = {
    "scan": ["scan", PIPE],
    "scan --propose": ["scan", "--format", "json", "{place}/raw.jsonl", PIPE, "--propose", "{place}/proposal.yaml"],
    "preview": ["preview", "{place}/policy.yaml", PIPE],
    "unmask": ["unmask", "{place}/policy.yaml", "--segment", "masked", "--input", PIPE, "--output", "{place}/clear.jsonl", "--keys",
               "file://{place}/keys.json", "--actor", "ann", "--purpose", "case 7"],
    "leaks": ["leaks", PIPE],
    "verify": ["verify", "{place}/policy.yaml", "--segment", "groups", "--raw", PIPE, "--released", "{place}/raw.jsonl"],
    "generate": ["generate", "--events", "900000000", "--people", "10", "--output", "{place}/out.jsonl.gz"],
    "generate payloads": ["generate", "--shape", "payloads", "--events", "900000000", "--output", "{place}/out.jsonl"],
    "generate like": ["generate", "--like", PIPE, "--events", "900000000", "--output", "{place}/out.jsonl"],
}  # fmt: skip
"""Commands that are stopped in the middle: most read a pipe that stays open, so that they cannot end by themselves."""
ELSEWHERE = {
    "run": "tests/cli/test_ended_in_the_middle.py", "quarantine replay": "tests/cli/test_replay.py",
    "quarantine summary": "writes nothing", "audit verify": "writes nothing before its end", "report": "reads like verify",
    "rekey": "writes like unmask",
    "compliance": "reads like verify", "erase": "one transaction", "keys rewrap": "a transaction a batch; docs/keys.md",
    "audit seal": "tests/audit", "demo": "runs like run", "preflight": "writes nothing", "retention": "one transaction",
    "alerts test": "writes nothing", "audit trace": "writes nothing before its end", "contract pull": "the lock file is written as a whole",
    "contract check": "writes nothing", "acl": "an entry is there or not; the same command goes on",
    "sql client-setup": "the jar has its name when it is whole", "jars": "tests/cli/test_exits.py",
    "package": "the archive has its name when it is whole",
}  # fmt: skip
"""Long commands whose interruption is looked at elsewhere."""


@pytest.fixture(scope="module")
def masked(tmp_path_factory):
    """A policy, a key ring, records, and their masked view."""
    place = tmp_path_factory.mktemp("masked")
    create(place / "keys.json")
    (place / "policy.yaml").write_text(POLICY)
    records = [b'{"id":"%d","name":"SECRET-%d","zip":"%d"}' % (i, i, 10000 + i % 7) for i in range(ROWS)]
    view = Protector(place / "policy.yaml", f"file://{place}/keys.json").protect(records).views["masked"].to_pylist()
    return place, b"".join(row + b"\n" for row in records), b"".join(row + b"\n" for row in view)


@pytest.fixture
def place(masked, tmp_path):
    """A directory of a test's own, with a pipe in the place of the records."""
    for name in ("keys.json", "policy.yaml"):
        (tmp_path / name).write_bytes((masked[0] / name).read_bytes())
    (tmp_path / "keys.json").chmod(0o600)
    (tmp_path / "raw.jsonl").write_bytes(masked[1][:5_000].rpartition(b"\n")[0] + b"\n")
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


class Terminal:
    """A terminal that collects what is written to it."""

    def __init__(self):
        """Open it; a thread reads it."""
        self.master, self.slave = pty.openpty()
        self._bytes = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        with contextlib.suppress(OSError):
            while data := os.read(self.master, 65536):
                self._bytes += data

    @property
    def text(self):
        """What was shown, without colours."""
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self._bytes.decode("utf-8", "replace"))

    def until(self, running, wanted):
        """Wait until something was shown."""
        deadline = time.monotonic() + CLIENT_S
        while wanted not in self.text:
            assert running.poll() is None and time.monotonic() < deadline, self.text
            time.sleep(0.02)

    def end(self):
        """Take in the last of what was written by those who have ended."""
        os.close(self.slave)
        self._reader.join(CLIENT_S)
        os.close(self.master)


def feed(path, data):
    """Keep a pipe open behind its data; nobody reads the rest of it."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_WRONLY)
        with os.fdopen(descriptor, "wb", buffering=0) as opened:
            opened.write(data)
            time.sleep(CLIENT_S)


def default_signals():
    """A shell lets what it starts in the background ignore interrupts, and children inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize("case", RECORDS)
def test_an_interrupt_leaves_nothing_half_written(masked, place, case):
    """On a terminal a long command shows how far it is; Ctrl-C then ends it with 130, in one line, and nothing new is left but audits."""
    before = set(os.listdir(place))
    terminal = Terminal()
    command = [part.format(place=place) for part in RECORDS[case]]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    running = subprocess.Popen([sys.executable, "-P", "-m", "flink_masking", *command], stdout=subprocess.PIPE, stderr=terminal.slave,
                               env=environment, cwd=place, preexec_fn=default_signals)  # fmt: skip
    threading.Thread(target=feed, args=(place / "pipe", masked[2] if case == "unmask" else masked[1]), daemon=True).start()
    try:
        reading = case in ("leaks", "verify", "preview", "generate like")
        terminal.until(running, "0:00:0" if reading else "/s")
        running.send_signal(signal.SIGINT)
        out, _ = running.communicate(timeout=CLIENT_S)
    finally:
        running.kill()
        running.wait()
        terminal.end()
    assert running.returncode == 130, terminal.text
    assert out == b"" and "Traceback" not in terminal.text and "SECRET" not in terminal.text
    assert "error: interrupted" in terminal.text
    assert {name for name in set(os.listdir(place)) - before if not name.endswith(".audit.jsonl")} == set()


def test_every_long_command_is_looked_at():
    """The names of this file are commands, and each is looked at in one place."""
    named = {" ".join(part for part in case.split() if part in ("scan", "preview", "unmask", "leaks", "verify", "generate"))
             for case in RECORDS}
    assert named | set(ELSEWHERE) <= set(COMMANDS)
    assert named.isdisjoint(ELSEWHERE)


def test_a_pipe_gets_no_progress(place):
    """Where stderr is no terminal, nothing is written to it, and the result is the same as on a terminal."""
    command = [sys.executable, "-P", "-m", "flink_masking", "scan", place / "raw.jsonl", "--json"]
    piped = subprocess.run(command, capture_output=True, check=True)
    terminal = Terminal()
    shown = subprocess.run(command, stdout=subprocess.PIPE, stderr=terminal.slave, check=True, env={**os.environ, "TERM": "xterm"})
    terminal.end()
    assert piped.stderr == b""
    assert json.loads(piped.stdout)["records"] == json.loads(shown.stdout)["records"] > 100


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_the_number_of_records_is_estimated(tmp_path, name):
    """The first megabyte says about how many records there are, of compressed files, too; small inputs are counted, pipes are not read."""
    import gzip
    import random

    rows = [b'{"id":"%d","n":"%x"}\n' % (i, random.Random(i).getrandbits(200)) for i in range(60_000)]
    data = b"".join(rows)
    (tmp_path / name).write_bytes(gzip.compress(data, 1) if name.endswith("gz") else data)
    records = Input.of(tmp_path / name, "json")
    assert abs(estimated(records, records.files) - 60_000) < 9_000
    (tmp_path / "small.jsonl").write_bytes(b"".join(rows[:700]))
    small = Input.of(tmp_path / "small.jsonl", "json")
    assert estimated(small, small.files) == 700
    os.mkfifo(tmp_path / "pipe")
    assert estimated(iter(()), [tmp_path / "pipe"]) is None


def test_a_job_tells_how_long_it_goes_on():
    """By moments of a job: the rate of the last seconds, and the remaining time by the pace so far, where the number is known."""
    times = iter([100.0, 101.0, 104.0, 105.0, 110.0])
    pace = Pace(lambda: next(times))
    assert pace.told(1_000, 21_000) == ""
    assert pace.told(2_000, 21_000) == " · 1,000/s · about 0:00:19 left"
    assert pace.told(5_000, None) == " · 1,000/s"
    assert pace.told(11_000, 21_000) == " · 6,000/s · about 0:00:05 left"
    assert pace.told(22_000, 21_000).endswith("/s")  # more than were expected


def test_a_sample_shows_the_part_that_is_further(terminal, tmp_path):
    """Of a small file the bytes tell how far a sample is, of a large one its records."""
    (tmp_path / "a.jsonl").write_bytes(b"{}\n" * 200_000)
    records = Input.of(tmp_path / "a.jsonl", "json")
    assert len(list(first("Reading", records, 1_000, records.files))) == 1_000
    assert "1,000 records" in terminal()


def test_the_part_that_is_read_is_exact(tmp_path):
    """The bytes read of a compressed file end at its size, so that the remaining time is right for it, too."""
    import gzip

    from flink_masking.files.opened import opened
    from flink_masking.files.position import followed

    (tmp_path / "a.gz").write_bytes(gzip.compress(os.urandom(300_000) + b"a" * 3_000_000))
    told = []
    with followed([tmp_path / "a.gz"], told.append) as position, opened(tmp_path / "a.gz") as stream:
        assert len(stream.read()) == 3_300_000
    assert position.read == position.total == told[-1] == (tmp_path / "a.gz").stat().st_size and len(told) > 1
