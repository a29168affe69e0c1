"""What the report tells of granted views and of what policy and deployment declare of control, audit, grants and retention."""

import json
from pathlib import Path

import pytest
from control_documents import Signers

from flink_masking.compliance import assess_all
from flink_masking.compliance.measured import measured
from flink_masking.compliance.subject import PolicyViews
from flink_masking.deployment.model import Deployment
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.report import as_html, figures

POLICY = """
version: 3
stream: orders
subject: customer
fields:
  customer: {class: identifier, optional: false}
  email:    {class: direct, type: email}
  note:     {class: plain, type: string}
segments:
  support:
    view: masked
    rules: {customer: {technique: encrypt, domain: c, per_subject: true}, email: {technique: partial, keep_first: 1}, note: keep}
  debug: {view: granted, of: support, may_show: {email: keep}, max_duration: 2h, max_records: 1500, approvals: 2}
erasure: {later: drop}
quarantine: {keep: 30d}
reverse: {requires_grant: true, approvals: 2}
audit: {sink: audit, digests: true}
"""


@pytest.fixture
def source(tmp_path):
    """The policy."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    return PolicySource.read(tmp_path / "policy.yaml")


@pytest.fixture
def files(tmp_path):
    """Raw records, and an output with the granted view in it."""
    (tmp_path / "raw.jsonl").write_text('{"customer":"c1","email":"a@b.io","note":"x"}\n')
    (tmp_path / "out" / "debug").mkdir(parents=True)
    (tmp_path / "out" / "debug" / "part-0").write_text('{"customer":"?","email":"a@b.io","note":"x"}\n')
    return tmp_path / "raw.jsonl", tmp_path / "out"


@pytest.fixture
def deployment(tmp_path):
    """Control documents, a sealed log, retention; addresses with names that are nobody's business."""
    (tmp_path / "trust.json").write_bytes(Signers().trust(thresholds={"approver": 2}))
    (tmp_path / "deployment.yaml").write_text(json.dumps({
        "source": {"connector": "filesystem", "path": "file:///in"}, "sinks": {}, "keys": "file:///secret-place/keys.json",
        "control": {"source": "file:///secret-place/control", "trust": "trust.json", "max_staleness": "10min"},
        "audit": {"log": "s3://secret-bucket/log", "key": "/k", "keep": "90d", "state": "/state"}, "transport": {"require_tls": True}}))
    return Deployment.read(Path(tmp_path / "deployment.yaml"))


def test_a_granted_view_is_told_as_one(source, files):
    """Flow, coverage and evidence say that it is empty without a grant, and its limits; it is not measured, and not missing."""
    told = figures(source, *files)
    limits = "at most 1,500 records within 2h, 2 approvals"
    (debug,) = [one for one in told["flow"]["outputs"] if one["name"] == "debug"]
    assert debug["kind"] == "granted"
    assert debug["passes"] == f"nothing without a grant; with one, {limits}, as support, and at most of email"
    assert told["coverage"]["granted"] == {"debug": limits}
    cells = {row["path"]: row["cells"][1] for row in told["coverage"]["rows"]}
    assert cells["email"] == {"segment": "debug", "tells": "exact", "rule": "keep", "granted": True, "default": False}
    assert not cells["note"]["granted"] and told["not_measured"] == []
    notes = [found.note for one in assess_all(PolicyViews(load(source))) for point in one.points for found in point.evidence
             if (found.segment, found.place) == ("debug", "email")]
    assert notes and all(note.endswith(f"only with a grant, {limits}") for note in notes)
    page = as_html(told)
    assert "debug (only with a grant)" in page and "exact, granted" in page


def test_compliance_measures_beside_a_granted_view(source, files):
    """Files of a granted view are left out of what is measured: they depend on grants."""
    assert measured(source, *files).reports == {}


def test_governance_is_what_policy_and_deployment_declare(source, files, deployment):
    """Rows tell audit, erasure, retention, grants, roles and log; of addresses the kind only."""
    told = figures(source, *files, deployment=deployment)["governance"]
    rows = {row["about"]: (row["declared"], row["effect"]) for row in told["rows"]}
    assert rows["audit"][0] == "sink audit, digests" and rows["erasure"][0] == "later: drop"
    assert rows["keys of subjects"][0] == "customer" and rows["retention of refused records"][0] == "30d"
    assert rows["exceptions in debug"][0] == "at most 1,500 records within 2h, 2 approvals"
    assert rows["back to clear values"][0] == "a grant" and rows["retention of tokens"][0] == ""
    assert rows["control documents"][0] == "file://…" and "suspended after 10min" in rows["control documents"][1]
    assert rows["role approver"][0] == "2 of 2 keys" and rows["log of audit events"] == (
        "s3://…, every 10s", "signed checkpoints of a transparency log; leaf hashes are kept for 90d")
    assert rows["transport"][0] == "TLS required" and "secret" not in json.dumps(told)


def test_without_a_deployment_its_part_is_not_told(source, files):
    """The policy's part stands alone, and the page says how to tell the rest."""
    told = figures(source, *files)
    assert not told["governance"]["deployment"] and not any(row["about"] == "transport" for row in told["governance"]["rows"])
    assert "the deployment was not told (--deployment)" in as_html(told)
