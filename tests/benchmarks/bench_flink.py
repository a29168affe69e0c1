"""Jobs on the embedded mini-cluster: events per second of each path, job start subtracted, each beside an identity function.

Every figure is a slope: a job over n events and one over 6 n events, each in a process of its own; the difference in seconds is that of
5 n events without the start of Flink. With fewer, Java's compiler, busy on both cores for ten seconds, would be most of what is measured.
The jobs of one round run one after the other, so their ratios are from one run. A slow job takes a share of n, so that it is over in time.

Beside each rate stands the processor time that an event took in Java and in Python, which depends less on what else a machine does. The two
work side by side, so that a job is as fast as the slower of them where there is a core for each, and as both together where there is not.
"""

import argparse
import importlib.util
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
from math import isnan, nan
from pathlib import Path
from statistics import median
from typing import NamedTuple

HERE = Path(__file__).parent
sys.path.append(str(HERE))

from processor_time import Watched, told  # noqa: E402 (found by way of the line before)

LARGER = 6
"""Events of the larger of two jobs, as a multiple of the smaller's."""


class Job(NamedTuple):
    """One job: what `flink_job.py` runs, what it is compared with, the share of n that it runs over, and the format of its events."""

    mode: str
    policy: str
    against: str | None
    share: float = 1
    format: str = "jsonl"


JOBS = {
    "flink:identity": Job("identity", "policy_flat.yaml", None),
    "flink:identity, three columns": Job("identity3", "policy_flat.yaml", None),
    "flink:masked segment, five masked fields": Job("protect", "policy_flat.yaml", "flink:identity"),
    "flink:masked segment, five masked fields, in Avro": Job("protect", "policy_avro.yaml", "flink:masked segment, five masked fields",
                                                              format="avro"),
    "flink:masked segment, FPE on card and SSN": Job("protect", "policy_fpe.yaml", "flink:identity"),
    "flink:three segments, two masked + packed": Job("protect-only", "policy_three.yaml", "flink:identity, three columns"),
    "flink:three segments, k-anonymity included": Job("protect", "policy_three.yaml", "flink:identity, three columns"),
    "flink:keyed path into k-anonymity": Job("protect", "policy_keyed.yaml", "flink:identity"),
}
SCALAR = {  # by what encrypts in it: the package that is fetched, or this project's reference where there is no network
    "scalar-fastfpe": "flink:scalar UDF with fastfpe per row, card and SSN only",
    "scalar-exact": "flink:scalar UDF with FF1 in Python's integers per row, card and SSN only",
}
SCALAR_SHARE = {"scalar-fastfpe": 0.2, "scalar-exact": 0.05}


def measure(events: int = 1_000_000, rounds: int = 1, memory_events: int = 5_000_000,
            only: str | None = None) -> dict[str, dict[str, object]]:
    """Run all jobs.

    Args:
        events: n; jobs run over n and 6 n events.
        rounds: of which the median is reported.
        memory_events: events of the memory run; 0 leaves it out.
        only: a regular expression found in the names of the jobs; None: all jobs.
    """
    chosen = {name: job for name, job in JOBS.items() if only is None or re.search(only, name)}
    from flink_masking.generate import write_events
    from flink_masking.keys.files import create

    with tempfile.TemporaryDirectory(prefix="flink-masking-bench-") as folder:
        work = Path(folder)
        create(work / "keys.json")
        write_events(work / "events.jsonl", events, max(1, events // 4), 1, "flat")
        if any(job.format == "avro" for job in chosen.values()):
            _in_avro(work)
        inputs = {}
        for copies in (1, LARGER, max(1, memory_events // events)):
            for kind in sorted({job.format for job in chosen.values()} | {"jsonl"}):
                place = inputs[copies, kind] = work / f"in{copies}-{kind}"
                place.mkdir(exist_ok=True)
                for i in range(copies):
                    if not (place / f"{i}.{kind}").exists():
                        os.link(work / f"events.{kind}", place / f"{i}.{kind}")
        keys = f"file://{work / 'keys.json'}"
        jobs = dict(chosen)
        if only is None:
            peer = "scalar-fastfpe" if _fetch("fastfpe", work) else "scalar-exact"
            jobs |= {SCALAR[peer]: Job(peer, "policy_flat.yaml", "flink:identity", SCALAR_SHARE[peer])}
        rates: dict[str, list[float]] = {name: [] for name in jobs}
        costs: dict[str, list[tuple[float, float]]] = {name: [] for name in jobs}
        for _ in range(rounds):
            for name, (mode, policy, _, share, kind) in jobs.items():
                n = max(1, round(events * share))
                paths = [inputs[copies, kind] if n == events else _part(work, n, copies) for copies in (1, LARGER)]
                few, many = (_run(mode, path, HERE / policy, keys, work / "fastfpe") for path in paths)
                more = (LARGER - 1) * n
                # A start that took longer than the events of the larger job leaves no slope: the machine was busy with something else.
                rates[name].append(more / (many.seconds - few.seconds) if many.seconds > few.seconds + 0.5 else nan)
                costs[name].append((many.java - few.java, many.python - few.python))
                print(f"{name}: {rates[name][-1]:,.0f} events/s, {told(*costs[name][-1], more)}", file=sys.stderr, flush=True)
        found: dict[str, dict[str, object]] = {}
        for name, (_, _, against, share, _) in jobs.items():
            good = [rate for rate in rates[name] if not isnan(rate)]
            if not good:
                print(f"{name}: no usable slope, left out; measure on a quiet machine", file=sys.stderr)
                continue
            entry: dict[str, object] = {"value": round(median(good)), "unit": "events/s"}
            if against in rates:
                ratios = [a / b for a, b in zip(rates[name], rates[against], strict=True) if not isnan(a / b)]
                entry |= {"ratio": round(median(ratios), 3) if ratios else None, "against": against}
            java, python = (median(column) for column in zip(*costs[name], strict=True))
            found[name] = entry | {"settings": told(java, python, (LARGER - 1) * max(1, round(events * share)))}
        if memory_events:
            samples = _run("protect", inputs[max(1, memory_events // events), "jsonl"], HERE / "policy_three.yaml", keys).worker
            third = samples[len(samples) // 3] if samples else 0
            found[f"flink:peak of the largest Python worker over {memory_events:,} events"] = {
                "value": max(samples, default=0), "unit": "MiB", "ratio": round(max(samples, default=0) / max(1, third), 3),
                "against": "its size after a third of the run"}
        return found


def _in_avro(work: Path) -> None:
    """The events in Avro with Confluent's framing, one on a line each, as `run` hands such records to Flink."""
    from in_avro import in_avro

    from flink_masking.records.codec import folded

    with (work / "events.jsonl").open("rb") as events, (work / "events.avro").open("wb") as lines:
        lines.writelines(folded(record) + b"\n" for record in in_avro(events))


def _fetch(package: str, folder: Path) -> bool:
    """Whether a package of PyPI is now in a folder of its own below this one."""
    spec = importlib.util.spec_from_file_location("bench_peers", HERE / "bench_peers.py")
    assert spec is not None and spec.loader is not None
    peers = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(peers)
    return bool(peers.fetch(package, folder))


def _part(work: Path, n: int, copies: int) -> Path:
    """A folder with the first n events, several times."""
    folder = work / f"part{n}x{copies}"
    folder.mkdir(exist_ok=True)
    for i in range(copies):
        with (work / "events.jsonl").open("rb") as events, (folder / f"{i}.jsonl").open("wb") as part:
            part.writelines(itertools.islice(events, n))
    return folder


class Ran(NamedTuple):
    """What a job took: seconds; processor time of Java and of the Python workers, s; MiB of the largest worker, once a second."""

    seconds: float
    java: float
    python: float
    worker: list[int]


def _run(mode: str, path: Path, policy: Path, keys: str, packages: Path | None = None) -> Ran:
    """Run one job; workers find these packages, too."""
    command = [sys.executable, str(HERE / "flink_job.py"), mode, str(path), str(policy), keys]
    paths = [*filter(None, [os.environ.get("PYTHONPATH")]), *([str(packages)] if packages and mode == "scalar-fastfpe" else [])]
    environment = os.environ | ({"PYTHONPATH": os.pathsep.join(paths)} if paths else {})
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    with Watched(process.pid) as watched:
        out, err = process.communicate(timeout=900)
    if (found := re.search(r"SECONDS ([0-9.]+)", out)) is None:
        raise RuntimeError(f"the job {mode} failed:\n{err[-2000:]}")
    return Ran(float(found[1]), watched.java, watched.python, watched.workers[::5])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000, help="n (default 1,000,000)")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--memory-events", type=int, default=5_000_000, help="0 leaves the memory run out")
    parser.add_argument("--only", help="jobs in whose names this regular expression is found")
    options = parser.parse_args()
    print(json.dumps(measure(options.events, options.rounds, options.memory_events, options.only), indent=2))


if __name__ == "__main__":
    main()
