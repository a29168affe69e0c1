"""What the README shows is what the library does."""

import re
from pathlib import Path

import pytest

from flink_masking.cli.app import app
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.techniques.registry import OWN

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "flink_masking" / "docs").glob("*.md"))]
README = (ROOT / "README.md").read_text()


def test_it_is_short():
    """The README has 150 lines at most; the manual is in the pages."""
    assert len(README.splitlines()) <= 150


def test_every_technique_is_named():
    """The README names the techniques of the registry, in its order."""
    listed = re.search(r"name \[techniques\]\([^)]*\): ([^.]*)\.", README)
    assert listed is not None
    assert re.split(r",\s+", listed[1]) == list(OWN)


def test_policies_shown_are_sound():
    """Every policy shown loads without a fault or a warning."""
    shown = [block for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL) if block.startswith("version:")]
    assert shown
    for text in shown:
        assert load(PolicySource("README.md", text)).warnings == []


def test_the_example_policy_is_sound():
    """The policy of the demonstration loads without a fault or a warning."""
    assert load(PolicySource.read(ROOT / "flink_masking" / "examples" / "customer_events.yaml")).warnings == []


def test_commands_shown_exist():
    """Every command of flink-masking that the README shows is one."""
    known = {command.name for command in app.registered_commands} | {group.name for group in app.registered_groups}
    shown = set(re.findall(r"^flink-masking ([a-z-]+)", README, re.MULTILINE))
    assert shown
    assert shown <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_targets_shown_exist(page):
    """Every make target that the README or a page names is in the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(), re.MULTILINE)) <= targets
