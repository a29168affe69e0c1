"""The alert job as a script, on files."""

import json

import processes
import pytest
import yaml

from flink_masking.audit.events import AuditChain
from flink_masking.audit.reports import BatchReport
from flink_masking.engine.quarantine import Entry
from flink_masking.keys.ring import KeyRing

pytestmark = [pytest.mark.flink, pytest.mark.slow]
T = 1_774_224_000_000
RULES = """version: 1
rules:
  refusals: {when: quarantined, above: 50}
  field: {when: rejected_field, above: 1999, within: 1h}
  unmasking: {when: reverse}
  gaps: {when: chain}
targets: {kept: {file: FILE}}
"""


def test_the_job_sends_alerts_from_audit_and_quarantine(tmp_path, key_uri):
    """Every rule sees the lines of all tables, each once, and its alerts reach the targets."""
    chain = AuditChain.signed(KeyRing.new(), "orders")
    events = [chain.event("protect", T + number, BatchReport(100, {"contract": 1}).body()) for number in range(60)]
    events += [chain.event("unmask", T, {"actor": "eve", "purpose": "x", "outcome": "begun"})]
    del events[30]
    entry = Entry("2026-03-23T00:00:00.000Z", "orders", "contract", "email", 3, b"sealed").encode()
    body = {"source": {"connector": "datagen"}, "keys": key_uri, "flink": {"parallelism.default": 1}, "sinks": {}}
    for name, lines in (("audit", events), ("quarantine", [entry] * 2_000)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "part-0").write_bytes(b"".join(line + b"\n" for line in lines))
        body["sinks"][name] = {"connector": "filesystem", "path": (tmp_path / name).as_uri(), "format": "raw"}
    (tmp_path / "deployment.yaml").write_text(yaml.safe_dump(body))
    (tmp_path / "alerts.yaml").write_text(RULES.replace("FILE", str(tmp_path / "kept.jsonl")))
    done = processes.run(tmp_path, "-m", "jobs.watch", "--rules", tmp_path / "alerts.yaml", "--deployment", tmp_path / "deployment.yaml",
                         "--bounded", "--wait")
    assert done.code == 0, done.err[-3000:]
    told = [json.loads(line)["data"] for line in (tmp_path / "kept.jsonl").read_text().splitlines()]
    assert {one["rule"]: one.get("count", one.get("events")) for one in told if one["times"] == 1} == {
        "refusals": 51, "field": 2_000, "unmasking": 1, "gaps": 1}
