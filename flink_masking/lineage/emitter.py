"""Sends run events by the OpenLineage client, where that is configured; a job never fails or waits long because of it."""

import contextlib
import importlib.util
import logging
import os
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from flink_masking.deployment.model import Deployment
from flink_masking.errors import InputError
from flink_masking.lineage.events import NAMESPACE, EventType, JobLineage
from flink_masking.policy.load import LoadedPolicy

EXTRA = "flink-masking[openlineage]"
INTERVAL = 60.0
"""Seconds between two events RUNNING."""
_CONSOLE = "openlineage.client.transport.console"
Warn = Callable[[str], None]


class Send(Protocol):
    """Sends an event, as plain values."""

    def __call__(self, event: dict[str, Any]) -> None:
        """Send it; raises whatever goes wrong."""


class Emitter:
    """The events of one run; without somewhere to send them it does nothing."""

    def __init__(self, lineage: JobLineage, send: Send | None, warn: Warn, interval: float = INTERVAL,
                 clock: Callable[[], float] = time.monotonic) -> None:
        """Start before the job.

        Args:
            lineage: of the job.
            send: where events go; None: nowhere.
            warn: takes a line with a hint, at most once, when events cannot be sent.
            interval: seconds between two events RUNNING.
            clock: monotonic seconds.
        """
        self._lineage, self._send, self._warn, self._interval, self._clock = lineage, send, warn, interval, clock
        self._flink_job: str | None = None
        self._last = clock()
        self._warned = False

    @contextlib.contextmanager
    def run(self) -> Iterator[None]:
        """START before the body; COMPLETE or FAIL after it."""
        with self.launching():
            yield
        self.emit("COMPLETE")

    @contextlib.contextmanager
    def launching(self) -> Iterator[None]:
        """START before the body; FAIL where it fails. Who does not stay with the job cannot tell its end."""
        self.emit("START")
        try:
            yield
        except BaseException as error:
            self.emit("FAIL", _words(error))
            raise

    def submitted(self, flink_job: str) -> None:
        """The job runs: RUNNING with Flink's id of it."""
        self._flink_job = flink_job
        self.emit("RUNNING")

    def running(self) -> None:
        """RUNNING, if the last event was long enough ago."""
        if self._clock() - self._last >= self._interval:
            self.emit("RUNNING")

    def emit(self, kind: EventType, error: str | None = None) -> None:
        """Send an event; what goes wrong is a warning, without the words of the client, which may hold a login."""
        self._last = self._clock()
        if self._send is None:
            return
        try:
            self._send(self._lineage.event(kind, error=error, flink_job=self._flink_job))
        except Exception as failure:
            if not self._warned:
                self._warned = True
                self._warn(f"lineage events cannot be sent ({type(failure).__name__}); the job goes on without. Hint: check the transport "
                           "in openlineage.yml or the variables OPENLINEAGE__TRANSPORT__…")


def _words(error: BaseException) -> str:
    """The kind of an error; its text may quote a record."""
    return f"{type(error).__name__}: the job failed; its log tells why"


def emitter(loaded: LoadedPolicy, deployment: Deployment | None, warn: Warn, streaming: bool = True) -> Emitter:
    """The emitter of a new run, by the client's own configuration.

    Args:
        loaded: the policy.
        deployment: of the job.
        warn: takes warnings.
        streaming: the input does not end.
    """
    namespace = os.environ.get("OPENLINEAGE_NAMESPACE") or NAMESPACE
    lineage = JobLineage(loaded, deployment, str(uuid.uuid4()), namespace, streaming)
    if not configured(os.environ):
        return Emitter(lineage, None, warn)
    try:
        return Emitter(lineage, client(), warn)
    except InputError as error:
        warn(str(error))
    except Exception as error:  # the client's own, which may quote its configuration
        warn(f"the OpenLineage client cannot be configured ({type(error).__name__}); no lineage events are sent. Hint: check "
             "openlineage.yml and the variables OPENLINEAGE_…")
    return Emitter(lineage, None, warn)


def configured(environment: Mapping[str, str]) -> bool:
    """Whether the client is told where to send events: by variables, or by openlineage.yml here or in ~/.openlineage."""
    if environment.get("OPENLINEAGE_DISABLED", "").strip().lower() == "true":
        return False
    if any(name in ("OPENLINEAGE_URL", "OPENLINEAGE_CONFIG") or name.startswith("OPENLINEAGE__TRANSPORT") for name in environment):
        return True
    places = [Path("openlineage.yml"), Path(environment.get("HOME") or "/nonexistent") / ".openlineage" / "openlineage.yml"]
    return any(place.is_file() for place in places)


def client() -> Send:
    """Sends events by the OpenLineage client; those of the console transport appear on stderr.

    Raises:
        InputError: the client is not installed.
    """
    if importlib.util.find_spec("openlineage") is None:
        raise InputError("OpenLineage is configured, and its client is not installed; no lineage events are sent. Hint: pip install "
                         f"'{EXTRA}'")
    from openlineage.client import OpenLineageClient
    from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState

    sender = OpenLineageClient()
    log = logging.getLogger(_CONSOLE)
    if sender.transport.kind == "console" and not log.handlers:
        log.addHandler(logging.StreamHandler(sys.stderr))
        log.setLevel(logging.INFO)
        log.propagate = False

    def send(event: dict[str, Any]) -> None:
        inputs = [InputDataset(one["namespace"], one["name"], facets=one["facets"]) for one in event["inputs"]]
        outputs = [OutputDataset(one["namespace"], one["name"], facets=one["facets"]) for one in event["outputs"]]
        job = Job(event["job"]["namespace"], event["job"]["name"], event["job"]["facets"])
        sender.emit(RunEvent(eventTime=event["eventTime"], run=Run(event["run"]["runId"], event["run"]["facets"]), job=job,
                             eventType=RunState(event["eventType"]), inputs=inputs, outputs=outputs, producer=event["producer"]))

    return send
