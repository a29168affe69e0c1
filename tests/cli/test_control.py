"""The commands identity, control and policy."""

import json
import os
import stat
from xml.etree import ElementTree

import pytest
from controlled import WORDS, deployment, identities, with_key

POLICY = """\
version: {version}
stream: s
fields: {{id: {{class: identifier}}, ssn: {{class: direct, optional: true}}, zip: {{class: plain, optional: true}}}}
segments:
  masked: {{view: masked, rules: {{id: {{technique: pseudonym, domain: d}}, ssn: {rule}, zip: keep}}}}
"""


@pytest.fixture
def place(cli, tmp_path, monkeypatch):
    """A directory with identities of root, paula, ann and bob, a trust file and a deployment."""
    monkeypatch.chdir(tmp_path)
    identities(cli, tmp_path, "policy=paula", "approver=ann", "approver=bob")
    deployment(tmp_path, ["masked", "audit", "quarantine"], control=f", state: 'file://{tmp_path}/state'")
    for version, rule in ((1, "keep"), (2, "redact")):
        (tmp_path / f"v{version}.yaml").write_text(POLICY.format(version=version, rule=rule))
    return tmp_path


def test_an_identity_is_private_and_encrypted(cli, place):
    """The key's file has mode 0600 and is encrypted; .pub holds no secret; a wrong passphrase, or other readers, are refused."""
    key = (place / "ann.key").read_bytes()
    assert stat.S_IMODE(os.stat("ann.key").st_mode) == 0o600 and b"ENCRYPTED PRIVATE KEY" in key
    shown = cli("identity", "show", "ann.key")
    assert json.loads(shown.out)["key"]["owner"] == "ann" and "PRIVATE" not in shown.out
    assert cli("identity", "new", "ann.key", "--owner", "ann", "--passphrase-file", "words").code == 1
    (place / "other").write_text("something else\n")
    (place / "other").chmod(0o600)
    wrong = cli("policy", "publish", "v2.yaml", "deployment.yaml", "--as", "paula.key", "--passphrase-file", "other")
    assert wrong.code == 1 and "the passphrase does not open it" in wrong.err and WORDS not in wrong.err
    (place / "paula.key").chmod(0o644)
    assert "accessible to other users" in cli("policy", "publish", "v2.yaml", "deployment.yaml", *with_key("paula")).err
    (place / "words").chmod(0o644)
    assert "chmod 600" in cli("policy", "publish", "v2.yaml", "deployment.yaml", *with_key("ann")).err


def test_a_short_passphrase_is_refused(cli, place):
    """Seven characters are too few, and nothing is written."""
    (place / "short").write_text("1234567\n")
    (place / "short").chmod(0o600)
    assert cli("identity", "new", "new.key", "--owner", "x", "--passphrase-file", "short").code == 1 and not (place / "new.key").exists()


def test_a_policy_is_published_listed_and_verified(cli, place, monkeypatch):
    """A signed policy lies at the source, is listed as pending, verifies, and holds the files that it names."""
    done = cli("policy", "publish", "v2.yaml", "deployment.yaml", "--in", "1h", *with_key("paula"))
    assert done.code == 0 and "takes effect at" in done.err and " published to " in done.out
    (found,) = (place / "control").glob("*.json")
    (row,) = [json.loads(line) for line in cli("control", "list", "deployment.yaml", "--json").out.splitlines()]
    assert (row["id"], row["kind"], row["version"], row["state"], row["signers"]) == (found.stem, "policy", 2, "pending", ["paula"])
    assert cli("control", "verify", found, "--trust", "trust.json").out.endswith("signed by paula\n")
    assert cli("control", "verify", found, "--deployment", "deployment.yaml").code == 0
    wrong = cli("control", "revoke", found.stem, "deployment.yaml", "--of", "grant", "--reason", "wrong", *with_key("ann"))
    assert wrong.code == 1 and "is of kind policy, not grant" in wrong.err and "--of policy" in wrong.err
    revoked = cli("control", "revoke", found.stem, "deployment.yaml", "--of", "policy", "--reason", "wrong", *with_key("paula"))
    assert revoked.code == 0, revoked.err
    states = {row["id"]: row["state"] for row in map(json.loads, cli("control", "list", "deployment.yaml", "--json").out.splitlines())}
    assert states[found.stem] == "revoked"
    monkeypatch.setenv("COLUMNS", "80")
    assert found.stem in cli("control", "list", "deployment.yaml").out  # in one line: control revoke asks for it


def test_publications_are_json(cli, place):
    """With --json each command that publishes prints one document: what, under which id, where, and when it takes effect."""
    def told(*arguments):
        done = cli(*arguments, "--json")
        assert done.code == 0, done.err
        return json.loads(done.out)

    sent = told("policy", "publish", "v2.yaml", "deployment.yaml", "--in", "1h", *with_key("paula"))
    assert (sent["kind"], sent["stream"], sent["version"], sent["written_to"]) == ("policy", "s", 2, None)
    assert sent["published_to"] == f"file://{place}/control" and (place / "control" / f"{sent['id']}.json").is_file()
    assert sent["effective_at"].endswith("Z")
    kept = told("policy", "publish", "v2.yaml", "deployment.yaml", "--output", "doc.json", *with_key("paula"))
    assert (kept["published_to"], kept["written_to"]) == (None, "doc.json")
    assert told("control", "publish", "doc.json", "deployment.yaml") == {
        "kind": "policy", "id": kept["id"], "published_to": f"file://{place}/control", "written_to": None}
    gone = told("control", "revoke", sent["id"], "deployment.yaml", "--of", "policy", "--reason", "wrong", *with_key("paula"))
    assert (gone["kind"], gone["revoked"]) == ("revocation", sent["id"])
    refused = cli("policy", "publish", "v2.yaml", "deployment.yaml", "--json", *with_key("ann"))
    assert refused.code == 1 and "not signed by the role policy" in json.loads(refused.out)["error"]["message"]


def test_a_list_of_documents_is_lines(cli, place):
    """With --json a list is a document a line, nothing where there are none, and an error is one line, too."""
    assert cli("control", "list", "deployment.yaml", "--json") == (0, "", "")
    assert cli("grant", "list", "deployment.yaml", "--json") == (0, "", "")
    for _ in range(2):
        assert cli("policy", "publish", "v2.yaml", "deployment.yaml", "--in", "1h", *with_key("paula")).code == 0
    assert [json.loads(line)["version"] for line in cli("control", "list", "deployment.yaml", "--json").out.splitlines()] == [2, 2]
    for command in ("control", "grant"):
        (line,) = cli(command, "list", "none.yaml", "--json").out.splitlines()
        assert json.loads(line)["error"]["exit_code"] == 1


def test_who_may_not_publish_is_told(cli, place):
    """A policy signed by an approver is not published, and what jobs cannot follow is refused with --against."""
    done = cli("policy", "publish", "v2.yaml", "deployment.yaml", *with_key("ann"))
    assert done.code == 1 and "not signed by the role policy" in done.err and not list((place / "control").iterdir())
    (place / "v3.yaml").write_text(POLICY.format(version=3, rule="drop").replace("  masked:", "  other:"))
    done = cli("policy", "publish", "v3.yaml", "deployment.yaml", "--against", "v2.yaml", *with_key("paula"))
    assert done.code == 1 and "needs savepoint" in done.err


def test_signatures_are_gathered(cli, place):
    """With a threshold of two, a document is refused until a second owner has signed it; keys are rotated by a next version."""
    more = "--add", "policy=bob.key.pub", "--threshold", "policy=2"
    done = cli("control", "trust", "next", "trust.json", "--output", "trust2.json", *more, *with_key("root"))
    assert done.code == 0, done.err
    again = cli("control", "approve", "trust2.json", "--yes", *with_key("root"))
    assert again.code == 0 and "kind: trust" in again.out
    assert cli("control", "publish", "trust2.json", "deployment.yaml").code == 0
    assert cli("policy", "publish", "v2.yaml", "deployment.yaml", "--output", "doc.json", *with_key("paula")).code == 0
    assert "(1 of 2 signatures)" in cli("control", "publish", "doc.json", "deployment.yaml").err
    approved = cli("control", "approve", "doc.json", "--yes", *with_key("bob"))
    assert approved.code == 0 and "version: 2" in approved.out
    assert cli("control", "publish", "doc.json", "deployment.yaml").code == 0
    states = {row["kind"]: row["state"] for row in map(json.loads, cli("control", "list", "deployment.yaml", "--json").out.splitlines())}
    assert states == {"trust": "in effect", "policy": "pending"}
    assert "policy: 2 of" in cli("control", "trust", "show", "trust2.json").out
    gone = cli("control", "trust", "next", "trust2.json", "--output", "trust3.json", "--remove", "policy=bob", *with_key("root"))
    assert gone.code == 1 and "asks for 2 signatures" in gone.err
    gone = cli("control", "trust", "next", "trust2.json", "--output", "trust3.json", "--remove", "policy=nobody", *with_key("root"))
    assert gone.code == 1 and "nobody of that name" in gone.err


def test_the_requester_cannot_approve(cli, place):
    """The command refuses the requester's own approval; the approval of another one verifies."""
    from flink_masking.control.bodies import GrantBody
    from flink_masking.control.envelope import seal
    from flink_masking.control.instants import new_id
    from flink_masking.control.make import now
    from flink_masking.control.trust import payload

    at = now()
    body = GrantBody(id=new_id(at), stream="s", issued_at=at, effective_at=at, expires_at=at + 60_000, segment="debug", reason="r",
                     requester="ann")
    (place / "grant.json").write_bytes(seal("grant", payload(body)).dump())
    assert "ann has requested it" in cli("control", "approve", "grant.json", "--yes", *with_key("ann")).err
    assert cli("control", "sign", "grant.json", *with_key("ann")).code == 0
    assert cli("control", "verify", "grant.json", "--trust", "trust.json").code == 1
    assert cli("control", "approve", "grant.json", "--yes", *with_key("bob")).code == 0
    assert cli("control", "verify", "grant.json", "--trust", "trust.json").out.endswith("signed by bob\n")


def test_diff_says_what_a_job_needs(cli, place):
    """Live changes end with 0, others with 1 unless the target can do them, and so does a version that is not higher."""
    done = cli("policy", "diff", "v1.yaml", "v2.yaml")
    assert (done.code, done.out.splitlines()[0]) == (0, "live: segments.masked.rules.ssn: keep → redact")
    assert cli("policy", "diff", "v2.yaml", "v1.yaml").code == 1
    (place / "v3.yaml").write_text(POLICY.format(version=3, rule="drop").replace("  masked:", "  other:"))
    codes = [cli("policy", "diff", "v2.yaml", "v3.yaml", "--target", target).code for target in ("live", "savepoint", "new-state")]
    assert codes == [1, 0, 0]
    assert json.loads(cli("policy", "diff", "v2.yaml", "v3.yaml", "--json").out)["effect"] == "savepoint"
    (place / "v4.yaml").write_text("version: 4")
    assert cli("policy", "diff", "v2.yaml", "v4.yaml").code == 2


CASE = """\
records: [{id: alice, ssn: "078051120", zip: "12345"}, {id: alice, ssn: "219099999"}, {id: bob, surplus: 1}]
views: {masked: [{id: <any>, ssn: "***", zip: "12345"}, {id: <any>, ssn: "***"}]}
quarantine: {2: unknown_field}
properties:
  - {never: ssn}
  - {unchanged: zip, in: [masked]}
  - {differs: id}
  - {matches: {ssn: '\\*+'}}
"""


def test_cases_pass_or_say_why(cli, place):
    """Expected views, quarantine and properties hold of one policy and fail of another, each failure in a line; JUnit counts them."""
    (place / "cases").mkdir()
    (place / "cases" / "customer.yaml").write_text(CASE)
    done = cli("policy", "test", "v2.yaml", "cases")
    assert done.code == 0, done.out
    done = cli("policy", "test", "v1.yaml", "cases", "--junit", "report.xml")
    assert done.code == 1 and "FAIL customer" in done.out
    for said in ('views.masked[0].ssn: expected "***", found "078051120"', "never ssn: masked[0] shows", "matches ssn: masked[0]"):
        assert said in done.out
    suite = ElementTree.parse("report.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1") and "never ssn" in suite.find("testcase/failure").text


@pytest.mark.parametrize(("case", "said"), [
    ("records: [{id: alice}]\nviews: {other: []}\n", "no segment of that name"),
    ("records: [{id: alice}]\nviews: {masked: []}\n", "expected 0 records, found 1"),
    ("records: [{id: alice}]\nproperties: [{never: ssn}]\n", "no record has it"),
    ("records: [{id: alice, zip: a}]\nproperties: [{never: zip}]\n", "fewer than 3 characters"),
    ("records: [{id: alice, zip: abc}]\nproperties: [{absent: zip}]\n", "masked[0] has it"),
    ("records: [{id: alice, zip: abc}]\nproperties: [{differs: zip}]\n", "came out as it went in"),
    ("records: [{id: alice}]\nproperties: [{unchanged: id}]\n", "became"),
    ("records: [{id: alice, zip: abc}]\nviews: {masked: [{id: <any>}]}\n", "is there, and not expected"),
    ("records: [{id: alice, surplus: 1}]\n", "quarantined: expected no, found unknown_field"),
])
def test_every_kind_of_failure_is_found(cli, place, case, said):
    """A case that does not hold fails, and says what was found."""
    (place / "case.yaml").write_text(case)
    done = cli("policy", "test", "v2.yaml", "case.yaml")
    assert done.code == 1 and said in done.out


@pytest.mark.parametrize("case", ["records: []", "recs: [{}]", "records: [{}]\nproperties: [{never: a, absent: b}]", ": [", "- 1"])
def test_what_is_no_case_is_refused(cli, place, case):
    """A file that is no case is an error with its place."""
    (place / "case.yaml").write_text(case)
    done = cli("policy", "test", "v2.yaml", "case.yaml")
    assert done.code == 2 and "no case" in done.err and "Hint" in done.err


@pytest.mark.parametrize("command", ["identity new", "control sign", "control trust next", "policy diff", "policy test", "control approve"])
def test_help_describes_commands(cli, command):
    """--help of each command ends with exit 0."""
    assert cli(*command.split(), "--help").code == 0
