"""Savepoints that earlier releases took are restored by this one."""

import shutil
from pathlib import Path

import fanout
import material
import pytest
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
    before = (saved / "events.jsonl").read_bytes().splitlines()
    job.remember(before)
    submitted = cluster.submit(job.policy, job.deployment, run=("-p", 1, "-s", (tmp_path / "savepoint").as_uri()))
    assert submitted.job, submitted.text
    cluster.wait("the job runs", lambda: cluster.running(submitted.job))
    after = material.make_events(tmp_path, 150, 60, 32, first=len(before)).lines
    job.give("after", after)
    cluster.wait("the masked view holds what came after", lambda: job.masked() == len(after), job.masked)
    cluster.savepoint(submitted.job, stop=True, drain=True)
    assert job.anonymized_faults() == []
    counts = job.counts()
    whole = len(before) + len(after)
    assert counts["partners"]["released"] + counts["partners"]["suppressed"] == whole
    assert counts["dashboard"]["released"] + sum(counts["dashboard"][name] for name in ("suppressed", "bounded", "late")) == whole
    assert {record["order"] for record in material.records(job.views / "partners")} & set(range(len(before)))
