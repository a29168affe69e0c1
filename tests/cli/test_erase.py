"""flink-masking erase: what it destroys, what it proves, and what it writes down."""

import json

import pytest
from controlled import deployment, identities, with_key
from full_disk import full_disk

from flink_masking.audit.events import broken_links
from flink_masking.control.documents import body_of
from flink_masking.control.envelope import parse
from flink_masking.engine.erased import read_mark
from flink_masking.keys.files import create
from flink_masking.protector import Protector
from flink_masking.vault.providers import open_vault

POLICY = """\
version: 3
stream: orders
subject: id
erasure: {later: drop}
fields:
  id: {class: identifier}
  name: {class: direct}
  note: {class: direct}
  ssn: {class: direct}
segments:
  care:
    view: masked
    rules:
      id: {technique: pseudonym, domain: customer}
      name: {technique: encrypt, domain: name, per_subject: true}
      note: {technique: encrypt_deterministic, domain: note, per_subject: true}
      ssn: {technique: tokenize, domain: ssn}
"""
RECORDS = [f'{{"id":"CUST{i}","name":"Žofie {i}","note":"{i}","ssn":"{i}"}}'.encode() for i in range(30)]


@pytest.fixture
def place(tmp_path):
    """A policy, a key ring, a vault beside it, and the records of a view."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    create(tmp_path / "keys.json")
    vault = open_vault(f"sqlite://{tmp_path}/keys.vault.db")
    result = Protector(tmp_path / "policy.yaml", f"file://{tmp_path}/keys.json", vault).protect(RECORDS)
    vault.close()
    (tmp_path / "care.jsonl").write_bytes(b"".join(row + b"\n" for row in result.views["care"].to_pylist()))
    return tmp_path


@pytest.fixture
def erase(cli, place):
    """Run the command."""
    def run(*more, who=("--actor", "ann", "--purpose", "request 7")):
        return cli("erase", place / "policy.yaml", "--keys", f"file://{place / 'keys.json'}", "--audit", place / "audit.jsonl", *who, *more)

    return run


def test_nothing_of_an_erased_subject_opens(erase, place):
    """Before, the check fails and says what opens; after an erasure it finds the subject's values in a view, and none opens."""
    sample = ("--check", "--subject", "CUST3", "--subject", "CUST4", "--sample", f"care={place / 'care.jsonl'}")
    before = erase(*sample, who=())
    assert before.code == 1
    assert "4 data keys of the subjects in the vault" in before.err and "4 values of the subjects still open" in before.err
    done = erase("--subject", "CUST3", "--subject", "CUST4")
    assert done.code == 0, done.err
    assert "4 data keys destroyed, 2 tokens deleted" in done.out and "What stays:" in done.err
    after = erase(*sample, who=())
    assert after.code == 0, after.err
    assert "30 records, 4 values of the subjects, 0 open" in after.out and "nothing of 2 subjects opens any more" in after.out
    assert erase("--check", "--subject", "CUST5", who=()).code == 1


def test_the_audit_tells_hashes_and_counts(erase, place, tmp_path):
    """Both events are written, with actor, purpose, keyed hashes and counts; no clear subject is anywhere; again it does nothing."""
    (tmp_path / "names").write_text("CUST3\nCUST3\n\nCUST7\n")
    for keys in (4, 0):
        assert erase("--subjects", tmp_path / "names").code == 0
        last = json.loads((place / "audit.jsonl").read_bytes().splitlines()[-1])
        assert (last["event"], last["outcome"], last["keys"], last["actor"]) == ("erase", "done", keys, "ann")
        assert len(last["subjects"]) == 2 and all(read_mark(one) for one in last["subjects"])
    lines = (place / "audit.jsonl").read_bytes()
    assert len(lines.splitlines()) == 4 and b"CUST" not in lines
    assert not list(broken_links(lines.splitlines()))


def test_nothing_is_destroyed_that_the_audit_cannot_tell(erase, place):
    """Where the audit's disk is full the command ends with an error, and the keys are all there."""
    (place / "audit.jsonl").symlink_to("/dev/full")
    done = erase("--subject", "CUST3")
    assert done.code == 1 and "CUST3" not in done.err
    assert "2 data keys of the subjects in the vault" in erase("--check", "--subject", "CUST3", who=()).err


def test_a_full_disk_erases_all_or_nothing(erase, place):
    """Where the vault's disk is full the command ends with an error and nothing is destroyed; again, with room, all of it is."""
    with full_disk(1_000):
        assert erase("--subject", "CUST3").code == 1
    before = erase("--check", "--subject", "CUST3", who=()).err
    assert "2 data keys of the subjects in the vault" in before and "1 token of the subjects" in before
    assert erase("--subject", "CUST3").code == 0 and erase("--check", "--subject", "CUST3", who=()).code == 0


def test_a_document_lets_jobs_know(erase, place):
    """--document writes an unsigned control document with the same hashes."""
    assert erase("--subject", "CUST3", "--document", place / "erasure.json").code == 0
    body = body_of(parse((place / "erasure.json").read_bytes()))
    told = json.loads((place / "audit.jsonl").read_bytes().splitlines()[0])
    assert (body.stream, body.later, list(body.subjects)) == ("orders", "drop", told["subjects"])


def test_an_eraser_signs_and_publishes(cli, erase, place, monkeypatch):
    """--as publishes a signed document before anything is destroyed; who is no eraser publishes nothing, and nothing is destroyed."""
    monkeypatch.chdir(place)
    identities(cli, place, "eraser=eve", "policy=ann", "approver=ann")
    deployment(place, ["care", "audit", "quarantine"], more=f"vault: sqlite://{place}/keys.vault.db\n")
    refused = erase(place / "deployment.yaml", "--subject", "CUST3", *with_key("ann"))
    assert refused.code == 1 and "not signed by the role eraser" in refused.err and not list((place / "control").iterdir())
    assert "2 data keys" in erase("--check", "--subject", "CUST3", who=()).err
    done = erase(place / "deployment.yaml", "--subject", "CUST3", *with_key("eve"))
    assert done.code == 0 and " published to file://" in done.out, done.err
    body = body_of(parse(next((place / "control").iterdir()).read_bytes()))
    assert body.effective_at - body.issued_at == 5_000 and all(read_mark(one) for one in body.subjects)
    assert erase("--subject", "CUST3", "--as", "eve.key").code != 0
    again = erase(place / "deployment.yaml", "--subject", "CUST4", "--json", *with_key("eve"))
    told = json.loads(again.out)  # one document, which says where the control document is
    assert (again.code, told["keys"], told["published"]["kind"]) == (0, 2, "erasure") and told["published"]["id"] in again.err
    assert (place / "control" / f"{told['published']['id']}.json").is_file()


def test_a_rotation_closes_backups(cli, erase, place, terminal):
    """keys rewrap wraps what is left under the new version; then the old version is not needed for it."""
    ring = place / "keys.json"
    assert cli("keys", "add", ring).code == 0 and cli("keys", "promote", ring, "2").code == 0
    done = cli("keys", "rewrap", "--keys", f"file://{ring}")
    assert done.code == 0 and "name: 30 data keys wrapped under version 2" in done.out, done.err
    assert "name: 0 data keys" in cli("keys", "rewrap", "--keys", f"file://{ring}").out
    assert "Wrapping" in (shown := terminal()) and " left" in shown
    told = json.loads(cli("keys", "rewrap", "--keys", f"file://{ring}", "--json").out)
    assert told == {"version": 2, "data_keys": {"name": 0, "note": 0, "ssn": 0}}


@pytest.mark.parametrize(("more", "what"), [
    ((), "nobody is named"), (("--subject", "a", "--actor", ""), "--actor"),
    (("--subject", "a", "--check", "--sample", "care"), "--sample"),
    (("--subject", "a", "--tombstones"), "the deployment tells"), (("--subject", "a", "--vault", "sqlite:///no/vault.db"), "vault")])
def test_what_cannot_be_done_is_an_error(erase, more, what):
    """Missing subjects, actors, samples, deployments and vaults are told, with a hint and without a subject."""
    result = erase(*more)
    assert result.code != 0 and what in result.err and "Hint" in result.err
