"""Checks the health of a running job by Flink's REST endpoint, without Java and pyflink; the evaluation is pure."""

import http.client
import json
import re
import socket
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from flink_masking.errors import InputError, JobError
from flink_masking.patience import http_may_pass, persist
from flink_masking.telemetry.metrics import SCOPE

STUCK = 900
"""Milliseconds of a second that a source works or waits for what comes after it, from which on it is stuck if nothing leaves it."""
AGAIN_S = 2.0
"""Seconds for which a question is repeated where a leader is elected or an answer is cut off; less than a probe waits."""
_ID = re.compile(r"[0-9a-f]{32}")


class Check(NamedTuple):
    """One line of the verdict.

    Attributes:
        name: of what was checked.
        well: whether it is as it should be.
        text: what was seen.
    """

    name: str
    well: bool
    text: str


@dataclass(frozen=True)
class Limits:
    """Limits of the checks; None: reported, not checked.

    Attributes:
        checkpoint_age: ms since the last checkpoint that was completed, or since the job's start where there is none.
        restarts: of the job within `restart_window`.
        restart_window: ms until now in which restarts count.
        back_pressure: 0 to 1, part of its time that a step waits for the next.
        watermark_lag: ms between event time and now.
        late_share: 0 to 1, records that came too late for their window, of those and the counted ones of the running tasks.
    """

    checkpoint_age: int | None = None
    restarts: int | None = None
    back_pressure: float | None = None
    watermark_lag: int | None = None
    late_share: float | None = None
    restart_window: int = 900_000


@dataclass(frozen=True)
class Observed:
    """A job as its REST endpoint shows it.

    Attributes:
        name: of the job.
        state: Flink's word.
        tasks: states of all its steps.
        now: ms since 1970, by Flink's clock.
        started: when the job was.
        failures: when it failed and started again, ms since 1970, as far as Flink keeps them (16 unless configured).
        checkpoint: when the last checkpoint was completed; None where none was.
        back_pressure: largest of all steps, ms a second.
        strained: of the sources, time that they worked or waited for what comes after them.
        rate: records a second that left the sources in the last minute; Flink looks at its counters every few seconds.
        watermark: the smallest of all steps that have one, ms since 1970; None without event time.
        late: records that came too late for their window, since the tasks started.
        counted: records in windows that were closed, likewise.
    """

    name: str
    state: str
    tasks: tuple[str, ...]
    now: int
    started: int
    failures: tuple[int, ...]
    checkpoint: int | None
    back_pressure: int
    strained: int
    rate: float
    watermark: int | None
    late: int = 0
    counted: int = 0


ONE_RESTART = 30_000
"""Milliseconds within which failures are one restart: a lost TaskManager is reported once for each of its tasks."""


def restarts_of(failures: Iterable[int]) -> list[int]:
    """Start times of failure bursts: the first failure of each half minute, ms since 1970, ascending."""
    found: list[int] = []
    for time in sorted(failures):
        if not found or time - found[-1] > ONE_RESTART:
            found.append(time)
    return found


def judge(seen: Observed, limits: Limits) -> list[Check]:
    """One check after another; the job is well if all of them are."""
    checks = [Check("job", seen.state == "RUNNING", f"{seen.name} {seen.state}")]
    busy = sum(task in ("RUNNING", "FINISHED") for task in seen.tasks)
    checks.append(Check("tasks", busy == len(seen.tasks) > 0, f"{busy} of {len(seen.tasks)} steps at work"))
    restarts = sum(seen.now - time <= limits.restart_window for time in restarts_of(seen.failures))
    few = limits.restarts is None or restarts <= limits.restarts
    checks.append(Check("restarts", few, _limited(f"{restarts} in the last {limits.restart_window / 60_000:g} min", limits.restarts)))
    since = seen.now - (seen.started if seen.checkpoint is None else seen.checkpoint)
    what = "none yet, job started" if seen.checkpoint is None else "last completed"
    most = None if limits.checkpoint_age is None else f"{limits.checkpoint_age / 1000:g} s"
    checks.append(Check("checkpoint", limits.checkpoint_age is None or since <= limits.checkpoint_age,
                        _limited(f"{what} {since / 1000:.1f} s ago", most)))
    checks.append(Check("back-pressure", limits.back_pressure is None or seen.back_pressure / 1000 <= limits.back_pressure,
                        _limited(f"{seen.back_pressure / 1000:.2f}", limits.back_pressure)))
    stuck = seen.rate == 0 and seen.strained >= STUCK
    text = "no records read for a minute although input is pending" if stuck else f"{seen.rate:,.1f} read a second"
    checks.append(Check("records", not stuck, text))
    share = seen.late / max(1, seen.late + seen.counted)
    if seen.late + seen.counted or limits.late_share is not None:
        text = f"{seen.late:,} of {seen.late + seen.counted:,} records came too late for their window ({share:.2%})"
        most = None if limits.late_share is None else f"{limits.late_share:.2%}"
        checks.append(Check("late", limits.late_share is None or share <= limits.late_share, _limited(text, most)))
    if limits.watermark_lag is not None:
        lag = None if seen.watermark is None else seen.now - seen.watermark
        text = "no step has a watermark" if lag is None else f"{lag / 1000:.1f} s behind"
        near = lag is not None and lag <= limits.watermark_lag
        checks.append(Check("watermark", near, _limited(text, f"{limits.watermark_lag / 1000:g} s")))
    return checks


def _limited(text: str, most: object) -> str:
    return text if most is None else f"{text} (at most {most})"


class RestEndpoint:
    """Flink's REST endpoint."""

    def __init__(self, address: str, ca: str | None = None, certificate: str | None = None, timeout: float = 5) -> None:
        """Keep the address.

        Args:
            address: ``http://host:8081`` or https.
            ca: PEM file that the server's certificate is checked against; the system's certificates when None.
            certificate: PEM file with our certificate and its key, where the endpoint asks for one.
            timeout: seconds for each answer.

        Raises:
            InputError: no http address, or a certificate that cannot be used.
        """
        if urllib.parse.urlsplit(address).scheme not in ("http", "https"):
            raise InputError("--rest: no http address. Hint: --rest http://localhost:8081")
        self._base, self._timeout = address.rstrip("/"), timeout
        self._tls = None
        if address.startswith("https"):
            try:
                self._tls = ssl.create_default_context(cafile=ca)
                if certificate is not None:
                    self._tls.load_cert_chain(certificate)
            except OSError as error:
                raise InputError(f"--ca or --certificate: cannot be used ({error.strerror}). Hint: give PEM files") from None

    def get(self, path: str) -> Any:
        """The answer to a GET.

        Raises:
            JobError: there is none, or it is not Flink's. Where nobody answers, at once.
        """
        try:
            return persist(lambda: self._answer(path), _may_pass, AGAIN_S)
        except urllib.error.HTTPError as error:
            raise JobError(f"{self._base}: answers {error.code}. Hint: check the address and the job's id") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", error)
            told = getattr(reason, "strerror", None) or type(reason).__name__
            raise JobError(f"{self._base}: does not answer ({told}). Hint: --rest http://host:8081 of the JobManager") from None

    def _answer(self, path: str) -> Any:
        with urllib.request.urlopen(self._base + path, timeout=self._timeout, context=self._tls) as answer:
            return json.load(answer)

    def figures(self, job: str, step: str, how: str, wanted: Callable[[str], bool]) -> list[float]:
        """Metrics of a step, each over all its subtasks; one without a figure is omitted.

        Args:
            job: id.
            step: id of a vertex.
            how: ``sum``, ``min``, ``max`` or ``avg``.
            wanted: tells by its name whether a metric is asked for.

        Raises:
            JobError: there is no answer, or it is not Flink's.
        """
        path = f"/jobs/{job}/vertices/{step}/subtasks/metrics"
        names = [urllib.parse.quote(metric["id"]) for metric in self.get(path) if wanted(metric["id"])]
        found = self.get(f"{path}?get={','.join(names)}&agg={how}") if names else []
        return [float(metric[how]) for metric in found if metric[how] not in (None, "NaN")]

    def maxima(self, job: str, metric: str) -> list[float]:
        """The largest value of a metric in each operator of a job that has it.

        Args:
            job: id.
            metric: how its name ends.

        Raises:
            JobError: there is no answer, or it is not Flink's.
        """
        steps = self.get(f"/jobs/{job}")["vertices"]
        return [value for step in steps for value in self.figures(job, step["id"], "max", lambda name: name.endswith(metric))]


def _may_pass(error: Exception) -> bool:
    reason = getattr(error, "reason", error)
    return http_may_pass(error) and not isinstance(reason, ConnectionRefusedError | socket.gaierror | TimeoutError)


def observe(rest: RestEndpoint, job: str) -> Observed:
    """Read a job's state, restarts, checkpoints and metrics; `job` is its id. Raises JobError if the endpoint does not answer."""
    found = rest.get(f"/jobs/{job}")
    steps = found["vertices"]
    sources = [step for step in steps if step["name"].startswith("Source")]
    waits = {step["id"]: _metric(rest, job, step["id"], "backPressuredTimeMsPerSecond", "max") for step in steps}
    strains = [waits[step["id"]] + _metric(rest, job, step["id"], "busyTimeMsPerSecond", "max") for step in sources]
    marks = [_metric(rest, job, step["id"], "currentInputWatermark", "min") for step in steps if step not in sources]
    history = rest.get(f"/jobs/{job}/exceptions").get("exceptionHistory") or {}
    completed = (rest.get(f"/jobs/{job}/checkpoints").get("latest") or {}).get("completed")
    return Observed(
        name=found["name"], state=found["state"], tasks=tuple(step["status"] for step in steps), now=found["now"],
        started=found["start-time"], failures=tuple(entry["timestamp"] for entry in history.get("entries", [])),
        checkpoint=completed["latest_ack_timestamp"] if completed else None, back_pressure=max(waits.values(), default=0),
        strained=max(strains, default=0), rate=sum(_rate(rest, job, step["id"]) for step in sources),
        watermark=min((mark for mark in marks if mark), default=None),
        **{word: sum(_counted(rest, job, step["id"], word) for step in steps) for word in ("late", "counted")})  # fmt: skip


def find_job(rest: RestEndpoint, job: str | None) -> str:
    """The id of a job.

    Args:
        rest: Flink's REST endpoint.
        job: id or name; None for the only job that has not ended.

    Raises:
        JobError: the endpoint does not answer, or there is not exactly one such job.
    """
    if job is not None and _ID.fullmatch(job):
        return job
    ended = ("FINISHED", "CANCELED", "FAILED")
    jobs = [j for j in rest.get("/jobs/overview")["jobs"] if (j["name"] == job if job else j["state"] not in ended)]
    jobs = [j for j in jobs if j["state"] not in ended] or sorted(jobs, key=lambda j: j["start-time"])[-1:]
    if len(jobs) != 1:
        what = f"{len(jobs)} jobs" if jobs else "no job"
        named = f" named {job}" if job else " at work"
        raise JobError(f"the endpoint has {what}{named}. Hint: --job NAME or --job ID; flink list shows them")
    return str(jobs[0]["jid"])


def _metric(rest: RestEndpoint, job: str, step: str, name: str, how: str) -> int:
    found = rest.get(f"/jobs/{job}/vertices/{step}/subtasks/metrics?get={name}&agg={how}")
    value = int(found[0][how]) if found and found[0][how] not in (None, "NaN") else 0
    return 0 if abs(value) >= 1 << 62 else value  # Flink's way to say that there is no watermark yet, or none to come


def _counted(rest: RestEndpoint, job: str, step: str, word: str) -> int:
    """Records that the library has counted in a step under this word, in all of its segments."""
    return round(sum(rest.figures(job, step, "sum", lambda name: f".{SCOPE}." in name and name.endswith(f".records_{word}"))))


def _rate(rest: RestEndpoint, job: str, step: str) -> float:
    """Records a second out of the sources of a step: of the operators in it, which may be more than a source."""
    rate = "numRecordsOutPerSecond"
    of_sources = rest.figures(job, step, "sum", lambda name: name.startswith("Source") and name.endswith("." + rate))
    return float(sum(of_sources or rest.figures(job, step, "sum", lambda name: name == rate)))
