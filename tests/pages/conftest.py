"""Follows pages of the documentation as a reader would: every file written and every command typed, in an empty directory."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from page_steps import Step, steps

import flink_masking
from flink_masking.cli import main

DOCS = Path(flink_masking.__file__).parent / "docs"
OWN_PROCESS = ("run", "demo")
"""Commands that start Java, which a process cannot get rid of again."""


@pytest.fixture
def perform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[Step], tuple[int, str]]:
    """Write the file of a step, or run its command in the test's directory: exit code, and what was printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("COLUMNS", "80")

    def run(step: Step) -> tuple[int, str]:
        if step.file:
            path = tmp_path / step.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text, encoding="utf-8")
            return 0, ""
        if not step.arguments or step.arguments[0] in OWN_PROCESS:
            shell = ["bash", "-euo", "pipefail", "-c", step.text]
            done = subprocess.run(shell, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
            return done.returncode, done.stdout
        monkeypatch.setattr(sys, "argv", ["flink-masking", *step.arguments])
        with pytest.raises(SystemExit) as left, contextlib.redirect_stderr(sys.stdout):  # in the order in which a terminal shows it
            main()
        assert left.value.code is None or isinstance(left.value.code, int)
        return left.value.code or 0, capsys.readouterr().out

    return run


@pytest.fixture
def follow(perform: Callable[[Step], tuple[int, str]]) -> Callable[[str], int]:
    """Follow a page: how many commands it has. A command that fails, or prints something else than the page shows, is a failure."""

    def page(name: str) -> int:
        found = steps(DOCS / name)
        for step in found:
            code, said = perform(step)
            assert code == 0, f"{name}:{step.line}: {step.text} ended with {code}\n{said}"
            assert step.matches(said), f"{name}:{step.line}: {step.text} printed\n{said}and the page shows\n{step.printed}"
        return sum(not step.file for step in found)

    return page
