"""The site of the demonstration: policy and deployment, topics, a webhook, and a stream of events about some customers."""

import base64
import json
import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import yaml

from flink_masking.cli.governance.receiver import Receiver
from flink_masking.cli.governance.stage import Stage
from flink_masking.examples import GOVERNANCE
from flink_masking.jars import CONNECTORS, JarCache
from flink_masking.keys.files import create

if TYPE_CHECKING:
    from flink_masking.kafka.followed import Record

SUBJECT = "CUST12345"
"""The customer whom grant and erasure are about."""
PASSPHRASE = ("--passphrase-file", "passphrase")
_ANSWER_MS = 60_000
_SINKS = ("support", "debug-support", "audit", "quarantine")
RULES: dict[str, Any] = {
    "version": 1,
    "rules": {
        "policy-changed": {"when": "control", "outcomes": ["in_force"], "kinds": ["policy"], "severity": "info"},
        "grant-in-force": {"when": "control", "outcomes": ["in_force", "ended"], "kinds": ["grant"], "severity": "info"},
        "grant-used": {"when": "granted", "above": 0},
        "document-refused": {"when": "control", "outcomes": ["refused"], "severity": "critical"},
        "erased": {"when": "erased", "severity": "info"},
    },
}
"""The alert rules, without their target."""


class World:
    """What the steps of the demonstration have in common.

    Attributes:
        stage: where commands run.
        topics: followed, by sink.
        receiver: of alerts.
        given: events fed so far, by their number.
    """

    def __init__(self, stage: Stage, servers: str, receiver: Receiver, secret: bytes) -> None:
        """Write policy, deployment, rules and keys; make the topics.

        Args:
            stage: where commands run.
            servers: address of the broker.
            receiver: of alerts.
            secret: that alerts are signed with.

        Raises:
            JobError: a jar cannot be had.
            KafkaClientError: the broker cannot be reached.
        """
        from flink_masking.kafka.client import KafkaAdmin, KafkaClients
        from flink_masking.kafka.followed import FollowedTopic
        from flink_masking.kafka.topic import create_topic

        self.stage, self.receiver, self.given = stage, receiver, dict[int, dict[str, Any]]()
        self._clients, self._settings = KafkaClients([JarCache().resolve(CONNECTORS["kafka"])]), {"bootstrap.servers": servers}
        self._write_files(servers, secret)
        with KafkaAdmin(self._clients, self._settings, _ANSWER_MS) as admin:
            for topic in ("events", *_SINKS):
                create_topic(admin, topic)
        self.topics = {name: FollowedTopic(self._clients, self._settings, name, _ANSWER_MS) for name in _SINKS}

    def _write_files(self, servers: str, secret: bytes) -> None:
        place, kafka = self.stage.place, {"connector": "kafka", "properties.bootstrap.servers": servers}
        text = GOVERNANCE.read_text()
        (place / "policy.yaml").write_text(text)
        changed = text.replace("version: 1\n", "version: 2\n").replace("email: {technique: partial, keep_first: 1, keep_after: \"@\"}",
                                                                      "email: redact")
        (place / "policy-2.yaml").write_text(changed)
        create(place / "keys.json")
        (place / "control").mkdir()
        body = {
            "source": {**kafka, "topic": "events", "scan.startup.mode": "earliest-offset"},
            "sinks": {name: {**kafka, "topic": name} for name in _SINKS},
            "keys": (place / "keys.json").as_uri(),
            "vault": f"sqlite://{place / 'vault.db'}",
            "control": {"source": (place / "control").as_uri(), "trust": "trust.json", "refresh": "1s",
                        "state": (place / "control-state").as_uri()},
            "audit": {"log": str(place / "log-of-audit"), "key": str(place / "log.key"), "also": [str(place / "commands.jsonl")]},
            "flink": {"parallelism.default": 1, "execution.checkpointing.interval": "1s", "restart-strategy.type": "disable"},
        }
        (place / "deployment.yaml").write_text(yaml.safe_dump(body, sort_keys=False))
        for name, data in (("hook.secret", b"whsec_" + base64.b64encode(secret)), ("passphrase", secrets.token_hex(16).encode())):
            with open(os.open(place / name, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
                file.write(data)
        hook = {"webhook": self.receiver.address, "secret": f"${{file:{place / 'hook.secret'}}}"}
        (place / "alerts.yaml").write_text(yaml.safe_dump({**RULES, "targets": {"desk": hook}}, sort_keys=False))

    def feed(self) -> None:
        """Send ten events, one of them about `SUBJECT`."""
        from flink_masking.kafka.topic import write_topic

        first = len(self.given)
        people = [(SUBJECT, "John Doe", "john.doe@example.com", "123-45-6789")]
        people += [(f"CUST{n:05}", f"Person {chr(64 + n)}", f"person{n}@example.com", f"123-45-{n:04}") for n in range(1, 10)]
        events: list[dict[str, Any]] = [
            {"order": first + n, "customerId": who, "name": name, "email": email, "ssn": ssn, "amount": 10.5 + n}
            for n, (who, name, email, ssn) in enumerate(people)]
        write_topic(self._clients, self._settings, "events", [json.dumps(event).encode() for event in events], _ANSWER_MS)
        self.given.update({event["order"]: event for event in events})

    def look(self) -> None:
        """Take what has been committed to the topics."""
        for topic in self.topics.values():
            topic.look()

    def records(self, view: str, of: Callable[[Mapping[str, Any]], bool] = lambda event: True) -> "list[tuple[dict[str, Any], Record]]":
        """Records of a view whose event has a property, with their content."""
        self.topics[view].look()
        parsed = ((json.loads(record.value), record) for record in self.topics[view].records)
        return [(body, record) for body, record in parsed if of(self.given[body["order"]])]

    def events(self, outcome: str, kind: str) -> list[dict[str, Any]]:
        """What audit events tell of control documents."""
        self.topics["audit"].look()
        lines = (line for record in self.topics["audit"].records for line in record.value.split(b"\n") if b'"control"' in line)
        found = (one for line in lines for one in json.loads(line).get("control", ()))
        return [one for one in found if (one["outcome"], one.get("kind")) == (outcome, kind)]

    def feed_until(self, what: str, done: Callable[[], bool]) -> None:
        """Feed events until something is true."""

        def fed() -> bool:
            self.feed()
            return done()

        self.stage.until(what, fed)

    def all_arrived(self, but: Callable[[Mapping[str, Any]], bool] = lambda event: False) -> None:
        """Wait until the shared view holds each event that was fed once, without those that may not be in it."""
        wanted = sum(not but(event) for event in self.given.values())
        self.stage.until("all events are in the shared view", lambda: len(self.records("support")) >= wanted)

    def alerts(self, rule: str, **named: str) -> list[dict[str, Any]]:
        """Alerts that the webhook has taken, of a rule and with these names."""
        return [one for one in list(self.receiver.alerts) if one["rule"] == rule and all(one.get(k) == v for k, v in named.items())]

    def show(self, title: str, found: "Iterable[tuple[dict[str, Any], Record]]") -> None:
        """Print records with what their headers tell."""
        self.stage.say(f"  {title}")
        for _, record in found:
            told = {name: value for name, value in record.headers.items() if name in ("policy_version", "grants")}
            self.stage.say(f"    {record.value.decode()}")
            self.stage.say(f"      headers: {', '.join(f'{name}={value}' for name, value in told.items())}")

    def close(self) -> None:
        """End the connections."""
        for topic in self.topics.values():
            topic.close()
