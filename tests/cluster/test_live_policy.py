"""Policies that change while a job runs on two TaskManagers: the instant of the switch, records, headers of the audit, faults."""

import json
import threading
import time
from collections import Counter
from pathlib import Path

import job_material as material
import pytest
import yaml
from control_documents import Signers, policy_text

from flink_masking.audit.events import broken_links
from flink_masking.control.sources.local import DirectorySource
from flink_masking.policy.source import PolicySource
from flink_masking.tools.reconcile import lines

pytestmark = [pytest.mark.flink, pytest.mark.slow]
REFRESH, AHEAD = 500, 4_000
RULES = {1: "keep", 2: "drop", 3: "redact", 5: "nullify"}


def now():
    """Ms since 1970."""
    return time.time_ns() // 1_000_000


class Job:
    """A job over a directory of events, its control documents and its output."""

    def __init__(self, place: Path, keys: str) -> None:
        """Write policy, trust file and deployment."""
        self.place, self.signers, self.given = place, Signers(), 0
        self.raw, self.control = place / "raw", place / "control"
        self.policy, self.deployment = place / "policy.yaml", place / "deployment.yaml"
        self.raw.mkdir()
        self.control.mkdir()
        self.policy.write_text(policy_text(1))
        (place / "trust.json").write_bytes(self.signers.trust())
        rolling = {"sink.rolling-policy.rollover-interval": "1 s", "sink.rolling-policy.check-interval": "500 ms"}
        views = "masked", "audit", "quarantine"
        self.deployment.write_text(yaml.safe_dump({
            "source": {"connector": "filesystem", "path": self.raw.as_uri(), "source.monitor-interval": "200 ms"}, "keys": keys,
            "sinks": {name: {"connector": "filesystem", "path": (place / name).as_uri(), **rolling} for name in views},
            "control": {"source": self.control.as_uri(), "trust": "trust.json", "refresh": f"{REFRESH}ms", "max_staleness": "10s",
                        "state": (place / "state").as_uri()},
            "flink": {"execution.checkpointing.interval": "1 s", "restart-strategy.type": "fixed-delay",
                      "restart-strategy.fixed-delay.attempts": 1000, "restart-strategy.fixed-delay.delay": "200 ms"}}))
        self._ended = threading.Event()
        self._feeder = threading.Thread(target=self._feed)

    def _feed(self) -> None:
        while not self._ended.wait(0.1):
            events = [b'{"id":"%d","ssn":"078051120"}' % number for number in range(self.given, self.given + 20)]
            part = self.place / "part"
            part.write_bytes(material.text(events))
            part.rename(self.raw / f"events-{self.given:09}")
            self.given += len(events)

    def __enter__(self):
        self._feeder.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._feeder.join()

    def publish(self, version: int, text: str | None = None, ahead: int = AHEAD) -> int:
        """A policy, effective so many ms from now; returns when."""
        issued = now()
        text = text or policy_text(version, RULES[version])
        document = self.signers.policy(version, text, issued_at=issued, effective_at=issued + ahead)
        DirectorySource(self.control).publish(f"v{version}", document)
        return issued + ahead

    def events(self):
        """The audit's events of batches, as JSON, with their times in ms."""
        from flink_masking.control.instants import milliseconds_of

        found = [json.loads(line) for line in lines(self.place / "audit")]
        return [(milliseconds_of(event["time"]), event) for event in found if event["event"] == "protect"]

    def versions(self):
        """The versions that batches were made with after each other, by chain."""
        found = {}
        for _, event in self.events():
            found.setdefault(event["policy_version"], set()).add(event["chain"])
        return found

    def digest(self, version):
        """Of a version's policy."""
        return PolicySource("policy.yaml", policy_text(version, RULES[version])).digest


def test_two_workers_follow_live_policies(cluster, tmp_path, key_uri):
    """A policy issued ahead is in force on both TaskManagers from its instant on, not a batch earlier or later; one issued late within
    refresh and a batch; one that the job cannot follow is told, and nothing changes; a killed TaskManager comes back with the policy of the
    moment; and no record is lost, doubled or half-old."""
    while len(cluster.task_managers) < 2:
        cluster.add_task_manager()
    cluster.wait("two TaskManagers have registered", lambda: cluster.slots() == 2)
    with Job(tmp_path, key_uri) as job:
        submitted = cluster.submit(job.policy, job.deployment, run=("-p", 2))
        assert submitted.job, submitted.text
        cluster.wait("both workers are at work", lambda: len(job.versions().get(1, ())) >= 2, lambda: job.given)
        instants = {2: job.publish(2)}
        cluster.wait("both take version 2", lambda: len(job.versions().get(2, ())) >= 2, lambda: job.given)
        job.publish(4, policy_text(4).replace("  masked:", "  other:"))
        late = job.publish(3, ahead=0)
        cluster.wait("both take version 3", lambda: len(job.versions().get(3, ())) >= 2, lambda: job.given)
        instants[5] = job.publish(5, ahead=12_000)
        cluster.kill_task_manager()
        cluster.add_task_manager()
        cluster.wait("both take version 5", lambda: len(job.versions().get(5, ())) >= 2, lambda: job.given)
    cluster.wait("all events are masked", lambda: sum(1 for _ in lines(job.place / "masked")) >= job.given)
    cluster.savepoint(submitted.job, stop=True, drain=True)
    events = job.events()
    for version, instant in instants.items():
        before = [time for time, event in events if event["policy_version"] < version]
        after = [time for time, event in events if event["policy_version"] >= version]
        print(f"version {version}: last batch before {max(before) - instant} ms, first batch after {min(after) - instant} ms")
        assert max(before) < instant <= min(after)
    delays = {}
    for time_, event in events:
        if event["policy_version"] == 3:
            delays.setdefault(event["chain"], time_ - late)
    print(f"version 3, issued late: in force after {sorted(delays.values())} ms")
    assert all(event["policy_digest"] == job.digest(event["policy_version"]) for _, event in events)
    refused = [one for _, event in events for one in event.get("control", []) if one["outcome"] == "refused"]
    assert refused and all(one["version"] == 4 and "needs savepoint" in one["reason"] for one in refused)
    assert {event["policy_version"] for _, event in events} == {1, 2, 3, 5} and broken_links(lines(job.place / "audit")) == []
    kinds = Counter({b"{": 0})
    for line in lines(job.place / "masked"):
        body = json.loads(line)
        kinds["drop" if not body else "nullify" if body["id"] is None else "redact" if body["id"] == "***" else "keep"] += 1
        assert set(body) <= {"id"}
    released = Counter()
    for _, event in events:
        released[RULES[event["policy_version"]]] += event["segments"]["masked"]["released"]
    assert sum(released.values()) == job.given and +kinds == released
