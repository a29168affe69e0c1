"""Savepoints that earlier releases took are restored by this one."""

import collections
import json
import shutil
from pathlib import Path
from typing import Any

import fanout
import job_material as material
import pytest
import yaml
from cluster import Cluster

pytestmark = pytest.mark.flink
FORMATS = sorted(path for path in (Path(__file__).parent / "savepoints").iterdir() if path.is_dir())


@pytest.mark.parametrize("saved", FORMATS, ids=lambda path: path.name)
def test_a_savepoint_of_an_earlier_release_is_restored(cluster: Cluster, tmp_path: Path, saved: Path):
    """Buffers and windows of the savepoint come out, each record once, together with what is given afterwards."""
    keys = tmp_path / "keys.json"
    shutil.copy(saved / "keys.json", keys)
    keys.chmod(0o600)
    shutil.copytree(saved / "savepoint", tmp_path / "savepoint")
    job = fanout.FanOut(tmp_path / "job", f"file://{keys}", (saved / "policy.yaml").read_text())
    segments = yaml.safe_load(job.policy.read_text())["segments"]
    deployment = yaml.safe_load(job.deployment.read_text())
    for name in segments:
        deployment["sinks"].setdefault(name, {**deployment["sinks"]["partners"], "path": (job.views / name).as_uri()})
    job.deployment.write_text(yaml.safe_dump(deployment))
    before = (saved / "events.jsonl").read_bytes().splitlines()
    job.remember(before)
    submitted = cluster.submit(job.policy, job.deployment, run=("-p", 1, "-s", (tmp_path / "savepoint").as_uri()))
    assert submitted.job, submitted.text
    cluster.wait("the job runs", lambda: cluster.running(submitted.job))
    after = material.make_events(tmp_path, 150, 60, 33, first=1_000, hour=14).lines
    job.give("after", after)
    cluster.wait("the masked view holds what came after", lambda: job.masked() == len(after), job.masked)
    cluster.savepoint(submitted.job, stop=True, drain=True)
    assert job.anonymized_faults() == []
    counts = job.counts()
    whole = len(before) + len(after)
    assert counts["partners"]["released"] + counts["partners"]["suppressed"] == whole
    closed = [line for line in before if b"T10:" in line] if "nearby" in segments else []  # published before the savepoint was taken
    in_windows = counts["dashboard"]["released"] + sum(counts["dashboard"][name] for name in ("suppressed", "bounded", "late"))
    assert in_windows == whole - len(closed)
    assert {record["order"] for record in material.records(job.views / "partners")} & set(range(len(before)))
    if "nearby" in segments:
        assert counts["dashboard"]["people_exhausted"] == exhausted(closed, [*before, *after]) > 0
        assert_values_are_remembered(material.records(job.views / "nearby"), before, after)


def exhausted(closed: list[bytes], lines: list[bytes]) -> int:
    """People left out of the windows that were not closed yet, each counted once a window: one window uses up a lifetime's budget."""
    spent = {json.loads(line)["customerId"] for line in closed}
    windows = collections.defaultdict(set)
    for event in map(json.loads, set(lines) - set(closed)):
        windows[event["timestamp"][:16]].add(event["customerId"])
    left_out = 0
    for _, people in sorted(windows.items()):
        left_out += len(people & spent)
        spent |= people
    return left_out


def assert_values_are_remembered(shown: list[dict[str, Any]], before: list[bytes], after: list[bytes]) -> None:
    """Labels that too few people showed since, and enough with those of the savepoint, are released."""

    def people(label: str, lines: list[bytes]) -> int:
        return len({event["customerId"] for event in map(json.loads, lines) if event["zip"].startswith(label.rstrip("*"))})

    labels = {record["zip"] for record in shown} - {"*"}
    assert all(people(label, [*before, *after]) >= material.K for label in labels)
    assert [label for label in labels if people(label, after) < material.K]
