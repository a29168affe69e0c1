"""flink-masking quarantine summary: all undeclared and mistyped fields at once, and for the key holder the lines that declare them."""

import json
import os
import shutil

import pytest
import yaml

from flink_masking.cli.run import show_summary
from flink_masking.engine.plan import compile_plan
from flink_masking.engine.protect import Protect
from flink_masking.keys.providers import open_ring
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.records.column import binary_column
from flink_masking.tools.reconcile import Summary, member_faults

POLICY = """\
version: 1
stream: patients
fields:
  id: {class: identifier}
  active: {class: plain, type: boolean}
segments: {analytics: {view: masked, rules: {id: redact}}}
"""
WHO = ("--actor", "ann", "--purpose", "case 7")
RECORDS = [
    {"id": "SECRET-1", "name": [{"family": "SECRET-2", "given": ["SECRET-3", "SECRET-4"]}], "multiple": False, "born": 7},
    {"id": "SECRET-5", "name": [{"family": None, "use": "SECRET-6"}], "active": {"since": "SECRET-7"}, "it's: a \"key\"": {}},
    {"id": "SECRET-8", "seen": {f"SECRET-{number}": {"n": number} for number in range(60)}, "active": True},
]  # fmt: skip


def quarantined(folder, key_uri, policy, records):
    """A quarantine directory, or None where nothing is refused."""
    step = Protect(compile_plan(load(PolicySource("policy.yaml", policy)), open_ring(key_uri)), os.urandom, lambda: 1_710_498_600_000)
    (done,) = step(binary_column([json.dumps(record).encode() for record in records]))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "part-0").write_bytes(b"".join(line + b"\n" for _, line in done.quarantine))
    return folder if done.quarantine else None


@pytest.fixture
def directory(tmp_path, key_uri):
    """The quarantine of RECORDS."""
    return quarantined(tmp_path / "out" / "quarantine", key_uri, POLICY, RECORDS)


def test_all_fields_are_told_without_keys(cli, directory):
    """Every undeclared and mistyped field with its counts, what was found and what is declared; no key, no value, and a hint."""
    done = cli("quarantine", "summary", directory)
    fields = done.out.partition("\nfields\n")[2].splitlines()
    assert ["  ?  undeclared, found array 2, object 2, boolean 1, number 1, in 3 records",
            "  active  value expected, found object 1, in 1 record"] == fields[:-1]
    assert (done.code, done.err) == (0, "") and "SECRET" not in done.out and "given" not in done.out and "--keys" in fields[-1]


def test_one_look_names_every_field_for_the_key_holder(cli, directory, key_uri, tmp_path):
    """The lines printed declare all that was undeclared, however deep: with them, no record is refused for an undeclared field."""
    done = cli("quarantine", "summary", directory, "--keys", key_uri, *WHO)
    lines = done.out.partition("lines for 'fields' of the policy:\n")[2]
    assert (done.code, done.err) == (0, "") and "SECRET" not in lines
    assert {
        "name[*].family": {"class": "direct"}, "name[*].given[*]": {"class": "direct"}, "name[*].use": {"class": "direct"},
        "multiple": {"class": "direct", "type": "boolean"}, "born": {"class": "direct", "type": "number"},
        '"it\'s: a \\"key\\""': {"class": "direct", "type": "json"}, "seen.*.n": {"class": "direct", "type": "number"},
    } == yaml.safe_load(lines)  # fmt: skip
    assert quarantined(tmp_path / "two", key_uri, POLICY.replace("segments:", lines + "segments:"), RECORDS[::2]) is None
    audit = directory.with_name("quarantine.audit.jsonl").read_text()
    assert '"actor":"ann"' in audit and '"shown":"undeclared keys"' in audit and "SECRET" not in audit


def test_other_keys_name_nothing(cli, directory, tmp_path):
    """With keys of another ring the counts are told, no name is, and the command ends with 1."""
    from flink_masking.keys.files import create

    create(tmp_path / "other.json")
    done = cli("quarantine", "summary", directory, "--keys", f"file://{tmp_path / 'other.json'}", *WHO)
    assert done.code == 1 and "undeclared, found" in done.out and "lines for" not in done.out and "could not be opened" in done.err


def test_a_record_whose_beginning_only_is_held(cli, directory, key_uri):
    """Members behind the end of what is held, or broken there, are left out, and the others are named."""
    from flink_masking.engine.quarantine import Entry, MemberFault
    from flink_masking.tools.undeclared import Names

    entry = Entry("t", "s", "unknown_field", "?", 1, b"", members=(
        MemberFault("unknown_field", "?", "text", None, 1), MemberFault("unknown_field", "?", "object", None, 8),
        MemberFault("unknown_field", "?", "text", None, 99), MemberFault("unknown_field", "?", "text", None, 3)))
    names = Names()
    assert names.add(entry, b'{"a":1,"b":{"c":') == ["a"]
    assert [field.path for field in names.fields()] == ["a"]


def test_many_keys_take_bounded_room(cli):
    """Keys that never end are one open object, and only so many are remembered."""
    from flink_masking.engine.quarantine import Entry, MemberFault
    from flink_masking.tools.undeclared import MOST, Names

    names, entry = Names(), Entry("t", "s", "unknown_field", "?", 1, b"", members=(MemberFault("unknown_field", "?", "text", None, 1),))
    for number in range(3 * MOST):
        names.add(entry, b'{"k%d":1}' % number)
    (field,) = names.fields()
    assert ("*", 3 * MOST) == (field.path, field.kinds["number"]) and len(names._root.children) <= MOST + 2


def test_the_summary_of_a_run_has_all_fields(directory, capsys):
    """summary.json and what `run` prints tell every field with its counts, and no key."""
    faults = member_faults(directory)
    summary = Summary(3, 3, {}, {"unknown_field": 2, "type_mismatch": 1}, faults.fields, faults.unlisted)
    told = json.loads(summary.encode())
    assert [{"reason": "unknown_field", "field": "?", "expected": None,
             "found": {"array": 2, "object": 2, "boolean": 1, "number": 1}, "records": 3},
            {"reason": "type_mismatch", "field": "active", "expected": "value", "found": {"object": 1}, "records": 1}] == told["fields"]
    show_summary(summary, directory.parent)
    shown = capsys.readouterr().out
    assert "  active  value expected, found object 1, in 1 record\n" in shown and "SECRET" not in shown


def test_the_lines_take_fields_of_several_forms():
    """Objects here and arrays there, values and lists, empty containers and mixtures: with the printed lines every record passes."""
    from flink_masking.engine.quarantine import Entry
    from flink_masking.keys.ring import KeyRing
    from flink_masking.policy.source import PolicySource
    from flink_masking.protector import Protector
    from flink_masking.tools.undeclared import Names

    text = "version: 1\nstream: s\nfields:\n  id: {class: identifier}\nLINESsegments: {m: {view: masked, rules: {'*': drop}}}\n"
    records = [
        {"id": 1, "a": {"x": 1}, "b": "t", "c": {"x": 1}, "d": [1], "e": {}, "f": [], "g": [{"y": 1}], "i": [[1]], "k": {"x": [1]}},
        {"id": 1, "a": [{"x": "q", "z": 2}], "b": ["u"], "c": "t", "d": [{"x": 1}], "e": {"q": 1}, "f": [2], "i": "x", "k": {"x": 3}},
        {"id": 1, "a": [], "b": [], "c": None, "g": {"y": 2}},
    ]
    raw, names = [json.dumps(record).encode() for record in records], Names()
    for row, line in Protector(PolicySource("p", text.replace("LINES", "")), KeyRing.ephemeral()).protect(raw).quarantine:
        names.add(Entry.decode(line), raw[row])
    lines = [field.line() + "\n" for field in names.fields()]
    assert {"a[*]?.x", "b[*]?", "g[*]?.y", "k.x[*]?"} <= {field.path for field in names.fields()}
    assert Protector(PolicySource("p", text.replace("LINES", "".join(lines))), KeyRing.ephemeral()).protect(raw).quarantine == []
