"""House rules that no linter knows."""

import ast
import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("flink_masking", "jobs", "udfs", "tests")
LONGEST = 400
JUNK_DRAWERS = {"util", "utils", "helper", "helpers", "common", "misc"}


def modules() -> list[Path]:
    """All Python files of the project."""
    return [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


def named(paths: list[Path]) -> list[str]:
    """Paths as they are written in the checkout."""
    return [path.relative_to(ROOT).as_posix() for path in paths]


def test_files_stay_short():
    """No module is longer than 400 lines."""
    assert named([path for path in modules() if len(path.read_text().splitlines()) > LONGEST]) == []


def test_there_are_no_junk_drawers():
    """No module is named after the place where things go that have no place."""
    assert named([path for path in modules() if path.stem in JUNK_DRAWERS]) == []


def test_every_module_says_what_it_is():
    """Every module that holds anything has a docstring."""
    bare = [path for path in modules() if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))]
    assert named(bare) == []


def test_every_test_states_a_behaviour():
    """Every test function has a docstring."""
    bare = []
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not ast.get_docstring(node):
                bare.append(f"{path.relative_to(ROOT)}: {node.name}")
    assert bare == []


def test_nothing_is_left_unfinished():
    """No marker of unfinished work stands in the sources."""
    marker = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b|NotImplemented" + "Error")
    assert named([path for path in modules() if marker.search(path.read_text())]) == []


def test_kernels_are_compiled_with_the_house_options():
    """Every njit of the library takes the options JIT, or INLINED with them, so that kernels are cached, hold no GIL and divide like C."""
    loose = []
    for path in (ROOT / "flink_masking").rglob("*.py"):
        decorators = [d for node in ast.walk(ast.parse(path.read_text())) for d in getattr(node, "decorator_list", ())]
        for decorator in decorators:
            text = ast.unparse(decorator)
            if text.startswith("njit") and not text.endswith(("**JIT)", "**INLINED)")):
                loose.append(f"{path.relative_to(ROOT)}:{decorator.lineno}")
    assert loose == []


def test_make_help_lists_every_target():
    """make, without a target, lists each target with one line."""
    done = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = {line.split()[1] for line in done.stdout.splitlines()}
    targets = set(re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split())
    assert targets - {"java"} == listed
    assert {"demo", "test", "check", "package"} <= listed


def test_continuous_integration_can_be_run():
    """The scripts are executable: .ci/run runs what the Makefile calls check, docs and test, .ci/slow the long stories."""
    scripts = {path.name: path for path in (ROOT / ".ci").iterdir()}
    assert all(os.access(script, os.X_OK) for script in scripts.values())
    targets = {name: re.findall(r"^make ([\w-]+)$", script.read_text(), re.MULTILINE) for name, script in scripts.items()}
    assert targets == {"run": ["check", "docs", "test"], "slow": ["test-slow"], "services": []}
