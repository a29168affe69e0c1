"""Jobs in processes of their own, each in a process group that is gone when its test is."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from waiting import Finished, finish, until

from flink_masking.java import java_home
from flink_masking.kernels import SHIPPED

CLI = ("-c", "from flink_masking.cli import main; main()")
FAN_OUT = ("-m", "jobs.fan_out")


@contextlib.contextmanager
def started(place: Path, *arguments: object, **more: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process in `place` with Flink's logs and temporary files there; the group is killed at the end.

    What it and its workers compile, beside the machine code of the installation, lies in ``kernels`` there. `more` are further environment
    variables.
    """
    logs, temporary = place / "log", place / "tmp"
    logs.mkdir(exist_ok=True)
    temporary.mkdir(exist_ok=True)
    environment = {**os.environ, "FLINK_LOG_DIR": str(logs), "JAVA_HOME": str(java_home()), "TMPDIR": str(temporary),
                   "JAVA_TOOL_OPTIONS": f"-Djava.io.tmpdir={temporary}"}
    if SHIPPED.is_dir():
        environment["NUMBA_CACHE_DIR"] = str(place / "kernels")
    environment |= more
    process = subprocess.Popen([sys.executable, *map(str, arguments)], cwd=place, env=environment, text=True, errors="replace",
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def run(place: Path, *arguments: object, **more: str) -> Finished:
    """Run a Python process to its end."""
    with started(place, *arguments, **more) as process:
        out, err = finish(process)
        return Finished(process.returncode, out, err)


def wait_for(what: str, done: Callable[[], bool], process: subprocess.Popen[str], figure: Callable[[], object] | None = None) -> None:
    """Wait until something is true of a running process.

    Raises:
        AssertionError: the process ended, or nothing moves any more: neither `figure` nor the processor time of the process's group.
    """

    def alive() -> None:
        assert process.poll() is None, f"the job ended while waiting: {what}\n{process.communicate()[1][-3000:]}"

    until(what, done, groups=lambda: [process.pid], figure=figure, alive=alive)
