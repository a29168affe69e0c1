"""The benchmarks of `make bench` load the way it loads them, and those without Flink run."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
LEFT_OUT = {"bench_flink", "bench_start", "bench_sweep", "bench_peers"}
"""Those that run jobs for minutes, and the one that downloads what it measures."""
MEASURED = sorted(path.stem for path in HERE.glob("bench_*.py") if f'"{path.stem}":' in (HERE / "run.py").read_text())


def run(folder, *arguments):
    """What `make bench` runs, from another directory."""
    done = subprocess.run([sys.executable, "-P", HERE / "run.py", *arguments], cwd=folder, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_benchmark_of_make_bench_loads(tmp_path):
    """With -P each module finds what it uses, before anything is measured."""
    assert sorted(run(tmp_path, "--list").split()) == MEASURED and set(MEASURED) > LEFT_OUT


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in MEASURED if name not in LEFT_OUT])
def test_a_benchmark_without_flink_runs(name, tmp_path):
    """It comes to an end, and every figure is a positive number of a unit."""
    run(tmp_path, "--only", name, "--output", "figures.json")
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures
    for title, figure in figures.items():
        assert figure["unit"] and math.isfinite(figure["value"]) and figure["value"] > 0, title
