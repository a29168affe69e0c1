"""Follows pages of the documentation as a reader would: every file written and every command typed."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from page_steps import steps

sys.path.append(str(Path(__file__).resolve().parent))

from elsewhere import runs_elsewhere
from reader import Reader

import flink_masking

DOCS = Path(flink_masking.__file__).parent / "docs"


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Reader]:
    """A reader in an empty directory."""
    place = tmp_path / "reader"
    place.mkdir()
    found = Reader(place, monkeypatch, lambda: capsys.readouterr().out)
    try:
        yield found
    finally:
        found.close()


@pytest.fixture
def follow(reader: Reader) -> Callable[..., int]:
    """Follow a page: how many commands it has. A command that fails, or prints something else than the page shows, is a failure.

    Commands that another test runs are passed over, unless they begin with `also`; `after` is called after each step.
    """

    def page(name: str, also: str = "…", after: Callable[[], None] = lambda: None) -> int:
        count = 0
        for step in steps(DOCS / name):
            if not step.file and runs_elsewhere(name, step.text) and not step.text.startswith(also):
                continue
            code, said = reader.perform(step)
            assert code in step.codes, f"{name}:{step.line}: {step.text} ended with {code}\n{said}"
            assert step.matches(said), f"{name}:{step.line}: {step.text} printed\n{said}and the page shows\n{step.printed}"
            count += not step.file
            after()
        return count

    return page
