"""Makes the modules of this folder importable, whatever the import mode; the overlays, rendered once."""

import copy
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parent))

from kustomize import Object, Rendering

K8S = Path(__file__).resolve().parents[2] / "k8s"
OVERLAYS = ("dev", "production")

_RENDERED = {name: Rendering(K8S / "overlays" / name).finished() for name in OVERLAYS}


@pytest.fixture(params=OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> str:
    """The name of an overlay."""
    return str(request.param)


@pytest.fixture
def objects(overlay: str) -> list[Object]:
    """An overlay, rendered; the test's own copy."""
    return copy.deepcopy(_RENDERED[overlay])


@pytest.fixture
def production() -> list[Object]:
    """The overlay for production, rendered; the test's own copy."""
    return copy.deepcopy(_RENDERED["production"])


@pytest.fixture
def k8s() -> Path:
    """The folder of manifests."""
    return K8S
