"""A job on Kafka under live policies and grants, as a test sees it: what was given, published and granted, and what must be true of it."""

import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import yaml
from broker import Broker, Record
from control_documents import Signers
from fanout import SETTINGS
from granted_jobs import policy_of, record

from flink_masking.audit.events import broken_links
from flink_masking.control.instants import milliseconds_of, new_id
from flink_masking.control.sources.local import DirectorySource
from flink_masking.engine.erased import marks_of, write_mark
from flink_masking.keys.providers import open_ring
from flink_masking.protector import Protector

PEOPLE, SINKS, AHEAD = 20, ("support", "debug", "audit", "quarantine"), 1_500
RULES = ("{technique: pseudonym, domain: e}", "redact", "drop", "{technique: partial, keep_first: 2}", "nullify")
"""What versions of the policy do with an e-mail address, one after the other."""


def policy(version: int) -> Any:
    """A version of the policy."""
    return policy_of(version, email=("email: {technique: pseudonym, domain: e}", f"email: {RULES[version % len(RULES)]}"))


def now() -> int:
    """Ms since 1970."""
    return time.time_ns() // 1_000_000


class Granted(NamedTuple):
    """A grant that was published."""

    people: tuple[int, ...]
    begins: int
    ends: int
    most: int


class Governed:
    """Topics, policy and deployment of the job, its control documents, and a feeder of both partitions of its topic."""

    def __init__(self, place: Path, keys: str, broker: Broker) -> None:
        """Write everything; nothing runs yet."""
        self.broker, self.signers, self.ring, self.given = broker, Signers(), open_ring(keys), list[bytes]()
        self.policy, self.deployment, self._control = place / "policy.yaml", place / "deployment.yaml", place / "control"
        self.version, self.grants, self.revoked = 1, dict[str, Granted](), dict[str, int]()
        self._protectors = dict[int, Protector]()
        self._control.mkdir(parents=True)
        self.policy.write_text(policy(1).source.text)
        (place / "trust.json").write_bytes(self.signers.trust())
        at = {"connector": "kafka", "properties.bootstrap.servers": broker.bootstrap}
        broker.topic("governed-raw", 2)
        for name in SINKS:
            broker.topic(f"governed-{name}", 1)
        self.deployment.write_text(yaml.safe_dump({
            "source": {**at, "topic": "governed-raw"}, "sinks": {name: {**at, "topic": f"governed-{name}"} for name in SINKS},
            "keys": keys, "flink": SETTINGS,
            "control": {"source": self._control.as_uri(), "trust": "trust.json", "refresh": "500ms", "max_staleness": "60s",
                        "state": (place / "state").as_uri()}}))
        self._ended, self._feeder = threading.Event(), threading.Thread(target=self._feed)

    def _feed(self) -> None:
        while not self._ended.wait(0.2):
            first = len(self.given)
            events = [record(number % PEOPLE, amount=number) for number in range(first, first + 2 * PEOPLE)]
            self.broker.produce("governed-raw", [Record(event, partition=number // PEOPLE % 2) for number, event in enumerate(events)])
            self.given += events

    def __enter__(self) -> "Governed":
        self._feeder.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._feeder.join()

    def publish(self, ahead: int) -> None:
        """The next version of the policy, in effect so many ms from now."""
        self.version += 1
        at = now()
        document = self.signers.policy(self.version, policy(self.version).source.text, id=new_id(at), issued_at=at, effective_at=at + ahead)
        DirectorySource(self._control).publish(f"v{self.version}", document)

    def grant(self, people: tuple[int, ...], seconds: float, most: int = 1_000) -> str:
        """Publish a grant of social security numbers; returns its id."""
        at = now()
        name, begins = new_id(at), at + AHEAD
        ends = begins + round(1_000 * seconds)
        marks = marks_of(self.ring, "s", pa.array([f"p{person}" for person in people], pa.string()))
        document = self.signers.grant(id=name, issued_at=at, effective_at=begins, expires_at=ends, max_records=most, fields={"ssn": None},
                                      subjects=tuple(write_mark(mark) for mark in marks))
        DirectorySource(self._control).publish(name, document)
        self.grants[name] = Granted(people, begins, ends, most)
        return name

    def revoke(self, name: str) -> None:
        """End a grant."""
        at = now()
        DirectorySource(self._control).publish(new_id(at), self.signers.revocation(name, id=new_id(at), issued_at=at))
        self.revoked[name] = at

    def events(self) -> list[dict[str, Any]]:
        """The audit's events of batches that were committed."""
        found = [json.loads(one.value or b"") for one in self.broker.consume("governed-audit")]
        return [event for event in found if event["event"] == "protect"]

    def in_force(self) -> set[int]:
        """Versions of which there are committed batches."""
        return {event["policy_version"] for event in self.events()}

    def faults(self) -> list[str]:
        """What is wrong with the output of a drained job; nothing, if every promise was kept."""
        for name in SINKS:
            self.broker.consume(f"governed-{name}", closed=True)
        return [*self._shared_faults(), *self._granted_faults(), *self._audit_faults()]

    def opened(self, level: str = "read_committed") -> Counter[str]:
        """How many records of the granted view tell each grant."""
        return Counter(name for one in self.broker.consume("governed-debug", level) for name in _header(one, "grants").split(","))

    def figures(self) -> dict[str, object]:
        """What the output consists of."""
        versions = Counter(_header(one, "policy_version") for one in self.broker.consume("governed-support"))
        opened, later, began = self.opened(), set[str](), dict[str, int]()
        for event in sorted(self.events(), key=lambda event: (event["chain"], event["number"])):
            begun = began.setdefault(event["chain"], milliseconds_of(event["time"]))
            later |= {name for name in event["segments"]["debug"].get("grants", {}) if self.grants[name].begins < begun}
        return {"records": len(self.given), "published versions": self.version, "versions with records": len(versions),
                "grants": len(self.grants), "granted records": [opened[name] for name in self.grants],
                "max_records": [one.most for one in self.grants.values()], "revoked": len(self.revoked),
                "grants used by later workers": len(later)}

    def _shared_faults(self) -> Iterator[str]:
        """Each record once, its bytes those that the version in its header makes."""
        found = self.broker.consume("governed-support")
        numbers = Counter(json.loads(one.value or b"")["amount"] for one in found)
        if numbers != dict.fromkeys(range(len(self.given)), 1):
            twice = sum(1 for count in numbers.values() if count > 1)
            yield f"support: {len(self.given)} records were given, {len(numbers)} are there, {twice} of them more than once"
        by_version = defaultdict(list)
        for one in found:
            by_version[_header(one, "policy_version"), _header(one, "policy_digest")].append(one.value)
        for (version, digest), lines in by_version.items():
            loaded = policy(int(version))
            expected = self._protector(int(version)).protect([self.given[json.loads(line)["amount"]] for line in lines])
            if digest != loaded.source.digest:
                yield f"support: {len(lines)} records tell another digest than that of version {version}"
            if wrong := sum(one != other for one, other in zip(lines, expected.views["support"].to_pylist(), strict=True)):
                yield f"support: {wrong} of {len(lines)} records are not what version {version} makes of them"

    def _granted_faults(self) -> Iterator[str]:
        """Records of the granted view: of grants and their people, no more than they allow, else as the version in the header says."""
        for level in ("read_committed", "read_uncommitted"):
            yield from (f"debug: grant {name} opened {count} records ({level})" for name, count in self.opened(level).items()
                        if name not in self.grants or count > self.grants[name].most)
        for one in self.broker.consume("governed-debug"):
            body = json.loads(one.value or b"")
            number, names = body["amount"], _header(one, "grants").split(",")
            (line,) = self._protector(int(_header(one, "policy_version"))).protect([self.given[number]]).views["support"]
            if body != {**json.loads(line.as_py()), "ssn": f"{number % PEOPLE:09d}"}:
                yield f"debug: record {number} is not what its grant and the version in its header make of it"
            if any(number % PEOPLE not in self.grants[name].people for name in names):
                yield f"debug: record {number} is of somebody whom its grants do not name"

    def _protector(self, version: int) -> Protector:
        """Makes records as a version of the policy does."""
        if version not in self._protectors:
            self._protectors[version] = Protector(policy(version), self.ring)
        return self._protectors[version]

    def _audit_faults(self) -> Iterator[str]:
        """Grants are used while they are in force, as often as the granted view has records; chains are whole."""
        events, used, ended = self.events(), Counter[str](), set[tuple[str, str]]()
        began: dict[str, int] = {}
        for event in sorted(events, key=lambda event: (event["chain"], event["number"])):
            at, chain = milliseconds_of(event["time"]), event["chain"]
            began.setdefault(chain, at)
            ended |= {(chain, one["id"]) for one in event.get("control", ()) if one["outcome"] in ("ended", "revoked")}
            for name, count in event["segments"]["debug"].get("grants", {}).items():
                used[name] += count
                one = self.grants[name]
                if not one.begins <= at < one.ends or (chain, name) in ended or began[chain] > self.revoked.get(name, at) + 1_000:
                    yield f"audit: grant {name} was used outside of its time, by {at - one.ends} ms"
        opened = self.opened()
        if used != opened:
            yield f"audit: it tells {sum(used.values())} granted records, and there are {sum(opened.values())}"
        released = Counter(event["policy_version"] for event in events for _ in range(event["segments"]["support"]["released"]))
        told = Counter(int(_header(one, "policy_version")) for one in self.broker.consume("governed-support"))
        if released != told:
            yield "audit: it tells other numbers of records by version than their headers"
        yield from (f"audit: chain {name} is broken" for name in broken_links(one.value for one in self.broker.consume("governed-audit")))


def _header(one: Record, name: str) -> str:
    return (dict(one.headers)[name] or b"").decode()
