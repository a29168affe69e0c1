"""Runs commands in this process as a shell would."""

import io
import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest
from rich.console import Console

from flink_masking.cli import console, main


class Outcome(NamedTuple):
    """What a command left."""

    code: int
    out: str
    err: str


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run ``flink-masking`` with arguments: exit code, stdout, stderr."""

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["flink-masking", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        code = left.value.code
        assert code is None or isinstance(code, int)
        return Outcome(code or 0, *capsys.readouterr())

    return run


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """Make stderr of commands of this process a terminal; call it for what was shown since it was last called."""
    shown = io.StringIO()
    monkeypatch.setattr(console, "err", Console(file=shown, force_terminal=True, color_system=None, width=160))

    def taken() -> str:
        text = shown.getvalue()
        shown.seek(0)
        shown.truncate()
        return text

    return taken
