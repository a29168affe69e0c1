"""All benchmarks of `make bench` can be loaded the way it loads them."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def test_every_benchmark_of_make_bench_loads(tmp_path):
    """With -P and from another directory each module finds what it uses, before anything is measured."""
    done = subprocess.run([sys.executable, "-P", HERE / "run.py", "--list"], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    names = done.stdout.split()
    assert len(names) > 10 and {f"{name}.py" for name in names} <= {path.name for path in HERE.glob("bench_*.py")}
