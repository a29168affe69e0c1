"""What `health` tells of key ring and vault, over REST answers as Flink gives them."""

import http.server
import json
import threading
from urllib.parse import unquote

import pytest

from flink_masking.flink_rest.health import RestEndpoint
from flink_masking.flink_rest.key_checks import keys_check

JOB = "0" * 32
NOW = 1_800_000_000_000
TRACE = ("org.apache.flink.runtime.taskmanager.AsynchronousException\nCaused by: java.lang.RuntimeException: Error received from SDK "
         "harness: Traceback (most recent call last):\n  File \"protect.py\"\nflink_masking.errors.{}: SECRET\n\tat java.base/Thread.run")


@pytest.fixture
def flink():
    """Flink's endpoint: figures by step and metric, failures as (age in ms, trace)."""
    figures, failures = {}, []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            path, _, query = unquote(self.path).partition("?")
            if path == f"/jobs/{JOB}":
                answer = {"now": NOW, "vertices": [{"id": step} for step in ("a", "b")]}
            elif path.endswith("/exceptions"):
                answer = {"exceptionHistory": {"entries": [{"exceptionName": "java.lang.RuntimeException", "stacktrace": trace,
                                                            "timestamp": NOW - age} for age, trace in failures]}}
            else:
                mine = figures.get(path.split("/")[4], {})
                wanted = query.partition("get=")[2].partition("&")[0].split(",")
                answer = [{"id": name, "max": mine[name]} for name in wanted if name in mine] if query else [{"id": name} for name in mine]
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("localhost", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield RestEndpoint(f"http://localhost:{server.server_port}"), figures, failures
    server.shutdown()
    server.server_close()


def test_readable_keys_are_well(flink):
    """Without a figure, and with one of 0, nothing is wrong."""
    rest, figures, _ = flink
    assert keys_check(rest, JOB) == ("keys", True, "readable")
    figures["a"] = {"PythonCalc.flink_masking.keys_unreadable_seconds": "0.0", "PythonCalc.flink_masking.batches": "7.0"}
    assert keys_check(rest, JOB) == ("keys", True, "readable")


@pytest.mark.parametrize(("name", "seconds", "limit", "well"), [
    ("keys", "31.0", 300_000, True), ("keys", "300.0", 300_000, True), ("keys", "301.0", 300_000, False), ("keys", "31.0", 30_000, False),
    ("vault", "12.0", 10_000, False), ("vault", "12.0", 300_000, True), ("vault", "NaN", 1_000, True),
])
def test_the_longest_of_all_workers_counts(flink, name, seconds, limit, well):
    """The largest figure of all steps is told, and is well up to the limit."""
    rest, figures, _ = flink
    figures["a"] = {f"PythonCalc.flink_masking.{name}_unreadable_seconds": "1.0"}
    figures["b"] = {f"KeyedProcess.flink_masking.{name}_unreadable_seconds": seconds}
    found = keys_check(rest, JOB, limit)
    assert found.well == well
    assert seconds == "NaN" or f"{'key ring' if name == 'keys' else 'token vault'} could not be read for {seconds[:-2]} s" in found.text


@pytest.mark.parametrize(("failures", "said"), [
    ([(90_000, TRACE.format("VaultError"))], "the job failed because of its token vault 90 s ago"),
    ([(90_000, TRACE.format("KeyRingError")), (200_000, "java.io.IOException")], "the job failed because of its key ring 90 s ago"),
    ([(90_000, TRACE.format("VaultUnavailableError"))], "the job failed because of its token vault 90 s ago"),
    ([(90_000, TRACE.format("KeyRingUnavailableError"))], "the job failed because of its key ring 90 s ago"),
    ([(90_000, "java.io.IOException"), (200_000, TRACE.format("KeyRingError"))], None),
    ([(300_001, TRACE.format("KeyRingError"))], None),
])
def test_a_job_that_failed_for_its_keys_is_not_well(flink, failures, said):
    """The last failure counts for as long as the limit, where a key ring or vault was its cause; its text is not shown."""
    rest, _, found = flink
    found += failures
    check = keys_check(rest, JOB)
    assert check.well == (said is None) and "SECRET" not in check.text and (said or "readable") in check.text
