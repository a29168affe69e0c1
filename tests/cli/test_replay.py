"""flink-masking quarantine replay, of a quarantine in files."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time

import pytest
from waiting import CLIENT_S

from flink_masking.audit.events import broken_links
from flink_masking.engine.plan import compile_plan
from flink_masking.engine.protect import Protect
from flink_masking.engine.quarantine import Entry, QuarantineReader, QuarantineWriter, RecordParts
from flink_masking.errors import DecryptionError, InputError
from flink_masking.keys.files import create
from flink_masking.keys.providers import open_ring
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.records.column import binary_column
from flink_masking.tools.replay import Replay
from flink_masking.tools.replay_ledger import ReplayLedger

POLICY = """\
version: 1
stream: orders
fields: {customer: {class: identifier}, mail: {class: direct}}
segments: {analytics: {view: masked, rules: {customer: redact}}}
"""
RECORDS = [b'{"customer":"SECRET-1","mial":1}', b'{"customer":"SECRET-2","other":2}', b'{"customer":"SECRET-3"}', b"SECRET-4 {", None]
WHO = ("--actor", "ann", "--purpose", "case 7")
MEND = shlex.join([sys.executable, "-c", "import json, sys; r = json.load(sys.stdin); r.pop('mial', 0); r.pop('other', 0); "
                                         "print(json.dumps(r))"])  # fmt: skip


@pytest.fixture
def place(tmp_path, key_uri):
    """A quarantine of four records beside a directory for the job's input."""
    step = Protect(compile_plan(load(PolicySource("policy.yaml", POLICY)), open_ring(key_uri)), os.urandom, lambda: 1_710_498_600_000)
    (done,) = step(binary_column(RECORDS))
    (tmp_path / "quarantine").mkdir()
    (tmp_path / "quarantine" / "part-0").write_bytes(b"".join(line + b"\n" for _, line in done.quarantine))
    (tmp_path / "input").mkdir()
    return tmp_path


@pytest.fixture
def replay(cli, place, key_uri):
    """Run the command: which output, what else."""
    def run(output, *more, who=WHO):
        return cli("quarantine", "replay", place / "quarantine", "--keys", key_uri, "--output", place / "input" / output, *who, *more)

    return run


def lines(place, output):
    """Lines of an output."""
    return (place / "input" / output).read_bytes().splitlines()


def test_records_as_they_are_are_sent_once(replay, place):
    """Chosen records come out as they were, in a file for its owner only; a second replay sends what is left, a third nothing."""
    done = replay("one", "--as-is", "--field", "?~mail")
    assert (done.code, lines(place, "one")) == (0, RECORDS[:1]) and f"1 record sent again: {place}/input/one" in done.out
    assert (place / "input" / "one").stat().st_mode & 0o777 == 0o600 and "3 records not chosen" in done.err
    done = replay("two", "--as-is")
    assert (done.code, lines(place, "two")) == (0, [RECORDS[1], RECORDS[3]])
    assert "1 record sent by an earlier replay" in done.err and "1 record without a value" in done.err
    done = replay("three", "--as-is")
    assert done.code == 0 and "0 records sent again" in done.out and sorted(os.listdir(place / "input")) == ["one", "two"]


def test_records_are_mended_one_by_one(replay, place):
    """A program that mends records gets each alone; one that it cannot take stays in quarantine and can be sent later."""
    done = replay("one", "--mend", MEND)
    assert (done.code, lines(place, "one")) == (0, [b'{"customer": "SECRET-1"}', b'{"customer": "SECRET-2"}'])
    assert "1 record left by the program" in done.err
    assert lines(place, "one") and replay("two", "--as-is").code == 0 and lines(place, "two") == [RECORDS[3]]


def test_the_program_is_told_why(replay, place):
    """Reason, field and stream of an entry are in the program's environment."""
    told = "import json, os; print(json.dumps([os.environ['FLINK_MASKING_' + n] for n in ('REASON', 'FIELD', 'STREAM')]))"
    assert replay("one", "--mend", shlex.join([sys.executable, "-c", told]), "--field", "?~mail").code == 0
    assert [json.loads(line) for line in lines(place, "one")] == [["unknown_field", "?~mail", "orders"]]


def test_who_replayed_what_is_written_down(replay, place):
    """The audit tells who, why, how and how many, before and after, without a record."""
    assert replay("one", "--mend", MEND, "--reason", "unknown_field").code == 0
    written = (place / "quarantine.audit.jsonl").read_bytes().splitlines()
    begun, done = (json.loads(line) for line in written)
    assert [begun[name] for name in ("event", "actor", "purpose", "outcome", "mended")] == ["replay", "ann", "case 7", "begun", True]
    assert (done["outcome"], done["replayed"], done["not_chosen"], done["streams"]) == ("done", 2, 2, ["orders"])
    assert done["to"] == str(place / "input" / "one") and broken_links(written) == [] and b"SECRET" not in b"".join(written)


@pytest.mark.parametrize(("more", "who", "said"), [
    ((), WHO, "--mend"), (("--as-is", "--mend", "true"), WHO, "--mend"), (("--as-is",), (), "--actor"),
    (("--as-is",), WHO[:2], "--purpose"), (("--mend", "/no/such/program"), WHO, "no such program"),
    (("--mend", "'"), WHO, "no such program"),
])
def test_what_is_missing_is_told_before_anything_is_opened(replay, place, more, who, said):
    """How records are sent, who does it and why must be told; nothing is written else."""
    done = replay("one", *more, who=who)
    assert done.code in (1, 2) and said in done.err and "Traceback" not in done.err
    assert sorted(os.listdir(place)) == ["input", "quarantine"] and os.listdir(place / "input") == []


def test_an_output_is_needed_and_never_replaced(cli, replay, place, key_uri):
    """Without an output a quarantine in files is not replayed; one that is there stays."""
    assert "--output" in cli("quarantine", "replay", place / "quarantine", "--keys", key_uri, "--as-is", *WHO).err
    (place / "input" / "one").write_text("precious")
    assert replay("one", "--as-is").code == 1 and (place / "input" / "one").read_text() == "precious"
    assert replay("none/one", "--as-is").code == 1
    assert replay("two", "--as-is").code == 0 and len(lines(place, "two")) == 3


def test_other_keys_send_nothing(cli, place, tmp_path):
    """Entries that the keys do not open are counted, and the command fails; they can be sent later."""
    create(tmp_path / "other.json")
    done = cli("quarantine", "replay", place / "quarantine", "--keys", f"file://{tmp_path}/other.json", "--as-is", "--output",
               place / "input" / "one", *WHO)
    assert done.code == 1 and "4 records could not be opened" in done.err and os.listdir(place / "input") == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_killed_in_the_middle_it_sends_everything_once(replay, place, key_uri, number):
    """A replay that is killed while records are mended leaves nothing; the next one sends all."""
    mark = place / "mark"
    program = f"import sys, time, os; d = sys.stdin.read(); n = os.path.exists({str(mark)!r}); open({str(mark)!r}, 'w'); time.sleep(60 * n)"
    command = [sys.executable, "-P", "-c", "from flink_masking.cli import main; main()", "quarantine", "replay", str(place / "quarantine"),
               "--keys", key_uri, *WHO, "--output", str(place / "input" / "one"), "--mend", shlex.join([sys.executable, "-c", program])]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    while not mark.exists():
        assert running.poll() is None, running.communicate()
        time.sleep(0.01)
    os.killpg(running.pid, number)
    running.communicate(timeout=CLIENT_S)
    assert running.returncode == (143 if number == signal.SIGTERM else -9) and os.listdir(place / "input") == []
    assert replay("two", "--as-is").code == 0 and len(lines(place, "two")) == 3


@pytest.fixture
def ledger(tmp_path):
    """Opens a ledger."""
    return lambda: ReplayLedger.held(tmp_path / "quarantine.replayed.jsonl")


def test_a_ledger_knows_what_appeared(ledger, tmp_path):
    """Killed before its output appeared a replay has sent nothing, killed after it everything; a note that was cut off is forgotten."""
    import hashlib

    output, path = tmp_path / "out", tmp_path / "quarantine.replayed.jsonl"
    with ledger() as held:
        held.begin(output, hashlib.sha256(b"x\n").hexdigest(), ["a", "b"])
    with ledger() as held:
        assert held.done == set()
    output.write_bytes(b"another file\n")
    with ledger() as held:
        assert held.done == set()
    output.write_bytes(b"x\n")
    with ledger() as held:
        assert held.done == {"a", "b"}
    output.unlink()
    with path.open("ab") as opened:
        opened.write(b'{"replay":"torn","outp')
    with ledger() as held:
        assert held.done == {"a", "b"}
        with pytest.raises(InputError, match="another replay"), ledger():
            pass
        held.end(held.begin(output, "0", ["c"]))
    with ledger() as held:
        assert held.done == {"a", "b", "c"} and path.stat().st_mode & 0o777 == 0o600
    path.write_text("something else\n")
    with pytest.raises(InputError, match="not a ledger"), ledger():
        pass


def test_key_and_headers_come_back(key_uri):
    """An entry holds key and headers sealed, bound to its own record; entries of earlier releases have none and open."""
    ring = open_ring(key_uri)
    writer, reader = QuarantineWriter(ring, "orders"), QuarantineReader(ring)
    parts = RecordParts(b"SECRET-key", (("trace", b"SECRET-7"), ("none", None)))
    lines_ = [writer.entry(b'{"a":%d}' % i, "malformed", None, None, 0, parts) for i in range(2)]
    first, second = map(Entry.decode, lines_)
    assert reader.parts(first) == parts and reader.payload(first) == b'{"a":0}' and b"SECRET" not in b"".join(lines_)
    from dataclasses import replace

    with pytest.raises(DecryptionError):
        reader.parts(replace(first, parts=second.parts))
    old = Entry.decode(writer.entry(b"{}", "malformed", None, None, 0))
    assert old.parts is None and reader.parts(old) == RecordParts() and b"parts" not in old.encode()
    small = QuarantineWriter(ring, "orders", 10_000)
    for size in (10, 3_000, 20_000):
        line = small.entry(b"x" * 20_000, "oversize", None, None, 0, RecordParts(b"k" * size))
        assert len(line) <= 10_000 and (Entry.decode(line).parts is not None) == (size == 10)


def test_entries_that_come_twice_are_sent_once(key_uri):
    """Two copies of an entry, as from a topic that was copied, are one; a record of which only the beginning is held is never sent."""
    ring = KeyRing.new()
    line = QuarantineWriter(ring, "s").entry(b"{}", "malformed", None, None, 0)
    cut = QuarantineWriter(ring, "s", 5_000).entry(b"x" * 20_000, "oversize", None, None, 0)
    step = Replay(QuarantineReader(ring), (), lambda record, _: record, lambda *_: True)
    assert [found.value for found in step([Entry.decode(line), Entry.decode(line), Entry.decode(cut)])] == [b"{}"]
    assert step.counts == {"replayed": 1, "already": 1, "cut": 1}


def test_the_page_names_every_outcome():
    """The page on the quarantine tells each word that the audit may hold."""
    from importlib.resources import files

    from flink_masking.cli.replay import WORDS

    page = (files("flink_masking") / "docs" / "quarantine.md").read_text()
    assert [word for word in WORDS if f"`{word}`" not in page] == []


def test_a_batch_of_records_with_keys(key_uri):
    """Entries that are made by the batch hold the key and headers of their own records, within the limit of a line."""
    import numpy as np
    import pyarrow as pa

    from flink_masking.engine.record import Parts, Transport
    from flink_masking.records.column import binary_column as column

    ring = open_ring(key_uri)
    plan = compile_plan(load(PolicySource("policy.yaml", POLICY)), ring)
    step = Protect(plan, os.urandom, lambda: 0, transport=Transport(quarantine=20_000))
    records = [b"broken-%d " % i + b"x" * (20_000 * (i == 3)) for i in range(6)] + [b'{"customer":"c"}', None]
    keys = pa.array([None if i == 2 else b"SECRET-%d" % i * (2_000 if i == 4 else 1) for i in range(8)], pa.binary())
    headers = {"trace": pa.array([b"t%d" % i if i % 2 else None for i in range(8)], pa.binary())}
    (done,) = step(column(records), Parts(np.zeros(8, np.int32), keys, headers))
    reader = QuarantineReader(ring)
    entries = {row: Entry.decode(line) for row, line in done.quarantine}
    assert sorted(entries) == [0, 1, 2, 3, 4, 5, 7] and all(len(line) <= 20_000 for _, line in done.quarantine)
    assert {row: reader.parts(entry) for row, entry in entries.items()} == {
        0: RecordParts(b"SECRET-0"), 1: RecordParts(b"SECRET-1", (("trace", b"t1"),)), 2: RecordParts(),
        3: RecordParts(b"SECRET-3", (("trace", b"t3"),)), 4: RecordParts(), 5: RecordParts(b"SECRET-5", (("trace", b"t5"),)),
        7: RecordParts(b"SECRET-7", (("trace", b"t7"),))}
    assert [reader.payload(entry) for row, entry in sorted(entries.items()) if row not in (3, 7)] == [records[i] for i in (0, 1, 2, 4, 5)]
    assert entries[3].size == len(records[3]) and not any(b"SECRET" in line for _, line in done.quarantine)
