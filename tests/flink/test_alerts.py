"""The alert job as a script, on files."""

import json
import os
import signal
import subprocess
import sys
import time

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


def test_the_job_tells_of_silence_where_nothing_ever_comes(tmp_path, key_uri):
    """Time goes on without a line: a stream that was never seen is told."""
    (tmp_path / "audit").mkdir()
    sink = {"connector": "filesystem", "path": (tmp_path / "audit").as_uri(), "format": "raw"}
    body = {"source": {"connector": "datagen"}, "keys": key_uri, "flink": {"parallelism.default": 1}, "sinks": {"audit": sink}}
    (tmp_path / "deployment.yaml").write_text(yaml.safe_dump(body))
    kept = tmp_path / "kept.jsonl"
    (tmp_path / "alerts.yaml").write_text("version: 1\nrules: {silent: {when: silence, after: 1s, streams: [never]}}\n"
                                          f"targets: {{kept: {{file: {kept}}}}}\n")
    files = "--rules", tmp_path / "alerts.yaml", "--deployment", tmp_path / "deployment.yaml"
    command = [sys.executable, "-m", "jobs.watch", *files, "--wait"]
    with (tmp_path / "out").open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True, cwd=tmp_path)
    try:
        end = time.monotonic() + 120
        while not (kept.exists() and kept.read_text().endswith("\n")):
            assert process.poll() is None and time.monotonic() < end, (tmp_path / "out").read_text()[-3000:]
            time.sleep(0.1)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert json.loads(kept.read_text().splitlines()[0])["data"]["stream"] == "never"
