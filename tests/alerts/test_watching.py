"""``flink-masking alerts watch``: files as they grow, restarts, and a real process."""

import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from full_disk import full_disk
from waiting import CLIENT_S, stretched

from flink_masking.alerts.load import rules_of
from flink_masking.alerts.watching import Watcher
from flink_masking.audit.events import AuditChain
from flink_masking.audit.reports import BatchReport
from flink_masking.errors import InputError
from flink_masking.keys.ring import KeyRing

T = 1_774_224_000_000
RULES = "version: 1\nrules: {refusals: {when: quarantined, above: 10, within: 1min}, reverse: {when: reverse}}"


@pytest.fixture
def growing(tmp_path):
    """A file of audit events, and a function that appends refusals to it."""
    chain, file = AuditChain.signed(KeyRing.new(), "orders"), tmp_path / "audit.jsonl"

    def grow(refused, cut=0):
        line = chain.event("protect", T, BatchReport(100, {"malformed": refused}).body()) + b"\n"
        with file.open("ab") as opened:
            opened.write(line[: len(line) - cut])
        return line[len(line) - cut:] if cut else b""

    grow(1_000)
    return file, grow


def watcher(file, told, **options):
    """A watcher of a file."""
    return Watcher(rules_of("rules.yaml", RULES), [file], lambda alert: told.append(alert.numbers["count"]), clock=lambda: T, **options)


def test_new_lines_bring_alerts_and_old_ones_do_not(growing):
    """A watch begins at the present end; a line that is not whole waits."""
    file, grow = growing
    told = []
    watch = watcher(file, told)
    assert (watch.look(), told) == (0, [])
    rest = grow(11, cut=20)
    assert (watch.look(), told) == (0, [])
    with file.open("ab") as opened:
        opened.write(rest)
    assert (watch.look(), told) == (1, [11])
    fresh = []
    watcher(file, fresh, from_start=True).look()
    assert fresh == [1_000]


def test_a_restarted_watch_goes_on(growing, tmp_path):
    """With a state, what came in between is not lost, and what was told is not told again."""
    file, grow = growing
    told, state = [], tmp_path / "state.json"
    watch = watcher(file, told, state=state)
    grow(9)
    watch.look()
    grow(9)
    watcher(file, told, state=state).look()
    assert told == [18]
    watcher(file, told, state=state).look()
    assert told == [18]
    state.write_text("{}")
    with pytest.raises(InputError, match="Hint"):
        watcher(file, told, state=state)


def test_the_state_is_private_and_replaced_as_a_whole(growing, tmp_path, monkeypatch):
    """Nobody else reads the state, and its contents are on the disk before it gets its name; no file beside it is touched."""
    file, grow = growing
    state, synced = tmp_path / "state.json", []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda opened: (synced.append(os.fstat(opened).st_ino), real(opened)))
    (tmp_path / "state.json.new").write_text("of somebody else")
    watch = watcher(file, [], state=state)
    before = os.umask(0)
    try:
        for _ in range(2):
            grow(1)
            watch.look()
            assert stat.S_IMODE(state.stat().st_mode) == 0o600 and synced[-1] == state.stat().st_ino
            state.chmod(0o644)  # as earlier versions left it
    finally:
        os.umask(before)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["audit.jsonl", "state.json", "state.json.new"]
    assert (tmp_path / "state.json.new").read_text() == "of somebody else"


def test_a_state_that_cannot_be_written_is_told(growing, tmp_path):
    """A directory that is not there is an error that names the state, before any line is taken in."""
    file, grow = growing
    watch = watcher(file, [], state=tmp_path / "away" / "state.json")
    grow(1)
    with pytest.raises(OSError, match=r"away/state\.json"):
        watch.look()


def test_a_disk_that_is_full_for_a_while_does_not_end_the_watch(growing, tmp_path, monkeypatch):
    """After a first look it is told once and tried again; then the state says all that was taken in meanwhile."""
    monkeypatch.setattr("flink_masking.alerts.watching.LOOK_S", 0)
    file, grow = growing
    told, complaints, state, looks = [], [], tmp_path / "state.json", iter(range(4))
    with contextlib.ExitStack() as full:
        def ended():
            match next(looks, None):
                case 1:
                    grow(11)
                    full.enter_context(full_disk())
                case 3:
                    full.close()
                case None:
                    return True
            return False

        watcher(file, told, state=state).run(ended, complaints.append)
    assert told == [11] and complaints == [f"{state}: File too large; it is tried again"]
    assert watcher(file, told, state=state).look() == 0


def test_a_process_tells_alerts_within_five_seconds(growing, tmp_path):
    """The command prints alerts as they come, writes them to the file of the rules, and ends in order."""
    file, grow = growing
    (tmp_path / "rules.yaml").write_text(RULES + "\ntargets: {kept: {file: kept.jsonl}}")
    command = [str(Path(sys.executable).with_name("flink-masking")), "alerts", "watch", str(tmp_path / "rules.yaml"), str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr.readline() == "watching 1 path\n"
        begin = time.monotonic()
        grow(50)
        event = json.loads(process.stdout.readline())
        assert time.monotonic() - begin < stretched(5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(CLIENT_S) == 0
    assert (event["subject"], event["data"]["count"]) == ("refusals", 50)
    assert json.loads((tmp_path / "kept.jsonl").read_text()) == event
