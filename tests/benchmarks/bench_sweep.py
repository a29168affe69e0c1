"""Whole-record sweeps (``unknown_fields: scan``) beside masked segments: in one thread, and in jobs on the embedded mini-cluster.

``python tests/benchmarks/bench_sweep.py [--flink] [--events N]``: events per second of processor time, of flat events of 200 bytes and of
nested records of 1.1 kB in which most values are personal. Without Flink the best of several rounds of `Protect`; with it the slope between
a job over n events and one over 6 n, Java's and Python's processor time together. Nothing fails on time.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from math import isnan, nan
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.append(str(HERE))

import bench_detect  # noqa: E402 (found by way of the line before)
import bench_flink  # noqa: E402
import pyarrow as pa  # noqa: E402

BATCH, ROUNDS = 10_000, 5
POLICIES = {"flat": "policy_flat.yaml", "nested": "policy_nested.yaml"}
"""Policies of the masked segments that a sweep is compared with."""
SWEEP = "policy_sweep.yaml"
MEANINGFUL = 5.0
"""Seconds of processor time that the larger of two jobs takes more at least, or the two tell nothing about an event."""


def inputs(work: Path, events: int) -> dict[str, Path]:
    """Files of flat events, and of a quarter as many nested records."""
    from flink_masking.generate import write_events

    write_events(work / "flat.jsonl", events, max(1, events // 4), 1, "flat")
    data, starts, ends = bench_detect.records(max(1, events // 4))
    (work / "nested.jsonl").write_bytes(b"".join(data[s:e].tobytes() + b"\n" for s, e in zip(starts, ends, strict=True)))
    return {shape: work / f"{shape}.jsonl" for shape in POLICIES}


def one_thread(policy: str, file: Path) -> float:
    """Events per second of processor time of `Protect`, without Flink."""
    from flink_masking.engine.plan import compile_plan
    from flink_masking.engine.protect import Protect
    from flink_masking.keys.ring import KeyRing
    from flink_masking.policy.load import load_policy

    protect = Protect(compile_plan(load_policy(HERE / policy), KeyRing.ephemeral()), os.urandom, lambda: 0)
    lines = file.read_bytes().splitlines()
    batches = [pa.array(lines[k : k + BATCH], pa.binary()) for k in range(0, len(lines), BATCH)]
    protect(batches[0])
    best = float("inf")
    for _ in range(ROUNDS):
        begin = time.process_time()
        for batch in batches:
            protect(batch)
        best = min(best, time.process_time() - begin)
    return len(lines) / best


def in_flink(policy: str, file: Path, keys: str) -> tuple[float, str]:
    """Events per second of processor time of a job, its start subtracted; and what Java and Python took, in words."""
    lines = file.read_bytes().count(b"\n")
    costs = []
    for copies in (1, bench_flink.LARGER):
        folder = file.parent / f"{file.stem}{copies}"
        folder.mkdir(exist_ok=True)
        for number in range(copies):
            if not (folder / f"{number}.jsonl").exists():
                os.link(file, folder / f"{number}.jsonl")
        ran = bench_flink._run("protect", folder, HERE / policy, keys)
        costs.append((ran.java, ran.python))
    more, java, python = (bench_flink.LARGER - 1) * lines, costs[1][0] - costs[0][0], costs[1][1] - costs[0][1]
    # Java's compiler takes seconds of either job: where the larger one did not take that much more, the slope is noise.
    rate = more / (java + python) if java + python > MEANINGFUL else nan
    return rate, bench_flink.told(java, python, more)


def measure(events: int = 1_000_000, flink: bool = False, shapes: Sequence[str] = tuple(POLICIES)) -> dict[str, Any]:
    """All figures, by name."""
    from flink_masking.keys.files import create

    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="flink-masking-bench-") as folder:
        create(Path(folder) / "keys.json")
        files = inputs(Path(folder), events)
        for way in ("thread", "flink") if flink else ("thread",):
            for shape in shapes:
                file, keys = files[shape], f"file://{folder}/keys.json"
                (masked, how), (swept, how_swept) = (in_flink(policy, file, keys) if way == "flink" else (one_thread(policy, file), "")
                                                     for policy in (POLICIES[shape], SWEEP))
                if isnan(masked) or isnan(swept):
                    print(f"sweep.{way}.{shape}: no usable slope, left out; more events, or a quiet machine", file=sys.stderr)
                    continue
                found[f"sweep.{way}.{shape}.masked"] = {"value": round(masked), "unit": "events/CPU s", "settings": how}
                found[f"sweep.{way}.{shape}"] = {"value": round(swept), "unit": "events/CPU s", "ratio": round(swept / masked, 3),
                                                 "against": "the masked segment", "settings": how_swept}
                print(json.dumps(found[f"sweep.{way}.{shape}"]), file=sys.stderr, flush=True)
    return found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flink", action="store_true", help="jobs, too")
    parser.add_argument("--events", type=int, default=1_000_000, help="flat events; of nested ones a quarter")
    parser.add_argument("--shape", choices=[*POLICIES], help="only these records")
    options = parser.parse_args()
    print(json.dumps(measure(options.events, options.flink, [options.shape] if options.shape else [*POLICIES]), indent=2))


if __name__ == "__main__":
    main()
