"""A job on a cluster, seen from outside: the scrape of the real endpoint, the health command, the log files."""

import json
import re
import shutil
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import intruder
import job_material as material
import pyarrow as pa
import pytest
import sockets
import yaml
from cluster import FLINK, Cluster
from typer.testing import CliRunner
from waiting import CLIENT_S, until

from flink_masking.cli.app import app
from flink_masking.engine.plan import compile_plan
from flink_masking.engine.protect import Protect
from flink_masking.errors import JobError
from flink_masking.flink.logs import log4j_configuration
from flink_masking.flink_rest.health import RestEndpoint
from flink_masking.flink_rest.ports import cluster_warnings
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.telemetry.metrics import METRICS, SCOPE, TABLE

pytestmark = pytest.mark.flink
PROMETHEUS = {
    "metrics.reporter.prom.factory.class": "org.apache.flink.metrics.prometheus.PrometheusReporterFactory",
    "metrics.reporter.prom.filterLabelValueCharacters": "false",
}
_SAMPLE = re.compile(r"^(\w+)\{(.*?),?\} (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
LATE, MINUTES = 40, 3
"""Records that come too late, and windows that early ones, and they, fall into."""
SERVICES = 6
"""Sockets of a TaskManager that has workers, at least."""
SECRET = "4b1d-in-the-environment"


class Scrape:
    """What the endpoint of the TaskManager shows."""

    def __init__(self, text: str) -> None:
        """Read the library's own samples."""
        self.text = text
        ours = [sample for sample in _SAMPLE.findall(text) if SCOPE in sample[0]]
        self.samples = [(name, dict(_LABEL.findall(labels)), float(value)) for name, labels, value in ours]

    def value(self, metric: str, **labels: str) -> float | None:
        """The sum of a metric's samples with these labels; None where there is none."""
        name = METRICS[metric].exported
        found = [value for each, held, value in self.samples if each == name and labels.items() <= held.items()]
        return sum(found) if found else None

    def by(self, metric: str, label: str) -> dict[str, float]:
        """A metric's samples by one of its labels."""
        return {held[label]: value for name, held, value in self.samples if name == METRICS[metric].exported}


class Story(NamedTuple):
    """What was seen."""

    place: Path
    events: material.Events
    scrape: Scrape
    healthy: Any
    strict: Any
    restarts: int
    doors: set[sockets.Listening]
    artifacts: list[tuple[str, bytes]]
    warnings: list[str]
    workers: int
    of_the_job: set[str]


def _scrape(port: int) -> Scrape:
    with urllib.request.urlopen(f"http://localhost:{port}/metrics", timeout=CLIENT_S) as answer:
        return Scrape(answer.read().decode())


@pytest.fixture(scope="module")
def story(place: Path, key_uri: str, monkeypatch_module: pytest.MonkeyPatch) -> Iterator[Story]:
    """A file of events with broken ones among them, one of an hour later, which closes windows, one that comes too late."""
    monkeypatch_module.setenv("FLINK_PLUGINS_DIR", str(FLINK / "plugins"))
    monkeypatch_module.setenv("FLINK_MASKING_SECRET", SECRET)
    early, later = material.make_events(place, 2_000, 400, 3), material.make_events(place, 500, 100, 4, first=2_000, hour=11)
    late = material.make_events(place, LATE, 10, 5, first=2_500)
    (place / "raw").mkdir()
    (place / "policy.yaml").write_text(material.POLICY)
    source = {"connector": "filesystem", "path": (place / "raw").as_uri(), "source.monitor-interval": "300 ms"}
    sinks: dict[str, object] = {name: {"connector": "blackhole"} for name in material.SINKS}
    flink = {"parallelism.default": 1, "execution.checkpointing.interval": "1 s"}
    (place / "deployment.yaml").write_text(yaml.safe_dump({"source": source, "sinks": sinks, "keys": key_uri, "flink": flink}))
    port = 20_000 + hash(str(place)) % 10_000

    def give(name: str, lines: list[bytes]) -> None:
        (place / name).write_bytes(material.text(lines))
        (place / name).rename(place / "raw" / name)

    with Cluster(place / "cluster", 0, {**PROMETHEUS, "metrics.reporter.prom.port": f"{port}-{port + 50}"}) as cluster:
        for name in ("log4j.properties", "log4j-cli.properties"):
            shutil.copy(log4j_configuration(), cluster.conf / name)
        cluster.add_task_manager()
        cluster.wait("the TaskManager has registered", lambda: cluster.slots() == 1)
        port = int(re.findall(r"Started PrometheusReporter HTTP server on port (\d+)", _logged(cluster.logs / "taskmanager-2.log"))[0])
        job = cluster.submit(place / "policy.yaml", place / "deployment.yaml").job
        assert job is not None
        give("a", [*early.lines, *material.BROKEN])
        count = len(early.lines) + len(material.BROKEN)
        cluster.wait("the early ones are read", lambda: (_scrape(port).value("records_in") or 0) == count)
        give("b", later.lines)
        # The early ones' last minute is the third: its window closes with the later ones, and only then is each of the late ones late.
        cluster.wait("windows are published", lambda: (_scrape(port).value("windows_released") or 0) >= MINUTES)
        give("c", late.lines)
        settled = len(early.lines) + len(later.lines) + len(late.lines)
        cluster.wait("late ones are counted", lambda: (_scrape(port).value("records_late") or 0) >= LATE)
        cluster.wait(
            "the anonymized segment has let all go",
            lambda: (
                sum(_scrape(port).value(name, segment="partners") or 0 for name in ("records_released", "records_suppressed")) == settled
            ),
        )
        rest = f"http://localhost:{cluster.port}"
        healthy = _healthy(rest)
        strict = _strict(rest, job)
        scrape = _scrape(port)
        restarts = int(float(cluster.rest(f"/jobs/{job}/metrics?get=numRestarts")[0]["value"]))
        of_the_job = {metric["id"] for metric in cluster.rest(f"/jobs/{job}/metrics")}
        doors = {door for door in sockets.listening({cluster.task_managers[0].pid}) if door.port != port}
        artifacts = [intruder.artifact(door.port, Path(key_uri.removeprefix("file://"))) for door in doors if door.program == "java"]
        warnings = cluster_warnings(RestEndpoint(rest))
        workers = cluster.workers()
        cluster.kill_task_manager(with_workers=False)
        cluster.wait("no worker outlives its TaskManager", lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
        events = material.Events([*early.lines, *later.lines, *late.lines], early.truth | later.truth | late.truth)
        yield Story(place, events, scrape, healthy, strict, restarts, doors, artifacts, warnings, len(workers), of_the_job)


@pytest.fixture(scope="module")
def monkeypatch_module() -> Iterator[pytest.MonkeyPatch]:
    """An environment for the module's cluster."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def _health(rest: str, *options: str) -> Any:
    return CliRunner().invoke(app, ["health", "--rest", rest, *options])


def _healthy(rest: str) -> Any:
    """Health within the limits; asked again until the endpoint has the workers' metrics, which it fetches when it is asked for them."""
    asked: list[Any] = []

    def told() -> bool:
        asked.append(_health(rest, "--max-checkpoint-age", "1min", "--max-restarts", "0"))
        return f"late: {LATE:,} of " in asked[-1].output

    until("the endpoint has the workers' metrics", told)
    return asked[-1]


def _strict(rest: str, job: str) -> Any:
    """Health under limits that the job does not keep; asked again where a checkpoint completed in the very moment of the question."""
    asked: list[Any] = []

    def failed() -> bool:
        asked.append(_health(rest, "--job", job, "--max-checkpoint-age", "1ms", "--max-watermark-lag", "1min"))
        return "FAIL checkpoint" in asked[-1].output

    until("a checkpoint is older than a millisecond", failed)
    return asked[-1]


def _logged(file: Path) -> str:
    return file.read_text() if file.is_file() else ""


def test_records_in_and_out_are_counted(story):
    """Read, quarantined by reason and released are those of the input, to the record."""
    scrape, n = story.scrape, len(story.events.lines)
    assert scrape.value("records_in") == n + len(material.BROKEN)
    protect = Protect(
        compile_plan(load(PolicySource.read(story.place / "policy.yaml")), KeyRing.ephemeral()),
        lambda size: bytes(size),
        lambda: 2_000_000_000_000,
    )
    (piece,) = protect(pa.array(material.BROKEN, pa.binary()))
    assert scrape.by("records_quarantined", "reason") == piece.report.quarantined
    for segment in ("analytics", "development"):
        assert scrape.value("records_released", segment=segment) == n


def test_values_are_counted_by_segment_field_and_technique(story):
    """A technique's counter is the number of values in the good records, several a record where a field repeats."""
    truth = story.events.truth.values()
    phones = sum(len(event.get("contacts", [])) for event in truth)
    known = {
        ("analytics", "email", "partial"): sum("email" in event for event in truth),
        ("development", "card.number", "redact"): sum("card" in event for event in truth),
        ("development", "contacts[*].phone", "redact"): phones,
    }
    assert phones > 0
    for (segment, field, technique), count in known.items():
        assert story.scrape.value("field_values", segment=segment, field=field, technique=technique) == count
        assert story.scrape.value("field_values_refused", segment=segment, field=field, technique=technique) == 0


def test_groups_and_what_is_held_are_told(story):
    """Every record of the anonymized segment has left, groups have at least k records, and the loss is the mean of the released."""
    value = lambda name: story.scrape.value(name, segment="partners")  # noqa: E731
    assert value("records_open") == value("oldest_arrival_milliseconds") == value("oldest_age_milliseconds") == 0
    assert material.K <= value("group_size_min") <= value("group_size_max")
    assert value("groups_released") * value("group_size_min") <= value("records_released")
    assert value("groups_released") * value("group_size_max") >= value("records_released")
    mean = value("information_loss_millionths_sum") / value("records_released")
    assert value("information_loss_millionths") == pytest.approx(mean, abs=1)
    assert 10_000 < value("information_loss_millionths") < 900_000


def test_windows_late_records_and_epsilon_are_told(story):
    """Late records, windows and the privacy loss of each are those of the policy and the input."""
    value = lambda name: story.scrape.value(name, segment="dashboard")  # noqa: E731
    assert value("records_late") == LATE
    assert value("windows_released") >= MINUTES
    assert value("groups_released") >= 1
    assert value("epsilon_per_window_millionths") in (10_000_000, 20_000_000)
    assert 0 < value("lifetime_epsilon_left_millionths") < 1_000_000
    counted = sum(value(name) for name in ("records_released", "records_suppressed", "records_bounded", "records_late", "records_open"))
    assert counted <= len(story.events.lines)


def test_versions_and_durations_are_told(story):
    """Every instance works with key version 1 and policy version 1, and batches took time."""
    for name in ("key_version", "policy_version"):
        assert {value for each, _, value in story.scrape.samples if each == METRICS[name].exported} == {1.0}
    assert story.scrape.value("batches") >= 3
    assert story.scrape.value("batches_split") == 0
    assert 0 < story.scrape.value("batch_duration_microseconds") <= story.scrape.value("batch_duration_microseconds_sum")


def test_every_metric_of_the_table_arrives_and_no_other(story):
    """The scrape has each row of the table, with its labels, and no other; without vault, lock file and control there are none of them."""
    arrived = {name: set(labels) for name, labels, _ in story.scrape.samples}
    expected = [metric for metric in TABLE if metric.name not in ("vault_unreadable_seconds", "schemas_unlocked", "records_erased",
                                                                               "control_unreadable_seconds", "control_documents_refused")]
    assert set(arrived) == {metric.exported for metric in expected}
    for metric in expected:
        assert set(metric.labels) <= arrived[metric.exported]


def test_flink_has_the_metrics_of_the_job_that_alerts_read(story):
    """How long all tasks have been running, and checkpoints, are metrics of Flink's JobManager under these names."""
    assert {"allSubTasksRunningOrFinishedTime", "numberOfCompletedCheckpoints", "numberOfFailedCheckpoints"} <= story.of_the_job


def test_no_value_of_a_record_is_in_the_scrape(story):
    """The whole scrape, Flink's own metrics too, holds none of the personal values."""
    (story.place / "scrape").mkdir()
    (story.place / "scrape" / "metrics").write_text(story.scrape.text)
    assert material.leaked(story.place / "scrape", material.secrets(story.events.truth.values()), 400) == set()


def test_logs_are_json_without_values(story):
    """Every line is an object with time, level and message, the Python workers' too; none quotes a record, nor the environment."""
    lines = [json.loads(line) for line in _logged(story.place / "cluster" / "log" / "taskmanager-2.log").splitlines()]
    assert len(lines) > 100
    assert all({"@timestamp", "log.level", "message", "log.logger"} <= line.keys() for line in lines)
    loggers = Counter(line["log.logger"] for line in lines)
    assert any("Python" in name or name.endswith(".py") or "beam" in name.lower() for name in loggers), loggers
    logs = story.place / "logs"
    logs.mkdir()
    for number, file in enumerate((story.place / "cluster").rglob("*")):
        if file.is_file() and file.suffix in (".log", ".out"):
            shutil.copy(file, logs / f"{number}{file.suffix}")
    assert len(list(logs.iterdir())) >= 4
    assert not any(SECRET in _logged(file) for file in logs.iterdir())
    assert material.leaked(logs, material.secrets(story.events.truth.values()), 400) == set()


def test_poison_never_blocks(story):
    """Broken records, an empty one too, went to the quarantine while the job ran on without a restart."""
    assert story.restarts == 0


def test_health_of_a_running_job(story):
    """A line a check and exit 0 within the limits; exit 1 with the check that failed, by the job's id, beyond them."""
    assert story.healthy.exit_code == 0, story.healthy.output
    assert [line.split(":")[0] for line in story.healthy.output.splitlines()] == [
        "ok   job",
        "ok   tasks",
        "ok   restarts",
        "ok   checkpoint",
        "ok   back-pressure",
        "ok   records",
        "ok   late",
        "ok   keys",
        "ok   ports",
        "ok   patches",
    ]
    assert "from their own host only" in story.healthy.output
    assert f"late: {LATE:,} of " in story.healthy.output
    assert story.strict.exit_code == 1
    failed = [line for line in story.strict.output.splitlines() if line.startswith("FAIL")]
    assert [line.split(":")[0] for line in failed] == ["FAIL checkpoint", "FAIL watermark"]


def test_a_task_manager_with_workers_listens_on_loopback_only(story):
    """Where Flink's own ports are bound to loopback, those of the services for Python workers are, too, and none hands out a file."""
    assert len([door for door in story.doors if door.program == "java"]) >= SERVICES
    assert [door for door in story.doors if not door.private] == []
    codes = [code for code, _ in story.artifacts]
    assert codes.count("UNIMPLEMENTED") >= 4 and "OK" not in codes
    assert not any(body for _, body in story.artifacts)


def test_no_worker_outlives_its_task_manager(story):
    """Half a minute after a TaskManager was killed, its Python workers are gone (waited for in the story)."""
    assert story.workers >= 1


def test_a_cluster_without_tls_is_warned_of(story):
    """Who may submit jobs and who is taken for a TaskManager is told; TaskManagers that only this host reaches are not."""
    assert len(story.warnings) == 2
    assert all("Hint: " in warning for warning in story.warnings)
    assert "REST endpoint takes jobs" in story.warnings[0] and "blob server" in story.warnings[1]


def test_health_without_an_endpoint():
    """Where nobody answers it fails at once, in words."""
    result = _health("http://localhost:1")
    assert result.exit_code == 1
    assert isinstance(result.exception, JobError) and "does not answer" in str(result.exception)
