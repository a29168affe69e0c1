"""Signers and a trust file."""

import pytest
from control_documents import Signers

from flink_masking.control.trust import Trust


@pytest.fixture
def signers():
    """Signers."""
    return Signers()


@pytest.fixture
def trust(signers):
    """The trust file, version 1."""
    return Trust.anchor(signers.trust())
