"""The tutorial is followed from its first command to its last."""

import re
from pathlib import Path

import pytest
from page_steps import steps

import flink_masking

DOCS = Path(flink_masking.__file__).parent / "docs"


@pytest.mark.flink
def test_the_tutorial_ends_with_four_views(follow):
    """Every command of the tutorial works in an empty directory, and prints what the page shows."""
    assert follow("tutorial.md") >= 12


def bare(line: str) -> str:
    """A line of a policy without its comment, and with single blanks."""
    return " ".join(re.sub(r"\s#.*", "", line).split())


def test_the_policy_is_the_proposal_and_numbered_decisions(reader):
    """A line of the tutorial's policy that has no number is one that scan proposes; whole segments have theirs at their names."""
    found = steps(DOCS / "tutorial.md")
    for step in found:
        if "generate --events" in step.text or "--propose" in step.text:
            assert reader.perform(step)[0] == 0
    proposed = {bare(line) for line in (reader.place / "policy.yaml").read_text().splitlines()}
    [text] = [step.text for step in found if step.file == "policy.yaml"]
    kept = text[: text.index("  partners:")]
    own = [line for line in kept.splitlines() if line and bare(line) not in proposed]
    assert own and [line for line in own if not re.search(r"# [1-5]$", line)] == []
