"""What it takes until something happens: processor time of commands, time to the first record on a cluster, size of the archive.

``python -P tests/benchmarks/bench_start.py [NAME …]``: each command is a process of its own, the best of three runs. Nothing fails on time.
"""

import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

from flink_masking.archive import write_archive
from flink_masking.generate import write_events
from flink_masking.keys.files import create

HERE = Path(__file__).parent
PROGRAM = "from flink_masking.cli import main; main()"
ROUNDS = 3
EXAMPLE = resources.files("flink_masking.examples").joinpath("customer_events.yaml")


def spent(*arguments: object, rounds: int = ROUNDS) -> tuple[float, float]:
    """The least processor time and the least wall time of a command, its children's included, in seconds."""
    processor, wall = [], []
    for _ in range(rounds):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run([sys.executable, "-P", "-c", PROGRAM, *map(str, arguments)], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        wall.append(time.perf_counter() - began)
        processor.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(processor), min(wall)


def figure(value: float, unit: str, goal: float | None) -> dict[str, Any]:
    """An entry of the table, beside its goal."""
    entry = {"value": round(value, 2), "unit": unit}
    return entry if goal is None else entry | {"ratio": round(value / goal, 2), "against": f"a goal of {goal} {unit}"}


def commands(folder: Path) -> dict[str, dict[str, Any]]:
    """``--help``, ``check`` and ``preview`` of 10,000 events."""
    policy, events = folder / "policy.yaml", folder / "events.jsonl"
    policy.write_text(EXAMPLE.read_text())
    write_events(events, 10_000, 2_500, 1, "nested", None)
    return {
        "start:--help": figure(spent("--help")[0], "CPU s", None),
        "start:check": figure(spent("check", policy)[0], "CPU s", 0.7),
        "start:preview:10000": figure(spent("preview", policy, events, "--limit", 10_000)[0], "CPU s", None),
    }


def small_run(folder: Path) -> dict[str, dict[str, Any]]:
    """``run`` of 5,000 events, from the start of the process to its end."""
    policy, events, keys = folder / "policy.yaml", folder / "few.jsonl", folder / "keys.json"
    policy.write_text(EXAMPLE.read_text())
    create(keys)
    write_events(events, 5_000, 1_250, 1, "nested", None)
    processor, wall = spent("run", policy, "--input", events, "--output", folder / "out", "--keys", keys.as_uri(), "--overwrite")
    return {"start:run:5000": figure(wall, "s", 12), "start:run:5000, processor time": figure(processor, "CPU s", None)}


def archive(folder: Path) -> dict[str, dict[str, Any]]:
    """Sizes of the archive: for any policy, and for one without aggregated segments."""
    return {
        "start:archive": figure(write_archive(folder / "all.zip") / 1e6, "MB", None),
        "start:archive, no aggregated segment": figure(write_archive(folder / "masked.zip", aggregates=False) / 1e6, "MB", 150),
    }


def first_record(folder: Path) -> dict[str, dict[str, Any]]:
    """From ``flink run`` with the archive to the first record in a view, on a TaskManager that has run no Python yet."""
    sys.path += [str(HERE.parent / name) for name in ("cluster", "flink", "shared")]
    import job_material as material  # type: ignore[import-not-found]
    from cluster import Cluster  # type: ignore[import-not-found]
    from fanout import FanOut  # type: ignore[import-not-found]

    keys = folder / "cluster-keys.json"
    create(keys)
    packed = folder / "flink-masking.zip"
    write_archive(packed, level=1)
    os.environ["FLINK_MASKING_PYTHON"] = os.path.realpath(sys.executable)
    job = FanOut(folder / "job", keys.as_uri())
    job.give("first", material.make_events(folder, 5_000, 1_250, 21).lines)
    with Cluster(folder / "cluster") as cluster:
        began = time.perf_counter()
        submitted = cluster.submit(job.policy, job.deployment, run=("-p", 1), arguments=("--archive", packed))
        if submitted.job is None:
            raise RuntimeError(submitted.text)
        accepted = time.perf_counter()
        cluster.wait("a record is in the view", lambda: job.masked() > 0, job.masked)
        seconds = time.perf_counter() - began
        with contextlib.suppress(OSError):
            cluster.cancel(submitted.job)
    return {"start:first record": figure(seconds, "s", 15), "start:first record, after the job was accepted": figure(
        seconds - (accepted - began), "s", None)}


PARTS: dict[str, Callable[[Path], dict[str, dict[str, Any]]]] = {
    "commands": commands, "run": small_run, "archive": archive, "first_record": first_record}


def measure(names: list[str] | None = None) -> dict[str, dict[str, Any]]:
    """All figures, or those of the named parts."""
    found: dict[str, dict[str, Any]] = {}
    for name in names or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            found |= PARTS[name](Path(folder))
    return found


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1:]), indent=2))
