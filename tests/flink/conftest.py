"""Makes the modules of this folder importable, whatever the import mode, and gives every job a place of its own."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from site_of_fan_out import Site

sys.path.append(str(Path(__file__).resolve().parent))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for the files of one module's jobs."""
    return tmp_path_factory.mktemp("job")


@pytest.fixture(scope="session")
def fanned_out(tmp_path_factory: pytest.TempPathFactory, key_uri: str) -> "Site":
    """The main job as a script, run once for all who compare with it."""
    import site_of_fan_out

    return site_of_fan_out.run(tmp_path_factory.mktemp("fan-out"), key_uri)
