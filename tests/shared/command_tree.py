"""The commands of the command line, as what is installed has them."""

from collections.abc import Callable
from typing import Any

from typer.main import get_command

from flink_masking.cli.app import app
from flink_masking.cli.exits import commands

COMMANDS: dict[str, Callable[..., Any]] = dict(commands(app))
"""Name as typed, and function."""


def options(name: str) -> set[str]:
    """The options of a command, as typed."""
    found: Any = get_command(app)
    for part in name.split():
        found = found.commands[part]
    return {option for parameter in found.params for option in parameter.opts}
