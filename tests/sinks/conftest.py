"""The jars that the page on sinks names; makes the modules of this folder and of tests/flink importable."""

import os
import re
import sys
from pathlib import Path

import pytest

sys.path += [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent / "flink")]

from sinks_page import PAGE

from flink_masking.errors import JobError
from flink_masking.jars import Artifact, JarCache

SINKS = os.environ.get("FLINK_MASKING_SINKS") == "1"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave these tests out unless FLINK_MASKING_SINKS=1 asks for them: they fetch 150 MB of jars and start nine jobs."""
    here = [item for item in items if item.path.parent == Path(__file__).parent]
    if not SINKS and here:
        config.hook.pytest_deselected(items=here)
        items[:] = [item for item in items if item not in here]


@pytest.fixture(scope="session")
def sink_jars() -> dict[str, Path]:
    """Every jar that the page names, fetched and verified."""
    coordinates = re.findall(r"[\w.]+:[\w.-]+:[\w.-]+@sha256:[0-9a-f]{64}", PAGE)
    coordinates += [f"{jar}@sha256:{digest}" for jar, digest in re.findall(r"\| `([\w.:-]+)` \| `([0-9a-f]{64})` \|", PAGE)]
    try:
        return {(jar := Artifact.parse(text)).name: JarCache().resolve(jar) for text in coordinates}
    except JobError as error:
        pytest.fail(str(error))
