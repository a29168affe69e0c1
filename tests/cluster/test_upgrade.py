"""Submission with a self-contained archive, another parallelism and another policy by way of savepoints: nothing is lost or doubled."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fanout
import job_material as material
import pytest
import yaml
from cluster import Cluster

from flink_masking.archive import write_archive
from flink_masking.tools.reconcile import count_lines

pytestmark = [pytest.mark.flink, pytest.mark.slow]
PART = 4_000
MORE = """\
  support:
    view: masked
    rules: {order: keep, zip: keep, "*": drop}
"""
"""One more segment, before all others."""


@pytest.fixture(scope="module")
def story(cluster: Cluster, place: Path, key_uri: str) -> Iterator[dict[str, Any]]:
    """One TaskManager, two, one; the last leg with one more segment; then a policy that does not fit the savepoint."""
    seen: dict[str, Any] = {}
    events = material.make_events(place, 4 * PART, 2_000, 21).lines
    job = fanout.FanOut(place / "legs", key_uri)
    archive = place / "flink-masking.zip"
    write_archive(archive, level=1)

    def leg(number: int, policy: Path, deployment: Path, *run: object, **options: Any) -> str:
        submitted = cluster.submit(policy, deployment, run=run, **options)
        assert submitted.job, submitted.text
        cluster.wait("the job runs", lambda: cluster.running(submitted.job))
        for half in range(2):
            at = number * PART + half * (PART // 2)
            job.give(f"{number}-{half}", events[at : at + PART // 2])
        cluster.wait("the masked view is whole", lambda: job.masked() == len(job.truth), job.masked)
        return submitted.job

    # With the archive, and an interpreter on the TaskManager that has no packages.
    first = leg(0, job.policy, job.deployment, "-p", 1, arguments=("--archive", archive))
    seen["libraries"] = {Path(f"/proc/{pid}/maps").read_text() for pid in cluster.workers()}
    job.give("0-2", events[PART // 2 * 6 : PART // 2 * 7])
    one = cluster.savepoint(first, stop=True)
    cluster.add_task_manager()
    cluster.wait("two TaskManagers", lambda: cluster.slots() == 2)
    second = leg(1, job.policy, job.deployment, "-p", 2, "-s", one)
    seen["parallelism"] = [vertex["parallelism"] for vertex in cluster.rest(f"/jobs/{second}")["vertices"]]
    seen["machines"] = len({entry["taskmanager-id"] for vertex in cluster.rest(f"/jobs/{second}")["vertices"]
                            for entry in cluster.rest(f"/jobs/{second}/vertices/{vertex['id']}/taskmanagers")["taskmanagers"]})
    job.give("1-2", events[PART // 2 * 7 :])
    two = cluster.savepoint(second, stop=True)
    cluster.kill_task_manager(1)
    cluster.wait("one TaskManager", lambda: cluster.slots() == 1)
    policy, deployment = place / "more.yaml", place / "more-deployment.yaml"
    policy.write_text(fanout.POLICY.replace("segments:\n", "segments:\n" + MORE))
    body = yaml.safe_load(job.deployment.read_text())
    body["sinks"] = {"support": {**body["sinks"]["analytics"], "path": (place / "support").as_uri()}, **body["sinks"]}
    deployment.write_text(yaml.safe_dump(body))
    third = leg(2, policy, deployment, "-p", 1, "-s", two)
    cluster.savepoint(third, stop=True, drain=True)
    seen["support"] = count_lines(place / "support")

    fewer = place / "fewer.yaml"
    fewer.write_text(fanout.POLICY.partition("  partners:")[0])
    body = yaml.safe_load(job.deployment.read_text())
    body["sinks"] = {name: body["sinks"][name] for name in ("analytics", "development", "audit", "quarantine")}
    deployment.write_text(yaml.safe_dump(body))
    seen["refused"] = cluster.submit(fewer, deployment, run=("-p", 1, "-s", two))
    other, body = place / "other.yaml", yaml.safe_load(job.deployment.read_text())
    other.write_text(fanout.POLICY.replace("quasi_identifiers: [age, zip]", "quasi_identifiers: [age]"))
    deployment.write_text(yaml.safe_dump(body))
    seen["changed"] = cluster.submit(other, deployment, run=("-p", 1, "-s", two))
    yield {"job": job, **seen}


def test_workers_run_from_the_archive(story):
    """The job's Python workers load their libraries from the unpacked archive, none from an environment of the machine."""
    assert story["libraries"]
    for maps in story["libraries"]:
        loaded = {line.split()[-1] for line in maps.splitlines() if ".so" in line and "site-packages" in line}
        assert "/flink-masking.zip/packages/llvmlite/" in maps
        assert loaded == set()


def test_two_task_managers_share_the_job(story):
    """Submitted with -p 2, the steps run twice, on both TaskManagers."""
    assert 2 in story["parallelism"]
    assert story["machines"] == 2


def test_every_promise_is_kept_from_leg_to_leg(story):
    """Each event once in every view, accounts that add up, k and l, one box a record, one value a window: over three jobs."""
    assert len(story["job"].truth) >= 3 * PART
    assert story["job"].faults() == []


def test_a_new_segment_holds_what_came_after_it(story):
    """One more segment costs the others nothing: the source goes on where it was, and the new view begins there."""
    assert PART <= story["support"] <= 3 * PART // 2


def test_a_savepoint_that_does_not_fit_is_refused_in_words(story):
    """Without a segment whose state the savepoint holds, the submission ends with what is wrong, and below it what to do, and no trace."""
    assert story["refused"].job is None and story["refused"].code != 0
    said = r"^error: the savepoint holds state of a segment .*\n *Hint: .*--allowNonRestoredState"
    assert re.search(said, story["refused"].text, re.MULTILINE)
    assert "Traceback" not in story["refused"].text
    assert not re.search(r"^\s*at [\w.$/]+\(|Exception", story["refused"].text, re.MULTILINE)


def test_a_change_that_the_state_cannot_follow_is_refused_in_words(story):
    """With other quasi-identifiers than the savepoint's, the submission ends in one sentence that names the segment and the change."""
    assert story["changed"].job is None and story["changed"].code != 0
    said = " ".join(story["changed"].text.split())
    assert """error: segment 'partners': quasi_identifiers changed from ["age","zip"] to ["age"]: the state""" in said
    assert "Hint: resume with the policy as it was" in said
    assert "Traceback" not in said and "Exception" not in said
