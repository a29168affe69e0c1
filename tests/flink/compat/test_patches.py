"""The patches against the installed PyFlink, Beam and pyarrow: all fit, and each is omitted where what it replaces has changed."""

import logging
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apache_beam.version
import pyarrow as pa
import pyflink.version
import pytest
from apache_beam.runners.worker import statesampler
from apache_beam.utils.counters import CounterFactory
from pyflink import pyflink_gateway_server
from pyflink.common import Configuration, WatermarkStrategy
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.fn_execution import ResettableIO, coders
from pyflink.fn_execution.beam import beam_stream_fast
from pyflink.fn_execution.utils import operation_utils
from pyflink.table import utils

import flink_masking
from flink_masking.errors import JobError
from flink_masking.flink import compat
from flink_masking.flink.compat import beam_services, output_streams, patch, worker

pytestmark = pytest.mark.usefixtures("as_before")
ALL = {found.name for found in compat.PROTECT}


def patched() -> list[Any]:
    """Everything that a patch replaces, as it is now."""
    sampler = statesampler.StateSampler
    return [sampler.start, sampler.stop, coders.coder_impl.arrow_to_pandas, coders.coder_impl.pandas_to_arrow, pa.ipc.open_stream]


def renamed(place: Any, name: str) -> Callable[[pytest.MonkeyPatch], None]:
    """A release that has no such name."""
    return lambda monkeypatch: monkeypatch.delattr(place, name)


def changed(place: Any, name: str, to: Any) -> Callable[[pytest.MonkeyPatch], None]:
    """A release in which it is something else."""
    return lambda monkeypatch: monkeypatch.setattr(place, name, to)


def test_all_patches_fit_the_installed_releases():
    """Each is applied, and what it replaces is replaced; none is missing."""
    assert compat.apply(compat.PROTECT) == compat.Report(tuple(p.name for p in compat.PROTECT), {})
    assert [now.__module__.startswith("flink_masking.flink.compat.") for now in patched()] == [True] * 5


@pytest.mark.parametrize(("missing", "release"), [
    ("state-sampler", renamed(statesampler.StateSampler, "start")),
    ("state-sampler", renamed(statesampler, "StateSampler")),
    ("state-sampler", changed(statesampler.StateSampler, "stop", lambda self, wait: None)),
    ("output-streams", changed(beam_stream_fast, "BeamTimeBasedOutputStream", type("Stream", (), {"flush_soon": print}))),
    ("output-streams", renamed(operation_utils, "PeriodicThread")),
    ("output-streams", changed(operation_utils, "PeriodicThread", threading.Thread)),
    ("arrow-columns", renamed(coders.coder_impl, "arrow_to_pandas")),
    ("arrow-columns", changed(utils, "arrow_to_pandas", lambda timezone, batches: [])),
    ("arrow-columns", changed(coders.coder_impl, "arrow_to_pandas", lambda timezone, batches: [])),
    ("arrow-results", renamed(utils, "pandas_to_arrow")),
    ("arrow-results", changed(coders.coder_impl, "pandas_to_arrow", lambda *arguments: None)),
    ("arrow-streams", renamed(ResettableIO, "ResettableIO")),
    ("arrow-streams", changed(ResettableIO, "ResettableIO", type("Other", (), {}))),
    ("arrow-streams", changed(pa.ipc, "open_stream", lambda source, options=None, open_stream=pa.ipc.open_stream: open_stream(source))),
])  # fmt: skip
def test_a_patch_is_omitted_where_its_target_has_changed(missing, release, monkeypatch, caplog):
    """A name that is gone, another signature or another source: that patch changes nothing and is logged, the others are applied."""
    release(monkeypatch)
    before = [getattr(place, name, None) for place, name in _TARGETS[missing]]
    with caplog.at_level(logging.WARNING, "flink_masking.compat"):
        report = compat.apply(compat.PROTECT)
    assert {missing} == set(report.missing)
    assert ALL - {missing} == set(report.applied)
    assert before == [getattr(place, name, None) for place, name in _TARGETS[missing]]
    logged = [line.partition(". Without it, ")[0] for line in caplog.messages]
    assert [f"patch {missing} was not applied: {report.missing[missing]}"] == logged


_TARGETS: dict[str, list[tuple[Any, str]]] = {
    "state-sampler": [(statesampler.StateSampler, "start"), (statesampler.StateSampler, "stop")], "output-streams": [],
    "arrow-columns": [(coders.coder_impl, "arrow_to_pandas")], "arrow-results": [(coders.coder_impl, "pandas_to_arrow")],
    "arrow-streams": [(pa.ipc, "open_stream")],
}  # fmt: skip


@pytest.mark.parametrize("module", [pyflink.version, apache_beam.version, pa], ids=["PyFlink", "Beam", "pyarrow"])
def test_nothing_is_patched_on_an_unknown_release(module, monkeypatch):
    """A release that nobody has tried is used as it is, and a job is refused, because Beam's services could not be bound to the host."""
    monkeypatch.setattr(module, "__version__", "9.9.9")
    before = patched()
    report = compat.apply(compat.PROTECT)
    assert report.applied == ()
    assert ALL == set(report.missing)
    assert all("9.9.9 is not a release that the patches were tested with" in reason for reason in report.missing.values())
    assert patched() == before
    with pytest.raises(JobError, match=r"9\.9\.9 is not a release .* Hint: install the release of apache-flink"):
        beam_services.services_jar.__wrapped__()


def test_another_class_path_refuses_the_job(monkeypatch):
    """Where PyFlink puts its class path together in another way, the job is refused: its services would be open to other machines."""
    monkeypatch.setattr(pyflink_gateway_server, "construct_flink_classpath", lambda environment, jars: "")
    with pytest.raises(JobError, match=r"construct_flink_classpath|<lambda>.* Hint: install the release of apache-flink"):
        beam_services.put_on_class_path()


def test_bundles_end_without_a_sampling_thread():
    """A sampler starts, stops and starts again, known to the thread while it runs, and no thread is started for it."""
    compat.apply([compat.STATE_SAMPLER])
    sampler = statesampler.StateSampler("bundle", CounterFactory())
    for _ in range(2):
        before = _threads()
        sampler.start()
        assert statesampler.get_current_tracker() is sampler and _threads() <= before
        sampler.stop_if_still_running()
        assert statesampler.get_current_tracker() is None and sampler.finished
        sampler.reset()


class Stream:
    """An output stream that counts its ticks."""

    ticks = 0

    def notify_flush(self) -> None:
        """One tick."""
        self.ticks += 1


def test_the_ticks_of_output_streams_are_found():
    """What sends is the tick of each PyFlink output stream's own thread, and of no other; none where the patch is not applied."""
    stream = Stream()
    threads = [operation_utils.PeriodicThread(60, stream.notify_flush), operation_utils.PeriodicThread(60, lambda: None)]
    for thread in threads:
        thread.daemon = True
        thread.start()
    try:
        assert output_streams.senders() == []
        compat.apply([compat.OUTPUT_STREAMS])
        found = output_streams.senders()
        assert len(found) == 1
        found[0]()
        assert stream.ticks == 1
    finally:
        for thread in threads:
            thread.cancel()
            thread.join()


def test_a_worker_without_ticks_is_reported(monkeypatch):
    """A worker in which no stream ticks, though the classes looked as they should, reports the patch as missing."""
    monkeypatch.setenv("CONTROL_API_SERVICE_DESCRIPTOR", 'url: "localhost:1"')
    assert compat.apply([compat.OUTPUT_STREAMS]).missing == {}
    assert output_streams.senders() == []
    assert list(compat.report().missing) == ["output-streams"]


@pytest.mark.parametrize(("owner", "attribute"), [
    (DataStream, "_j_data_stream"), (StreamExecutionEnvironment, "_j_stream_execution_environment"),
    (WatermarkStrategy, "_j_watermark_strategy"), (Configuration, "_j_configuration"),
])  # fmt: skip
def test_the_java_objects_are_where_they_are_looked_for(owner, attribute):
    """PyFlink's classes keep their Java object under the name that `java_objects` reads."""
    assert f"self.{attribute} = " in patch.inspect.getsource(owner.__init__)


def test_workers_are_started_and_told_as_expected():
    """The installed PyFlink has the script that workers are known by, and its workers' environment the addresses of their services."""
    assert (Path(pyflink.__file__).parent / "bin" / worker.RUNNER.decode()).is_file()
    boot = Path(operation_utils.__file__).parents[1] / "beam" / "beam_boot.py"
    assert all(f'os.environ["{name}"] = ' in boot.read_text() for name in (worker.CONTROL, worker.LOGGING))


def test_nothing_else_reaches_into_private_parts():
    """Private attributes of PyFlink, its worker code and Beam are named in this one package only."""
    package = Path(flink_masking.__file__).parent
    private = re.compile(r"\._j_|fn_execution|(import|from) apache_beam|pyflink_gateway_server|_python_worker_execution|"
                         r"_SERVICE_DESCRIPTOR|java_utils import (?!to_jarray)")
    found = {str(file.relative_to(package)) for file in package.rglob("*.py") if private.search(file.read_text())}
    assert {name for name in found if not name.startswith("flink/compat/")} == set()


def _threads() -> set[int]:
    return {thread.ident or 0 for thread in threading.enumerate()}
