"""How long a vault was waited for."""

import sqlite3
import threading
import time

import pytest

from flink_masking.errors import VaultError
from flink_masking.vault.base import Enrolment
from flink_masking.vault.memory import MemoryVault
from flink_masking.vault.providers import open_vault

ENROLMENT = Enrolment(1, bytes(32))


def test_a_vault_that_is_busy_tells_how_long(tmp_path):
    """A wait shows in the figure once, whether it ended well or not; without a wait it is 0."""
    vault = open_vault(f"sqlite://{tmp_path}/v.db", patience=0.5)
    vault.enrol("a", ENROLMENT)
    assert vault.unreadable_s() == MemoryVault().unreadable_s() == 0
    other = sqlite3.connect(tmp_path / "v.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    begun = time.monotonic()
    with pytest.raises(VaultError, match="busy"):
        vault.enrol("b", ENROLMENT)
    assert 0.4 < vault.unreadable_s() <= time.monotonic() - begun and vault.unreadable_s() == 0
    held = threading.Thread(target=vault.enrol, args=("b", ENROLMENT))
    held.start()
    while vault.unreadable_s() == 0:  # an attempt has failed
        assert held.is_alive()
        time.sleep(0.005)
    other.execute("ROLLBACK")
    held.join(30)
    other.close()
    vault.close()
