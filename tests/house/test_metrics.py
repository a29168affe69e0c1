"""The table of metrics and what is derived from it."""

import re
from pathlib import Path

import flink_masking
from flink_masking.telemetry import updates as readings
from flink_masking.telemetry.metrics import METRICS, TABLE, as_markdown


def test_the_documentation_shows_the_table():
    """The page on watching a job has the table that the code counts by, row by row."""
    assert as_markdown() in (Path(flink_masking.__file__).parent / "docs" / "monitoring.md").read_text()


def test_names_are_unique_and_legal_everywhere():
    """No two metrics share a name, and names and labels are such that no reporter has to change them."""
    assert len(METRICS) == len(TABLE) == len({metric.exported for metric in TABLE})
    for metric in TABLE:
        assert all(re.fullmatch(r"[a-z][a-z_]*[a-z]", word) for word in (metric.name, *metric.labels))


def test_every_metric_is_read_somewhere():
    """No row of the table is without code that counts it."""
    source = Path(readings.__file__).read_text()
    assert [metric.name for metric in TABLE if f'"{metric.name}"' not in source] == []
