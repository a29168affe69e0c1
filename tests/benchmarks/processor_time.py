"""Processor time of Flink's processes: of Java and of the PyFlink workers below a process, workers that have ended included."""

import os
import threading
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self


class Used(NamedTuple):
    """A process: the program's name, whether it is a PyFlink worker, resident MiB, and its processor time, s."""

    name: str
    worker: bool
    size: int
    seconds: float


class Watched:
    """Watches a process and all that it starts, five times a second, within a ``with`` statement.

    Attributes:
        workers: MiB of the largest worker, five times a second, while there is one.
    """

    def __init__(self, root: int) -> None:
        """Keep the process's id."""
        self.workers: list[int] = []
        self._root, self._over = root, threading.Event()
        self._before: dict[int, float] = {}
        self._java: dict[int, float] = {}
        self._python: dict[int, float] = {}

    def __enter__(self) -> Self:
        """Begin."""
        self._before = {pid: used.seconds for pid, used in below(self._root).items()}
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End."""
        self._over.set()
        self._thread.join()

    @property
    def java(self) -> float:
        """Processor time of Java since the beginning, s."""
        return sum(self._java.values())

    @property
    def python(self) -> float:
        """Processor time of the PyFlink workers since the beginning, s."""
        return sum(self._python.values())

    def _watch(self) -> None:
        while not self._over.wait(0.2):
            self._look()
        self._look()

    def _look(self) -> None:
        found = below(self._root)
        for pid, used in found.items():
            seconds = used.seconds - self._before.get(pid, 0)
            if used.name == "java":
                self._java[pid] = seconds
            elif used.worker:
                self._python[pid] = seconds
        if sizes := [used.size for used in found.values() if used.worker]:
            self.workers.append(max(sizes))


def below(root: int) -> dict[int, Used]:
    """A process, the processes that it has started, and those that these have."""
    parents: dict[int, int] = {}
    processes: dict[int, Used] = {}
    ticks, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
            worker = b"beam_boot" in (stat.parent / "cmdline").read_bytes()
        except OSError:
            continue
        name, _, rest = text.partition(" (")[2].rpartition(") ")
        fields = rest.split()  # from the state, the third of proc_pid_stat(5)
        pid = int(stat.parent.name)
        parents[pid] = int(fields[1])
        processes[pid] = Used(name, worker, int(fields[21]) * page >> 20, (int(fields[11]) + int(fields[12])) / ticks)
    found = {}
    for pid, used in processes.items():
        above = pid
        while above > 1 and above != root:
            above = parents.get(above, 0)
        if above == root:
            found[pid] = used
    return found


def told(java: float, python: float, events: int) -> str:
    """Processor time of an event, in words.

    Args:
        java: s, of all events.
        python: s, of all events.
        events: how many.
    """
    return f"processor time of an event: Java {1e6 * java / events:.2f} µs, Python {1e6 * python / events:.2f} µs"
