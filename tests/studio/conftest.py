"""A sample and its policy."""

from pathlib import Path

import pytest

from flink_masking.examples import CUSTOMER_EVENTS
from flink_masking.generate import write_events


@pytest.fixture(scope="session")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 events of 100 people."""
    path = tmp_path_factory.mktemp("studio") / "events.jsonl"
    write_events(path, 400, 100, 1)
    return path


@pytest.fixture(scope="session")
def customer_policy() -> str:
    """The policy of the demonstration."""
    return CUSTOMER_EVENTS.read_text()
