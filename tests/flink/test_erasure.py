"""A running job learns of an erasure from its vault: later records are dropped, waiting ones leave their groups, and nothing opens."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import job_material as material
import processes
import pyarrow as pa
import pytest
import yaml

from flink_masking.keys.providers import open_ring
from flink_masking.policy.load import load_policy
from flink_masking.tools.erase import Eraser
from flink_masking.tools.reconcile import count_lines, lines
from flink_masking.vault.providers import open_vault

pytestmark = pytest.mark.flink
POLICY = material.FIELDS.replace("unknown_fields:", "erasure: {later: drop}\nunknown_fields:") + """\
  analytics:
    view: masked
    rules:
      order: keep
      name: {technique: encrypt, domain: person, per_subject: true}
      ssn: {technique: tokenize, domain: ssn}
      "*": drop
  partners: {view: anonymized, k: 5, quasi_identifiers: [age], max_buffer: 100000, shards: 2}
"""
SINKS = ("analytics", "partners", "audit", "quarantine")


class Job:
    """A job that watches a directory, with a SQLite vault."""

    def __init__(self, place: Path, keys: str) -> None:
        """Write policy and deployment."""
        self.place, self.views, self.vault = place, place / "views", f"sqlite://{place}/vault.db"
        (place / "raw").mkdir()
        (place / "policy.yaml").write_text(POLICY)
        rolling = {"sink.rolling-policy.rollover-interval": "1 s", "sink.rolling-policy.check-interval": "300 ms"}
        body = {"source": {"connector": "filesystem", "path": (place / "raw").as_uri(), "source.monitor-interval": "200 ms"},
                "sinks": {name: {"connector": "filesystem", "path": (self.views / name).as_uri(), **rolling} for name in SINKS},
                "keys": keys, "vault": self.vault,
                "flink": {"parallelism.default": 1, "io.tmp.dirs": str(place / "tmp"), "restart-strategy.type": "disable",
                          "execution.checkpointing.interval": "500 ms", "execution.checkpointing.dir": (place / "checkpoints").as_uri(),
                          "execution.checkpointing.storage": "filesystem"}}
        (place / "deployment.yaml").write_text(yaml.safe_dump(body))

    def give(self, name: str, events: material.Events) -> None:
        """Put a file into the watched directory, whole from the first moment."""
        part = self.place / name
        part.write_bytes(material.text(events.lines))
        part.rename(self.place / "raw" / name)

    def audit(self, kind: str) -> list[dict[str, Any]]:
        """The audit's events of a kind."""
        return [event for event in map(json.loads, lines(self.views / "audit")) if event["event"] == kind]

    def dropped(self) -> int:
        """Records of erased subjects."""
        return sum(event.get("erased", 0) for event in self.audit("protect"))

    def taken_out(self) -> int:
        """Records that were taken out of groups."""
        return sum(event["segments"].get("partners", {}).get("suppressed_erased", 0) for event in self.audit("release"))


@pytest.fixture(scope="module")
def story(place: Path, key_uri: str) -> Iterator[dict[str, Any]]:
    """Events, an erasure, and events of the same people until the job knows; what was seen."""
    job = Job(place, key_uri)
    events = material.make_events(place, 2_000, 200, 51)
    people = sorted({event["customerId"] for event in events.truth.values()})[:3]
    mine = {number for number, event in events.truth.items() if event["customerId"] in people}
    vault = open_vault(job.vault)
    eraser = Eraser(load_policy(place / "policy.yaml"), open_ring(key_uri), vault)
    arguments = (*processes.FAN_OUT, "--policy", place / "policy.yaml", "--deployment", place / "deployment.yaml", "--wait")
    seen: dict[str, Any] = {"job": job, "mine": mine, "people": people, "eraser": eraser, "rounds": 1}
    with processes.started(place, *arguments) as process:
        job.give("0", events)
        processes.wait_for("the events are masked", lambda: count_lines(job.views / "analytics") == 2_000, process)
        seen["before"] = material.records(job.views / "analytics")
        seen["done"] = eraser.erase(people, 1)

        def known() -> bool:
            """Give the events once more each time the job has taken them, until it drops some."""
            through = sum(event["records"] for event in job.audit("protect"))
            if through == 2_000 * seen["rounds"] and not job.dropped():
                job.give(str(seen["rounds"]), events)
                seen["rounds"] += 1
            return job.dropped() > 0 and job.taken_out() > 0

        processes.wait_for("the job knows of the erasure", known, process, lambda: (seen["rounds"], job.dropped()))
    vault.close()
    yield seen


def test_later_records_are_in_no_view(story):
    """The last records of the erased are dropped, from a batch on; the audit tells them by their hashes."""
    assert story["done"].keys == 3 and story["mine"]
    assert story["job"].dropped() > 0
    told = [mark for event in story["job"].audit("protect") for mark in event.get("erasures", ())]
    assert told == story["eraser"].written(story["people"])
    assert count_lines(story["job"].views / "quarantine") == 0


def test_waiting_records_leave_their_groups(story):
    """What of them waited in both shards for a group is taken out: all of every round that was not dropped."""
    assert story["job"].dropped() + story["job"].taken_out() == story["rounds"] * len(story["mine"])


def test_nothing_of_theirs_opens(story, place, key_uri):
    """Values of before the erasure do not open: those of the erased, and no others."""
    vault = open_vault(story["job"].vault)
    eraser = Eraser(load_policy(place / "policy.yaml"), open_ring(key_uri), vault)
    view = pa.array([json.dumps(record).encode() for record in story["before"]], pa.binary())
    opened = eraser.opened("analytics", [view], story["people"])
    assert opened.values == len(story["mine"]) and opened.opened == 0
    assert eraser.standing(story["people"]).nothing
    vault.close()
