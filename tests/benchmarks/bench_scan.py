"""Seconds of processor and wall time that `scan` takes for 100 MB: ``python tests/benchmarks/bench_scan.py [--megabytes 100]``.

Nested customer events and taxi-like CSV; the first batch, which may compile or load kernels, is read before the clock starts. Never fails
on time; the aim is 10 s.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1] / "shared"))

from scan_samples import taxi

from flink_masking.generate import write_events
from flink_masking.records.inputs import Input
from flink_masking.scan import Scanner, propose_policy


def measure(megabytes: int = 100) -> dict[str, Any]:
    """Seconds by name."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        nested, flat = Path(folder, "nested.jsonl"), Path(folder, "taxi.csv")
        write_events(nested, 10_000, 2_500, 1)
        nested.write_bytes(nested.read_bytes() * max(1, megabytes * 1_000_000 // nested.stat().st_size))
        header, rows = taxi(20_000).split(b"\n", 1)
        flat.write_bytes(header + b"\n" + rows * max(1, megabytes * 1_000_000 // len(rows)))
        for name, path, format_ in (("nested JSON", nested, "json"), ("taxi CSV", flat, "csv")):
            source = Input.of(path, format_)
            warm = Scanner(format_, source.columns)
            warm.add(source.first(1_000))
            propose_policy(warm.report(), "warm", lambda source=source: iter([source.first(1_000)]), source.columns)
            wall, cpu, scanner = time.perf_counter(), time.process_time(), Scanner(format_, source.columns)
            for batch in source.batches():
                scanner.add(batch)
            report = scanner.report()
            found |= _entry(f"scan: {name}, {report.bytes / 1e6:.0f} MB", cpu, wall, report.records)
            wall, cpu = time.perf_counter(), time.process_time()
            propose_policy(report, "bench", source.batches, source.columns)
            found |= _entry(f"scan: proposal and proof, {name}, {report.bytes / 1e6:.0f} MB", cpu, wall, report.records)
    return found


def _entry(name: str, cpu: float, wall: float, records: int) -> dict[str, Any]:
    used = time.process_time() - cpu
    return {name: {"value": round(used, 2), "unit": f"s of CPU ({time.perf_counter() - wall:.1f} s, {records / used:,.0f} records/s)"}}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=100)
    print(json.dumps(measure(parser.parse_args().megabytes), indent=2, ensure_ascii=False))
