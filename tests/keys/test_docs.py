"""The page on keys says what the code does."""

import re
from importlib.resources import files

from typer.main import get_command

from flink_masking.cli.app import app
from flink_masking.keys.lifecycle import STATES
from flink_masking.keys.providers import STORES, WRAPPERS

PAGE = (files("flink_masking") / "docs" / "keys.md").read_text()


def test_every_state_and_scheme_is_explained():
    """The page has a row for each state and each kind of address, in the code's order."""
    assert tuple(re.findall(r"^\| `([a-z]+)` \| (?:yes|no)", PAGE, re.MULTILINE)) == STATES
    assert re.findall(r"^\| `([a-z+-]+)://", PAGE, re.MULTILINE) == [*("file", "env", "vault"), *WRAPPERS]
    assert set(STORES) == {"file", "env", "vault"}


def test_every_command_is_shown():
    """The page shows each verb of flink-masking keys, and no other."""
    group = get_command(app).commands["keys"]
    assert set(re.findall(r"^flink-masking keys ([a-z]+)", PAGE, re.MULTILINE)) == set(group.commands)
