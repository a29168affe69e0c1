"""A job on a cluster whose processes are killed at random while events flow, with exactly-once sinks: every promise holds at the end.

The short form kills a few processes; FLINK_MASKING_RECOVERY=long (`make test-recovery`) kills more than a hundred over a million events;
FLINK_MASKING_RECOVERY_EVENTS and FLINK_MASKING_RECOVERY_KILLS say other numbers.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fanout
import job_material as material
import pytest
from cluster import Cluster
from storm import Feeder, Storm
from waiting import stretched

pytestmark = pytest.mark.flink
LONG = os.environ.get("FLINK_MASKING_RECOVERY") == "long"
SEED = int(os.environ.get("FLINK_MASKING_RECOVERY_SEED", "20240315"))
EVENTS, PEOPLE, CHUNK, KILLS = (1_000_000, 50_000, 2_000, 110) if LONG else (40_000, 4_000, 1_000, 6)
EVENTS, KILLS = (int(os.environ.get(f"FLINK_MASKING_RECOVERY_{name}", most)) for name, most in (("EVENTS", EVENTS), ("KILLS", KILLS)))
TASK_MANAGERS = 2 if LONG else 1


@pytest.fixture(scope="module")
def story(cluster: Cluster, place: Path, key_uri: str) -> Iterator[dict[str, Any]]:
    """A storm over a job on files; its figures and its output."""
    events = material.make_events(place, EVENTS, PEOPLE, 11).lines
    # Which file is read first is the source's affair, and there are many waiting after a pause.
    policy = fanout.POLICY.replace("max_out_of_orderness: 60s", "max_out_of_orderness: 90s")
    settings: dict[str, object] = {"execution.checkpointing.timeout": f"{stretched(8):.0f} s",
                                   "execution.checkpointing.tolerable-failed-checkpoints": 2}
    job = fanout.FanOut(place / "files", key_uri, policy, settings)
    job.give_broken("broken")
    while len(cluster.task_managers) < TASK_MANAGERS:
        cluster.add_task_manager()
    cluster.wait("all TaskManagers have registered", lambda: cluster.slots() == TASK_MANAGERS)
    submitted = cluster.submit(job.policy, job.deployment, run=("-p", TASK_MANAGERS))
    assert submitted.job, submitted.text
    cluster.wait("the job runs", lambda: cluster.running(submitted.job))
    log = Path(os.environ.get("FLINK_MASKING_RECOVERY_LOG", place / "recovery.log"))
    storm = Storm(cluster, submitted.job, SEED, log)
    chunks = [events[i : i + CHUNK] for i in range(0, EVENTS, CHUNK)]
    feeder = Feeder(job.give, chunks, 2.0 if LONG else 0.5)
    feeder.start()
    storm.calm()
    before = cluster.rest(f"/jobs/{submitted.job}/checkpoints")["counts"]["failed"]
    storm.stall()
    storm.calm()
    timeouts = cluster.rest(f"/jobs/{submitted.job}/checkpoints")["counts"]["failed"] - before
    restarts = cluster.restarts(submitted.job)
    storm.full_disk()
    storm.calm()
    full = cluster.restarts(submitted.job) - restarts
    while storm.killed < KILLS:
        storm.kill()
        storm.patience()
    feeder.join()
    storm.calm()
    cluster.wait("all events are masked", lambda: job.masked() >= len(job.truth), job.masked)
    early = job.windows()
    report = storm.report(events=EVENTS, seed=SEED, timeouts=timeouts, full_disk_restarts=full)
    cluster.savepoint(submitted.job, stop=True, drain=True)
    summary = job.summary()
    storm.note("accounts", **json.loads(summary.encode()))
    print(json.dumps(report))
    yield {"job": job, "report": report, "summary": summary, "early": early, "timeouts": timeouts, "full": full}


def test_processes_were_killed_and_the_job_went_on(story):
    """As many processes as wanted were killed, and Flink started the job again and again."""
    assert story["report"]["killed"] >= KILLS
    assert story["report"]["restarts"] >= KILLS // 2  # two processes can go in one blow, and a blow can hit a job that is starting


def test_checkpoints_ran_out_of_time(story):
    """Workers that stand still make a checkpoint fail, and the job goes on from the one before."""
    assert story["timeouts"] >= 1


def test_a_full_disk_stops_the_job_until_there_is_room(story):
    """What cannot be written fails the job; it goes on when there is room again."""
    assert story["full"] >= 1


def test_every_promise_is_kept(story):
    """Each event once in every masked view; accounts that add up; k and l; one box a record; one value a window; unbroken audit."""
    assert story["job"].faults() == []


def test_the_storm_did_not_empty_the_views(story):
    """Nearly all records were released by the anonymized view, and windows were published before the end."""
    summary, events = story["summary"], len(story["job"].truth)
    assert summary.segments["partners"].suppressed < 0.05 * events
    assert story["early"]
    assert summary.segments["dashboard"].released > 0.3 * events
