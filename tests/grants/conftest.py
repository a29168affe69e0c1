"""Jobs with granted views, in process."""

import pytest
from control_documents import NOW, Signers
from granted_jobs import Job


@pytest.fixture
def signers():
    """Signers."""
    return Signers()


@pytest.fixture
def job(signers):
    """Makes a job at the instant NOW."""
    return lambda *arguments, **options: Job(signers, *arguments, **{"now": NOW, **options})
