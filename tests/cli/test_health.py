"""The judgement of the health command, which is pure; the command itself is tested on a cluster."""

import dataclasses
import http.server
import threading
from collections.abc import Iterator

import pytest
from answering import CUT, RESET, answering

from flink_masking.errors import InputError, JobError
from flink_masking.flink_rest.health import Limits, Observed, RestEndpoint, find_job, judge, restarts_of

WELL = Observed("events", "RUNNING", ("RUNNING", "FINISHED"), 100_000, 0, (10_000, 50_000), 99_000, 100, 300, 5.0, 95_000, 1, 99)


def _failed(limits: Limits, **changes: object) -> list[str]:
    return [check.name for check in judge(dataclasses.replace(WELL, **changes), limits) if not check.well]  # type: ignore[arg-type]


def test_a_job_that_runs_is_well_without_limits():
    """Figures without a limit are told, not judged."""
    assert _failed(Limits()) == []
    assert _failed(Limits(), checkpoint=None, failures=(1, 2), back_pressure=1_000) == []


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
    (Limits(restarts=1, restart_window=50_000), None), (Limits(restarts=1, restart_window=90_000), "restarts"),
    (Limits(late_share=0.01), None), (Limits(late_share=0.009), "late"),
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
        find_job(RestEndpoint(another_server), None)
    with pytest.raises(InputError, match="no http address"):
        RestEndpoint("localhost:8081")


def test_an_election_or_an_answer_that_is_cut_off_is_no_verdict(monkeypatch):
    """While a JobManager is elected Flink answers 503: the question is repeated for two seconds; what is not there is asked for once."""
    whole = b'{"jobs": [{"jid": "a1", "name": "n", "state": "RUNNING", "start-time": 0}]}'
    with answering(whole, [503, RESET, (CUT, whole)]) as server:
        assert find_job(RestEndpoint(server.url), "n") == "a1" and len(server.asked) == 4
    monkeypatch.setattr("flink_masking.flink_rest.health.AGAIN_S", 0.2)
    for answer, told in ((503, "answers 503"), ((CUT, whole), r"does not answer \(IncompleteRead\)")):
        with answering(answer) as server, pytest.raises(JobError, match=told):
            RestEndpoint(server.url).get("/jobs/overview")
    with answering(404) as server:
        with pytest.raises(JobError, match="answers 404"):
            RestEndpoint(server.url).get("/jobs/overview")
        assert len(server.asked) == 1


def test_a_lost_task_manager_is_one_restart():
    """Failures of half a minute are one, however many tasks tell of it; a loop that fails every second is as many as half minutes."""
    assert [1_000, 50_000] == restarts_of([1_000, 1_200, 9_000, 31_000, 50_000, 50_001])
    assert 10 == len(restarts_of(range(0, 300_000, 1_000)))
    assert _failed(Limits(restarts=1), failures=(90_000, 90_100, 91_000, 95_000)) == []


def test_the_share_of_late_records_is_told():
    """Of the records that windows have seen; a job without windows has no such line."""
    [text] = [check.text for check in judge(WELL, Limits()) if check.name == "late"]
    assert "1 of 100 records came too late for their window (1.00%)" == text
    assert "late" not in [check.name for check in judge(dataclasses.replace(WELL, late=0, counted=0), Limits())]
