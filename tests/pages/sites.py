"""Directories in which pages are followed: what a reader has who has followed other pages before."""

import importlib.util
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import yaml
from controlled import identities
from page_steps import steps
from released_run import released_run
from waiting import Finished, run

import flink_masking
import jobs
from flink_masking import Protector
from flink_masking.examples import GOVERNANCE
from flink_masking.keys.files import create
from flink_masking.keys.providers import open_ring
from flink_masking.leaks.canaries import CanaryWriter
from flink_masking.leaks.options import LeakOptions
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.vault.providers import open_vault

DOCS = Path(flink_masking.__file__).parent / "docs"
REVERSIBLE = """\
version: 1
stream: orders
fields: {id: {class: plain, type: integer}, card.number: {class: direct, type: payment_card}, email: {class: direct, type: email}}
segments:
  masked-orders:
    view: masked
    key_versions: true
    rules:
      id: keep
      card.number: {technique: fpe, domain: pan, format: card}
      email: {technique: encrypt_deterministic, domain: email}
"""


def page_file(page: str, name: str) -> str:
    """A file that a page shows."""
    return next(step.text for step in steps(DOCS / page) if step.file == name)


def tutorial(place: Path, more: str = "") -> None:
    """The end of the tutorial, made without Flink, and a deployment that names the same files.

    Args:
        place: gets the files; pages that call it /data mean it, too.
        more: lines added to the policy.
    """
    (place / "policy.yaml").write_text(page_file("tutorial.md", "policy.yaml") + more)
    create(place / "keys.json")
    released_run(place, place / "policy.yaml", 600, 150, f"file://{place}/keys.json", b'{"customerId":"C1","nickname":"bob"}\n')
    for name in ("sample.jsonl", "new.jsonl"):
        shutil.copy(place / "events.jsonl", place / name)
    for name in ("in", "raw"):
        (place / name).mkdir()
    (place / "data").symlink_to(".")
    (place / "deployment.yaml").write_text(page_file("cluster.md", "deployment.yaml").replace(":///data", f"://{place}"))


def on_kafka(place: Path) -> None:
    """The same with topics."""
    tutorial(place)
    (place / "deployment.yaml").write_text(page_file("kafka.md", "deployment.yaml"))


def with_vault(place: Path) -> None:
    """A vault in which nothing is."""
    open_vault(f"sqlite://{place}/vault.db").close()


def clustered(place: Path) -> None:
    """The end of the tutorial before its run, and a virtual environment and the jobs where a checkout has them."""
    tutorial(place)
    shutil.rmtree(place / "out")
    shutil.rmtree(place / "raw")
    _checkout(place)


def for_sql(place: Path) -> None:
    """A policy with tokens that asks for grants, a key ring, and Flink with an `opt` of its own, so that nothing is put into PyFlink's."""
    erasable(place)
    with (place / "policy.yaml").open("a") as file:
        file.write("reverse: {requires_grant: true, max_duration: 2h, approvals: 1}\n")
    _checkout(place)
    flink = Path(importlib.util.find_spec("pyflink").submodule_search_locations[0])
    for name in ("bin", "conf", "log"):
        shutil.copytree(flink / name, place / "flink" / name)
    for name in ("lib", "opt", "plugins"):
        (place / "flink" / name).mkdir()
        for part in (flink / name).iterdir():
            if "sql-gateway" not in part.name:
                (place / "flink" / name / part.name).symlink_to(part)


def _checkout(place: Path) -> None:
    (place / ".venv").symlink_to(sys.prefix)
    (place / "jobs").symlink_to(Path(jobs.__file__).parent)


def digested(place: Path) -> None:
    """The same after a run with digests in the audit, as the page on the audit says."""
    tutorial(place, "audit: {sink: audit-events, digests: true}\n")


def sampled(place: Path) -> None:
    """A sample, and neither a policy nor keys yet."""
    tutorial(place)
    for name in ("policy.yaml", "keys.json"):
        (place / name).unlink()


def with_canaries(place: Path) -> None:
    """The end of the tutorial, canaries of all its records, and a log that holds values of three."""
    tutorial(place)
    ring, source = open_ring(f"file://{place}/keys.json"), PolicySource.read(place / "policy.yaml")
    writer = CanaryWriter(load(source), LeakOptions(str(place / "canaries"), 1.0), lambda: ring, os.urandom,
                          lambda: time.time_ns() // 1_000_000)
    lines = (place / "events.jsonl").read_bytes().splitlines()[:600]
    writer.note(pa.array(lines, pa.binary()))
    writer.write()
    for name in ("logs", "checkpoints"):
        (place / name).mkdir()
    shown = [json.loads(line) for line in lines[:3]]
    (place / "logs" / "app.log").write_text("".join(f"INFO order of {one['customerId']}, mailed to {one['email']}\n" for one in shown))


def governed(place: Path) -> None:
    """The policy of the governance demonstration and a run of it, with the section `control` of the page on control documents."""
    shutil.copy(GOVERNANCE, place / "policy.yaml")
    create(place / "keys.json")
    records = [{"order": number, "customerId": f"CUST{12345 + number % 10}", "name": "John Doe", "email": f"john{number}@example.com",
                "ssn": f"123-45-{number:04}", "amount": 10.5} for number in range(40)]  # fmt: skip
    _run(place, "support", records, f"sqlite://{place}/vault.db")
    _deployment(place, "support", "debug-support")
    (place / "data").symlink_to(".")


def signed(place: Path) -> None:
    """The same with people whose signatures count."""
    governed(place)
    _people(place, "policy=paula", "approver=ann", "approver=bob")


def controlled(place: Path) -> None:
    """The end of the tutorial, a deployment with control documents, and people whose signatures count."""
    tutorial(place)
    _deployment(place, "masked-events", "partners", "figures")
    _people(place, "policy=paula")


def _people(place: Path, *roles: str) -> None:
    def cli(*arguments: object) -> Finished:
        return run(["flink-masking", *arguments], cwd=place)

    identities(cli, place, *roles)


def _deployment(place: Path, *views: str) -> None:
    """Files for all tables, and the section `control` of the page on control documents."""
    page = (DOCS / "control.md").read_text()
    control = page[page.index("# deployment.yaml\n"):]
    body = {"source": {"connector": "filesystem", "path": "file:///data/raw"},
            "sinks": {name: {"connector": "filesystem", "path": f"file:///data/out/{name}"} for name in (*views, "audit", "quarantine")},
            "keys": "file:///data/keys.json", "vault": "sqlite:///data/vault.db"}  # fmt: skip
    (place / "deployment.yaml").write_text((yaml.safe_dump(body) + control[: control.index("```")]).replace(":///", f"://{place}/"))
    for name in ("control", "shared"):
        (place / name).mkdir()


def erasable(place: Path) -> None:
    """A run of the policy of the page on erasure, with its vault."""
    (place / "policy.yaml").write_text(page_file("erasure.md", "policy.yaml"))
    create(place / "keys.json")
    records = [{"customerId": f"CUST{12345 + number % 10}", "name": "John Doe", "diagnosis": "I10", "ssn": f"123-45-{number % 10:04}"}
               for number in range(40)]  # fmt: skip
    _run(place, "care", records, f"sqlite://{place}/vault.db")
    shutil.copy(place / "out" / "care" / "part-0", place / "exported.jsonl")
    (place / "data").symlink_to(".")


def reversible(place: Path) -> None:
    """A view with reversible values, and a second version of the key ring."""
    (place / "policy.yaml").write_text(REVERSIBLE)
    create(place / "keys.json")
    records = [{"id": number, "card": {"number": "4111-1111-1111-1111"}, "email": f"ann{number}@example.com"} for number in range(10)]
    _run(place, "masked-orders", records, None)
    run(["flink-masking", "keys", "add", "keys.json"], cwd=place)


def _run(place: Path, view: str, records: list[dict[str, object]], vault: str | None) -> None:
    protector = Protector(place / "policy.yaml", f"file://{place}/keys.json", vault)
    result = protector.protect([json.dumps(record).encode() for record in records])
    written = {view: result.views[view].to_pylist(), "audit": result.audit, "quarantine": [line for _, line in result.quarantine]}
    for name, lines in written.items():
        (place / "out" / name).mkdir(parents=True)
        (place / "out" / name / "part-0").write_bytes(b"".join(line + b"\n" for line in lines if line is not None))


def nothing(place: Path) -> None:
    """An empty directory."""


Site = Callable[[Path], None]
