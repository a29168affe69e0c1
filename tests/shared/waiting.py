"""Waits that end when nothing moves any more, not when a clock runs out: the slower the machine, the longer they may take.

A wait watches the processor time of process groups and a figure of the test's own (records, checkpoints, bytes of a log). It gives up when
neither has moved for `PATIENCE`, in seconds of a machine without other load: on one with twenty runnable processes for two processors a
second counts a tenth.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

PATIENCE = 300.0
"""Unloaded seconds without movement after which a wait fails."""
CLIENT_S = 600
"""Seconds for an answer from a service of the test's own, where a client library wants a limit: it comes as soon as there is one."""
LIMIT = 600.0
"""Unloaded seconds after which a wait fails though something moves: a job that starts again and again moves for ever."""
_WORK, _WITHIN = 20.0, 60.0
"""Processor seconds within so many unloaded seconds count as movement; an idle cluster that takes a checkpoint a second uses less."""
_TICKS = os.sysconf("SC_CLK_TCK")


class Finished(NamedTuple):
    """What a process left."""

    code: int
    out: str
    err: str


def load() -> float:
    """How many times slower than alone a process runs now: runnable threads per processor, 1 at least."""
    try:
        running = int(Path("/proc/loadavg").read_text().split()[3].partition("/")[0])
    except (OSError, ValueError, IndexError):
        return 1.0
    return max(1.0, running / len(os.sched_getaffinity(0)))


def stretched(seconds: float) -> float:
    """A time limit that a product under test is given as a setting, lengthened by the present load of the machine."""
    return seconds * max(load() for _ in range(5) if time.sleep(0.02) is None)


def processor_seconds(groups: Iterable[int]) -> float:
    """Processor time of all processes of some process groups, and of their children that have ended."""
    wanted, ticks = set(groups), 0
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            if entry.name.isdigit() and os.getpgid(int(entry.name)) in wanted:
                ticks += sum(map(int, (entry / "stat").read_text().rpartition(")")[2].split()[11:15]))
    return ticks / _TICKS


class Watch:
    """Fails once nothing has moved for too long; ask it again and again."""

    def __init__(self, what: str, groups: Callable[[], Iterable[int]], figure: Callable[[], object] | None = None,
                 patience: float = PATIENCE) -> None:
        """Begin to watch.

        Args:
            what: what is waited for, in the error's words.
            groups: process groups whose processor time counts.
            figure: anything that changes as the work goes on; an OSError or a LookupError of it is no change.
            patience: unloaded seconds without movement.
        """
        self._what, self._groups, self._figure, self._patience = what, groups, figure, patience
        self._then, self._quiet, self._since_mark, self._whole = time.monotonic(), 0.0, 0.0, 0.0
        self._mark, self._seen, self._looked = processor_seconds(groups()), self._now(), 0.0

    def check(self) -> None:
        """Take note of what has moved.

        Raises:
            AssertionError: nothing has, for too long.
        """
        now = time.monotonic()
        passed, self._then = (now - self._then) / load(), now
        self._quiet, self._since_mark, self._whole = self._quiet + passed, self._since_mark + passed, self._whole + passed
        if now - self._looked < 1 and self._quiet < self._patience:
            return
        self._looked, seen, used = now, self._now(), processor_seconds(self._groups())
        if seen != self._seen:
            self._seen, self._quiet = seen, 0.0
        if used - self._mark >= _WORK or used < self._mark or self._since_mark > _WITHIN:
            self._quiet = 0.0 if used - self._mark >= _WORK else self._quiet
            self._mark, self._since_mark = used, 0.0
        assert self._whole < LIMIT, f"no end is in sight while waiting: {self._what} (last figure: {self._seen})"
        assert self._quiet < self._patience, f"nothing moves any more while waiting: {self._what} (last figure: {self._seen})"

    def _now(self) -> object:
        try:
            return self._figure() if self._figure is not None else None
        except (OSError, LookupError):
            return None


def until(what: str, done: Callable[[], bool], *, groups: Callable[[], Iterable[int]] = tuple, figure: Callable[[], object] | None = None,
          alive: Callable[[], None] | None = None, pause: float = 0.1, patience: float = PATIENCE) -> None:
    """Wait until something is true.

    Args:
        what: what is waited for, in the error's words.
        done: whether it is true.
        groups: process groups at work on it.
        figure: anything that changes as the work goes on.
        alive: raises where there is nothing to wait for any more.
        pause: seconds between two looks.
        patience: unloaded seconds without movement.

    Raises:
        AssertionError: nothing moves any more.
    """
    watch = Watch(what, groups, figure, patience)
    while not done():
        if alive is not None:
            alive()
        watch.check()
        time.sleep(pause)


def finish(process: "subprocess.Popen[Any]", what: str = "the process ends", figure: Callable[[], object] | None = None) -> tuple[Any, Any]:
    """Standard output and error of a process that leads a process group and ends by itself.

    Raises:
        AssertionError: nothing moves any more; the process is killed.
    """
    watch = Watch(what, lambda: [process.pid], figure)
    while True:
        try:
            return process.communicate(timeout=0.5)
        except subprocess.TimeoutExpired:
            try:
                watch.check()
            except AssertionError:
                end_group(process)
                raise


def run(command: Iterable[object], figure: Callable[[], object] | None = None, **options: Any) -> Finished:
    """Run a program to its end as a process group of its own, standard input empty unless given; no text of it is lost.

    Args:
        command: program and arguments.
        figure: anything that changes as the work goes on elsewhere.
        options: of ``subprocess.Popen``.

    Raises:
        AssertionError: nothing moves any more.
    """
    given = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "errors": "replace",
             "start_new_session": True, **options}
    process = subprocess.Popen(list(map(str, command)), **given)
    try:
        out, err = finish(process, f"{' '.join(map(str, process.args))[:200]} ends", figure)
    finally:
        end_group(process)
    return Finished(process.returncode, out, err or "")


def end_group(process: "subprocess.Popen[Any]") -> None:
    """SIGKILL for a process that leads a group, and for its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if process.poll() is None and os.getpgid(process.pid) != process.pid:
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
