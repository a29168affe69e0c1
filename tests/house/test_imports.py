"""What importing the library costs and brings along, seen in fresh processes."""

import ast
import json
import pkgutil
import subprocess
import sys
from importlib import resources

import pytest

import flink_masking
from flink_masking.kernels.directories import LOADING, PACKAGE, kernel_sources

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


COMMAND = """
import json, sys
from flink_masking.cli import main
sys.argv = ["flink-masking", *json.loads(sys.argv[1])]
try:
    main()
except SystemExit as left:
    print("\\n" + json.dumps([left.code, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


@pytest.mark.parametrize(("arguments", "code"), [
    (["check", "POLICY"], 0), (["schema"], 0), (["--help"], 0), (["health", "--help"], 0), (["keys", "new", "DIRECTORY/keys.json"], 0)])
def test_commands_that_run_no_kernel_import_no_compiler(tmp_path, arguments, code):
    """Commands that mask nothing load neither numba nor pandas, OpenDP, faker or Flink, whatever they check."""
    policy = str(resources.files("flink_masking.examples").joinpath("customer_events.yaml"))
    given = [argument.replace("POLICY", policy).replace("DIRECTORY", str(tmp_path)) for argument in arguments]
    done = subprocess.run([sys.executable, "-P", "-c", COMMAND, json.dumps(given)], capture_output=True, text=True, check=True)
    left, loaded = json.loads(done.stdout.splitlines()[-1])
    assert (left or 0) == code, done.stderr
    assert set(loaded) & ({"numba", "pandas", "opendp", "faker"} | FLINK) == set()


def imported_by(module: ast.Module) -> set[str]:
    """The dotted names of what a module imports, wherever in it."""
    names = {alias.name for node in ast.walk(module) if isinstance(node, ast.Import) for alias in node.names}
    return names | {f"{'.' * node.level}{node.module or ''}.{alias.name}" for node in ast.walk(module) if isinstance(node, ast.ImportFrom)
                    for alias in node.names}


@pytest.mark.parametrize("source", kernel_sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_kernels_are_made_of_sources_that_the_cache_goes_by(source):
    """Compiled code holds the constants and tuples that a kernel's module imports, so these too come from modules that the digest reads.

    Otherwise machine code of an older release would be used after they changed.
    """
    digested = {".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__") for path in kernel_sources()}
    if source.name == "__init__.py":  # njit itself, and what it is made of
        digested |= {f"flink_masking.kernels.{name.removesuffix('.py')}" for name in LOADING}
    own = {name for name in imported_by(ast.parse(source.read_text())) if name.startswith((".", "flink_masking"))}
    assert {name for name in own if not {name, name.rpartition(".")[0]} & digested} == set()
