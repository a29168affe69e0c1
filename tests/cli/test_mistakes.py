"""Plausible mistakes on the command line: each ends in one line and a hint, without a traceback and without a value."""

import os
import resource
import signal
import subprocess
import sys

import pytest

from flink_masking.keys.files import create

POLICY = """\
version: 3
stream: orders
subject: id
fields: {id: {class: identifier}, name: {class: direct}}
segments: {masked: {view: masked, rules: {id: keep, name: {technique: encrypt, domain: name}}}}
"""
COMMAND = [sys.executable, "-P", "-m", "flink_masking"]
UNMASK = ["unmask", "policy.yaml", "--segment", "masked", "--keys", "KEYS", "--actor", "ann", "--purpose", "case 7"]
MISTAKES = {
    "a policy that is a directory": (["check", "folder"], 2),
    "a policy in another encoding": (["check", "latin.yaml"], 2),
    "records in the place of the policy": (["preview", "records.jsonl", "policy.yaml"], 2),
    "a key ring without file://": (["preview", "policy.yaml", "records.jsonl", "--keys", "keys.json"], 1),
    "a policy in the place of the key ring": (["keys", "list", "policy.yaml"], 1),
    "a directory in the place of the key ring": (["keys", "list", "folder"], 1),
    "a key ring in a directory that is not there": (["keys", "new", "none/keys.json"], 1),
    "a directory in the place of a file that is written": (["schema", "--output", "folder"], 1),
    "a file in the place of a directory that is written": (["contract", "export", "policy.yaml", "--output", "records.jsonl"], 1),
    "a proposal in a directory that is not there": (["scan", "records.jsonl", "--propose", "none/policy.yaml"], 1),
    "a proposal over a directory": (["scan", "records.jsonl", "--propose", "folder", "--overwrite"], 1),
    "events in a directory that is not there": (["generate", "--events", "10", "--output", "none/events.jsonl"], 1),
    "events over a directory": (["generate", "--events", "10", "--output", "folder", "--overwrite"], 1),
    "a compressed file that is cut off": (["scan", "cut.jsonl.gz"], 1),
    "an output that exists": ([*UNMASK, "--input", "records.jsonl", "--output", "policy.yaml"], 1),
    "records that were never masked": ([*UNMASK, "--input", "records.jsonl", "--output", "clear.jsonl"], 1),
    "a record in the place of a control document": (["control", "verify", "records.jsonl", "--trust", "policy.yaml"], 1),
    "a policy in the place of alert rules": (["alerts", "check", "policy.yaml"], 2),
    "a log that is none": (["audit", "verify", "folder", "--key", "nokey"], 1),
    "a public key that is not there": (["audit", "trace", "folder", "records.jsonl", "--view", "masked", "--key", "none"], 1),
    "an address that is none": (["health", "--rest", "localhost"], 2),
    "a policy in the place of a deployment": (["lineage", "policy.yaml", "policy.yaml"], 1),
    "cases that are not there": (["policy", "test", "policy.yaml", "folder"], 2),
    "subjects from a directory": (["erase", "policy.yaml", "--subjects", "folder", "--keys", "KEYS", "--actor", "a", "--purpose", "b"], 1),
    "an identity's passphrase that is not there": (["identity", "new", "key", "--owner", "ann", "--passphrase-file", "none"], 1),
}
"""What was done wrong: the arguments, and the exit code."""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A directory with a policy, records, a key ring, and files that are none of these."""
    monkeypatch.chdir(tmp_path)
    create(tmp_path / "keys.json")
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "records.jsonl").write_text('{"id":"1","name":"SECRET"}\n' * 20_000)
    (tmp_path / "latin.yaml").write_bytes(b"stream: caf\xe9\n")
    (tmp_path / "cut.jsonl.gz").write_bytes(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab")
    (tmp_path / "folder").mkdir()
    return tmp_path


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told(cli, place, mistake):
    """The exit code is that of the table, stderr says what is wrong and what to do, and nothing is written."""
    before = sorted(os.listdir(place))
    arguments, code = MISTAKES[mistake]
    done = cli(*(f"file://{place}/keys.json" if one == "KEYS" else one for one in arguments))
    assert done.code == code, done.err
    assert "Hint: " in done.err and "internal error" not in done.err and "Traceback" not in done.err
    assert "SECRET" not in done.out + done.err
    assert [name for name in sorted(os.listdir(place)) if name not in before and not name.endswith(".audit.jsonl")] == []
    assert os.listdir(place / "folder") == []


def test_a_reader_that_has_gone_ends_quietly(place):
    """Behind `| head -1` a command ends with 141, as programs do, and says nothing."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*COMMAND, "schema"], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.stderr, done.returncode) == (b"", 141)


def test_a_full_output_is_told(place):
    """Where stdout cannot be written, the command fails in one line with a hint."""
    with open("/dev/full", "w") as full:
        done = subprocess.run([*COMMAND, "schema"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1 and "No space left on device" in done.stderr
    assert "Hint: free space" in done.stderr and "Traceback" not in done.stderr and "Exception" not in done.stderr


def limited():
    """Files of at most 8 KiB, as on a disk that is full."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8_192, 8_192))


@pytest.mark.parametrize("arguments", [
    ["generate", "--events", "5000", "--people", "10", "--output", "out.jsonl"],
    ["schema", "--output", "out.json"],
])
def test_a_full_disk_leaves_nothing(place, arguments):
    """A file that does not fit is not there afterwards, not even in part, and the message says what to do."""
    before = sorted(os.listdir(place))
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False, preexec_fn=limited,
                          env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    assert done.returncode == 1 and "Hint: " in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert "internal error" not in done.stderr and sorted(os.listdir(place)) == before
