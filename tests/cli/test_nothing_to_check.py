"""A command that checks something does not pass where there was nothing to check."""

import json

import pytest
from unlistable import unlistable

from flink_masking.audit.notes import NoteSigner
from flink_masking.errors import InputError
from flink_masking.files.opened import input_files
from flink_masking.keys.files import create
from flink_masking.tools.policy_cases import read_cases
from flink_masking.vault.providers import open_vault

POLICY = """\
version: 3
stream: orders
subject: id
unknown_fields: scan
fields: {id: {class: identifier}, name: {class: direct}, note: {class: free_text}, zip: {class: quasi, prefix: 5}}
segments:
  masked: {view: masked, rules: {id: keep, name: {technique: encrypt, domain: name, per_subject: true}, note: redact, zip: keep}}
  groups: {view: anonymized, quasi_identifiers: [zip], k: 2, max_delay: 1h}
"""
RULES = "version: 1\nsource: /soc\nrules: {refusals: {when: quarantined, share_above: 0.01, within: 1min}}\n"
VERIFY = ["verify", "policy.yaml", "--segment"]
ERASE = ["erase", "policy.yaml", "--keys", "KEYS", "--check", "--subject", "a", "--sample"]
NOTHING = {
    "leaks in a directory without files": (["leaks", "folder"], 2, "folder: the directory holds no files"),
    "leaks in two directories, one of which has files": (["leaks", "output", "folder"], 2, "folder: the directory holds no files"),
    "a scan of a directory without files": (["scan", "folder"], 1, "the directory holds no files"),
    "a sample without records against a policy": (["scan", "empty", "--against", "policy.yaml"], 2, "no record that can be read"),
    "a view of groups without records and lines": ([*VERIFY, "groups", "--raw", "empty", "--released", "empty"], 2, "nothing was verified"),
    "a masked view without lines": ([*VERIFY, "masked", "--raw", "one", "--released", "empty"], 2, "nothing was verified"),
    "joins without raw records": ([*VERIFY[:2], "--joint", "--raw", "empty", "--released", "output"], 2, "nothing was verified"),
    "a directory without cases": (["policy", "test", "policy.yaml", "folder"], 2, "there are no cases"),
    "rules on a directory without lines": (["alerts", "test", "rules.yaml", "folder"], 1, "there is no line"),
    "rules on lines of something else": (["alerts", "test", "rules.yaml", "one"], 1, "none of 1 line is of an audit"),
    "noise of a policy without aggregated views": (["dp", "explain", "policy.yaml"], 2, "no aggregated segment"),
    "an erasure tried on a sample without records": ([*ERASE, "masked=empty"], 1, "holds no record, so nothing was tried"),
    "retention of a policy that keeps all": (["retention", "policy.yaml", "--keys", "KEYS"], 1, "nothing expires"),
    "a log without entries": (["audit", "verify", "folder", "--key", "log.key.pub"], 1, "the log does not verify"),
    "sealing of a source that is not there": (["audit", "seal", "none", "--log", "log", "--key", "log.key", "--once"], 1, "no such file"),
    "a preview of no records": (["preview", "policy.yaml", "empty"], 1, "there is no record"),
}
"""What there is nothing of: the command, its exit code, what it says."""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A directory with a policy, rules, a key ring, a record, and with files and folders that hold nothing."""
    monkeypatch.chdir(tmp_path)
    create(tmp_path / "keys.json")
    open_vault(f"sqlite://{tmp_path}/keys.vault.db").close()
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "log.key.pub").write_text(str(NoteSigner.create(tmp_path / "log.key", "orders").verifier))
    (tmp_path / "one").write_text('{"id":"1","name":"a","note":"b","zip":"12345"}\n')
    (tmp_path / "empty").touch()
    (tmp_path / "folder" / "below").mkdir(parents=True)
    for view in ("masked", "groups"):
        (tmp_path / "output" / view).mkdir(parents=True)
        (tmp_path / "output" / view / "part-0").touch()
    return tmp_path


@pytest.mark.parametrize("case", NOTHING)
def test_nothing_is_no_success(cli, place, case):
    """The command fails with what is missing and a hint; with 2 where 1 would say that something was found."""
    arguments, code, said = NOTHING[case]
    done = cli(*(f"file://{place}/keys.json" if one == "KEYS" else one for one in arguments))
    assert (done.code, said in done.err, "Hint: " in done.err) == (code, True, True), done.err


def test_an_empty_file_is_looked_through(cli, place):
    """A log without lines holds no leak, and a view that suppressed all of its records keeps its promises: these are answers."""
    assert cli("leaks", "empty").out == "no leak in 1 file, 0.0 MB\n"
    done = cli(*VERIFY, "groups", "--raw", "one", "--released", "empty", "--json")
    assert (done.code, json.loads(done.out)["counts"]["suppressed"]) == (0, 1)


VAULT = ["--keys", "KEYS", "--vault", "MISSING"]
WHO = ["--actor", "ann", "--purpose", "test"]


@pytest.mark.parametrize("command", [
    ["erase", "policy.yaml", *VAULT, *WHO, "--subject", "a"], ["erase", "policy.yaml", *VAULT, "--check", "--subject", "a"],
    ["keys", "rewrap", *VAULT], ["retention", "expiring.yaml", *VAULT],
    ["unmask", "policy.yaml", "--segment", "masked", "--input", "one", "--output", "clear", *VAULT, *WHO],
    ["quarantine", "show", "output", *VAULT, "--reveal", *WHO]], ids=" ".join)
def test_a_vault_that_is_not_there_is_not_made_by_what_opens_or_destroys_values(cli, place, command):
    """Whoever erases, wraps anew, expires or opens values of a vault under a mistyped address learns that there is none, and makes none."""
    (place / "expiring.yaml").write_text(POLICY + "vault: {keep: 10d}\nquarantine: {keep: 10d}\n")
    missing = place / "mistyped.db"
    places = {"KEYS": f"file://{place}/keys.json", "MISSING": f"sqlite://{missing}"}
    done = cli(*(places.get(word, word) for word in command))
    assert done.code == 1 and f"{missing}: no token vault is there" in done.err and "Hint: " in done.err, done.err
    assert not missing.exists()


def test_a_directory_that_cannot_be_listed_is_not_passed_over(tmp_path, monkeypatch):
    """Inputs and cases beside it do not make up for those that nobody has seen."""
    (tmp_path / "cases" / "closed").mkdir(parents=True)
    (tmp_path / "cases" / "one.yaml").write_text("records: []\n")
    back = unlistable(monkeypatch, tmp_path / "cases" / "closed")
    with pytest.raises(InputError, match=r"closed: Permission denied\. Hint: "):
        read_cases(tmp_path / "cases")
    with pytest.raises(PermissionError):
        input_files(tmp_path / "cases")
    back()
    assert input_files(tmp_path / "cases") == [tmp_path / "cases" / "one.yaml"]
