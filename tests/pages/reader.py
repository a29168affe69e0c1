"""A reader of a page: writes its files and types its commands in a directory, in one shell, and answers what they ask."""

import contextlib
import getpass
import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from page_steps import Step
from waiting import end_group, finish, until

from flink_masking.cli import main

ROOTED = re.compile(r"(?:(?<=://)|(?<=[\s'\"=,{(\[]))/(?=(?:control|data|flink|secrets|shared|srv|var)\b)")
"""A directory that a page puts at the root of a machine; here it is below the reader's directory."""
OWN_PROCESS = ("run", "demo", "preflight")
"""Commands that start Java, which a process cannot get rid of again."""
PASSPHRASE = "correct horse battery staple"
SHELL = 'trap \'code=$?; env -0 > "$READER_SHELL"; exit $code\' EXIT; set -a; '
"""Variables that a command sets are there for the next one."""


class Reader:
    """Performs the steps of a page.

    Attributes:
        place: the directory that the reader is in.
    """

    def __init__(self, place: Path, monkeypatch: pytest.MonkeyPatch, output: Callable[[], str]) -> None:
        """Begin in an empty directory.

        Args:
            place: the directory.
            monkeypatch: of the test.
            output: takes what this process has printed since it was last asked.
        """
        self.place, self._patch, self._output = place, monkeypatch, output
        self._instead: dict[str, str] = {}
        self._staying: list[tuple[Step, subprocess.Popen[bytes]]] = []
        monkeypatch.chdir(place)
        monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.setenv("EDITOR", "true")
        monkeypatch.setenv("READER_SHELL", str(place.parent / f"{place.name}.shell"))
        monkeypatch.setattr(getpass, "getpass", lambda *_, **__: PASSPHRASE)

    def instead(self, texts: Mapping[str, str]) -> None:
        """Say what stands here for texts of the pages, such as the address of a broker."""
        self._instead.update(texts)

    def here(self, text: str) -> str:
        """A text of a page with the addresses of this machine."""
        for theirs, ours in self._instead.items():
            text = text.replace(theirs, ours)
        return ROOTED.sub(f"{self.place}/", text)

    def perform(self, step: Step) -> tuple[int, str]:
        """Write the file of a step, or run its command: exit code, and what was printed, as the page would show it.

        Raises:
            AssertionError: a command that stays has ended, or nothing moves any more.
        """
        if step.file:
            path = self.place / self.here(step.file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.here(step.text), encoding="utf-8")
            return 0, ""
        here = step._replace(text=self.here(step.text))
        if step.stays:
            return 0, self._begin(here)
        code, said = self._call(here) if here.arguments and here.arguments[0] not in OWN_PROCESS else self._shell(here.text)
        for theirs, ours in self._instead.items():
            said = said.replace(ours, theirs)
        return code, said

    def _call(self, step: Step) -> tuple[int, str]:
        self._patch.setattr(sys, "argv", ["flink-masking", *step.arguments])
        self._patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"y\n")))
        with pytest.raises(SystemExit) as left, contextlib.redirect_stderr(sys.stdout):  # in the order in which a terminal shows it
            main()
        assert left.value.code is None or isinstance(left.value.code, int)
        return left.value.code or 0, self._output()

    def _shell(self, text: str) -> tuple[int, str]:
        command = ["bash", "-euo", "pipefail", "-c", SHELL + text]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                              start_new_session=True)
        left = Path(os.environ["READER_SHELL"])
        for pair in left.read_text().split("\0") if left.exists() else ():
            name, _, value = pair.partition("=")
            if name.isidentifier() and name not in ("_", "SHLVL", "PWD") and os.environ.get(name) != value:
                self._patch.setenv(name, value)
        return done.returncode, done.stdout

    def _begin(self, step: Step) -> str:
        log = self.place.parent / f"{self.place.name}.{len(self._staying)}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(["bash", "-c", f"exec {step.text}"], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                       start_new_session=True)
        self._staying.append((step, process))

        def alive() -> None:
            assert process.poll() is None, f"{step.text} ended with {process.returncode}\n{log.read_text()}"

        until(f"{step.text} says {step.stays}", lambda: step.stays in log.read_text(errors="replace"), groups=lambda: [process.pid],
              alive=alive)
        return log.read_text()

    def close(self) -> None:
        """End what stays, as Ctrl-C or a service manager does.

        Raises:
            AssertionError: something does not end in order.
        """
        codes = {}
        try:
            for step, process in self._staying:
                process.send_signal(signal.SIGTERM)
                finish(process)
                codes[step.text] = process.returncode
        finally:
            for _, process in self._staying:
                end_group(process)
        assert [text for text, code in codes.items() if code not in (0, 143)] == [], codes
