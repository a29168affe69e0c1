"""The main job as a test sees it: a watched directory of raw events, a directory a view, and what must be true of them at the end."""

import collections
import json
from pathlib import Path
from typing import Any, NamedTuple

import job_material as material
import yaml

from flink_masking.audit.events import broken_links
from flink_masking.flink.job_source import JobSource
from flink_masking.policy.source import PolicySource
from flink_masking.tools.reconcile import Summary, count_lines, lines, summarize

SETTINGS = {
    "execution.checkpointing.interval": "1 s", "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 100_000,
    "restart-strategy.fixed-delay.delay": "200 ms", "execution.checkpointing.externalized-checkpoint-retention": "DELETE_ON_CANCELLATION",
}  # fmt: skip
ROLLING = {"sink.rolling-policy.rollover-interval": "1 s", "sink.rolling-policy.check-interval": "500 ms"}
POLICY = (
    material.POLICY.replace("max_out_of_orderness: 5s", "max_out_of_orderness: 60s")
    .replace("    max_buffer: 1000\n", "    max_buffer: 1000\n    l_diversity: {field: diagnosis, l: 2}\n    shards: 2\n")
    .replace("    window: {tumbling: 1min}\n", "    window: {tumbling: 1min}\n    shards: 2\n")
)
"""All three kinds of view; two shards a stateful segment, so that its state can be divided."""


class Person(NamedTuple):
    """What a raw event says of a person and must be true of what is released."""

    subject: str
    age: int
    zip: str
    diagnosis: str


class FanOut:
    """Policy, deployment, input and output of one job below a directory."""

    def __init__(self, place: Path, keys: str, policy: str = POLICY, settings: dict[str, object] | None = None) -> None:
        """Write policy and deployment.

        Args:
            place: an empty directory.
            keys: address of the key ring.
            policy: its text.
            settings: Flink settings on top of `SETTINGS`.
        """
        self.place, self.keys, self.views = place, keys, place / "views"
        self.raw, self.policy, self.deployment = place / "raw", place / "policy.yaml", place / "deployment.yaml"
        self.raw.mkdir(parents=True)
        self.given = 0
        self.truth: dict[int, Person] = {}
        self.policy.write_text(policy)
        sinks = {name: {"connector": "filesystem", "path": (self.views / name).as_uri(), **ROLLING} for name in material.SINKS}
        source = {"connector": "filesystem", "path": self.raw.as_uri(), "source.monitor-interval": "300 ms"}
        body = {"source": source, "sinks": sinks, "keys": keys, "flink": {**SETTINGS, **(settings or {})}}
        self.deployment.write_text(yaml.safe_dump(body))

    def give(self, name: str, events: list[bytes]) -> None:
        """Put a file into the watched directory, whole from the first moment."""
        self.remember(events)
        self._put(name, events)

    def remember(self, events: list[bytes]) -> None:
        """Take events for given: what comes out of the job will be held against them."""
        for line in events:
            event = json.loads(line)
            self.truth[event["order"]] = Person(event["customerId"], event["age"], event["zip"], event["diagnosis"])

    def give_broken(self, name: str) -> None:
        """Lines that belong in the quarantine."""
        self._put(name, list(material.BROKEN))

    def _put(self, name: str, events: list[bytes]) -> None:
        self.given += len(events)
        part = self.place / name
        part.write_bytes(material.text(events))
        part.rename(self.raw / name)

    def masked(self) -> int:
        """Records of the masked view in finished files."""
        return count_lines(self.views / "analytics")

    def windows(self) -> set[str]:
        """Starts of the published windows."""
        return {row["window_start"] for row in material.records(self.views / "dashboard")}

    def summary(self) -> Summary:
        """The accounts of a job that was drained; they add up, or this raises JobError."""
        source = JobSource(PolicySource.read(self.policy), self.keys)
        return summarize(source.plan(), self.views)

    def counts(self) -> dict[str, collections.Counter[str]]:
        """Whole numbers of the audit's events by segment, added up."""
        counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
        for event in map(json.loads, lines(self.views / "audit")):
            for name, body in event["segments"].items():
                counts[name].update({key: value for key, value in body.items() if isinstance(value, int)})
        return counts

    def faults(self) -> list[str]:
        """What is wrong with the output of a drained job; nothing, if every promise was kept."""
        summary, found = self.summary(), []
        if summary.input != self.given:
            found.append(f"{self.given} records were given, {summary.input} went in")
        for view in ("analytics", "development"):
            counts = collections.Counter(record["order"] for record in material.records(self.views / view))
            if counts != dict.fromkeys(self.truth, 1):
                found.append(f"{view}: {_differences(counts, self.truth)}")
        return [*found, *self.anonymized_faults(), *self._aggregated(), *self._audit()]

    def anonymized_faults(self) -> list[str]:
        """Released once at most, under labels that are true, shared by k people and l diagnoses."""
        found, people, values = [], collections.defaultdict(set), collections.defaultdict(set)
        seen: collections.Counter[int] = collections.Counter()
        for record in material.records(self.views / "partners"):
            person = self.truth[record["order"]]
            seen[record["order"]] += 1
            if not (material.covers(record["age"], person.age) and material.covers(record["zip"], person.zip)):
                found.append(f"partners: record {record['order']} has labels that are not true of it")
            people[record["age"], record["zip"]].add(person.subject)
            values[record["age"], record["zip"]].add(person.diagnosis)
        if twice := [order for order, n in seen.items() if n > 1]:
            found.append(f"partners: {len(twice)} records were released more than once")
        if small := [len(group) for group in people.values() if len(group) < material.K]:
            found.append(f"partners: {len(small)} classes have fewer than {material.K} people")
        if self.policy.read_text().count("l_diversity") and (alike := [1 for group in values.values() if len(group) < 2]):
            found.append(f"partners: {len(alike)} classes have one diagnosis only")
        return found

    def _aggregated(self) -> list[str]:
        rows = collections.Counter((row["window_start"], row["zip"]) for row in material.records(self.views / "dashboard"))
        return [f"dashboard: {row} was published {n} times" for row, n in rows.items() if n > 1]

    def _audit(self) -> list[str]:
        return [f"audit: chain {name} is broken" for name in broken_links(lines(self.views / "audit"))]


def _differences(counts: dict[int, int], truth: dict[int, Any]) -> str:
    missing, twice = len(truth.keys() - counts.keys()), sum(1 for n in counts.values() if n > 1)
    return f"{missing} records are missing, {twice} left more than once, {len(counts.keys() - truth.keys())} are nobody's"
