"""Makes the modules of this folder importable, whatever the import mode, and opens vaults of every kind for the laws."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parent))

from flink_masking.vault.base import Vault
from flink_masking.vault.memory import MemoryVault
from flink_masking.vault.providers import open_vault


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Vault]:
    """Opens the same fresh vault again and again, for each kind; a vault in memory is only ever the one."""
    if request.param == "memory":
        vault = MemoryVault()
        return lambda: vault
    uri = f"sqlite://{tmp_path}/vault.db" if request.param == "sqlite" else request.getfixturevalue("server").database()
    return lambda: open_vault(uri, patience=60)
