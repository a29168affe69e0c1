"""Runs the main job on an embedded mini-cluster: files in, a directory per view out, record counts reconciled at the end."""

import os
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from flink_masking.deployment.model import Deployment, Options
from flink_masking.engine.plan import Plan
from flink_masking.errors import JobError
from flink_masking.flink.compat.beam_services import put_on_class_path
from flink_masking.flink.java_start import JavaStart, options
from flink_masking.flink.java_start import settings as input_settings
from flink_masking.flink.job_source import JobSource
from flink_masking.flink.local_rest import LocalRest
from flink_masking.flink.open_ports import open_ports
from flink_masking.flink_rest.progress import STARTING, Progress, ProgressReader
from flink_masking.java import java_home
from flink_masking.ports import free_ports
from flink_masking.tools.reconcile import Summary, summarize


def local_deployment(plan: Plan, keys: str, input_path: Path, output: Path) -> Deployment:
    """Files on this machine: one directory a view under `output`."""
    names = [*(s.name for s in plan.masked), *(s.name for s in plan.stateful), "audit", "quarantine"]
    sinks: dict[str, Options] = {name: {"connector": "filesystem", "path": (output / name).resolve().as_uri()} for name in names}
    return Deployment(source={"connector": "filesystem", "path": input_path.resolve().as_uri()}, sinks=sinks, keys=keys)


def run_local(source: JobSource, plan: Plan, input_path: Path, output: Path, parallelism: int,
              report: Callable[[Progress], None], settings: Mapping[str, str] | None = None) -> Summary:
    """Run the main job to its end.

    Args:
        source: what the functions carry to the workers.
        plan: the same, compiled here.
        input_path: a file of JSON lines, or a directory of such files.
        output: an empty directory.
        parallelism: number of parallel instances of each operator.
        report: called about twice a second with the job's progress.
        settings: further Flink settings; none of them opens the embedded cluster to others.

    Returns:
        The summary, as written to ``summary.json``.

    Raises:
        JobError: Java is missing, the job failed or opened ports to other machines, or input and output do not add up.
    """
    os.environ["JAVA_HOME"] = str(java_home())
    logs = log_directory()
    logs.mkdir(parents=True, exist_ok=True)
    os.environ["FLINK_LOG_DIR"] = str(logs)
    report(Progress(STARTING, 0, 0))
    put_on_class_path()
    java = JavaStart(options(input_path))
    try:
        from pyflink.datastream import StreamExecutionEnvironment
        from pyflink.table import StreamTableEnvironment

        from flink_masking.flink.compat.java_objects import use_worker_processes
        from flink_masking.flink.launch import SOURCE_UID, launch
        from flink_masking.flink.pipeline import build, sink_order
        from flink_masking.flink.settings import EMBEDDED, LOCAL, configuration
    finally:
        java.wait()
    use_worker_processes()
    deployment = local_deployment(plan, source.keys, input_path, output)
    for name in deployment.sinks:  # Flink makes no directory for a view without records
        (output / name).mkdir(exist_ok=True)
    with LocalRest(*free_ports(1)) as rest:
        layers = {"parallelism.default": str(parallelism), **input_settings(input_path), **(settings or {}), **EMBEDDED, **rest.settings()}
        environment = StreamExecutionEnvironment.get_execution_environment(configuration(LOCAL, layers))
        tables = StreamTableEnvironment.create(environment)
        try:
            statements = build(tables, source, plan, deployment, bounded=True)
            client = launch(environment, statements, sink_order(plan), plan.policy.stream, SOURCE_UID)
            reader = ProgressReader(rest.port, str(client.get_job_id()), rest.context())
            done = client.get_job_execution_result()
            opened: set[int] = set()
            while not done.done():
                # One look may see a port that somebody tries out.
                if lasting := opened & (opened := set(open_ports(os.getpid()))):
                    client.cancel().result()
                    raise JobError(_OPEN.format(", ".join(map(str, sorted(lasting)))))
                report(reader.read() or Progress(STARTING, 0, 0))
                looked = time.monotonic()
                while not done.done() and time.monotonic() < looked + _LOOK:
                    time.sleep(0.05)
            done.result()
        except JobError:
            raise
        except Exception as error:
            hint = f"Hint: see Flink's log under {logs}"
            raise JobError(f"the Flink job failed: {cause(error)}. {hint}") from None
    return summarize(plan, output)


_LOOK = 0.5
"""Seconds between two looks at a running job."""
_OPEN = ("the job was ended: its processes took connections from other machines at port {}. Hint: a metric reporter or a debugger in "
         "Flink's configuration opens ports, too; bind it to 127.0.0.1 or leave it out (FLINK_CONF_DIR, JVM_ARGS, JAVA_TOOL_OPTIONS)")


def log_directory() -> Path:
    """Where Flink on this machine writes its logs; the package's own folder, Flink's default, may be read-only."""
    if "FLINK_LOG_DIR" in os.environ:
        return Path(os.environ["FLINK_LOG_DIR"])
    base = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return Path(base) / "flink-masking" / "log"


_RAISED = re.compile(r"(?!java\.|org\.|py4j\.)([A-Za-z_][\w.]*(?:Error|Exception|Faults)): ")
_SPOKEN = ("flink_masking.", "ImportError", "ModuleNotFoundError")
"""Python exceptions whose text is shown; that of others may quote a record."""


def cause(error: BaseException) -> str:
    """The last cause in a Java or Python error chain, on one line."""
    lines = [line.strip().removeprefix(": ") for line in str(error).splitlines() if line.strip()]
    python = [(line, raised[1]) for line in lines if (raised := _RAISED.match(line))]
    if spoken := [line for line, kind in python if kind.startswith(_SPOKEN)]:
        return spoken[-1][:300]
    if python:
        return f"a Python worker raised {python[-1][1]}"
    if causes := [line.removeprefix("Caused by:").strip() for line in lines if line.startswith("Caused by:")]:
        return causes[-1][:300]
    words = [line for line in lines if not line.startswith(("at ", "An error occurred while calling"))]
    return (words or [type(error).__name__])[0][:300]
