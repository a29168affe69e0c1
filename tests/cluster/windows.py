"""A small job over Kafka whose windows are counted: numbered records of known event times into chosen partitions, two views out."""

import collections
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from broker import Broker, Record
from cluster import Cluster

POLICY = """\
version: 1
stream: numbered
subject: customerId
event_time: {field: timestamp, max_out_of_orderness: DISORDER}
fields:
  order:      {class: plain, optional: false}
  customerId: {class: identifier, optional: false}
  timestamp:  {class: plain, type: datetime, optional: false}
segments:
  numbers:
    view: masked
    rules: {order: keep, "*": drop}
  windows:
    view: aggregated
    window: {tumbling: 30s}
    group_by: []
    metrics: {orders: count}
    shards: SHARDS
    privacy: {epsilon: 1000000000, delta: 0.1, max_groups_per_subject: 1, max_records_per_group: 1000}
"""
"""So large a budget that every window that holds somebody is published, with the exact number of its records."""
NAMES = ("numbers", "windows", "audit", "quarantine")
WINDOW = 30_000
SETTINGS = {
    "execution.checkpointing.interval": "1 s", "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 100_000,
    "restart-strategy.fixed-delay.delay": "200 ms",
}  # fmt: skip


class Windows:
    """One job, its topics, and what was given.

    Attributes:
        truth: records given, by the start of their window in ms since 1970.
        given: how many in all.
    """

    def __init__(self, place: Path, keys: str, broker: Broker, name: str, partitions: tuple[int, ...], idle_after: str, shards: int = 2,
                 disorder: str = "5s") -> None:
        """Make the topics, write policy and deployment."""
        place.mkdir(parents=True)
        self.broker, self.name, self.given = broker, name, 0
        self.truth: collections.Counter[int] = collections.Counter()
        self.policy, self.deployment = place / "policy.yaml", place / "deployment.yaml"
        self.policy.write_text(POLICY.replace("SHARDS", str(shards)).replace("DISORDER", disorder))
        self.raw = [broker.topic(f"{name}-raw-{number}", count) for number, count in enumerate(partitions)]
        at = {"connector": "kafka", "properties.bootstrap.servers": broker.bootstrap}
        sinks = {view: {**at, "topic": broker.topic(f"{name}-{view}"), "sink.transactional-id-prefix": f"{name}-{view}"} for view in NAMES}
        source = {**at, "topic": ";".join(self.raw), "properties.group.id": name}
        self.deployment.write_text(yaml.safe_dump({"source": source, "sinks": sinks, "keys": keys, "idle_after": idle_after,
                                                   "flink": SETTINGS}))

    def give(self, topic: int, partition: int, times: list[int]) -> None:
        """Produce a record for each event time (ms since 1970), in this order, into one partition of one of the topics."""
        records = []
        for time in times:
            at = datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            event = {"order": self.given, "customerId": f"C{self.given % 997}", "timestamp": at}
            records.append(Record(json.dumps(event).encode(), partition=partition))
            self.truth[time // WINDOW * WINDOW] += 1
            self.given += 1
        self.broker.produce(self.raw[topic], records)

    def settle(self) -> None:
        """Wait until the transactions of a job that has ended are closed, so that every committed record is seen."""
        for view in NAMES:
            self.broker.consume(f"{self.name}-{view}", closed=True)

    def masked(self) -> int:
        """Committed records of the masked view."""
        return len(self.broker.consume(f"{self.name}-numbers"))

    def rows(self) -> list[tuple[int, int]]:
        """Committed windows: their start in ms, and their records."""
        rows = [json.loads(record.value or b"") for record in self.broker.consume(f"{self.name}-windows")]
        return [(round(datetime.fromisoformat(row["window_start"]).timestamp() * 1000), row["orders"]) for row in rows]

    def published(self) -> dict[int, int]:
        """The same, each window once."""
        rows = self.rows()
        assert len(dict(rows)) == len(rows), "a window was published twice"
        return dict(rows)

    def counts(self) -> collections.Counter[str]:
        """What the audit says of the aggregated view, added up."""
        counts: collections.Counter[str] = collections.Counter()
        for event in (json.loads(record.value or b"") for record in self.broker.consume(f"{self.name}-audit")):
            body: dict[str, Any] = event["segments"].get("windows", {})
            counts.update({word: n for word, n in body.items() if isinstance(n, int)})
        return counts

    def wait_for(self, cluster: Cluster, what: str, count: int) -> None:
        """Wait until so many records are masked."""
        cluster.wait(what, lambda: self.masked() >= count, self.masked)
