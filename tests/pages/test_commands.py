"""Commands of all pages are ones that exist, and each of them is run by a test, or said to be run by none."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from elsewhere import ELSEWHERE, ON_FLINK, UNTYPED, runs_elsewhere
from page_steps import steps
from test_followed import PAGES
from typer.main import get_command

import flink_masking
from flink_masking.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
DOCS = Path(flink_masking.__file__).parent / "docs"
FOLLOWED = {*PAGES, *ON_FLINK, "tutorial.md"}


def typed(page: Path, languages: str = "console|sh|bash") -> list[str]:
    """Every command in a page's blocks of commands, continued lines joined."""
    blocks = re.findall(rf"^ *```(?:{languages})\b[^\n]*\n(.*?)^ *```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = []
    for block in blocks:
        prompt = "$ " if re.search(r"^\$ ", block, re.MULTILINE) else ""
        joined = re.sub(r" *\\\n *", " ", block)
        lines += [line.removeprefix(prompt) for line in joined.splitlines() if line.startswith(prompt) and line.strip() and line[0] != "#"]
    return lines


def written(page: Path) -> list[str]:
    """Every command of flink-masking in them."""
    return [line for line in typed(page) if line.startswith("flink-masking ")]


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_a_test_runs_each_command_of_a_page(page):
    """A command of a page is typed where the page is followed, or run by the test that is named for it."""
    followed = [re.sub(r"\s+", " ", step.text) for step in steps(page) if not step.file] if page.name in FOLLOWED else []
    left = [line for line in typed(page) if re.sub(r"\s+", " ", line) not in followed and not runs_elsewhere(page.name, line)]
    assert [line for line in left if not line.startswith(tuple(UNTYPED))] == []


@pytest.mark.parametrize("page", ELSEWHERE)
def test_what_runs_elsewhere_is_there(page):
    """Each command that is said to run elsewhere stands on its page, and the test that runs it exists."""
    lines = [re.sub(r"\s+", " ", line) for line in typed(DOCS / page)]
    for beginning, test in ELSEWHERE[page].items():
        assert any(line.startswith(beginning) for line in lines), beginning
        file, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text(), test


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_commands_of_a_page_exist(page):
    """Commands, options and the number of arguments are those of the command tree, whatever the files are called."""
    for line in written(page):
        words = shlex.split(re.sub(r"\s[>|].*", "", line), comments=True)[1:]
        command: Any = get_command(app)
        while hasattr(command, "commands") and words and not words[0].startswith("-"):
            assert words[0] in command.commands, line
            command = command.commands[words.pop(0)]
        if hasattr(command, "commands"):
            continue
        context = command.context_class(command, info_name="flink-masking", resilient_parsing=True)
        _, left, _ = command.make_parser(context).parse_args(list(words))
        assert [word for word in left if word != "…"] == [], line
