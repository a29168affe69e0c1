"""What importing the library costs and brings along, seen in fresh processes."""

import json
import pkgutil
import subprocess
import sys

import pytest

import flink_masking

FLINK = {"pyflink", "py4j", "apache_beam"}
HEAVY = {"numba", "pyarrow", "numpy", "pandas", "faker", "opendp", "pydantic", "cryptography"}


def loaded_by(*modules: str) -> set[str]:
    """The top-level names that a fresh Python has loaded after importing the modules."""
    program = f"import sys, json, importlib\nfor m in {modules!r}: importlib.import_module(m)\nprint(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


def pure_modules() -> list[str]:
    """Every module of the library but those that are made for Flink."""
    walk = pkgutil.walk_packages(flink_masking.__path__, "flink_masking.")
    return [info.name for info in walk if not info.name.startswith(("flink_masking.flink.", "flink_masking.kafka."))]


def test_the_core_imports_no_flink():
    """Importing every module of the library but those for Flink and Kafka loads neither PyFlink nor what it brings."""
    modules = pure_modules()
    assert len(modules) > 30
    assert loaded_by("flink_masking", *modules) & FLINK == set()


@pytest.mark.parametrize("module", ["flink_masking", "flink_masking.cli.app", "flink_masking.cli.console"])
def test_start_up_is_light(module):
    """The package and the command tree load nothing that takes long to import."""
    assert loaded_by(module) & (HEAVY | FLINK) == set()


def test_declarations_of_techniques_are_light():
    """What techniques there are, their parameters and their promises can be asked without numpy, pyarrow or any kernel."""
    assert loaded_by("flink_masking.techniques.registry") & (HEAVY | FLINK) == {"pydantic"}
