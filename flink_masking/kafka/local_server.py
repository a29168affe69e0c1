"""Life of a Java process that serves on loopback for demonstrations and tests: started and waited for, stopped, killed, cleaned up."""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from flink_masking.errors import JobError
from flink_masking.java import java_home

PATIENCE = 300
"""Seconds without a new line in the log after which a starting server counts as stuck; it is up in seconds on an idle machine."""
_PR_SET_PDEATHSIG = 1


def end_with_the_parent() -> None:
    """For a new process: have the system end it when the process that started it ends (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class LocalServer(ABC):
    """A server; a context manager that starts it, and ends it and removes its directory.

    Attributes:
        directory: for its data and its log.
        log: what it prints, of all starts.
    """

    def __init__(self, kind: str, directory: Path | None, java: Sequence[str]) -> None:
        """Not started yet.

        Args:
            kind: broker or registry: for messages, and the name of the log.
            directory: a temporary one unless given, removed by `close`.
            java: options of the Java virtual machine.
        """
        self._kind, self._own, self._java = kind, directory is None, [*java]
        self.directory = Path(tempfile.mkdtemp(prefix=f"{kind}-")) if directory is None else directory
        self.directory.mkdir(parents=True, exist_ok=True)
        self.log = self.directory / f"{kind}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def _program(self) -> list[str]:
        """Prepare a start; what follows the options on Java's command line."""

    @abstractmethod
    def _serves(self, logged: int) -> bool:
        """Whether it serves; the log had so many bytes before it was started."""

    @property
    def pid(self) -> int:
        """Id of the running process."""
        if self._process is None:
            raise JobError(f"the {self._kind} is not running. Hint: call start() first")
        return self._process.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start it and wait until it serves.

        Raises:
            JobError: Java or an archive is missing, or it ends or does nothing any more before it serves.
        """
        if self._process is not None:
            raise JobError(f"the {self._kind} is running already. Hint: call stop() first")
        program = self._program()
        logged = self.log.stat().st_size if self.log.exists() else 0
        self._process = self._run(program)
        try:
            self._wait(logged)
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Shut it down in order, or kill it where that takes too long."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    def kill(self) -> None:
        """End it by SIGKILL, as the loss of its machine would."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):  # it has ended by itself
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """Stop it; a temporary directory of its own is removed."""
        self.stop()
        if self._own:
            shutil.rmtree(self.directory, ignore_errors=True)

    def _run(self, program: Sequence[str]) -> "subprocess.Popen[bytes]":
        """Start a Java program in a process group of its own."""
        command = [str(java_home() / "bin" / "java"), *self._java, *program]
        with self.log.open("ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=self.directory,
                                    preexec_fn=end_with_the_parent)

    def _wait(self, logged: int) -> None:
        """Wait until it serves.

        Raises:
            JobError: the process has ended, or has not written a line for `PATIENCE` seconds.
        """
        seen, since = logged, time.monotonic()
        while True:
            ended = self._process is None or self._process.poll() is not None
            if self._serves(logged):
                return
            if ended:
                raise JobError(f"the {self._kind} has ended. Hint: see {self.log}:\n{self._last_words()}")
            if (size := self.log.stat().st_size) != seen:
                seen, since = size, time.monotonic()
            if time.monotonic() - since > PATIENCE:
                raise JobError(f"the {self._kind} does not start. Hint: see {self.log}:\n{self._last_words()}")
            time.sleep(0.1)

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-25:])
