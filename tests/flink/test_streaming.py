"""One job that never ends: timers, watermarks, a worker that dies in the middle, and what its checkpoints hold."""

import contextlib
import json
import os
import re
import signal
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import job_material as material
import processes
import pytest
import yaml
from waiting import CLIENT_S, finish

from flink_masking.audit.events import broken_links
from flink_masking.flink_rest.progress import Progress, ProgressReader
from flink_masking.ports import free_ports
from flink_masking.tools.reconcile import count_lines, lines

pytestmark = pytest.mark.flink
STARTING = Progress("STARTING", 0, 0)


class Streaming:
    """A running job: a directory is watched, events are given to it step by step."""

    def __init__(self, place: Path, keys: str) -> None:
        """Write policy and deployment."""
        self.place, self.views, self.checkpoints = place, place / "views", place / "checkpoints"
        self.lines: list[bytes] = []
        self.truth: dict[int, dict[str, Any]] = {}
        (place / "raw").mkdir()
        (place / "policy.yaml").write_text(material.POLICY)
        [self.port] = free_ports(1)
        rolling = {"sink.rolling-policy.rollover-interval": "1 s", "sink.rolling-policy.check-interval": "500 ms"}  # half an hour otherwise
        sinks = {name: {"connector": "filesystem", "path": (self.views / name).as_uri(), **rolling} for name in material.SINKS}
        source = {"connector": "filesystem", "path": (place / "raw").as_uri(), "source.monitor-interval": "300 ms"}
        flink = {
            "parallelism.default": 1, "metrics.fetcher.update-interval": 200,
            "rest.port": self.port, "rest.bind-port": self.port, "io.tmp.dirs": str(place / "tmp"),
            "execution.checkpointing.interval": "1 s", "execution.checkpointing.dir": self.checkpoints.as_uri(),
            "execution.checkpointing.storage": "filesystem", "state.backend.type": "hashmap",
            "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
            "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 3, "restart-strategy.fixed-delay.delay": "1 s",
        }  # fmt: skip
        (place / "deployment.yaml").write_text(yaml.safe_dump({"source": source, "sinks": sinks, "keys": keys, "flink": flink}))

    def give(self, name: str, events: material.Events | list[bytes]) -> None:
        """Put a file into the watched directory, whole from the first moment."""
        if isinstance(events, material.Events):
            self.truth |= events.truth
            events = events.lines
        self.lines += events
        part = self.place / name
        part.write_bytes(material.text(events))
        part.rename(self.place / "raw" / name)

    def rest(self, path: str, method: str = "GET") -> Any:
        """Ask Flink."""
        request = urllib.request.Request(f"http://localhost:{self.port}{path}", method=method)
        with urllib.request.urlopen(request, timeout=CLIENT_S) as answer:
            return json.loads(answer.read() or b"null")

    def job(self) -> str:
        """The job's id."""
        return str(self.rest("/jobs")["jobs"][0]["id"])

    def restarts(self) -> int:
        """How often Flink has started the job again."""
        with contextlib.suppress(OSError, LookupError):
            return int(float(self.rest(f"/jobs/{self.job()}/metrics?get=numRestarts")[0]["value"]))
        return 0

    def masked(self) -> int:
        """Records of the masked view in finished files."""
        return count_lines(self.views / "analytics")

    def settled(self) -> int:
        """Records released or suppressed for good in the anonymized view; 0 while files of the view are missing that the audit counts."""
        counts: Counter[str] = Counter()
        for event in map(json.loads, lines(self.views / "audit")):
            counts.update({name: n for name, n in event["segments"].get("partners", {}).items() if name in ("released", "suppressed")})
        return counts.total() if count_lines(self.views / "partners") >= counts["released"] else 0

    def windows(self) -> set[str]:
        """Starts of the published windows."""
        return {row["window_start"] for row in material.records(self.views / "dashboard")}

    def written(self) -> int:
        """Lines of the views and the quarantine."""
        return sum(count_lines(self.views / name) for name in (*material.VIEWS, "quarantine"))

    def in_progress(self) -> int:
        """Bytes of the masked view that are written, finished or not."""
        return sum(f.stat().st_size for f in (self.views / "analytics").rglob("*") if f.is_file())


def _workers(group: int) -> list[int]:
    """Python workers of a process group."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            if os.getpgid(int(entry.name)) == group and b"-m\0pyflink.fn_execution.beam.beam_boot" in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return sorted(found)


@pytest.fixture(scope="module")
def story(place: Path, key_uri: str) -> Iterator[dict[str, Any]]:
    """Quiet input, later input, a dead worker, the end; what was seen at each."""
    job, seen = Streaming(place, key_uri), {}
    early = material.make_events(place, 6_000, 1_200, 3)
    cut = next(i for i, event in enumerate(early.truth.values()) if event["timestamp"] >= "2024-03-15T10:00:50")
    head = material.Events(early.lines[:cut], dict(list(early.truth.items())[:cut]))
    tail = material.Events(early.lines[cut:], dict(list(early.truth.items())[cut:]))
    late = material.make_events(place, 100_000, 5_000, 4, first=6_000, hour=11)
    arguments = ("--policy", place / "policy.yaml", "--deployment", place / "deployment.yaml", "--wait")
    job.give("a", [*head.lines, *material.BROKEN])
    job.truth |= head.truth
    with processes.started(place, *processes.FAN_OUT, *arguments) as process:
        processes.wait_for("timers release what is held", lambda: job.settled() == len(head.lines), process, job.settled)
        seen["quiet"] = {"released": material.records(job.views / "partners"), "rows": material.records(job.views / "dashboard")}
        job.give("b", tail)
        processes.wait_for("watermarks close windows", lambda: len(job.windows()) == 2, process)
        processes.wait_for("the masked view is whole", lambda: job.masked() == len(job.truth), process, job.masked)
        seen["later"] = job.windows()
        processes.wait_for("timers settle what came later", lambda: job.settled() == len(job.truth), process, job.settled)
        reader = ProgressReader(job.port, job.job())

        def agreed() -> bool:
            seen["progress"], seen["written"] = reader.read() or STARTING, job.written()
            return bool(seen["progress"].read == 6_000 + len(material.BROKEN) and seen["progress"].written == seen["written"])

        # A counter runs a little ahead of the files, which show when they are rolled; Flink collects the counters of each task by itself.
        processes.wait_for("counters and files agree", agreed, process, job.written)
        before = job.in_progress()
        job.give("c", late)
        processes.wait_for("the next file is on its way", lambda: job.in_progress() > before + 100_000, process, job.in_progress)
        workers = _workers(process.pid)
        seen["workers"] = workers
        for worker in workers[:1]:
            os.kill(worker, signal.SIGKILL)
        seen["at the kill"] = job.in_progress() - before
        processes.wait_for("Flink starts the job again", lambda: job.restarts() > 0, process)
        processes.wait_for("the masked view is whole", lambda: job.masked() >= len(job.truth), process, job.masked)
        processes.wait_for("timers settle the rest", lambda: job.settled() >= len(job.truth), process, job.settled)
        seen["restarts"] = job.restarts()
        job.rest(f"/jobs/{job.job()}?mode=cancel", "PATCH")
        seen["out"], seen["err"] = finish(process)
        seen["code"] = process.returncode
    seen["job"] = job
    yield seen


def test_timers_release_while_the_input_is_quiet(story):
    """The anonymized view releases what it holds after max_delay by processing time, without any end of input."""
    released = story["quiet"]["released"]
    assert len(released) > 0.9 * len([e for e in story["job"].truth.values() if e["timestamp"] < "2024-03-15T10:00:50"])
    assert material.small_classes(released, story["job"].truth) == []


def test_windows_close_by_watermark_only(story):
    """A window's row appears once later events have passed its end by more than the allowed disorder, and not before."""
    assert story["quiet"]["rows"] == []
    assert story["later"] == {"2024-03-15T10:00:00Z", "2024-03-15T10:01:00Z"}


def test_progress_counts_records_in_and_out(story):
    """The live counters are those of the records: lines read, and lines written to the views and the quarantine."""
    assert story["progress"] == Progress("RUNNING", 6_000 + len(material.BROKEN), story["written"])


def test_a_dead_worker_is_replaced_in_the_middle(story):
    """The worker was killed while records were on their way, and Flink started the job again."""
    assert len(story["workers"]) == 1
    assert story["restarts"] >= 1
    whole = sum(len(line) + 1 for line in lines(story["job"].views / "analytics") if json.loads(line)["order"] >= 6_000)
    assert 0 < story["at the kill"] < 0.9 * whole


def test_masked_records_leave_once_across_a_restart(story):
    """Every good record is in the masked views exactly once, and none of the broken ones."""
    for view in ("analytics", "development"):
        counts = Counter(record["order"] for record in material.records(story["job"].views / view))
        assert counts == dict.fromkeys(story["job"].truth, 1)


def test_anonymized_records_leave_once_across_a_restart(story):
    """Every good record is released once or suppressed once, under labels that are true and shared by k people."""
    job = story["job"]
    released = material.records(job.views / "partners")
    assert max(Counter(record["order"] for record in released).values()) == 1
    assert job.settled() == len(job.truth)
    assert len(job.truth) - len(released) < 0.02 * len(job.truth)
    for record in released:
        raw = job.truth[record["order"]]
        assert material.covers(record["age"], raw["age"]) and material.covers(record["zip"], raw["zip"])
    assert material.small_classes(released, job.truth) == []


def test_windows_are_published_once_across_a_restart(story):
    """No window and group is published twice."""
    rows = Counter((row["window_start"], row["zip"]) for row in material.records(story["job"].views / "dashboard"))
    assert max(rows.values()) == 1
    assert "2024-03-15T11:00:00Z" in {start for start, _ in rows}


def test_the_audit_stays_whole_across_a_restart(story):
    """With an exactly-once sink the audit counts every record once and its chains are unbroken."""
    audit = list(lines(story["job"].views / "audit"))
    assert broken_links(audit) == []
    assert sum(event["records"] for event in map(json.loads, audit) if event["event"] == "protect") == len(story["job"].lines)
    assert count_lines(story["job"].views / "quarantine") == len(material.BROKEN)


def test_checkpoints_and_logs_hold_no_clear_value(story):
    """Neither state, nor checkpoints, nor views, nor Flink's logs and temporary files hold a personal value or a released one."""
    job = story["job"]
    known = material.secrets(job.truth.values())
    (job.place / "sample").mkdir()
    (job.place / "sample" / "events").write_bytes(material.text(job.lines[:1_000]))
    assert len(material.leaked(job.place / "sample", known)) > 1_000
    checkpoints = [file for file in job.checkpoints.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in checkpoints) > 10_000
    for directory in (job.checkpoints, job.views, job.place / "log", job.place / "tmp"):
        assert material.leaked(directory, known) == set(), directory
    for file in checkpoints:  # the policy's names stand in the uid that tells the state's shape; a member of a record never does
        assert re.search(rb'"purchaseAmount" *: *-?[0-9]', file.read_bytes()) is None


def test_cancelling_ends_the_process(story):
    """A job cancelled from outside ends its process with a short message."""
    assert story["code"] == 1
    assert "Traceback" not in story["err"] and "error: the Flink job failed" in story["err"]
