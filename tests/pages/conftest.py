"""Follows pages of the documentation as a reader would: every file written and every command typed, in an empty directory."""

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
def follow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[str], int]:
    """Follow a page: how many commands it has. A command that fails, or prints something else than the page shows, is a failure."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("COLUMNS", "80")

    def in_process(arguments: list[str]) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["flink-masking", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        assert left.value.code is None or isinstance(left.value.code, int)
        return left.value.code or 0, *capsys.readouterr()

    def run(page: str, step: Step) -> None:
        if step.file:
            path = tmp_path / step.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text, encoding="utf-8")
            return
        if step.arguments and step.arguments[0] not in OWN_PROCESS:
            code, out, err = in_process(step.arguments)
        else:
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", step.text], capture_output=True, text=True, check=False)
            code, out, err = done.returncode, done.stdout, done.stderr
        assert code == 0, f"{page}:{step.line}: {step.text} ended with {code}\n{out}{err}"
        shown = f"{page}:{step.line}: {step.text} printed\n{out}{err}and the page shows\n{step.printed}"
        assert any(step.matches(text) for text in (out + err, err + out)), shown

    def page(name: str) -> int:
        found = steps(DOCS / name)
        for step in found:
            run(name, step)
        return sum(not step.file for step in found)

    return page
