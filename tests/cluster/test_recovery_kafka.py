"""The same storm from Kafka to Kafka, exactly once, the broker killed in the middle, too: every promise holds for who reads committed."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fanout
import job_material as material
import pytest
import yaml
from cluster import Cluster
from storm import Feeder, Storm

sys.path.append(str(Path(__file__).resolve().parents[1] / "kafka"))

from broker import Broker

pytestmark = [pytest.mark.flink, pytest.mark.slow]
LONG = os.environ.get("FLINK_MASKING_RECOVERY") == "long"
SEED = int(os.environ.get("FLINK_MASKING_RECOVERY_SEED", "20240315")) + 6
EVENTS, PEOPLE, CHUNK, KILLS = (200_000, 20_000, 1_000, 30) if LONG else (20_000, 2_000, 500, 3)


class KafkaFanOut(fanout.FanOut):
    """Topics in the place of directories; `collect` writes what was committed into those directories."""

    def __init__(self, place: Path, keys: str, broker: Broker) -> None:
        """Make the topics and write the deployment."""
        super().__init__(place, keys)
        self.broker = broker
        at = {"connector": "kafka", "properties.bootstrap.servers": broker.bootstrap}
        broker.topic("storm-raw", 2)
        for name in material.SINKS:
            broker.topic(f"storm-{name}", 2)
        sinks = {name: {**at, "topic": f"storm-{name}"} for name in material.SINKS}
        body = yaml.safe_load(self.deployment.read_text()) | {"source": {**at, "topic": "storm-raw"}, "sinks": sinks, "idle_after": "5s"}
        self.deployment.write_text(yaml.safe_dump(body))

    def _put(self, name: str, events: list[bytes]) -> None:
        self.broker.produce("storm-raw", events)
        self.given += len(events)

    def collect(self) -> None:
        """What readers of committed records see, as files."""
        for name in material.SINKS:
            (self.views / name).mkdir(parents=True)
            records = self.broker.consume(f"storm-{name}", closed=True)
            (self.views / name / "part").write_bytes(material.text(record.value for record in records))


@pytest.fixture(scope="module")
def story(kafka_jars: str, cluster: Cluster, place: Path, key_uri: str) -> Iterator[dict[str, Any]]:
    """Kills, a restart of the broker, a drain; what was committed."""
    events = material.make_events(place, EVENTS, PEOPLE, 12).lines
    with Broker(place / "broker") as broker:
        job = KafkaFanOut(place / "topics", key_uri, broker)
        job._put("broken", list(material.BROKEN[:5]))
        submitted = cluster.submit(job.policy, job.deployment, run=("-p", len(cluster.task_managers)))
        assert submitted.job, submitted.text
        cluster.wait("the job runs", lambda: cluster.running(submitted.job))
        storm = Storm(cluster, submitted.job, SEED, Path(os.environ.get("FLINK_MASKING_RECOVERY_LOG", place / "kafka.log")))
        chunks = [events[i : i + CHUNK] for i in range(0, EVENTS, CHUNK)]
        # A producer whose broker goes away may send twice, which is its affair: nothing is given at that moment, but much is on its way.
        for half in (chunks[: len(chunks) // 2], chunks[len(chunks) // 2 :]):
            feeder = Feeder(job.give, half, 0.3)
            feeder.start()
            storm.calm()
            limit = KILLS if half[-1] is chunks[-1] else KILLS // 2
            while storm.killed < limit:
                storm.kill()
                storm.patience()
            feeder.join()
            if half[-1] is not chunks[-1]:
                broker.restart(kill=True, pause=2)
                storm.note("broker killed and started again")
        storm.calm()
        committed = broker.consume("storm-analytics", at_least=EVENTS)
        report = storm.report(events=EVENTS, seed=SEED, committed=len(committed))
        cluster.savepoint(submitted.job, stop=True, drain=True)
        job.collect()
        storm.note("kafka accounts", **{name: counts for name, counts in job.counts().items() if name in ("partners", "dashboard")})
    yield {"job": job, "report": report}


def test_processes_were_killed(story):
    """As many processes as wanted were killed, and the broker once."""
    assert story["report"]["killed"] >= KILLS


def test_every_promise_is_kept_for_readers_of_committed_records(story):
    """Each event once in every masked topic; accounts that add up; k and l; one box a record; one value a window; unbroken audit."""
    assert len(story["job"].truth) == EVENTS
    assert story["job"].faults() == []
