"""What a demonstration is made of: commands and jobs in processes of their own, waiting, and steps that must show what they promise."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from flink_masking.cli.console import out
from flink_masking.errors import JobError

_LIMIT = 600.0
"""Seconds after which something that was waited for counts as missing."""
_QUICK = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
"""Java options of jobs that run for two minutes: they start with less processor time."""
_PROGRAM = "from flink_masking.cli import main; main()"


class Stage:
    """A directory in which commands run as a user would type them, and background jobs.

    Attributes:
        place: the directory.
        checks: number of steps that have shown what they must.
        slowest: seconds that the slowest command has taken so far.
    """

    def __init__(self, place: Path) -> None:
        """Nothing runs yet.

        Args:
            place: an existing directory.
        """
        self.place, self.checks, self.slowest = place, 0, 0.0
        self._jobs: dict[str, subprocess.Popen[bytes]] = {}
        self._environment = {**os.environ, "COLUMNS": "140", "FLINK_LOG_DIR": str(place / "log"), "NO_COLOR": "1"}
        (place / "log").mkdir(exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for job in self._jobs.values():
            if job.poll() is None:
                os.killpg(job.pid, signal.SIGKILL)
            job.wait()

    def chapter(self, text: str) -> None:
        """Print a heading."""
        out.print(f"\n{text}", style="bold", soft_wrap=True)

    def say(self, text: str) -> None:
        """Print a line."""
        out.print(text, soft_wrap=True)

    def must(self, condition: bool, text: str) -> None:
        """Say what has been shown.

        Raises:
            JobError: it has not.
        """
        if not condition:
            raise JobError(f"the demonstration has not shown: {text}. Hint: logs are in {self.place}")
        self.checks += 1
        out.print(f"  [ok] {text}", style="green", soft_wrap=True)

    def command(self, *arguments: str, refused: str | None = None, shown: bool = True) -> str:
        """Run ``flink-masking`` with these arguments and print the command with what it says.

        Args:
            arguments: as typed.
            refused: what the message of a command must hold that has to end with another exit code than 0.
            shown: print what it says.

        Returns:
            What it has written to standard output and error.

        Raises:
            JobError: it ended otherwise than it must.
        """
        out.print(f"$ flink-masking {shlex.join(arguments)}", style="bold", soft_wrap=True)
        begin = time.monotonic()
        done = subprocess.run([sys.executable, "-P", "-c", _PROGRAM, *arguments], cwd=self.place, env=self._environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.slowest = max(self.slowest, time.monotonic() - begin)
        text = done.stdout.decode(errors="replace")
        expected = done.returncode == 0 if refused is None else done.returncode != 0 and refused in text
        for line in text.splitlines() if shown or not expected else ():
            out.print(f"  {line.rstrip()}", soft_wrap=True)
        if not expected:
            wanted = "0" if refused is None else f"another than 0 and '{refused}'"
            raise JobError(f"flink-masking {arguments[0]} ended with {done.returncode}, and the demonstration needs {wanted}. "
                           "Hint: see its message above")
        self.checks += refused is not None
        return text

    def job(self, name: str, module: str, *arguments: str) -> None:
        """Start a Flink job in a mini-cluster of its own; it ends with the demonstration.

        Args:
            name: of its log, ``NAME.log``.
            module: the job's module.
            arguments: of its command line.
        """
        out.print(f"$ python -m {module} {shlex.join(arguments)} &", style="bold", soft_wrap=True)
        from flink_masking.kafka.local_server import end_with_the_parent

        command = [sys.executable, "-P", "-m", module, *arguments, "--wait"]
        environment = {**self._environment, "JAVA_TOOL_OPTIONS": _QUICK}
        with (self.place / f"{name}.log").open("wb") as log:
            self._jobs[name] = subprocess.Popen(command, cwd=self.place, env=environment, stdin=subprocess.DEVNULL, stdout=log,
                                                stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=end_with_the_parent)

    def until(self, what: str, done: Callable[[], bool]) -> None:
        """Wait until something is true.

        Args:
            what: is waited for.
            done: looks whether it is there; called several times a second.

        Raises:
            JobError: it does not come, or a job has ended.
        """
        end = time.monotonic() + _LIMIT
        while not done():
            for name, job in self._jobs.items():
                if job.poll() is not None:
                    raise JobError(f"job {name} has ended while waiting: {what}. Hint: see {self.place / name}.log")
            if time.monotonic() > end:
                raise JobError(f"not seen within {_LIMIT:.0f} s: {what}. Hint: see the logs in {self.place}")
            time.sleep(0.2)
