"""Files of every kind are looked through: logs, records, compressed ones, binary ones such as checkpoints."""

import gzip
import json
import os
import random
import struct

import pyarrow as pa
import pytest
from typer.testing import CliRunner
from unlistable import unlistable

from flink_masking.cli.app import app
from flink_masking.keys.providers import open_ring
from flink_masking.leaks import files
from flink_masking.leaks.canaries import CanaryWriter
from flink_masking.leaks.options import LeakOptions
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

POLICY = "version: 1\nstream: s\nfields: {id: {class: identifier}}\nsegments: {v: {view: masked, rules: {id: {technique: redact}}}}\n"
ID = "CUST-00004711"


@pytest.fixture
def place(tmp_path):
    """A directory with canaries of one record, a key ring and a policy."""
    run("keys", "new", str(tmp_path / "keys.json"))
    ring = open_ring(f"file://{tmp_path / 'keys.json'}")
    writer = CanaryWriter(load(PolicySource("p", POLICY)), LeakOptions(str(tmp_path / "canaries"), 1.0), lambda: ring, os.urandom,
                          files_clock)
    writer.note(pa.array([json.dumps({"id": ID}).encode()]))
    writer.write()
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "data").mkdir()
    return tmp_path


def files_clock() -> int:
    """Now, in ms."""
    import time

    return time.time_ns() // 1_000_000


def run(*arguments: str):
    """The command line."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def looked(place, *more: str):
    """What the command finds in the directory."""
    result = run("leaks", place / "data", "--canaries", place / "canaries", "--keys", f"file://{place / 'keys.json'}", "--json", *more)
    assert ID not in result.output
    return result.exit_code, json.loads(result.stdout)


@pytest.mark.parametrize(("name", "content"), [
    ("app.log", f"2024-01-01 INFO saved customer {ID.lower()}\n".encode()),
    ("app.log.gz", gzip.compress(f"2024-01-01 INFO saved customer {ID}\n".encode())),
    ("events.jsonl", b'{"a":1}\n' + json.dumps({"deep": [{"x": f"see {ID}!"}]}).encode()),
    (".hidden", f"x\n\n{ID}".encode()),
    ("chk-1", random.Random(1).randbytes(5000) + struct.pack(">H", len(ID)) + ID.encode() + b"\0" + random.Random(2).randbytes(5000)),
    ("chk-2", random.Random(3).randbytes(5000) + b"\0\x30" + ID.encode() + b"x\0" + random.Random(4).randbytes(5000)),
    ("one-line.txt", b"a " * (files.BLOCK + 7) + ID.encode() + b" b" * 10),
    ("split", b"\0" + b"ab " * ((2 * files.BLOCK) // 3 - 2) + ID.encode() + b" b" * files.BLOCK),
    ("state", b"\0" + b"\x30" + ID.encode() + b"\0"),
], ids=lambda given: given if isinstance(given, str) else "")
def test_a_canary_is_found(place, name, content):
    """A value of a protected record is found once in any file, and is not printed."""
    (place / "data" / name).write_bytes(content)
    code, told = looked(place)
    assert code == 1
    assert [(one["kind"], one["what"], one["values"]) for one in told["leaks"] if one["kind"] == "canary"] == [("canary", "s/id", 1)]
    assert told["leaks"][0]["source"].endswith(name)


def test_nothing_is_found_where_nothing_is(place):
    """Logs without personal data and random bytes end with 0."""
    (place / "data" / "log").write_text("2024-01-01 12:00:00,123 INFO [main] in 1234 ms, 17 of 20 tasks, id 9f86d081884c7d65\n" * 500)
    (place / "data" / "random").write_bytes(os.urandom(1 << 20))
    code, told = looked(place)
    assert (code, told["leaks"], told["files"]) == (0, [], 2)


def test_a_file_that_cannot_be_read_is_no_clean_file(place):
    """A damaged file ends with 1 and is named."""
    (place / "data" / "cut.gz").write_bytes(gzip.compress(b"x" * 100_000)[:-10])
    code, told = looked(place)
    assert code == 1 and "cut.gz" in told["unread"][0]


def test_a_directory_that_cannot_be_listed_is_no_directory_without_leaks(place, monkeypatch):
    """Below it nothing was looked through, so the command ends with 1 and names it; all the rest is looked through."""
    closed = place / "data" / "closed"
    closed.mkdir()
    (place / "data" / "log").write_text("nothing\n")
    unlistable(monkeypatch, closed)
    code, told = looked(place)
    assert (code, told["files"], told["unread"]) == (1, 1, [f"{closed}: Permission denied. Hint: check the directory and its permissions"])


def test_a_view_by_its_policy(place):
    """With the policy a shown value is no leak; what the rule hides is."""
    shown = POLICY.replace("{technique: redact}", "keep")
    (place / "data" / "v.jsonl").write_text(json.dumps({"id": ID}))
    assert looked(place, "--policy", str(place / "policy.yaml"), "--segment", "v")[0] == 1
    (place / "policy.yaml").write_text(shown)
    assert looked(place, "--policy", str(place / "policy.yaml"), "--segment", "v")[0] == 0


@pytest.mark.parametrize("options", [("--policy", "policy.yaml"), ("--canaries", "canaries"), ("--keys", "file:///k")])
def test_options_that_belong_together(place, options):
    """One of two options alone is an error that names the other."""
    result = run("leaks", place, *options)
    assert result.exit_code == 2 and "goes with" in result.output


def test_a_table_for_people(place):
    """Without --json a table names file, path and type, and never the value."""
    (place / "data" / "a.jsonl").write_text('{"contact":"jane.roe@mail.example.com"}')
    result = run("leaks", place / "data")
    assert result.exit_code == 1 and "EMAIL" in result.stdout and "contact" in result.stdout and "jane" not in result.stdout
