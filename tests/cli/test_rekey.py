"""flink-masking rekey: another key version as a command."""

import json

import pytest

from flink_masking.audit.events import broken_links
from flink_masking.keys.files import create
from flink_masking.protector import Protector

POLICY = """\
version: 1
stream: orders
fields: {card: {class: direct}, name: {class: direct}, amount: {class: plain}}
segments:
  masked:
    view: masked
    key_versions: true
    rules:
      card: {technique: fpe, domain: pan, format: card, keep_first: 6}
      name: {technique: encrypt_deterministic, domain: name}
      amount: keep
"""
RECORDS = [f'{{"card":"41111111111111{i:02d}","name":"N{i % 5}","amount":{i}.50}}'.encode() for i in range(20)]


@pytest.fixture
def place(cli, tmp_path):
    """A policy, a ring whose second version protects, and records under the first."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    create(tmp_path / "keys.json")
    protect(tmp_path, "old.jsonl")
    assert cli("keys", "add", tmp_path / "keys.json").code == 0 and cli("keys", "promote", tmp_path / "keys.json", "2").code == 0
    return tmp_path


def protect(place, name):
    """Write the records as the ring protects them now."""
    views = Protector(place / "policy.yaml", f"file://{place}/keys.json").protect(RECORDS).views
    (place / name).write_bytes(b"".join(row + b"\n" for row in views["masked"].to_pylist()))


@pytest.fixture
def rekey(cli, place):
    """Run the command."""
    def run(*more, input_="old.jsonl", output="new.jsonl", source=1, target=2):
        return cli("rekey", place / "policy.yaml", "--segment", "masked", "--input", place / input_, "--output", place / output,
                   "--keys", f"file://{place}/keys.json", "--from-version", source, "--to-version", target, *more)

    return run


def test_old_records_become_those_of_the_new_version(rekey, cli, place):
    """What comes out is byte for byte what the new version makes of the raw records; then the old one can be destroyed."""
    done = rekey()
    assert done.code == 0 and "20 records with card, name under key version 2" in done.out
    protect(place, "fresh.jsonl")
    assert (place / "new.jsonl").read_bytes() == (place / "fresh.jsonl").read_bytes() != (place / "old.jsonl").read_bytes()
    assert cli("keys", "destroy", place / "keys.json", "1", "--yes").code == 0
    who = ("--actor", "a", "--purpose", "p")
    given = ("unmask", place / "policy.yaml", "--segment", "masked", "--keys", f"file://{place}/keys.json", *who)
    assert cli(*given, "--input", place / "new.jsonl", "--output", place / "clear.jsonl").code == 0
    assert (place / "clear.jsonl").read_bytes().splitlines() == RECORDS
    lost = cli(*given, "--input", place / "old.jsonl", "--output", place / "lost.jsonl")
    assert lost.code == 1 and "version 1 was destroyed" in lost.err and not (place / "lost.jsonl").exists()


def test_it_is_written_down(rekey, place):
    """The audit names both versions, who and how many values."""
    rekey("--actor", "ann", "--purpose", "yearly rotation")
    lines = (place / "new.jsonl.audit.jsonl").read_bytes().splitlines()
    begun, done = map(json.loads, lines)
    assert (begun["event"], begun["outcome"], done["outcome"]) == ("rekey", "begun", "done") and broken_links(lines) == []
    assert (done["actor"], done["purpose"], done["from_version"], done["to_version"]) == ("ann", "yearly rotation", 1, 2)
    assert done["records"] == 20 and done["values"]["card"]["values"] == 20


@pytest.mark.parametrize(("step", "said"), [("disable", "version 1 is disabled"), ("destroy", "version 1 was destroyed")])
def test_a_version_that_does_not_open_is_told(rekey, cli, place, step, said):
    """A disabled or destroyed version ends it before any output."""
    assert cli("keys", step, place / "keys.json", "1", *(["--yes"] if step == "destroy" else [])).code == 0
    done = rekey()
    assert done.code == 1 and said in done.err and list(place.glob("*new*")) == []


def test_broken_input_leaves_nothing(rekey, place):
    """A broken record after many good ones leaves no part of an output."""
    with (place / "old.jsonl").open("ab") as opened:
        opened.write(b"{\n")
    done = rekey()
    assert done.code == 1 and "record 21: malformed" in done.err
    assert [f.name for f in place.iterdir() if "new" in f.name] == ["new.jsonl.audit.jsonl"]


@pytest.mark.parametrize(("change", "said"), [({"target": 1}, "the same"), ({"target": 9}, "no version 9"),
                                              ({"output": "old.jsonl"}, "already")])
def test_options_that_cannot_be_used(rekey, change, said):
    """Wrong versions and places are errors in words."""
    done = rekey(**change)
    assert done.code == 1 and said in done.err and "Hint" in done.err
