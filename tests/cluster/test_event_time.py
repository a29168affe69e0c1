"""Event time over partitions that lag, restart and stay empty: whoever is behind holds the windows, and no record is late."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster import Cluster

sys.path.append(str(Path(__file__).resolve().parents[1] / "kafka"))

from broker import Broker
from windows import WINDOW, Windows

pytestmark = pytest.mark.flink
IDLE, MINUTES = "3s", 60_000


@pytest.fixture(scope="module")
def story(kafka_jars: str, cluster: Cluster, place: Path, key_uri: str) -> Iterator[dict[str, Any]]:
    """Two partitions twenty minutes behind two others, and one that is empty; then a TaskManager dies, with a backlog when it is back."""
    while len(cluster.task_managers) < 2:
        cluster.add_task_manager()
    cluster.wait("two TaskManagers", lambda: cluster.slots() == 2)
    with Broker(place / "broker") as broker:
        job = Windows(place / "windows", key_uri, broker, "lag", 5, IDLE)
        now = time.time_ns() // 1_000_000 // WINDOW * WINDOW
        for partition in (1, 3):
            job.give(partition, [now - 20 * MINUTES + 20 * MINUTES * n // 20_000 for n in range(20_000)])
        for partition in (0, 2):
            job.give(partition, [now - 30_000 + 30_000 * n // 200 for n in range(200)])
        submitted = cluster.submit(job.policy, job.deployment, run=("-p", 2))
        assert submitted.job, submitted.text
        job.wait_for(cluster, "the backlog is masked", job.given)
        cluster.wait("a silent stream closes its windows", lambda: len(job.published()) >= 40, 120)
        lagging = job.counts()
        cluster.kill_task_manager(0)
        for partition in range(4):  # a minute of event time while the job is down, and more of it while it starts
            job.give(partition, [now + 40_000 + 60_000 * n // 4_000 for n in range(4_000)])
        cluster.add_task_manager()
        cluster.wait("the job runs again", lambda: cluster.running(submitted.job) and cluster.restarts(submitted.job) >= 1, 240)
        for second in range(0, 60, 5):
            for partition in range(4):
                job.give(partition, [now + 100_000 + second * 1_000 + n * 20 for n in range(250)])
        job.wait_for(cluster, "all is masked", job.given)
        cluster.wait("windows are published after the restart", lambda: max(job.published()) >= now + WINDOW, 180)
        cluster.savepoint(submitted.job, stop=True, drain=True)
        yield {"job": job, "lagging": lagging, "counts": job.counts(), "published": job.published(), "restarts": 1}
    cluster.kill_task_manager(1)
    cluster.wait("one TaskManager", lambda: cluster.slots() == 1)


def test_partitions_that_lag_are_not_late(story):
    """With two partitions twenty minutes behind, every record counts; a partition without records does not hold the windows for ever."""
    assert 0 == story["lagging"]["late"]
    assert story["lagging"]["counted"] >= 39_000


def test_after_a_killed_task_manager_no_record_is_late(story):
    """Readers that start again at different times, each with a backlog, lose nothing."""
    assert 0 == story["counts"]["late"]
    assert story["job"].given == story["counts"]["counted"]


def test_every_window_is_published_whole(story):
    """Each window holds exactly the records that were given for it."""
    assert dict(story["job"].truth) == story["published"]
