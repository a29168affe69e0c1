"""A granted view on Kafka and two TaskManagers: what opens it, what ends it, and a TaskManager that is killed in between."""

import json
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from control_documents import Signers
from granted_jobs import policy_of, record

from flink_masking.audit.events import broken_links
from flink_masking.control.instants import milliseconds_of, new_id
from flink_masking.control.sources.local import DirectorySource
from flink_masking.engine.erased import marks_of, write_mark
from flink_masking.keys.providers import open_ring
from flink_masking.protector import Protector

sys.path.append(str(Path(__file__).resolve().parents[1] / "kafka"))

from broker import Broker, Record

pytestmark = [pytest.mark.flink, pytest.mark.slow]
PEOPLE, SINKS = 20, ("support", "debug", "audit", "quarantine")


def now():
    """Ms since 1970."""
    return time.time_ns() // 1_000_000


class Job:
    """A job with a granted view, its grants, and a feeder of both partitions of its topic."""

    def __init__(self, place: Path, keys: str, broker: Broker) -> None:
        """Make topics, policy, trust file and deployment."""
        self.broker, self.signers, self.ring, self.given = broker, Signers(), open_ring(keys), list[bytes]()
        self.policy, self.deployment, self._control = place / "policy.yaml", place / "deployment.yaml", place / "control"
        self._control.mkdir()
        self.policy.write_text(policy_of().source.text)
        (place / "trust.json").write_bytes(self.signers.trust())
        at = {"connector": "kafka", "properties.bootstrap.servers": broker.bootstrap}
        broker.topic("raw", 2)
        for name in SINKS:
            broker.topic(name, 1)
        self.deployment.write_text(yaml.safe_dump({
            "source": {**at, "topic": "raw"}, "sinks": {name: {**at, "topic": name} for name in SINKS}, "keys": keys,
            "control": {"source": self._control.as_uri(), "trust": "trust.json", "refresh": "500ms", "max_staleness": "60s",
                        "state": (place / "state").as_uri()},
            "flink": {"execution.checkpointing.interval": "1 s", "restart-strategy.type": "fixed-delay",
                      "restart-strategy.fixed-delay.attempts": 1000, "restart-strategy.fixed-delay.delay": "200 ms"}}))
        self._ended, self._feeder = threading.Event(), threading.Thread(target=self._feed)

    def _feed(self) -> None:
        while not self._ended.wait(0.2):
            first = len(self.given)
            events = [record(number % PEOPLE, amount=number, region="us" if number % PEOPLE == 7 else "eu")
                      for number in range(first, first + 2 * PEOPLE)]
            self.broker.produce("raw", [Record(event, partition=number // PEOPLE % 2) for number, event in enumerate(events)])
            self.given += events

    def __enter__(self):
        self._feeder.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._feeder.join()

    def grant(self, people=(), seconds=3600.0, **options) -> str:
        """Publish a grant; returns its id."""
        at = now()
        name = new_id(at)
        marks = marks_of(self.ring, "s", pa.array([f"p{person}" for person in people], pa.string()))
        document = self.signers.grant(id=name, issued_at=at, effective_at=at + 1_500, expires_at=at + 1_500 + round(1_000 * seconds),
                                      subjects=tuple(write_mark(mark) for mark in marks), **options)
        DirectorySource(self._control).publish(name, document)
        return name

    def revoke(self, name: str) -> None:
        """End a grant."""
        DirectorySource(self._control).publish(new_id(now()), self.signers.revocation(name, issued_at=now()))

    def shown(self) -> list[tuple[dict, list[str]]]:
        """The granted topic's committed records, each with the grants that its header tells."""
        return [(json.loads(one.value), dict(one.headers)["grants"].decode().split(",")) for one in self.broker.consume("debug")]

    def opened(self) -> Counter:
        """How many committed records tell each grant."""
        return Counter(name for _, names in self.shown() for name in names)

    def events(self) -> list[dict]:
        """The audit's events of batches."""
        found = [json.loads(one.value) for one in self.broker.consume("audit")]
        return [event for event in found if event["event"] == "protect"]

    def told(self, outcome: str, name: str) -> set[str]:
        """The chains that tell this of a grant."""
        return {event["chain"] for event in self.events() for one in event.get("control", ())
                if one.get("id") == name and one["outcome"] == outcome}


def test_grants_on_two_task_managers(cluster, kafka_jars, tmp_path, key_uri):
    """Nothing flows without a grant; grants published while the job runs open matching records on both TaskManagers, within max_records,
    and each record tells them; revocation and expiry end them; a grant survives a killed TaskManager without a record more; and the shared
    topic is the same as without grants."""
    while len(cluster.task_managers) < 2:
        cluster.add_task_manager()
    cluster.wait("two TaskManagers have registered", lambda: cluster.slots() == 2)
    with Broker(tmp_path / "broker") as broker:
        job = Job(tmp_path, key_uri, broker)
        submitted = cluster.submit(job.policy, job.deployment, run=("-p", 2))
        assert submitted.job, submitted.text

        def wait(what, done):
            cluster.wait(what, done, lambda: len(job.given))

        with job:
            wait("both workers are at work", lambda: len({event["chain"] for event in job.events()}) == 2)
            assert broker.consume("debug", "read_uncommitted") == []
            limited = job.grant([1, 2], fields={"email": None}, max_records=41)
            where = job.grant(where={"region": "us"}, fields={"ssn": None})
            short = job.grant([3], 4, fields={"ssn": {"technique": "partial", "keep_last": 4}})
            wait("all are in force on both", lambda: all(len(job.told("in_force", name)) == 2 for name in (limited, where, short)))
            wait("max_records are reached", lambda: job.opened()[limited] == 41)
            wait("one has expired on both", lambda: len(job.told("ended", short)) == 2)
            job.revoke(where)
            wait("one was revoked on both", lambda: len(job.told("ended", where)) == 2)
            lasting = job.grant([4], fields={"ssn": None}, max_records=200)
            wait("the last one is used on both", lambda: job.opened()[lasting] >= 20)
            before = job.opened()
            chains = len({event["chain"] for event in job.events()})
            cluster.kill_task_manager()
            cluster.add_task_manager()
            wait("two workers have begun anew", lambda: len({event["chain"] for event in job.events()}) >= chains + 2)
            wait("the grant goes on after the restart", lambda: job.opened()[lasting] > before[lasting] + 20)
        wait("all records are masked", lambda: len(broker.consume("support")) >= len(job.given))
        cluster.savepoint(submitted.job, stop=True, drain=True)
        for name in SINKS:
            broker.consume(name, closed=True)
        shared = Counter(one.value for one in broker.consume("support"))
        assert shared == Counter(Protector(job.policy, job.ring).protect(job.given).views["support"].to_pylist())
        shown, opened, events = job.shown(), job.opened(), job.events()
        masked = {json.loads(line)["amount"]: json.loads(line) for line in shared}
        for body, names in shown:
            number, expected = body["amount"], dict(masked[body["amount"]])
            person = number % PEOPLE
            assert set(names) <= {1: {limited}, 2: {limited}, 7: {where}, 3: {short}, 4: {lasting}}[person]
            more = {"ssn": f"{person:09d}"}
            if limited in names:
                more = {"email": "***" + f"person{person}@example.com"[-12:]}
            elif short in names:
                more = {"ssn": f"***{person:04d}"}
            assert body == {**expected, **more}
        assert opened[limited] == 41 and before[lasting] < opened[lasting] <= 200
        used = Counter()
        for event in events:
            used.update(event["segments"]["debug"].get("grants", {}))
            if short in event["segments"]["debug"].get("grants", {}):
                assert milliseconds_of(event["time"]) < int(short[:8] + short[9:13], 16) + 5_500
        assert used == opened and sum(event["segments"]["debug"]["released"] for event in events) == len(shown)
        assert broken_links(one.value for one in broker.consume("audit")) == []
