"""Unexpected unmasking, each kind from its cause to a webhook: an operation without grant, a granted view above its share, a leak."""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import yaml
from alert_receiver import SECRET, Receiver
from control_documents import Signers
from granted_jobs import Job, record

from flink_masking.keys.files import create
from flink_masking.keys.providers import open_ring
from flink_masking.leaks.canaries import CanaryWriter
from flink_masking.leaks.options import LeakOptions
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.protector import Protector

PROGRAM = str(Path(sys.executable).with_name("flink-masking"))
POLICY = """\
version: 1
stream: s
reverse: {requires_grant: true, max_duration: 2h}
fields: {id: {class: identifier}, name: {class: direct, type: person}}
segments: {claims: {view: masked, rules: {id: {technique: pseudonym, domain: d}, name: {technique: encrypt, domain: n}}}}
"""


@contextmanager
def watching(place, rule, *paths):
    """A real `alerts watch` with one rule and a webhook; gives the receiver, once the watch has begun."""
    receiver = Receiver()
    (place / "secret").write_text(SECRET)
    (place / "alerts.yaml").write_text(yaml.safe_dump({
        "version": 1, "rules": {"unexpected": rule},
        "targets": {"soc": {"webhook": f"http://127.0.0.1:{receiver.port}/", "secret": "${file:secret}"}}}))
    command = [PROGRAM, "alerts", "watch", str(place / "alerts.yaml"), *map(str, paths)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr.readline().startswith("watching")
            yield receiver
        finally:
            process.terminate()
            process.wait(60)
            receiver.close()


def only(receiver):
    """The data of the one alert that has come."""
    receiver.wait(1)
    (event,) = receiver.taken()
    return event["data"]


def test_an_attempt_to_unmask_without_a_grant_reaches_the_webhook(cli, tmp_path, monkeypatch):
    """`unmask` without a grant opens nothing, and its event in the audit brings an alert with actor and operation."""
    monkeypatch.chdir(tmp_path)
    assert cli("keys", "new", "keys.json").code == 0
    (tmp_path / "policy.yaml").write_text(POLICY)
    audit = tmp_path / "audit"
    audit.mkdir()
    protector = Protector(tmp_path / "policy.yaml", f"file://{tmp_path}/keys.json")
    lines = protector.protect([b'{"id":"1","name":"Ada"}']).views["claims"].to_pylist()
    (tmp_path / "claims.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    with watching(tmp_path, {"when": "reverse", "without_grant": True, "severity": "critical"}, audit) as receiver:
        done = cli("unmask", "policy.yaml", "--segment", "claims", "--input", "claims.jsonl", "--output", "clear.jsonl", "--keys",
                   f"file://{tmp_path}/keys.json", "--actor", "mallory", "--purpose", "curiosity", "--audit", audit)
        assert done.code == 1 and not (tmp_path / "clear.jsonl").exists()
        told = only(receiver)
    assert told == {"rule": "unexpected", "severity": "critical", "stream": "s", "event": "unmask", "actor": "mallory", "granted": "no",
                    "count": 1, "times": 1}


def test_a_granted_view_above_its_share_reaches_the_webhook(tmp_path):
    """A grant that opens more of the stream than expected brings an alert with view, count and share."""
    audit = tmp_path / "audit.jsonl"
    audit.touch()
    job = Job(Signers(), now=1_800_000_000_000)
    with watching(tmp_path, {"when": "granted", "share_above": 0.1}, audit) as receiver, audit.open("ab", 0) as file:
        file.write(job([record(number) for number in range(100)]).audit + b"\n")
        job.grant([f"p{number}" for number in range(60)])
        file.write(job([record(number) for number in range(100)]).audit + b"\n")
        told = only(receiver)
    assert (told["segment"], told["count"], told["of"], told["share"]) == ("debug", 60, 200, 0.3)


def test_a_value_in_clear_in_a_masked_view_reaches_the_webhook(tmp_path):
    """What `leaks --watch` finds in a growing view brings an alert with place and field, and never the value.

    A value whose canary comes later is found in what came last, when the watch ends at the latest.
    """
    create(tmp_path / "keys.json")
    ring, secret, later = open_ring(f"file://{tmp_path}/keys.json"), "CUST-00004711", "CUST-00004712"
    (tmp_path / "policy.yaml").write_text(POLICY)
    writer = CanaryWriter(load(PolicySource("policy.yaml", POLICY)), LeakOptions(str(tmp_path / "canaries"), 1.0), lambda: ring, os.urandom,
                          lambda: time.time_ns() // 1_000_000)
    writer.note(pa.array([json.dumps({"id": secret, "name": "Ada"}).encode()]))
    writer.write()
    view, findings = tmp_path / "view.jsonl", tmp_path / "findings.jsonl"
    view.write_text('{"id":"x7Zq","name":"ENC:1:aaaa"}\n')
    findings.touch()
    command = [PROGRAM, "leaks", str(view), "--watch", "--policy", str(tmp_path / "policy.yaml"), "--segment", "claims",
               "--canaries", str(tmp_path / "canaries"), "--keys", f"file://{tmp_path}/keys.json"]
    with (watching(tmp_path, {"when": "leak"}, findings) as receiver, findings.open("ab") as out,
          subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, text=True) as process):
        try:
            assert process.stderr.readline() == "watching 1 path\n"
            with view.open("a") as file:
                file.write("".join(json.dumps({"id": "y8", "name": f"see {name}"}) + "\n" for name in (secret, later)))
            told = only(receiver)
            writer.note(pa.array([json.dumps({"id": later, "name": "Bob"}).encode()]))
            writer.close()
        finally:
            process.terminate()
            assert process.wait(60) == 1
    assert (told["source"], told["path"], told["kind"], told["what"], told["count"]) == (str(view), "name", "canary", "s/id", 1)
    assert secret not in json.dumps(told) + findings.read_text() and later not in findings.read_text()
    assert [leak["values"] for line in findings.read_text().splitlines() for leak in json.loads(line)["leaks"]] == [1, 1]
