"""Makes the modules of this folder importable, whatever the import mode, and gives every job a place of its own."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parent))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for the files of one module's jobs."""
    return tmp_path_factory.mktemp("job")
