"""flink-masking contract: pull, check, diff and export, from outside."""

import json

import pytest
import yaml

POLICY = """\
version: 1
stream: customers
tags:
  source: schema
  file: schemas/customer.avsc
  lock: customers.lock.yaml
  map: {PII: direct, PII.email: {class: direct, type: email}}
  untagged: plain
segments:
  analytics:
    view: masked
    rules: {"tag:PII.email": {technique: partial, keep_after: "@"}, "class:direct": redact, "*": keep}
"""


def field(name, *tags, type="string"):
    """An Avro field."""
    return {"name": name, "type": type, **({"confluent:tags": tags} if tags else {})}


@pytest.fixture
def stream(tmp_path):
    """A policy and its schema; call it with fields to change the schema. Returns the policy's path."""
    (tmp_path / "schemas").mkdir()
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)

    def write(*fields):
        schema = {"type": "record", "name": "Customer", "fields": [*fields]}
        (tmp_path / "schemas" / "customer.avsc").write_text(json.dumps(schema))
        return policy

    write(field("email", "PII.email"), field("phone", "PII"), field("city"))
    return write


@pytest.fixture
def pulled(cli, stream):
    """The same, with the lock file there."""
    policy = stream(field("email", "PII.email"), field("phone", "PII"), field("city"))
    assert cli("contract", "pull", policy).code == 0
    return stream


def test_a_schema_that_takes_long_is_waited_for(cli, stream, tmp_path, terminal):
    """On a terminal, pull and check say that the schema is read."""
    for command in ("pull", "check"):
        assert cli("contract", command, tmp_path / "policy.yaml").code == 0
        assert "Reading the schema" in terminal()


def test_pull_writes_the_lock_file_and_check_of_the_policy_resolves_it(cli, stream, tmp_path):
    """Without the lock file a policy cannot be used, and says how to get it; afterwards check shows what each tag was resolved to."""
    policy = tmp_path / "policy.yaml"
    before = cli("check", policy)
    assert before.code == 2 and f"Hint: flink-masking contract pull {policy}" in before.err
    done = cli("contract", "pull", policy)
    assert (done.code, done.err) == (0, "") and "3 fields of schemas/customer.avsc, 2 with tags" in done.out
    text = (tmp_path / "customers.lock.yaml").read_text()
    assert '  "email": {type: "string", optional: false, tags: ["PII.email"]}\n' in text
    after = cli("check", policy)
    assert after.code == 0
    assert "analytics: tag:PII.email → partial: email" in after.out and "analytics: class:direct → redact: phone" in after.out
    rows = {line.split()[0]: line.split()[1:] for line in after.out.splitlines() if line.strip()}
    assert rows["email"] == ["PII.email", "direct", "email", "PII.email"] and rows["city"] == ["–", "plain", "–", "untagged"]
    again = cli("contract", "pull", policy)
    assert again.code == 0 and (tmp_path / "customers.lock.yaml").read_text() == text


def test_check_tells_that_nothing_has_changed(cli, pulled, tmp_path):
    """With the schema as it was reviewed, check ends with 0."""
    done = cli("contract", "check", tmp_path / "policy.yaml")
    assert (done.code, done.out.splitlines()) == (0, ["view analytics: compatible", "no differences"])


def test_check_ends_with_1_for_every_change(cli, pulled):
    """New fields, lost tags and changed types are told, with what becomes of each view; a lost tag is an alarm."""
    policy = pulled(field("email"), field("phone", "PII"), field("city", type="long"), field("iban", "PII"))
    done = cli("contract", "check", policy)
    assert done.code == 1
    assert done.out.splitlines() == [
        "city: changed type: string → long", "ALARM email: lost tag: PII.email", "iban: new field: string", "iban: new tag: PII",
        "schema: new version: " + done.out.split("new version: ")[1][:12],
        "view analytics: NOT compatible: city: string → long (iban is shown for the first time)", "5 differences"]
    told = json.loads(cli("contract", "check", policy, "--json").out)
    assert [one for one in told["changes"] if one["alarm"]] == [
        {"path": "email", "kind": "lost tag", "before": "PII.email", "after": "", "alarm": True}]
    assert told["views"]["analytics"]["compatible"] is False


def test_a_lost_tag_is_no_release(cli, pulled, tmp_path):
    """After a tag is lost the field is still masked: pull ends with 1 and keeps it, until --accept-lost-tags."""
    policy = pulled(field("email"), field("phone", "PII"), field("city"))
    done = cli("contract", "pull", policy)
    assert done.code == 1 and "alarm: 1 field lost a tag that stays in force: email" in done.err
    assert "analytics: tag:PII.email → partial: email" in cli("check", policy).out
    assert cli("contract", "pull", policy).code == 1
    accepted = cli("contract", "pull", policy, "--accept-lost-tags", "--json")
    assert accepted.code == 0 and json.loads(accepted.out)["lost_tags"] == []
    after = cli("check", policy)
    assert after.code == 2 and "no field of the lock file has the tag 'PII.email'" in after.err


def test_diff_of_two_lock_files(cli, pulled, tmp_path):
    """Two lock files are compared without the source; with --policy each view is told; the same file has no differences."""
    lock = tmp_path / "customers.lock.yaml"
    old = tmp_path / "old.yaml"
    old.write_text(lock.read_text())
    policy = pulled(field("email", "PII.email"), field("phone", "PII"))
    assert cli("contract", "pull", policy).code == 0
    same = cli("contract", "diff", old, old, "--policy", policy)
    assert (same.code, same.out.splitlines()) == (0, ["view analytics: compatible", "no differences"])
    done = cli("contract", "diff", old, lock, "--policy", policy)
    assert done.code == 1
    assert done.out.splitlines()[0] == "city: removed field: string"
    assert "view analytics: NOT compatible: city is no longer shown" in done.out
    assert cli("contract", "diff", old, tmp_path / "no.yaml").code == 2
    assert "there is no such file" in cli("contract", "diff", old, tmp_path / "no.yaml").err
    assert cli("contract", "diff", old, policy).code == 2


@pytest.mark.parametrize("old, new, what", [
    ("tags:", "tgas:", "unknown key 'tgas'"), ("file: schemas/customer.avsc", "file: ../customer.avsc", "leads out of the policy's folder"),
    ("file: schemas/customer.avsc", "file: schemas/none.avsc", "there is no such file"),
    ("lock: customers", "lock: ../customers", "leads out of the policy's folder"),
    ("  source: schema\n  file: schemas/customer.avsc\n", "  source: registry\n", "none is named. | --registry URL"),
    ("schemas/customer.avsc", "policy.yaml", "does not tell the kind of schema"),
])
def test_what_cannot_be_pulled_is_a_clear_error(cli, stream, tmp_path, old, new, what):
    """A policy or source that cannot be used ends with a message and a hint, and no lock file is written."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY.replace(old, new, 1))
    done = cli("contract", "pull", policy)
    assert done.code in (1, 2) and any(part in done.err for part in what.split(" | ")), done.err
    assert "Traceback" not in done.err and not list(tmp_path.glob("*.lock.yaml"))


def test_a_broken_lock_file_is_not_written_over(cli, pulled, tmp_path):
    """Whoever cannot read the lock file cannot tell lost tags: pull and check refuse, and leave it as it is."""
    lock = tmp_path / "customers.lock.yaml"
    lock.write_text("<<<<<<< HEAD\n")
    for command in ("pull", "check"):
        done = cli("contract", command, tmp_path / "policy.yaml")
        assert done.code == 2 and "restore it from version control" in done.err
    assert lock.read_text() == "<<<<<<< HEAD\n"


def test_check_before_the_first_pull_is_an_error(cli, stream, tmp_path):
    """Without a lock file there is nothing to compare with."""
    done = cli("contract", "check", tmp_path / "policy.yaml")
    assert done.code == 2 and "there is no lock file yet" in done.err


def test_export_writes_a_contract_of_each_view(cli, pulled, tmp_path):
    """Contracts go to the terminal or to a directory; an unknown view is an error."""
    policy = tmp_path / "policy.yaml"
    shown = cli("contract", "export", policy, "--segment", "analytics")
    document = yaml.safe_load(shown.out)
    assert (shown.code, document["apiVersion"], document["schema"][0]["name"]) == (0, "v3.1.0", "analytics")
    assert cli("contract", "export", policy, "--output", tmp_path / "out").code == 0
    assert yaml.safe_load((tmp_path / "out" / "analytics.odcs.yaml").read_text()) == document
    wrong = cli("contract", "export", policy, "--segment", "analytic")
    assert wrong.code == 1 and "did you mean 'analytics'?" in wrong.err
