"""The judgement of the health command, which is pure; the command itself is tested on a cluster."""

import dataclasses
import http.server
import threading
from collections.abc import Iterator

import pytest

from flink_masking.errors import InputError, JobError
from flink_masking.operators.health import Limits, Observed, RestEndpoint, judge, observe

WELL = Observed("events", "RUNNING", ("RUNNING", "FINISHED"), 100_000, 0, 2, 99_000, 100, 300, 5.0, 95_000)


def _failed(limits: Limits, **changes: object) -> list[str]:
    return [check.name for check in judge(dataclasses.replace(WELL, **changes), limits) if not check.well]  # type: ignore[arg-type]


def test_a_job_that_runs_is_well_without_limits():
    """Figures without a limit are told, not judged."""
    assert _failed(Limits()) == []
    assert _failed(Limits(), checkpoint=None, restarts=99, back_pressure=1_000) == []


@pytest.mark.parametrize(("changes", "name"), [
    ({"state": "RESTARTING"}, "job"),
    ({"state": "FINISHED"}, "job"),
    ({"tasks": ("RUNNING", "SCHEDULED")}, "tasks"),
    ({"tasks": ()}, "tasks"),
    ({"rate": 0.0, "strained": 950}, "records"),
])  # fmt: skip
def test_what_is_never_well(changes, name):
    """Another state than RUNNING, a step that does not work, a source that is held up while nothing moves."""
    assert _failed(Limits(), **changes) == [name]


def test_a_silent_source_is_well():
    """Nothing to read is no fault."""
    assert _failed(Limits(), rate=0.0, strained=0) == []


@pytest.mark.parametrize(("limits", "name"), [
    (Limits(checkpoint_age=1_000), None), (Limits(checkpoint_age=999), "checkpoint"),
    (Limits(restarts=2), None), (Limits(restarts=1), "restarts"),
    (Limits(back_pressure=0.1), None), (Limits(back_pressure=0.09), "back-pressure"),
    (Limits(watermark_lag=5_000), None), (Limits(watermark_lag=4_999), "watermark"),
])  # fmt: skip
def test_limits_are_the_last_good_figure(limits, name):
    """A figure at its limit is well, one beyond it is not."""
    assert _failed(limits) == ([name] if name else [])


def test_the_first_checkpoint_has_as_long_as_every_other():
    """Without any checkpoint the age counts from the job's start; without any watermark a limit of its lag fails."""
    assert _failed(Limits(checkpoint_age=100_000), checkpoint=None) == []
    assert _failed(Limits(checkpoint_age=99_999), checkpoint=None) == ["checkpoint"]
    assert _failed(Limits(watermark_lag=1), watermark=None) == ["watermark"]


@pytest.fixture
def another_server() -> Iterator[str]:
    """A server that is not Flink's: it has no page at all."""
    server = http.server.HTTPServer(("localhost", 0), http.server.BaseHTTPRequestHandler)
    server.RequestHandlerClass.log_message = lambda *_: None  # type: ignore[assignment, method-assign]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_an_endpoint_that_is_not_flinks_is_told(another_server):
    """An answer that cannot be used is one line, and so is an address that is none."""
    with pytest.raises(JobError, match="answers 501"):
        observe(RestEndpoint(another_server), None)
    with pytest.raises(InputError, match="no http address"):
        RestEndpoint("localhost:8081")
