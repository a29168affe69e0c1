"""What is installed is what is in the checkout, and the tests run against it."""

import importlib.metadata
import re
import sys
from pathlib import Path

import pytest

import flink_masking

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("flink_masking", "jobs", "udfs")


def sources() -> dict[str, Path]:
    """The files of the packages in the checkout, by their path."""
    found = (path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(ROOT).as_posix(): path for path in found}


def test_the_installed_package_is_what_the_tests_import():
    """The package that the tests import lies in the environment, not in the checkout."""
    assert Path(flink_masking.__file__).is_relative_to(sys.prefix), "run the tests with make test, without PYTHONPATH"


def test_the_wheel_holds_every_file_of_the_packages_as_it_is_in_the_checkout():
    """Resources, examples and py.typed are installed, nothing is stale and nothing but machine code is left over."""
    distribution = importlib.metadata.distribution("flink-masking")
    installed = {
        str(file): Path(str(file.locate()))
        for file in distribution.files or ()
        if file.parts[0] in PACKAGES and "__pycache__" not in file.parts and file.parts[:3] != ("flink_masking", "kernels", "compiled")
    }
    expected = sources()
    assert sorted(expected) == sorted(installed)
    assert [name for name in expected if expected[name].read_bytes() != installed[name].read_bytes()] == []


def test_the_wheel_installs_the_command():
    """flink-masking is a console script of the distribution."""
    scripts = importlib.metadata.entry_points(group="console_scripts", name="flink-masking")
    assert [script.value for script in scripts] == ["flink_masking.cli:main"]


def test_the_version_is_one_fact():
    """The version of the metadata and of the package are the same, and the changelog knows it or what comes after."""
    assert importlib.metadata.version("flink-masking") == flink_masking.__version__
    assert re.search(rf"^## (Unreleased|{re.escape(flink_masking.__version__)})", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_the_package_has_no_other_attributes():
    """Asking the package for a name that it lacks is an AttributeError, as for any module."""
    with pytest.raises(AttributeError, match="no attribute 'protector_of_all'"):
        _ = flink_masking.protector_of_all
