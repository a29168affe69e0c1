"""flink-masking quarantine show and summary."""

import getpass
import json
import os
import time

import pyarrow as pa
import pytest

from flink_masking.audit.events import broken_links
from flink_masking.engine.plan import compile_plan
from flink_masking.engine.protect import Protect
from flink_masking.engine.quarantine import QuarantineWriter, day_keys
from flink_masking.keys.files import create, edit
from flink_masking.keys.providers import open_ring
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.records.column import binary_column
from flink_masking.techniques.tokenize.forms import uuids
from flink_masking.vault.sqlite import SqliteVault
from flink_masking.vault.tokenizer import Tokenizer

POLICY = """\
version: 1
stream: orders
fields: {customer: {class: identifier}, mail: {class: direct}}
segments: {analytics: {view: masked, rules: {customer: redact}}}
"""
WHO = ("--actor", "ann", "--purpose", "case 7")
RECORDS = [
    b'{"customer":"SECRET-1","surprise":1}', b"SECRET-2 :100: \x1b[31m\xff", b'{"customer":"SECRET-3"}',
    b'{"mail":"SECRET-4","ann":1}', None,
]  # fmt: skip


@pytest.fixture
def directory(tmp_path, key_uri):
    """The quarantine of a run over RECORDS, beside a file that is still being written."""
    step = Protect(compile_plan(load(PolicySource("policy.yaml", POLICY)), open_ring(key_uri)), os.urandom, lambda: 1_710_498_600_000)
    (done,) = step(binary_column(RECORDS))
    folder = tmp_path / "out" / "quarantine"
    folder.mkdir(parents=True)
    (folder / "part-0").write_bytes(b"".join(line + b"\n" for _, line in done.quarantine))
    (folder / ".part-1.inprogress").write_bytes(b"not yet an entry")
    return folder


def test_entries_are_shown_without_records(cli, directory, key_uri):
    """Time, reason, field and position of each entry, and their number by reason; no word of a record."""
    done = cli("quarantine", "show", directory)
    assert (done.code, done.err) == (0, "")
    assert [path.name for path in directory.parent.iterdir()] == ["quarantine"] and "surprise" not in done.out
    lines = done.out.splitlines()
    assert lines[0].startswith("2024-03-15T10:30:00.000Z  unknown_field  ? at byte ")
    assert [line.split()[1] for line in lines[:-1]] == ["unknown_field", "malformed", "unknown_field", "missing_payload"]
    assert lines[-1] == "4 records: unknown_field 2, malformed 1, missing_payload 1"
    assert "SECRET" not in done.out


def test_the_key_holder_sees_undeclared_keys(cli, directory, key_uri):
    """With --keys the keys that no policy declares are named, and no value is; the audit says so."""
    done = cli("quarantine", "show", directory, "--keys", key_uri, *WHO)
    assert (done.code, done.err) == (0, "") and "SECRET" not in done.out
    assert [line.rpartition(": ")[2] for line in done.out.splitlines() if "unknown_field  ?" in line] == ["surprise", "ann"]
    _, written = events(directory)
    assert [(e["actor"], e["shown"], e["outcome"], e.get("revealed")) for e in written] == [
        ("ann", "undeclared keys", "begun", None), ("ann", "undeclared keys", "done", 2)]


def test_who_does_not_say_so_is_known_by_the_login_name(cli, directory, key_uri):
    """Without --actor and --purpose the audit holds the account that ran the command, and that no purpose was given."""
    assert cli("quarantine", "show", directory, "--keys", key_uri, "--reveal").code == 0
    _, written = events(directory)
    assert [(e["actor"], e["purpose"], e["outcome"]) for e in written] == [
        (getpass.getuser(), "not given", "begun"), (getpass.getuser(), "not given", "done")]


def test_reveal_shows_the_records_to_the_key_holder(cli, directory, key_uri):
    """With --reveal each record stands below its entry, whole and as it was, but for what could act on a terminal."""
    done = cli("quarantine", "show", directory, "--keys", key_uri, "--reveal", *WHO)
    assert done.code == 0
    assert '    {"customer":"SECRET-1","surprise":1}\n' in done.out and "SECRET-4" in done.out and "SECRET-3" not in done.out
    assert "    SECRET-2 :100: \\x1b[31m\\xff\n" in done.out
    assert {c for c in done.out if not c.isprintable()} == {"\n"}


def events(directory):
    """The audit beside a quarantine."""
    lines = directory.with_name(f"{directory.name}.audit.jsonl").read_bytes().splitlines()
    return lines, [json.loads(line) for line in lines]


@pytest.mark.parametrize("who", [("--actor", " ", *WHO[2:]), (*WHO[:2], "--purpose", "a\nb"), ("--purpose", "")])
def test_nobody_reveals_without_saying_who_and_why(cli, directory, key_uri, who):
    """With an actor or a purpose that is no line of text no record is opened, and nothing is written."""
    done = cli("quarantine", "show", directory, "--keys", key_uri, "--reveal", *who)
    assert done.code in (1, 2) and done.out == "" and ("--actor" in done.err or "--purpose" in done.err)
    assert [path.name for path in directory.parent.iterdir()] == ["quarantine"]


def test_who_revealed_and_why_is_written_down(cli, directory, key_uri, tmp_path):
    """The audit holds who, why and how many, before and after, under the key's check value, in one chain; and no record."""
    assert cli("quarantine", "show", directory, "--keys", key_uri, "--reveal", *WHO).code == 0
    assert cli("quarantine", "show", directory, "--keys", key_uri, "--reveal", "--limit", "1", "--actor", "bob", *WHO[2:]).code == 0
    lines, written = events(directory)
    assert [(e["event"], e["actor"], e["purpose"], e["outcome"], e.get("revealed")) for e in written] == [
        ("reveal", "ann", "case 7", "begun", None), ("reveal", "ann", "case 7", "done", 4),
        ("reveal", "bob", "case 7", "begun", None), ("reveal", "bob", "case 7", "done", 1)]
    assert {(e["quarantine"], e["key_version"], e["key_check"]) for e in written} == {(str(directory), 1, open_ring(key_uri).check())}
    assert written[1]["streams"] == ["orders"] and broken_links(lines) == [] and b"SECRET" not in b"".join(lines)
    assert cli("quarantine", "show", directory, "--keys", key_uri, "--reveal", *WHO, "--audit", tmp_path / "own.jsonl").code == 0
    assert len(events(directory)[0]) == 4 and len((tmp_path / "own.jsonl").read_bytes().splitlines()) == 2


def test_nothing_is_revealed_where_it_cannot_be_written_down(cli, directory, key_uri, tmp_path):
    """Where the audit cannot be continued or written, no record is opened."""
    (tmp_path / "own.jsonl").write_text("something else\n")
    for audit in (tmp_path / "own.jsonl", tmp_path / "none" / "own.jsonl"):
        done = cli("quarantine", "show", directory, "--keys", key_uri, "--reveal", *WHO, "--audit", audit)
        assert (done.code, done.out) == (1, "") and "SECRET" not in done.err and "Traceback" not in done.err


def test_a_summary_counts_by_reason_and_field(cli, directory):
    """summary shows how many records there are of each reason and field, and when, without any key and without a record."""
    done = cli("quarantine", "summary", directory)
    assert (done.code, done.err) == (0, "") and "4 records in quarantine" in done.out and "SECRET" not in done.out
    rows = [line.split() for line in done.out.partition("\n\nfields\n")[0].splitlines()]
    assert rows[0] == ["records", "reason", "field", "first", "last"]
    assert sorted(row[:2] for row in rows[1:-1]) == [["1", "malformed"], ["1", "missing_payload"], ["2", "unknown_field"]]
    assert ["2", "unknown_field", "?"] in [row[:3] for row in rows[1:-1]]
    assert {row[3] for row in rows[1:-1]} == {"2024-03-15T10:30:00.000Z"}


def test_other_keys_open_nothing(cli, directory, tmp_path):
    """With other keys the reasons are shown, no record is, and the command ends with 1 and a hint."""
    create(tmp_path / "other.json")
    done = cli("quarantine", "show", directory, "--keys", f"file://{tmp_path / 'other.json'}", "--reveal", *WHO)
    assert done.code == 1
    assert "SECRET" not in done.out + done.err and done.out.count("these keys do not open it") == 4
    assert "4 records could not be opened" in done.err and "Hint: " in done.err and "Traceback" not in done.err


def test_a_changed_entry_is_not_opened(cli, directory, key_uri):
    """A sealed record that was moved to another stream's entry does not open."""
    part = directory / "part-0"
    part.write_bytes(part.read_bytes().replace(b'"stream":"orders"', b'"stream":"others"'))
    done = cli("quarantine", "show", directory, "--keys", key_uri, "--reveal", *WHO)
    assert done.code == 1 and "SECRET" not in done.out


def test_the_limit_holds_and_everything_is_counted(cli, directory, key_uri):
    """--limit prints so many entries and still counts all; 0 prints all."""
    done = cli("quarantine", "show", directory, "--keys", key_uri, "--limit", "1")
    assert len(done.out.splitlines()) == 2 and done.out.splitlines()[-1].startswith("4 records: ") and "--limit 0" in done.err
    assert len(cli("quarantine", "show", directory, "--keys", key_uri, "--limit", "0").out.splitlines()) == 5


def test_what_is_no_quarantine_is_refused(cli, directory, key_uri, tmp_path):
    """A path that is not there, a file, or a directory of other lines ends with 1 and a hint that says what is wanted."""
    (tmp_path / "lines").mkdir()
    (tmp_path / "lines" / "part-0").write_text('{"customer":"SECRET"}\n')
    for path in (tmp_path / "nowhere", directory / "part-0", tmp_path / "lines"):
        done = cli("quarantine", "show", path, "--keys", key_uri)
        assert (done.code, done.out) == (1, "")
        assert "Hint: " in done.err and "SECRET" not in done.err and "Traceback" not in done.err


def test_an_empty_quarantine_is_good_news(cli, key_uri, tmp_path):
    """No files: no record is in quarantine."""
    (tmp_path / "quarantine").mkdir()
    done = cli("quarantine", "show", tmp_path / "quarantine", "--keys", key_uri)
    assert (done.code, done.out) == (0, "no record is in quarantine\n")


def test_a_forged_entry_cannot_act_on_the_terminal(cli, key_uri, tmp_path):
    """Reasons and paths come from a file that others may have written: control characters are printed as escapes."""
    (tmp_path / "quarantine").mkdir()
    (tmp_path / "quarantine" / "part-0").write_bytes(
        b'{"time":"t","stream":"s","reason":"\\u001b[2J","path":"\\u009b1m:100:","position":null,"payload":""}\n')
    done = cli("quarantine", "show", tmp_path / "quarantine", "--keys", key_uri)
    assert done.code == 0 and {c for c in done.out if not c.isprintable()} == {"\n"} and ":100:" in done.out


@pytest.mark.parametrize("state", ["disabled", "destroyed"])
def test_entries_of_a_closed_version_do_not_hide_the_others(cli, tmp_path, state):
    """An entry whose key version is disabled or destroyed is told as such, those of other versions are revealed, and the code is 1."""
    old = KeyRing.new()
    new = old.rotated()
    policy = load(PolicySource("policy.yaml", POLICY))
    folder = tmp_path / "quarantine"
    folder.mkdir()
    for number, ring in enumerate((old, new)):
        step = Protect(compile_plan(policy, ring), os.urandom, lambda: 1_710_498_600_000)
        (done,) = step(binary_column([b'{"mail":"SECRET-%d","x":1}' % number]))
        (folder / f"part-{number}").write_bytes(b"".join(line + b"\n" for _, line in done.quarantine))
    closed = new.disabled(1) if state == "disabled" else new.disabled(1).destroyed(1)
    keys = tmp_path / "keys.json"
    create(keys)
    edit(keys, lambda _: closed.dump())
    shown = cli("quarantine", "show", folder, "--keys", f"file://{keys}", "--reveal", *WHO)
    assert shown.code == 1
    assert f"(version 1 {'is disabled' if state == 'disabled' else 'was destroyed'}" in shown.out
    assert "SECRET-1" in shown.out and "SECRET-0" not in shown.out and "2 records: unknown_field 2" in shown.out
    assert "error: 1 record could not be opened: version 1 " in shown.err and "Hint: " in shown.err and "Traceback" not in shown.err


def test_records_that_expire_need_the_vault_and_are_gone_after_retention(cli, tmp_path):
    """With keep, records open with the vault until the day's key is destroyed, which the audit tells; the entries stay."""
    policy, ring, vault = tmp_path / "policy.yaml", create(tmp_path / "keys.json"), SqliteVault(tmp_path / "vault.db")
    policy.write_text("version: 1\nstream: s\nquarantine: {keep: 1d}\nfields: {n: {class: plain}}\n"
                      "segments: {one: {view: masked, rules: {n: keep}}}\n")
    now = time.time_ns() // 1_000_000
    (tmp_path / "quarantine").mkdir()
    for name, at in (("old", now - 3 * 86_400_000), ("young", now)):
        writer = QuarantineWriter(ring, "s", None, day_keys(vault, ring, "s", 10 * 86_400_000))
        (tmp_path / "quarantine" / name).write_bytes(writer.entry(name.encode() * 9, "malformed", None, None, at) + b"\n")
    vault.close()
    keys = ["--keys", f"file://{tmp_path}/keys.json"]
    show = ["quarantine", "show", tmp_path / "quarantine", "--reveal", "--actor", "a", "--purpose", "p", *keys]
    assert "--vault" in cli(*show).err
    both = cli(*show, "--vault", f"sqlite://{tmp_path}/vault.db")
    assert both.code == 0 and "oldold" in both.out and "youngyoung" in both.out
    done = cli("retention", policy, *keys, "--vault", f"sqlite://{tmp_path}/vault.db")
    assert done.code == 0 and "1 day of" in done.out
    left = cli(*show, "--vault", f"sqlite://{tmp_path}/vault.db")
    assert left.code == 1 and "oldold" not in left.out and "youngyoung" in left.out
    events = [json.loads(line) for line in (tmp_path / "policy.yaml.audit.jsonl").read_bytes().splitlines()]
    assert [(event["event"], event["outcome"], event.get("days")) for event in events] == [("expire", "begun", None), ("expire", "done", 1)]
    assert cli("retention", policy, *keys, "--vault", f"sqlite://{tmp_path}/vault.db").out.startswith("0 days")


def test_tokens_that_expire_are_destroyed_by_retention(cli, tmp_path):
    """Tokens that the policy keeps no longer are destroyed by the same command, which says and notes how many."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nstream: s\nvault: {keep: 5d}\nfields: {n: {class: direct}}\n"
                      "segments: {one: {view: masked, rules: {n: {technique: tokenize, domain: d}}}}\n")
    ring, vault, clock = create(tmp_path / "keys.json"), SqliteVault(tmp_path / "vault.db"), [time.time_ns() // 1_000_000 - 8 * 86_400_000]
    vault.clock = lambda: clock[0]
    tokenizer = Tokenizer(vault, ring, "d", "uuid", uuids, stream="s", keep=5)
    old = tokenizer.tokens(pa.array(["a", "b"]))
    clock[0] += 4 * 86_400_000
    young = tokenizer.tokens(pa.array(["b", "c"]))
    vault.close()
    run = ["retention", policy, "--keys", f"file://{tmp_path}/keys.json", "--vault", f"sqlite://{tmp_path}/vault.db"]
    first, second = cli(*run), cli(*run)
    assert (first.out, second.out) == ("1 token destroyed\n", "0 tokens destroyed\n")
    events = [json.loads(line) for line in (tmp_path / "policy.yaml.audit.jsonl").read_bytes().splitlines()]
    assert [(event["outcome"], event.get("tokens")) for event in events] == [("begun", None), ("done", 1), ("begun", None), ("done", 0)]
    reader = Tokenizer(SqliteVault(tmp_path / "vault.db"), ring, "d", "uuid", uuids)
    assert reader.values(young).to_pylist() == ["b", "c"] and reader.values(old.slice(0, 1)).to_pylist() == [None]
