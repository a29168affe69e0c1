"""The reference policy, whole and with changes; ``§`` in a change marks the place where a fault is expected."""

from collections.abc import Callable
from pathlib import Path

import pytest

from flink_masking.documents.faults import Fault, PolicyFaults
from flink_masking.policy.load import LoadedPolicy, load
from flink_masking.policy.source import PolicySource

FOLDER = Path(__file__).parent
Changes = list[tuple[str, str]]


@pytest.fixture(scope="session")
def reference() -> PolicySource:
    """The reference policy."""
    return PolicySource.read(FOLDER / "customer_events.yaml")


@pytest.fixture
def changed(reference: PolicySource) -> Callable[..., LoadedPolicy]:
    """Loads the reference policy after replacing each old text, which must be there, by a new one."""

    def load_changed(*changes: tuple[str, str]) -> LoadedPolicy:
        return load(PolicySource("policy.yaml", _apply(reference.text, changes), reference.files))

    return load_changed


@pytest.fixture
def faults(reference: PolicySource) -> Callable[..., tuple[list[Fault], tuple[int, int]]]:
    """The faults of the changed reference policy, and line and column of the mark."""

    def faults_of(*changes: tuple[str, str]) -> tuple[list[Fault], tuple[int, int]]:
        marked = _apply(reference.text, changes)
        before, _, after = marked.partition("§")
        with pytest.raises(PolicyFaults) as caught:
            load(PolicySource("policy.yaml", before + after, reference.files))
        return list(caught.value.faults), (before.count("\n") + 1, len(before) - before.rfind("\n"))

    return faults_of


def _apply(text: str, changes: tuple[tuple[str, str], ...]) -> str:
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text
