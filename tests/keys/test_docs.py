"""The page on keys says what the code does."""

import re
from importlib.resources import files

import pytest
from typer.main import get_command

from flink_masking.cli.app import app
from flink_masking.keys.lifecycle import STATES
from flink_masking.keys.providers import STORES, WRAPPERS

PAGE = (files("flink_masking") / "docs" / "keys.md").read_text()


@pytest.fixture
def cli_in(tmp_path, monkeypatch):
    """Run commands in an empty directory: their exit code."""
    monkeypatch.chdir(tmp_path)
    return lambda arguments: get_command(app).main(arguments, standalone_mode=False) or 0


def test_every_state_and_scheme_is_explained():
    """The page has a row for each state and each kind of address, in the code's order."""
    assert tuple(re.findall(r"^\| `([a-z]+)` \| (?:yes|no)", PAGE, re.MULTILINE)) == STATES
    assert re.findall(r"^\| `([a-z+-]+)://", PAGE, re.MULTILINE) == [*("file", "env", "vault"), *WRAPPERS]
    assert set(STORES) == {"file", "env", "vault"}


def test_every_command_is_shown():
    """The page shows each verb of flink-masking keys, and no other."""
    group = get_command(app).commands["keys"]
    assert set(re.findall(r"^flink-masking keys ([a-z]+)", PAGE, re.MULTILINE)) == set(group.commands)


def test_the_commands_shown_work(cli_in):
    """The commands of the page run as they stand, one after the other."""
    shown = [line.partition("#")[0].split()[1:] for line in PAGE.splitlines() if line.startswith("flink-masking keys")]
    assert len(shown) >= 8
    for arguments in shown:
        assert cli_in(arguments) == 0, arguments
