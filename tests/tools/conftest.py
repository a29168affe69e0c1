"""Key rings and compiled policies for the tools."""

from functools import lru_cache

import pytest

from flink_masking.engine.plan import compile_plan
from flink_masking.keys.ring import KeyRing
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource


@pytest.fixture(scope="session")
def ring() -> KeyRing:
    """The key ring of the tests."""
    return KeyRing.new()


@pytest.fixture(scope="session")
def other_ring() -> KeyRing:
    """A key ring of somebody else."""
    return KeyRing.new()


@pytest.fixture(scope="session")
def planned(ring):
    """Compile a policy text, once for each text."""
    return lru_cache(lambda text: compile_plan(load(PolicySource("policy.yaml", text)), ring))
