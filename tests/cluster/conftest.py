"""One cluster for all modules of this folder, and the modules of this folder and of tests/flink made importable."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE), str(HERE.parent / "flink")]

from cluster import Cluster  # noqa: E402 (found by way of the line before)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A JobManager and one TaskManager; a test that adds or kills some leaves one."""
    place = tmp_path_factory.mktemp("cluster")
    # What an archive of ours takes for Python on a worker: one that has no packages.
    os.environ["FLINK_MASKING_PYTHON"] = os.path.realpath(sys.executable)
    with Cluster(place) as running:
        yield running


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for the files of one module's jobs."""
    return tmp_path_factory.mktemp("job")
