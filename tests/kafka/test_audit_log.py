"""The audit of a job on Kafka, sealed from its topic: offsets, roots of every view, commands in the same log, one record traced."""

import json
import os
import sys
from pathlib import Path

import pytest
import yaml
from broker import Record
from waiting import run

from flink_masking.audit.entries import read_entries
from flink_masking.audit.events import is_leaves
from flink_masking.audit.notes import NoteSigner
from flink_masking.audit.stores import Directory
from flink_masking.audit.trace import check_proof, trace
from flink_masking.audit.verify import verify
from flink_masking.java import java_home
from flink_masking.keys.providers import open_ring

sys.path.append(str(Path(__file__).resolve().parents[1] / "flink"))

import processes

pytestmark = [pytest.mark.flink, pytest.mark.slow]
COMMANDS = str(Path(__file__).with_name("several_commands.py"))
POLICY = """\
version: 1
stream: sealed
audit: {sink: audit-events, digests: true}
subject: user
event_time: {field: at}
fields:
  n:    {class: plain, type: number}
  user: {class: identifier}
  at:   {class: plain, type: datetime}
segments:
  m: {view: masked, rules: {n: keep, user: {technique: pseudonym, domain: u}, at: keep}}
  counts:
    view: aggregated
    window: {tumbling: 1h}
    metrics: {n: count}
    privacy: {epsilon: 100.0, delta: 0.01}
"""
RECORDS, SINKS = 3_000, ("m", "counts", "audit", "quarantine")


def record(number: int) -> Record:
    """A record of a person of its own; the seventh one is broken."""
    body = {"n": number, "user": f"u{number}", "at": f"2026-03-15T10:{number % 60:02d}:00Z"}
    return Record(b"SECRET" if number == 7 else json.dumps(body).encode(), partition=number % 2)


def test_a_job_is_sealed_verified_and_traced(broker, topic, key_uri, tmp_path):
    """The log holds every event once, covers every offset, commits to every released record of both kinds of view, and to commands."""
    names = {name: topic(f"sealed-{name}", 2 if name in ("raw", "audit") else 1) for name in ("raw", *SINKS)}
    table = {"connector": "kafka", "properties.bootstrap.servers": broker.bootstrap}
    signer = NoteSigner.create(tmp_path / "log.key", "audit.example.com/sealed")
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "deployment.yaml").write_text(yaml.safe_dump({
        "source": {**table, "topic": names["raw"], "scan.bounded.mode": "latest-offset"}, "keys": key_uri,
        "sinks": {name: {**table, "topic": names[name]} for name in SINKS}, "flink": {"parallelism.default": 2},
        "audit": {"log": str(tmp_path / "log"), "key": str(tmp_path / "log.key")}}))  # fmt: skip
    broker.produce(names["raw"], map(record, range(RECORDS)))
    done = processes.run(tmp_path, *processes.FAN_OUT, "--policy", tmp_path / "policy.yaml", "--deployment", tmp_path / "deployment.yaml",
                         "--bounded", "--wait")
    assert done.code == 0, done.err[-3000:]
    who = ["--keys", key_uri, "--actor", "jdoe", "--purpose", "ticket 1"]
    seal = ["audit", "seal", tmp_path / "deployment.yaml", "--once"]
    commands = [seal, ["quarantine", "show", tmp_path / "deployment.yaml", "--reveal", *who], seal, seal]
    whole = json.dumps([[*map(str, command)] for command in commands])
    ended = run([sys.executable, "-P", COMMANDS, whole], env={**os.environ, "JAVA_HOME": str(java_home()), "FLINK_LOG_DIR": str(tmp_path)})
    assert [code for code, *_ in json.loads(ended.out)] == [0] * 4, ended
    store = Directory(tmp_path / "log")
    found = verify(store, [signer.verifier], ring=open_ring(key_uri))
    assert (found.faults, found.untraced, found.unsigned, found.unknown, found.events["reveal"]) == ([], 0, 0, 0, 2)
    lines = [line.value for line in broker.consume(names["audit"], closed=True)]
    events = list(read_entries(store, found.checkpoint.size))
    assert sorted(events) == sorted(line for line in lines if not is_leaves(line))
    source = [part for event in map(json.loads, events) if event["event"] == "protect" for part in event["source"]]
    for partition in (0, 1):
        mine = [part for part in source if part["partition"] == partition]
        covered = [offset for part in mine for offset in range(part["first"], part["last"] + 1)]
        assert sorted(covered) == list(range(RECORDS // 2)) and {part["topic"] for part in mine} == {names["raw"]}
    released = [line.value for line in broker.consume(names["m"], closed=True)]
    assert len(released) == RECORDS - 1
    [window] = broker.consume(names["counts"], closed=True)
    for view, sent in (("m", released[0]), ("m", released[-1]), ("counts", window.value)):
        [once] = trace(store, view, sent)
        assert check_proof(once.proof, sent, [signer.verifier])[0]["event"] == ("protect" if view == "m" else "release")
    assert not any(b"SECRET" in line for line in lines)
