"""The tutorial is followed from its first command to its last."""

import pytest


@pytest.mark.flink
def test_the_tutorial_ends_with_four_views(follow):
    """Every command of the tutorial works in an empty directory, and prints what the page shows."""
    assert follow("tutorial.md") >= 12
