"""flink-masking unmask: the way back as a command, with its audit."""

import json
import stat

import pytest

from flink_masking.audit.events import broken_links
from flink_masking.keys.files import create
from flink_masking.keys.providers import open_ring
from flink_masking.keys.ring import KeyRing
from flink_masking.protector import Protector
from flink_masking.vault.memory import MemoryVault
from flink_masking.vault.providers import open_vault

POLICY = """\
version: 3
stream: orders
fields:
  id: {class: identifier}
  card: {class: direct}
  name: {class: direct}
  ssn: {class: direct}
segments:
  masked:
    view: masked
    rules:
      id: {technique: pseudonym, domain: customer}
      card: {technique: fpe, domain: pan, format: card, keep_first: 6}
      name: {technique: encrypt, domain: name}
      ssn: {technique: tokenize, domain: ssn}
  cards: {view: masked, rules: {card: {technique: fpe, domain: pan, format: card, keep_first: 6}, name: {technique: encrypt, domain: name}}}
"""
RECORDS = [f'{{"id":"{i}","card":"41111111111111{i:02d}","name":"Žofie {i}","ssn":"{i}"}}'.encode() for i in range(30)]


@pytest.fixture
def place(tmp_path):
    """A policy, a key ring, a vault beside it, and the records of two segments."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    create(tmp_path / "keys.json")
    vault = open_vault(f"sqlite://{tmp_path}/keys.vault.db")
    result = Protector(tmp_path / "policy.yaml", f"file://{tmp_path}/keys.json", vault).protect(RECORDS)
    vault.close()
    (tmp_path / "masked").mkdir()
    rows = result.views["masked"].to_pylist()
    (tmp_path / "masked" / "part-0").write_bytes(b"\n".join(rows[:20]) + b"\n")
    (tmp_path / "masked" / "part-1").write_bytes(b"\n" + b"\r\n".join(rows[20:]))
    (tmp_path / "cards.jsonl").write_bytes(b"".join(row + b"\n" for row in result.views["cards"].to_pylist()))
    return tmp_path


@pytest.fixture
def unmask(cli, place):
    """Run the command; options by name, None leaves one away."""
    def run(*more, segment="masked", input_="masked", output="clear.jsonl", keys="keys.json", actor="ann", purpose="case 7"):
        options = {"--segment": segment, "--input": place / input_, "--output": place / output, "--keys": f"file://{place / keys}",
                   "--actor": actor, "--purpose": purpose}
        given = [part for name, value in options.items() if value is not None for part in (name, value)]
        return cli("unmask", place / "policy.yaml", *given, *more)

    return run


def audit(place, output="clear.jsonl"):
    """Lines and events of the audit beside an output."""
    lines = (place / f"{output}.audit.jsonl").read_bytes().splitlines()
    return lines, [json.loads(line) for line in lines]


def test_what_was_masked_comes_back(unmask, place):
    """Every file of the directory is opened into one, readable by its owner only; ids stay pseudonyms."""
    done = unmask()
    assert (done.code, done.err) == (0, "") and "30 records with card, name, ssn in clear" in done.out
    rows = [json.loads(line) for line in (place / "clear.jsonl").read_text().splitlines()]
    raw = [json.loads(row) for row in RECORDS]
    assert [{k: v for k, v in row.items() if k != "id"} for row in rows] == [{k: v for k, v in row.items() if k != "id"} for row in raw]
    assert not {row["id"] for row in rows} & {row["id"] for row in raw}
    assert stat.S_IMODE((place / "clear.jsonl").stat().st_mode) == 0o600


def test_who_and_why_is_written_down(unmask, place):
    """The audit holds who, why, what and how many, before and after, in one chain that a later run goes on with; and no value."""
    unmask()
    (place / "clear.jsonl").unlink()
    assert unmask(actor=" bob ", purpose="case 8").code == 0
    lines, events = audit(place)
    assert [(e["event"], e["actor"], e["purpose"], e["outcome"]) for e in events] == [
        ("unmask", "ann", "case 7", "begun"), ("unmask", "ann", "case 7", "done"),
        ("unmask", "bob", "case 8", "begun"), ("unmask", "bob", "case 8", "done")]
    assert events[1]["segment"] == "masked" and events[1]["records"] == 30 and events[1]["policy_version"] == 3
    assert events[1]["values"]["card"] == {"technique": "fpe", "values": 30, "redacted": 0, "unreadable": 0}
    assert len({e["chain"] for e in events}) == 1 and broken_links(lines) == []
    assert broken_links(lines[:1] + lines[2:]) and not any("Žofie" in line.decode() or "4111" in line.decode() for line in lines)


@pytest.mark.parametrize(("actor", "purpose", "code"), [("", "x", 1), ("x", "  ", 1), ("a\nb", "x", 1), ("x" * 1001, "x", 1),
                                                        (None, "x", 2), ("x", None, 2)])
def test_nobody_unmasks_without_saying_who_and_why(unmask, place, actor, purpose, code):
    """Without an actor or a purpose nothing is opened and nothing written."""
    done = unmask(actor=actor, purpose=purpose)
    assert done.code == code and ("--actor" in done.err or "--purpose" in done.err)
    assert not list(place.glob("clear*"))


def test_another_key_ring_leaves_nothing(unmask, place):
    """A wrong key is one error without detail, exit code 1, no output, no part of one, and an event of the attempt."""
    create(place / "other.json")
    done = unmask("--field", "name", keys="other.json", input_="cards.jsonl", segment="cards")
    assert done.code == 1 and "a value cannot be opened" in done.err and "Traceback" not in done.err and "name" not in done.err
    assert [f.name for f in place.glob("*clear*")] + [f.name for f in place.glob(".clear*")] == ["clear.jsonl.audit.jsonl"]
    assert [e["outcome"] for e in audit(place)[1]] == ["begun", "failed"]


def test_unreadable_values_can_be_skipped(unmask, place):
    """With --skip-unreadable they are null, counted and told; all others come back."""
    text = (place / "cards.jsonl").read_text().splitlines()
    row = json.loads(text[3])
    row["name"] = row["name"][:-4] + "AAAA"
    text[3] = json.dumps(row)
    (place / "cards.jsonl").write_text("\n".join(text) + "\n")
    assert unmask(segment="cards", input_="cards.jsonl").code == 1
    done = unmask("--skip-unreadable", segment="cards", input_="cards.jsonl")
    assert done.code == 0 and "1 value could not be opened and is null" in done.err
    rows = [json.loads(line) for line in (place / "clear.jsonl").read_text().splitlines()]
    assert rows[3]["name"] is None and rows[4]["name"] == "Žofie 4" and rows[3]["card"] == "4111111111111103"
    assert audit(place)[1][-1]["values"]["name"]["unreadable"] == 1


def test_an_exported_ring_opens_its_domains(unmask, cli, place):
    """A ring exported for one domain opens that field, and names the domain that it lacks for others."""
    assert cli("keys", "export", place / "keys.json", "--domain", "pan", "--output", place / "part.json").code == 0
    done = unmask(keys="part.json", segment="cards", input_="cards.jsonl")
    assert done.code == 1 and "does not hold the keys of name" in done.err and not (place / "clear.jsonl").exists()
    assert unmask("--field", "card", keys="part.json", segment="cards", input_="cards.jsonl").code == 0
    row = json.loads((place / "clear.jsonl").read_text().splitlines()[0])
    assert row["card"] == "4111111111111100" and row["name"].startswith("fm1.")


def test_tokens_need_the_vault_that_they_came_from(unmask, place):
    """Without a vault beside the key ring the command says so and makes none; --vault names it."""
    (place / "keys.vault.db").rename(place / "elsewhere.db")
    done = unmask()
    assert done.code == 1 and "no token vault is there" in done.err and not (place / "keys.vault.db").exists()
    assert unmask("--vault", f"sqlite://{place}/elsewhere.db").code == 0


@pytest.mark.parametrize(("change", "said"), [
    ({"input_": "none"}, "no such file"), ({"output": "policy.yaml"}, "already exists"), ({"output": "no/dir.jsonl"}, "does not exist"),
    ({"output": "masked/clear.jsonl"}, "is inside the input"), ({"segment": "none"}, "masked segments are masked, cards"),
    ({"keys": "none.json"}, "none.json"),
])
def test_what_cannot_be_used_ends_at_once(unmask, place, change, said):
    """A wrong place, segment or ring is an error before anything is opened."""
    before = sorted(place.rglob("*"))
    done = unmask(**change)
    assert done.code == 1 and said in done.err and "Traceback" not in done.err
    assert [f for f in sorted(place.rglob("*")) if f not in before and "vault.db-" not in f.name] == []


def test_an_audit_that_cannot_be_continued_stops_it(unmask, place):
    """Nothing is opened when its record could not be written behind the last one."""
    (place / "clear.jsonl.audit.jsonl").write_text("something else\n")
    done = unmask()
    assert done.code == 1 and "last line is no audit event" in done.err and not (place / "clear.jsonl").exists()
    (place / "clear.jsonl.audit.jsonl").write_text('{"half')
    assert "cut off" in unmask().err and not (place / "clear.jsonl").exists()


def test_a_broken_record_is_named_by_its_number(unmask, place):
    """A line that is no record ends it without output; the error tells which and nothing of it."""
    with (place / "masked" / "part-1").open("ab") as opened:
        opened.write(b"\n4111 secret\n")
    done = unmask()
    assert done.code == 1 and "record 31: malformed" in done.err and "secret" not in done.err and not (place / "clear.jsonl").exists()


def test_preview_makes_tokens_that_are_thrown_away(cli, place):
    """preview shows tokens without any vault; a named one needs the key ring, too."""
    (place / "in.jsonl").write_bytes(RECORDS[0] + b"\n")
    (place / "keys.vault.db").unlink()
    done = cli("preview", place / "policy.yaml", place / "in.jsonl", "--segment", "masked", "--keys", f"file://{place}/keys.json")
    assert done.code == 0 and not (place / "keys.vault.db").exists()
    refused = cli("preview", place / "policy.yaml", place / "in.jsonl", "--vault", f"sqlite://{place}/v.db")
    assert refused.code == 1 and "give --keys" in refused.err
    shown = cli("preview", place / "policy.yaml", place / "in.jsonl", "--keys", f"file://{place}/keys.json", "--vault", f"sqlite://{place}/v.db")
    assert shown.code == 0 and (place / "v.db").exists()


def test_run_wants_a_vault_it_can_name(cli, place, monkeypatch):
    """Without --vault and without a ring file to put one beside, run ends before Flink; a vault of another ring's, too."""
    monkeypatch.setenv("KEYS", KeyRing.new().dump().decode())
    (place / "in.jsonl").write_bytes(RECORDS[0] + b"\n")
    arguments = ("run", place / "policy.yaml", "--input", place / "in.jsonl", "--output", place / "out", "--keys", "env://KEYS")
    done = cli(*arguments)
    assert done.code == 1 and "none is named" in done.err and "--vault" in done.err and not (place / "out").exists()
    (place / "text").write_text("no database, and long enough to be taken for one" * 100)
    (place / "text").chmod(0o600)
    assert cli(*arguments, "--vault", f"sqlite://{place}/text").code == 1


def test_old_values_open_with_the_version_given(unmask, cli, place):
    """After a promotion, records that do not tell their version open with --key-version."""
    assert cli("keys", "add", place / "keys.json").code == 0 and cli("keys", "promote", place / "keys.json", "2").code == 0
    assert open_ring(f"file://{place}/keys.json").primary == 2
    assert unmask("--key-version", "1", segment="cards", input_="cards.jsonl").code == 0
    assert json.loads((place / "clear.jsonl").read_text().splitlines()[5])["card"] == "4111111111111105"
    assert Protector(place / "policy.yaml", f"file://{place}/keys.json", MemoryVault()).plan.ring.primary == 2
    done = unmask("--key-version", "9", segment="cards", input_="cards.jsonl", output="b.jsonl")
    assert done.code == 1 and "no version 9" in done.err
