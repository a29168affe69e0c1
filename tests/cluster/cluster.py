"""A standalone Flink cluster of processes on this machine: one JobManager, TaskManagers that can be killed and replaced, `flink run`.

Every process has a group of its own, and all of them are gone when the cluster is closed. Configuration, logs, temporary files and
checkpoints lie below one directory.
"""

import contextlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

import pyflink
import yaml
from waiting import CLIENT_S, PATIENCE, until
from waiting import run as run_program

import jobs.fan_out
from flink_masking.java import java_home
from flink_masking.ports import free_ports

FLINK = Path(pyflink.__file__).parent
WORKER = b"-m\0pyflink.fn_execution.beam.beam_boot"
ENDED = ("FINISHED", "FAILED", "CANCELED", "SUSPENDED")
MEMORY = {
    # What bin/taskmanager.sh would reckon out in a Java virtual machine of its own, which costs seconds at every kill.
    "taskmanager.cpu.cores": 1, "taskmanager.memory.framework.heap.size": "128m", "taskmanager.memory.task.heap.size": "384m",
    "taskmanager.memory.framework.off-heap.size": "128m", "taskmanager.memory.task.off-heap.size": "64m",
    "taskmanager.memory.network.min": "64m", "taskmanager.memory.network.max": "64m", "taskmanager.memory.managed.size": "256m",
    "taskmanager.memory.jvm-metaspace.size": "256m", "taskmanager.memory.jvm-overhead.min": "192m",
    "taskmanager.memory.jvm-overhead.max": "192m",
}  # fmt: skip


class Submitted(NamedTuple):
    """What ``flink run`` said.

    Attributes:
        job: the job's id; None where it was not accepted.
        code: exit code.
        text: everything it printed.
    """

    job: str | None
    code: int
    text: str


class Cluster:
    """One JobManager and any number of TaskManagers, each with one slot."""

    TASK_MANAGER: tuple[str, ...] = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xms512m", "-Xmx512m",
                                     "-XX:MaxDirectMemorySize=256m", "-XX:MaxMetaspaceSize=256m")  # fmt: skip
    """Options of a TaskManager's Java virtual machine: it starts quickly and takes little."""

    def __init__(self, place: Path, task_managers: int = 1, settings: Mapping[str, object] | None = None,
                 bare: bool = False, libraries: Iterable[Path] = ()) -> None:
        """Write the configuration and start the processes.

        Args:
            place: a directory, made if need be.
            task_managers: how many to start with.
            settings: Flink settings on top of those of this class.
            bare: the TaskManagers see neither this process's PYTHONPATH nor its virtual environment.
            libraries: jars on the processes' own class path, beside those of Flink's ``lib``.
        """
        self.place, self.logs, self.conf = place, place / "log", place / "conf"
        for directory in (self.logs, self.conf, place / "tmp", place / "checkpoints", place / "savepoints"):
            directory.mkdir(parents=True, exist_ok=True)
        rpc, blob, self.port = free_ports(3)
        packaged = yaml.safe_load((FLINK / "conf" / "config.yaml").read_text())
        self._java = [str(java_home() / "bin" / "java"), *packaged["env"]["java"]["opts"]["all"].split()]
        # A process that was killed is noticed by its connection; on a busy machine one that lives may be silent for long.
        heartbeat = {"heartbeat.interval": 1_000, "heartbeat.timeout": 180_000, "heartbeat.rpc-failure-threshold": 1,
                     "pekko.ask.timeout": "2 min", "client.timeout": "10 min", "rest.connection-timeout": 600_000}
        self.settings: dict[str, object] = {
            "jobmanager.rpc.address": "localhost", "jobmanager.rpc.port": rpc, "jobmanager.bind-host": "localhost",
            "blob.server.port": blob,
            "rest.address": "localhost", "rest.bind-address": "localhost", "rest.port": self.port, "rest.bind-port": self.port,
            "taskmanager.host": "localhost", "taskmanager.bind-host": "localhost", "taskmanager.numberOfTaskSlots": 1,
            "io.tmp.dirs": str(place / "tmp"), "execution.checkpointing.dir": (place / "checkpoints").as_uri(),
            "execution.checkpointing.savepoint-dir": (place / "savepoints").as_uri(), "execution.checkpointing.storage": "filesystem",
            "jobmanager.execution.failover-strategy": "full", "metrics.fetcher.update-interval": 500,
            "env.java.opts.all": packaged["env"]["java"]["opts"]["all"], "env.java.opts.client": "-XX:TieredStopAtLevel=1",
            **heartbeat, **MEMORY, **(settings or {}),
        }  # fmt: skip
        (self.conf / "config.yaml").write_text("".join(f"{name}: {json.dumps(value)}\n" for name, value in self.settings.items()))
        for name in ("log4j.properties", "log4j-console.properties", "log4j-cli.properties"):
            shutil.copy(FLINK / "conf" / name, self.conf / name)
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "_python_worker_execution_mode"},
            "FLINK_HOME": str(FLINK), "FLINK_CONF_DIR": str(self.conf), "FLINK_LOG_DIR": str(self.logs), "JAVA_HOME": str(java_home()),
            "TMPDIR": str(place / "tmp"), "JVM_ARGS": f"-Djava.io.tmpdir={place / 'tmp'}",
        }  # fmt: skip
        self.bare, self._class_path = bare, ":".join([f"{FLINK / 'lib'}/*", *map(str, libraries)])
        self.started = 0
        self.processes: list[subprocess.Popen[bytes]] = []
        self.task_managers: list[subprocess.Popen[bytes]] = []
        try:
            self._start("jobmanager", "runtime.entrypoint.StandaloneSessionClusterEntrypoint", "-Xmx512m")
            for _ in range(task_managers):
                self.add_task_manager()
            self.wait("all TaskManagers have registered", lambda: self.slots() >= task_managers)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every process."""
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _start(self, name: str, entry: str, *options: str) -> subprocess.Popen[bytes]:
        self.started += 1
        stem = f"{name}-{self.started}"
        command = [*self._java, *options, f"-Dlog.file={self.logs / stem}.log", f"-Djava.io.tmpdir={self.place / 'tmp'}",
                   f"-Dlog4j.configurationFile=file:{self.conf / 'log4j.properties'}", "-cp", self._class_path,
                   f"org.apache.flink.{entry}", "--configDir", str(self.conf)]
        hidden = ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME") if self.bare else ()
        environment = {name: value for name, value in self.environment.items() if name not in hidden}
        with (self.logs / f"{stem}.out").open("wb") as out:
            process = subprocess.Popen(command, env=environment, cwd=self.place, stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=subprocess.STDOUT, start_new_session=True)
        self.processes.append(process)
        return process

    def add_task_manager(self) -> None:
        """Start one more TaskManager; it registers by itself."""
        self.task_managers.append(self._start("taskmanager", "runtime.taskexecutor.TaskManagerRunner", *self.TASK_MANAGER))

    def replace_ended(self) -> int:
        """Start a TaskManager for each that has ended by itself, as whoever supervises a cluster does; returns their number."""
        ended = [process for process in self.task_managers if process.poll() is not None]
        for process in ended:
            self.task_managers.remove(process)
            self.add_task_manager()
        return len(ended)

    def kill_task_manager(self, index: int = 0, with_workers: bool = True) -> None:
        """SIGKILL for a TaskManager.

        Args:
            index: which of them.
            with_workers: its Python workers, too, as when a machine goes; else they are left to find out.
        """
        process = self.task_managers.pop(index)
        if with_workers:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()

    def workers(self, index: int | None = None) -> list[int]:
        """Process ids of the Python workers of one TaskManager, or of all that live."""
        groups = {process.pid for process in (self.task_managers if index is None else [self.task_managers[index]])}
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                if os.getpgid(int(entry.name)) in groups and WORKER in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
        return sorted(found)

    def rest(self, path: str, method: str = "GET", body: object = None) -> Any:
        """Ask the JobManager.

        Raises:
            urllib.error.HTTPError: it refuses; OSError: it does not answer.
        """
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://localhost:{self.port}{path}", data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=CLIENT_S) as answer:
            return json.loads(answer.read() or b"null")

    def slots(self) -> int:
        """Slots that are registered; 0 while the JobManager does not answer."""
        try:
            return int(self.rest("/overview")["slots-total"])
        except (OSError, ValueError, KeyError):
            return 0

    def wait(self, what: str, done: Callable[[], bool], figure: Callable[[], object] | None = None, patience: float = PATIENCE) -> None:
        """Wait until something is true.

        Args:
            what: what is waited for, in the error's words.
            done: whether it is true; an answer of the JobManager that does not come in time is none.
            figure: anything that changes as the work goes on, besides the states of the tasks.
            patience: unloaded seconds without movement.

        Raises:
            AssertionError: the JobManager ended, or nothing moves any more: neither `figure`, nor the tasks, nor processor time.
        """

        def alive() -> None:
            assert self.processes[0].poll() is None, f"the JobManager ended while waiting: {what}"

        def certain() -> bool:
            try:
                return done()
            except TimeoutError:
                return False

        until(what, certain, groups=self.groups, figure=lambda: (self.tasks(), figure() if figure else None), alive=alive,
              patience=patience)

    def groups(self) -> list[int]:
        """The process groups of the cluster."""
        return [process.pid for process in self.processes]

    def tasks(self) -> object:
        """How many tasks are in each state; it changes while jobs start, restart and end."""
        with contextlib.suppress(OSError, LookupError, ValueError):
            return [sorted(job["tasks"].items()) for job in self.rest("/jobs/overview")["jobs"]]
        return None

    def submit(self, policy: Path, deployment: Path, *, run: tuple[object, ...] = (), arguments: tuple[object, ...] = (),
               python: Path | str = sys.executable, program: Path | None = None, first: str = "--policy") -> Submitted:
        """Submit the main job, or another program with the same options, with the package's own ``flink run``, detached.

        Args:
            policy: the policy's file.
            deployment: the deployment's file.
            run: options of ``flink run``.
            arguments: further arguments of the job.
            python: interpreter of the workers.
            program: what to submit; the main job unless given.
            first: the option that names the first file; the alert job has ``--rules``.
        """
        command = [str(FLINK / "bin" / "flink"), "run", "-d", "-m", f"localhost:{self.port}", "-pyclientexec", sys.executable,
                   "-pyexec", str(python), *map(str, run), "-py", str(program or jobs.fan_out.__file__), first,
                   str(policy), "--deployment", str(deployment), *map(str, arguments)]
        done = run_program(command, env=self.environment, cwd=self.place, stderr=subprocess.STDOUT, figure=self.tasks)
        found = re.search(r"JobID ([0-9a-f]{32})", done.out)
        return Submitted(found[1] if found and not done.code else None, done.code, done.out)

    def state(self, job: str) -> str:
        """The job's state, in Flink's word."""
        return str(self.rest(f"/jobs/{job}")["state"])

    def running(self, job: str) -> bool:
        """Whether every task of the job runs."""
        with contextlib.suppress(OSError, KeyError):
            vertices = self.rest(f"/jobs/{job}")["vertices"]
            return bool(vertices) and all(vertex["status"] in ("RUNNING", "FINISHED") for vertex in vertices)
        return False

    def checkpoints(self, job: str) -> int:
        """Number of checkpoints that the job has completed."""
        return int(self.rest(f"/jobs/{job}/checkpoints")["counts"]["completed"])

    def failure(self, job: str) -> str:
        """The newest failure of a job with its whole story; empty where there was none."""
        entries = self.rest(f"/jobs/{job}/exceptions?maxExceptions=1")["exceptionHistory"]["entries"]
        return str(entries[0]["stacktrace"]) if entries else ""

    def savepoint(self, job: str, *, stop: bool, drain: bool = False) -> str:
        """Take a savepoint, in Flink's canonical format; returns its address.

        Args:
            job: the job's id.
            stop: end the job with it; its windows and buffers stay open in the savepoint.
            drain: close windows and empty buffers first, for a job that is not to go on.
        """
        path, body = ("stop", {"drain": drain}) if stop else ("savepoints", {"cancel-job": False})
        answer: dict[str, Any] = {}
        for _ in range(5):  # one that fails, for time or for a task that was lost, leaves a job that goes on
            trigger = self.rest(f"/jobs/{job}/{path}", "POST", body)["request-id"]

            def complete(trigger: str = trigger) -> bool:
                answer.update(self.rest(f"/jobs/{job}/savepoints/{trigger}"))
                return bool(answer["status"]["id"] == "COMPLETED")

            self.wait("the savepoint is complete", complete)
            if "location" in answer["operation"]:
                break
            before = self.checkpoints(job)
            self.wait("the job goes on", lambda before=before: self.checkpoints(job) > before)
        assert "location" in answer["operation"], str(answer["operation"])[:2_000]
        if stop:
            self.wait("the job has stopped", lambda: self.state(job) in ENDED)
        return str(answer["operation"]["location"])

    def limit_file_size(self, size: int | None) -> None:
        """Let no process of a TaskManager make a file larger than `size` bytes, as if the disk were full; None: no limit any more."""
        def limit(pid: int) -> None:
            with contextlib.suppress(ProcessLookupError):  # it has ended by itself
                hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if size is None else size, hard))

        for process in self.task_managers:
            limit(process.pid)
        for pid in self.workers():  # looked for last: those that start from now on inherit the limit
            limit(pid)

    def restarts(self, job: str) -> int:
        """How often Flink has started the job again."""
        with contextlib.suppress(OSError, LookupError):
            return int(float(self.rest(f"/jobs/{job}/metrics?get=numRestarts")[0]["value"]))
        return 0

    def restored(self, job: str) -> int:
        """How often the job has gone on from a checkpoint or savepoint; unlike `restarts` it is no metric, which comes when it comes."""
        with contextlib.suppress(OSError, LookupError):
            return int(self.rest(f"/jobs/{job}/checkpoints")["counts"]["restored"])
        return 0

    def cancel(self, job: str) -> None:
        """Cancel a job and wait for its end."""
        with contextlib.suppress(urllib.error.HTTPError):
            self.rest(f"/jobs/{job}?mode=cancel", "PATCH")
        self.wait("the job is cancelled", lambda: self.state(job) in ENDED)
