"""The alert job and the leak monitor beside each other on Kafka: findings, alerts, killed TaskManagers, published rules, a savepoint."""

import hashlib
import json
import os
import re
import sys
import time
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from alert_receiver import SECRET, Receiver
from cluster import Cluster
from control_documents import Signers

import jobs.watch
from flink_masking.audit.events import AuditChain
from flink_masking.audit.reports import BatchReport
from flink_masking.control.bodies import AlertsBody
from flink_masking.control.instants import new_id
from flink_masking.control.sources.local import DirectorySource
from flink_masking.keys.providers import open_ring
from flink_masking.leaks.canaries import CanaryWriter
from flink_masking.leaks.options import LeakOptions
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

sys.path.append(str(Path(__file__).resolve().parents[1] / "kafka"))

from broker import Broker

pytestmark = [pytest.mark.flink, pytest.mark.slow]
POLICY = """\
version: 1
stream: s
fields: {id: {class: identifier}, note: {class: direct, type: text}}
segments: {shown: {view: masked, rules: {id: {technique: pseudonym, domain: d}, note: redact}}}
"""
RULES = """\
version: 1
every: 1s
rules:
  refusals: {when: quarantined, above: LIMIT, within: 1h}
  unmasking: {when: reverse, without_grant: true, severity: critical}
  leaks: {when: leak, severity: critical}
"""
BOTH = Path(__file__).with_name("both_watchers.py")
TOPICS = "shown", "audit", "quarantine", "findings", "alerts"


def now() -> int:
    """Ms since 1970."""
    return time.time_ns() // 1_000_000


class Watchers:
    """Topics, a receiver, canaries, and what is written to them."""

    def __init__(self, place: Path, broker: Broker, keys: str) -> None:
        """Make the topics and the files of both jobs."""
        self.place, self.broker, self.receiver, self.signers = place, broker, Receiver(), Signers()
        self.chain = AuditChain.signed(open_ring(keys), "s")
        at = {"connector": "kafka", "properties.bootstrap.servers": broker.bootstrap}
        for name in TOPICS:
            broker.topic(f"watch-{name}", 2)
        for folder in ("control", "canaries"):
            (place / folder).mkdir()
        (place / "secret").write_text(SECRET)
        (place / "trust.json").write_bytes(self.signers.trust())
        (place / "policy.yaml").write_text(POLICY)
        targets = {"soc": {"webhook": f"http://127.0.0.1:{self.receiver.port}/", "secret": f"${{file:{place}/secret}}"},
                   "bus": {"kafka": {"topic": "watch-alerts", "properties.bootstrap.servers": broker.bootstrap}}}
        (place / "alerts.yaml").write_text(RULES.replace("LIMIT", "50") + yaml.safe_dump({"targets": targets}))
        (place / "deployment.yaml").write_text(yaml.safe_dump({
            "source": {"connector": "datagen"}, "keys": keys,
            "sinks": {name: {**at, "topic": f"watch-{name}"} for name in ("shown", "audit", "quarantine")},
            "leaks": {"directory": str(place / "canaries"), "findings": {**at, "topic": "watch-findings"}},
            "control": {"source": (place / "control").as_uri(), "trust": "trust.json", "refresh": "500ms"},
            "flink": {"execution.checkpointing.interval": "1 s", "restart-strategy.type": "fixed-delay",
                      "restart-strategy.fixed-delay.attempts": 1000, "restart-strategy.fixed-delay.delay": "200 ms"}}))
        self._canaries = CanaryWriter(load(PolicySource("p", POLICY)), LeakOptions(str(place / "canaries"), 1.0),
                                      lambda: open_ring(keys), os.urandom, now)

    def submitted(self, cluster: Cluster) -> tuple[str, str]:
        """Submit both jobs with one client; their ids."""
        done = cluster.submit(self.place / "policy.yaml", self.place / "deployment.yaml", program=BOTH,
                              arguments=("--rules", self.place / "alerts.yaml"))
        found = re.findall(r"JobID ([0-9a-f]{32})", done.text)
        assert len(found) == 2, done.text
        return found[0], found[1]

    def refused(self, count: int) -> None:
        """A batch of which so many records went to the quarantine."""
        self.broker.produce("watch-audit", [self.chain.event("protect", now(), BatchReport(1_000, {"contract": count}).body())])

    def unmask(self, *actors: str) -> None:
        """Attempts without a grant."""
        self.broker.produce("watch-audit", [self.chain.event("unmask", now(), {"actor": actor, "purpose": "x", "outcome": "begun"})
                                            for actor in actors])

    def leak(self, secret: str) -> None:
        """A protected value in clear in the masked view."""
        self.keep(secret)
        self.broker.produce("watch-shown", [json.dumps({"id": "x", "note": f"see {secret}"}).encode()])

    def keep(self, *secrets: str) -> None:
        """Keep canaries of values, as Protect does when it meets them."""
        self._canaries.note(pa.array([json.dumps({"id": secret, "note": "x"}).encode() for secret in secrets]))
        self._canaries._written = 0
        self._canaries.write()

    def publish(self, version: int, text: str) -> None:
        """Alert rules, in effect at once."""
        body = AlertsBody(id=new_id(now()), stream="/flink-masking", issued_at=now(), effective_at=now(), version=version,
                          name="alerts.yaml", text=text, digest=hashlib.sha256(text.encode()).hexdigest())
        DirectorySource(self.place / "control").publish(body.id, self.signers._signed("alerts", body, ("paula",)))

    def told(self, rule: str, name: str) -> Counter:
        """What has arrived of a rule at the webhook, by a member of its data and the event's id."""
        return Counter((event["data"][name], event["id"]) for event in self.receiver.taken() if event["subject"] == rule)

    def values(self, rule: str, name: str) -> set:
        """The different values of that member."""
        return {value for value, _ in self.told(rule, name)}


def test_no_alert_is_lost(kafka_jars, cluster, place, key_uri):
    """What the monitor finds in a view is an alert at the webhook and in a topic; killed TaskManagers and a receiver that is away lose
    none, and one that comes again has the same id; published rules take effect and bad ones are told; a savepoint keeps the windows."""
    while len(cluster.task_managers) < 2:
        cluster.add_task_manager()
    with Broker(place / "broker") as broker:
        site = Watchers(place, broker, key_uri)
        alerts, monitor = site.submitted(cluster)
        site.refused(40)
        site.refused(20)
        site.leak("CUST-00000001")
        cluster.wait("both alerts arrive", lambda: site.told("refusals", "count") and site.told("leaks", "what"))
        assert site.values("refusals", "count") == {60} and site.values("leaks", "what") == {"s/id"}

        # The receiver fails while alerts come; then both workers are killed, and more lines come before they are back.
        site.receiver.answers = [503] * 100_000
        site.unmask("eve-1", "eve-2")
        failed = len(site.receiver.got)
        cluster.wait("an alert was refused", lambda: len(site.receiver.got) > failed)
        done = cluster.checkpoints(alerts)
        cluster.wait("a checkpoint holds what waits", lambda: cluster.checkpoints(alerts) > done + 1)
        site.leak("CUST-00000002")
        site.unmask("eve-3", "eve-4")
        for _ in range(2):
            cluster.kill_task_manager()
            cluster.add_task_manager()
        site.unmask("eve-5")
        site.receiver.answers = []
        cluster.wait("every alert arrives", lambda: len(site.values("unmasking", "actor")) == 5
                     and sum(event["data"]["count"] for event in site.receiver.taken() if event["subject"] == "leaks") >= 2,
                     lambda: len(site.receiver.got))
        assert len(site.told("unmasking", "actor")) == 5, "an alert that comes again has the same id"

        site.publish(1, RULES.replace("LIMIT", "500"))
        cluster.wait("new rules are in force", lambda: site.values("alert-rules", "outcome") == {"in_force"})
        site.publish(2, RULES.replace("LIMIT", "many"))
        cluster.wait("bad rules are told", lambda: "refused" in site.values("alert-rules", "outcome"))
        site.refused(100)
        before = cluster.checkpoints(alerts)
        cluster.wait("its line is in the state", lambda: cluster.checkpoints(alerts) > before + 1)
        savepoint = cluster.savepoint(alerts, stop=True)
        site.refused(300)
        again = cluster.submit(place / "alerts.yaml", place / "deployment.yaml", program=Path(jobs.watch.__file__), first="--rules",
                               run=("-s", savepoint))
        assert again.job, again.text
        site.refused(50)
        cluster.wait("the window goes on", lambda: 510 in site.values("refusals", "count"))
        assert site.values("refusals", "count") == {60, 510}
        records = [(record.key, json.loads(record.value)["id"], dict(record.headers)) for record in broker.consume("watch-alerts")]
        for job in (again.job, monitor):
            cluster.cancel(job)
    site.receiver.close()
    assert {headers["content-type"] for _, _, headers in records} == {b"application/cloudevents+json"}
    assert {event["id"] for event in site.receiver.taken()} <= {identifier for _, identifier, _ in records}
    assert {key for key, _, _ in records} == {b"refusals", b"leaks", b"unmasking", b"alert-rules"}
    assert b"CUST-0000000" not in b"".join(body for _, _, body in site.receiver.got)
