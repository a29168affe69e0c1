"""Processes that die at random while events flow: a seeded storm over one job, and a log of what it did."""

import contextlib
import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from cluster import ENDED, Cluster
from waiting import until

KINDS = ("worker", "worker", "workers", "task manager", "machine")
"""One Python worker; all of them; a TaskManager whose workers are left to find out; a TaskManager with its workers."""


class Storm:
    """Kills, stalls and full disks, one after the other, while a thread gives events.

    Attributes:
        kills: processes that were killed, by kind of blow.
        ended: TaskManagers that ended by themselves after a blow.
        recoveries: seconds from each blow to the next completed checkpoint.
    """

    def __init__(self, cluster: Cluster, job: str, seed: int, log: Path) -> None:
        """Open the log.

        Args:
            cluster: as many TaskManagers as it has now it will have at the end.
            job: the job's id.
            seed: of everything that is drawn.
            log: a JSON line for each blow.
        """
        self._cluster, self._job, self._random = cluster, job, random.Random(seed)
        self._log: IO[str] = log.open("a")
        self._begin, self._restarts = time.monotonic(), -1
        self.kills: dict[str, int] = {}
        self.recoveries: list[float] = []
        self.ended = 0

    @property
    def killed(self) -> int:
        """Processes killed in all."""
        return sum(self.kills.values())

    def note(self, what: str, **facts: object) -> None:
        """Add a line to the log."""
        self._log.write(json.dumps({"at": round(time.monotonic() - self._begin, 1), "what": what, **facts}) + "\n")
        self._log.flush()

    def kill(self) -> None:
        """One blow of a random kind at a random moment, and every TaskManager that went is replaced."""
        self._restarts = self._cluster.restarts(self._job)
        self._supervise()
        kind = self._random.choice(KINDS)
        time.sleep(self._random.uniform(0, 2))
        if kind.startswith("worker"):
            with contextlib.suppress(AssertionError):  # in the middle of a recovery there is none for a while
                until("a worker", lambda: bool(self._cluster.workers()), patience=20)
            workers = self._cluster.workers()
            chosen = workers if kind == "workers" else workers[:1]
            for pid in chosen:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            count = len(chosen)
        else:
            index = self._random.randrange(len(self._cluster.task_managers))
            count = 1 + (len(self._cluster.workers(index)) if kind == "machine" else 0)
            self._cluster.kill_task_manager(index, with_workers=kind == "machine")
            self._cluster.add_task_manager()
        self.kills[kind] = self.kills.get(kind, 0) + count
        self.note("killed", kind=kind, processes=count)

    def stall(self) -> None:
        """Workers that do not move until a checkpoint has failed for that."""
        begin, before, workers = time.monotonic(), self._failed(), self._cluster.workers()
        for pid in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        self._cluster.wait("a checkpoint runs out of time", lambda: self._failed() > before)
        for pid in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self.note("stalled", seconds=round(time.monotonic() - begin, 1), workers=len(workers))

    def full_disk(self, size: int = 20_000) -> None:
        """No file of a TaskManager, of checkpoints or of sinks, grows beyond `size` bytes until the job has failed for that."""
        begin, before = time.monotonic(), self._cluster.restarts(self._job)
        self._cluster.limit_file_size(size)
        self._cluster.wait("the full disk fails the job", lambda: self._cluster.restarts(self._job) > before)
        self._cluster.limit_file_size(None)
        self.note("full disk", seconds=round(time.monotonic() - begin, 1), bytes=size, restarts=self._cluster.restarts(self._job) - before)

    def _failed(self) -> int:
        return int(self._cluster.rest(f"/jobs/{self._job}/checkpoints")["counts"]["failed"])

    def calm(self) -> float:
        """Wait until the job has gone on: one more checkpoint is complete; returns the seconds that it took."""
        begin = time.monotonic()
        with contextlib.suppress(AssertionError):  # a worker that was idle is not missed at once
            until("Flink has noticed", lambda: self._cluster.restarts(self._job) > self._restarts, patience=15)
        self._restarts, before = -1, self._checkpoints()
        self._cluster.wait("the job has recovered", lambda: self._checkpoints() > before)
        self.recoveries.append(time.monotonic() - begin)
        self.note("recovered", seconds=round(self.recoveries[-1], 1), restarts=self._cluster.restarts(self._job))
        return self.recoveries[-1]

    def patience(self) -> None:
        """Mostly wait for the recovery, now and then strike in the middle of it."""
        if self._random.random() < 0.75:
            self.calm()
        else:
            time.sleep(self._random.uniform(0.5, 6))

    def _checkpoints(self) -> int:
        """Checkpoints completed so far; a JobManager that is too busy to answer is asked again."""
        self._supervise()
        for _ in range(5):
            with contextlib.suppress(OSError, KeyError):
                assert self._cluster.state(self._job) not in ENDED, self._cluster.failure(self._job)[-3_000:]
                return self._cluster.checkpoints(self._job)
            time.sleep(1)
        raise AssertionError("the JobManager does not answer")

    def _supervise(self) -> None:
        """A TaskManager whose Flink code fails on the way down ends itself: Flink calls that a fatal error."""
        if ended := self._cluster.replace_ended():
            self.ended += ended
            self.note("replaced", ended=ended)

    def report(self, **facts: object) -> dict[str, object]:
        """The storm in figures, as the log's last line."""
        waits = sorted(self.recoveries) or [0.0]
        counts = self._cluster.rest(f"/jobs/{self._job}/checkpoints")["counts"]
        whole = {"seconds": round(time.monotonic() - self._begin), "killed": self.killed, "kinds": self.kills, "ended": self.ended,
                 "restarts": self._cluster.restarts(self._job), "checkpoints": counts["completed"], "failed checkpoints": counts["failed"],
                 "recovery median": round(waits[len(waits) // 2], 1), "recovery longest": round(waits[-1], 1), **facts}
        self.note("summary", **whole)
        return whole


class Feeder(threading.Thread):
    """Gives chunks of events one after the other while the storm is on."""

    def __init__(self, give: Callable[[str, list[bytes]], None], chunks: Sequence[list[bytes]], pause: float) -> None:
        """Get ready.

        Args:
            give: takes a name and a chunk.
            chunks: lists of lines.
            pause: seconds between two chunks.
        """
        super().__init__(daemon=True)
        self._give, self._chunks, self._pause = give, chunks, pause

    def run(self) -> None:
        """Give them all."""
        for number, chunk in enumerate(self._chunks):
            self._give(f"{number:06}", chunk)
            time.sleep(self._pause)
