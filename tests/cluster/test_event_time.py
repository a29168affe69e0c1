"""Event time over partitions that lag, restart and stay empty, and over drains: no record is late, and no window is missing.

The short form drains three times; FLINK_MASKING_DRAINS=200 (`make test-drain`) as often as it says.
"""

import collections
import os
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

pytestmark = [pytest.mark.flink, pytest.mark.slow]
IDLE, MINUTE = "20s", 60_000
"""A reader that starts on a loaded machine is not taken for one whose partition is silent."""
DRAINS = int(os.environ.get("FLINK_MASKING_DRAINS", "3"))
BATCH = 10


@pytest.fixture(scope="module")
def two(cluster: Cluster) -> Iterator[Cluster]:
    """The cluster with two TaskManagers."""
    while len(cluster.task_managers) < 2:
        cluster.add_task_manager()
    cluster.wait("two TaskManagers", lambda: cluster.slots() == 2)
    yield cluster
    cluster.kill_task_manager(1)
    cluster.wait("one TaskManager", lambda: cluster.slots() == 1)


@pytest.fixture(scope="module")
def own_broker(kafka_jars: str, place: Path) -> Iterator[Broker]:
    """A broker of this module."""
    with Broker(place / "broker") as running:
        yield running


@pytest.fixture(scope="module")
def lag(own_broker: Broker, two: Cluster, place: Path, key_uri: str) -> dict[str, Any]:
    """Two partitions twenty minutes behind two others, and one that is empty; then a TaskManager dies, with a backlog when it is back.

    They lie in two topics: partitions of one number are not one partition.
    """
    job = Windows(place / "lag", key_uri, own_broker, "lag", (3, 2), IDLE)
    partitions = [(0, 0), (0, 1), (1, 0), (1, 1)]
    now = time.time_ns() // 1_000_000 // WINDOW * WINDOW
    for partition in partitions[:2]:
        job.give(*partition, [now - 20 * MINUTE + 20 * MINUTE * n // 20_000 for n in range(20_000)])
    for partition in partitions[2:]:
        job.give(*partition, [now - WINDOW + WINDOW * n // 200 for n in range(200)])
    submitted = two.submit(job.policy, job.deployment, run=("-p", 2))
    assert submitted.job, submitted.text
    job.wait_for(two, "the backlog is masked", job.given)
    two.wait("a silent stream closes its windows", lambda: len(job.published()) >= 40, job.rows)
    lagging = job.counts()
    two.kill_task_manager(0)
    for partition in partitions:  # a minute of event time while the job is down, and more of it while it starts
        job.give(*partition, [now + 40_000 + MINUTE * n // 4_000 for n in range(4_000)])
    two.add_task_manager()
    two.wait("the job runs again", lambda: two.running(submitted.job) and two.restored(submitted.job) >= 1)
    for second in range(0, 60, 5):
        for partition in partitions:
            job.give(*partition, [now + 100_000 + second * 1_000 + n * 20 for n in range(250)])
    job.wait_for(two, "all is masked", job.given)
    two.wait("windows are published after the restart", lambda: max(job.published()) >= now + WINDOW, job.rows)
    two.savepoint(submitted.job, stop=True, drain=True)
    job.settle()
    return {"job": job, "lagging": lagging, "counts": job.counts(), "published": job.published()}


def test_partitions_that_lag_are_not_late(lag):
    """With two partitions twenty minutes behind, every record counts; a partition without records does not hold the windows for ever."""
    assert 0 == lag["lagging"]["late"]
    assert lag["lagging"]["counted"] >= 39_000


def test_after_a_killed_task_manager_no_record_is_late(lag):
    """Readers that start again at different times, each with a backlog, lose nothing."""
    assert 0 == lag["counts"]["late"]
    assert lag["job"].given == lag["counts"]["counted"]


def test_every_window_is_published_whole(lag):
    """Each window holds exactly the records that were given for it."""
    assert dict(lag["job"].truth) == lag["published"]


def test_a_drain_publishes_every_window(own_broker, two, place, key_uri):
    """After a restore with twice the parallelism and silence, a drained job has published all windows that were open in the savepoint."""
    job = Windows(place / "drained", key_uri, own_broker, "drained", (2,), "1s", shards=1, disorder="1h")
    now = time.time_ns() // 1_000_000 // WINDOW * WINDOW
    first = two.submit(job.policy, job.deployment, run=("-p", 1))
    assert first.job, first.text
    for partition in (0, 1):
        job.give(0, partition, [now - 6 * WINDOW + 6 * WINDOW * n // 600 for n in range(600)])
    job.wait_for(two, "all is masked", job.given)
    saved = two.savepoint(first.job, stop=True)
    rest = f"http://localhost:{two.port}"
    for done in range(0, DRAINS, BATCH):  # one client for many drains, each after silence of several times idle_after
        times = min(BATCH, DRAINS - done)
        arguments = ("--savepoint", saved, "--rest", rest, "--times", times, "--silence", 4)
        ended = two.submit(job.policy, job.deployment, run=("-p", 2), arguments=arguments, program=Path(__file__).with_name("drains.py"))
        assert 0 == ended.code, ended.text
        job.settle()
        expected = collections.Counter({window: done + times for window in job.truth.items()})
        assert expected == collections.Counter(job.rows())
