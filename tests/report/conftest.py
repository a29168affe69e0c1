"""One run for all tests of the report."""

import pytest
from released_run import Released, released_run

from flink_masking.examples import CUSTOMER_EVENTS
from flink_masking.policy.source import PolicySource
from flink_masking.report import as_html, figures


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Released:
    """4,000 events of 1,000 people."""
    return released_run(tmp_path_factory.mktemp("report"), CUSTOMER_EVENTS, 4000, 1000)


@pytest.fixture(scope="session")
def told(run):
    """The figures of the report."""
    return figures(PolicySource.read(run.policy), run.raw, run.output)


@pytest.fixture(scope="session")
def page(told):
    """The page."""
    return as_html(told)
