"""Steps of the demonstration: what was sent can be proved, and a person is erased."""

import json
import shutil
from collections.abc import Mapping
from typing import Any

from flink_masking.cli.governance.world import PASSPHRASE, SUBJECT, World

_LOG = "log-of-audit"


def seal(world: World) -> None:
    """The audit is sealed; a record is traced, its proof verified; changed copies are found."""
    stage = world.stage
    stage.chapter("(d) What was sent, when, in which masking state: a log that others can verify")
    stage.command("audit", "seal", "deployment.yaml", "--once")
    stage.command("audit", "verify", _LOG, "--key", "log.vkey", "--keys", "file://keys.json", "--save", "checkpoint")
    record = world.topics["debug-support"].records[0].value
    (stage.place / "record.json").write_bytes(record)
    told = stage.command("audit", "trace", _LOG, "record.json", "--view", "debug-support", "--keys", "file://keys.json",
                         "--key", "log.vkey", "--proof", "proof.txt")
    [in_force] = world.events("in_force", "grant")
    stage.must(f"grant {in_force['id']}" in told and "policy version 2" in told, "the log tells the policy and the grant of this record")
    stage.command("audit", "proof", "proof.txt", "record.json", "--key", "log.vkey")
    (stage.place / "changed.json").write_bytes(record.replace(b"john", b"jane"))
    stage.command("audit", "proof", "proof.txt", "changed.json", "--key", "log.vkey", refused="error: ")
    shutil.copytree(stage.place / _LOG, stage.place / "tampered")
    [entries, *_] = sorted(path for path in (stage.place / "tampered" / "tile" / "entries").rglob("*") if path.is_file())
    entries.write_bytes(entries.read_bytes().replace(b'"policy_version":2', b'"policy_version":1', 1))
    stage.say("  in a copy of the log one digit of one event is changed")
    stage.command("audit", "verify", "tampered", "--key", "log.vkey", refused="fault: ")


def erase(world: World) -> None:
    """The subject's values open before, and nothing of them after; later records are dropped."""
    stage = world.stage
    stage.chapter(f"(e) {SUBJECT} asks to be erased")
    exported = b"".join(record.value + b"\n" for _, record in world.records("support", _subject))
    (stage.place / "exported.jsonl").write_bytes(exported)
    opening = ("unmask", "policy-2.yaml", "--segment", "support", "--input", "exported.jsonl", "--keys", "file://keys.json", "--vault",
               "sqlite://vault.db", "--actor", "alice", "--purpose", "request 4712", "--audit", "commands.jsonl")
    stage.command(*opening, "--output", "opened.jsonl")
    first = json.loads((stage.place / "opened.jsonl").read_text().splitlines()[0])
    stage.must(first["name"] == "John Doe", "before, a key holder reads the name in what was sent")
    stage.command("erase", "policy-2.yaml", "deployment.yaml", "--subject", SUBJECT, "--actor", "eve", "--purpose", "request 4712", "--as",
                  "eve.key", *PASSPHRASE, "--audit", "commands.jsonl")
    stage.command("erase", "policy-2.yaml", "deployment.yaml", "--subject", SUBJECT, "--check", "--sample", "support=exported.jsonl")
    stage.command(*opening, "--output", "opened-again.jsonl", refused="error: ")
    stage.must(not (stage.place / "opened-again.jsonl").exists(), "after it, no value of theirs in what was sent opens any more")
    world.feed_until("the job drops their records", lambda: bool(world.alerts("erased")))
    later = len(world.given)
    for _ in range(3):
        world.feed()
    others = sum(not _subject(event) for event in world.given.values())
    stage.until("later records of others", lambda: len(world.records("support", lambda event: not _subject(event))) >= others)
    for view in ("support", "debug-support", "quarantine"):
        lines = [record.value for record in world.topics[view].records]
        late = [body for line in lines if view != "quarantine" and (body := json.loads(line))["order"] >= later]
        theirs = [body for body in late if _subject(world.given[body["order"]])]
        stage.must(not theirs and (view != "quarantine" or not lines), f"none of their later records is in topic {view}")
    stage.command("audit", "seal", "deployment.yaml", "--once")
    stage.command("audit", "verify", _LOG, "--key", "log.vkey", "--keys", "file://keys.json", "--since", "checkpoint")


def _subject(event: Mapping[str, Any]) -> bool:
    return bool(event["customerId"] == SUBJECT)
