"""Live policies and grants while processes are killed, from Kafka to Kafka: every record is what the version in its header makes of it,
and nothing is shown outside of a grant.

It runs where FLINK_MASKING_RECOVERY is set: long (`make test-recovery`) or short; FLINK_MASKING_RECOVERY_KILLS says how many processes
are killed at least.
"""

import json
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster import Cluster
from storm import Storm

sys.path.append(str(Path(__file__).resolve().parents[1] / "kafka"))

from broker import Broker
from governed import AHEAD, Governed

FORM = os.environ.get("FLINK_MASKING_RECOVERY")
pytestmark = [pytest.mark.flink, pytest.mark.skipif(FORM is None, reason="FLINK_MASKING_RECOVERY=short or long: make test-recovery")]
KILLS = int(os.environ.get("FLINK_MASKING_RECOVERY_KILLS", "40" if FORM == "long" else "3"))
SEED = int(os.environ.get("FLINK_MASKING_RECOVERY_SEED", "20240315")) + 29  # its first blows go against TaskManagers
LIMIT, TASK_MANAGERS = 400, 2


@pytest.fixture(scope="module")
def story(kafka_jars: str, cluster: Cluster, place: Path, key_uri: str) -> Iterator[dict[str, Any]]:
    """Kills, and before and after each of them a policy, a short grant, now and then a revocation."""
    while len(cluster.task_managers) < TASK_MANAGERS:
        cluster.add_task_manager()
    cluster.wait("all TaskManagers have registered", lambda: cluster.slots() == TASK_MANAGERS)
    with Broker(place / "broker") as broker:
        job, chance = Governed(place / "governed", key_uri, broker), random.Random(SEED)
        submitted = cluster.submit(job.policy, job.deployment, run=("-p", TASK_MANAGERS))
        assert submitted.job, submitted.text
        storm = Storm(cluster, submitted.job, SEED, Path(os.environ.get("FLINK_MASKING_RECOVERY_LOG", place / "governed.log")))

        def wait(what: str, version: int) -> None:
            cluster.wait(what, lambda: version in job.in_force(), lambda: len(job.given))

        with job:
            wait("records of version 1", 1)
            job.grant((1, 2), 3_600, LIMIT)
            lasting = job.grant((4,), 3_600)
            cluster.wait("grants are used", lambda: {*job.grants} == {*job.opened()}, lambda: len(job.given))
            while storm.killed < KILLS:
                job.publish(chance.choice((0, AHEAD, 4_000)))
                job.grant((3,), chance.uniform(2, 8))
                job.grant((5 + len(job.grants) % 10, 17), 3_600, LIMIT)
                storm.kill()
                job.publish(chance.choice((0, AHEAD, 8_000)))
                storm.patience()
                if lasting not in job.revoked and 2 * storm.killed >= KILLS:
                    job.revoke(lasting)
            storm.calm()
            job.publish(AHEAD)
            wait("records of the last version", job.version)
        cluster.wait("all records are masked", lambda: len(broker.consume("governed-support")) >= len(job.given),
                     lambda: len(broker.consume("governed-support")))
        report = storm.report(seed=SEED)
        cluster.savepoint(submitted.job, stop=True, drain=True)
        report |= job.figures()
        storm.note("governed", **report)
        print(json.dumps(report))
        yield {"job": job, "report": report, "faults": job.faults()}


def test_processes_were_killed_and_policies_followed(story):
    """As many processes as wanted were killed, and several versions of the policy have made records, the last one among them."""
    assert story["report"]["killed"] >= KILLS
    assert story["report"]["versions with records"] >= 3


def test_every_record_is_of_one_policy_and_nothing_is_shown_outside_of_grants(story):
    """Each record once, byte for byte what the version in its header makes of it; of the granted view each record under a grant in force,
    of its people, and no more than max_records; audit, headers and records tell the same."""
    assert story["faults"] == []


def test_grants_outlast_kills(story):
    """Grants go on in workers that have begun after them."""
    assert story["report"]["grants used by later workers"] > 0
