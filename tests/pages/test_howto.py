"""How-to pages are followed from their first command to their last, and commands of all pages are ones that exist."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import flink_masking
from flink_masking.cli.app import app

DOCS = Path(flink_masking.__file__).parent / "docs"
FOLLOWED = ("card-numbers.md", "debezium.md", "fhir.md", "joins.md", "logs.md")


@pytest.mark.parametrize("page", FOLLOWED)
def test_a_page_can_be_followed(follow, page):
    """Every command of the page works in an empty directory, and prints what the page shows."""
    assert follow(page) >= 2


def written(page: Path) -> list[str]:
    """Every command of flink-masking in a page's blocks of commands, continued lines joined."""
    blocks = re.findall(r"^```(?:console|sh)\b[^\n]*\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = []
    for block in blocks:
        prompt = "$ " if re.search(r"^\$ ", block, re.MULTILINE) else ""
        joined = re.sub(r" *\\\n *", " ", block)
        lines += [line.removeprefix(prompt) for line in joined.splitlines() if line.startswith(f"{prompt}flink-masking ")]
    return lines


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
