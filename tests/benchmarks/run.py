"""Every benchmark in one run: python tests/benchmarks/run.py --output build/bench.json [--adult DIR] [--fhir DIR]; never fails on time."""

import argparse
import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).parent


def load(name: str) -> ModuleType:
    """A benchmark module beside this file."""
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Measure everything, print a table and write the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--adult", type=Path, help="folder of the Adult census extract, for the losses of k-anonymity")
    parser.add_argument("--fhir", type=Path, help="folder of FHIR bulk files, for nested records")
    parser.add_argument("--rounds", type=int, default=1, help="rounds of the Flink jobs; the median is reported")
    parser.add_argument("--only", help="only benchmarks whose name contains this")
    options = parser.parse_args()
    benches: dict[str, Callable[[], dict[str, Any]]] = {
        "bench_records": lambda: load("bench_records").measure(options.fhir) | load("bench_records").measure_bad(),
        "bench_avro": lambda: load("bench_avro").measure(),
        "bench_protobuf": lambda: load("bench_protobuf").measure(),
        "bench_changes": lambda: load("bench_changes").measure(),
        "bench_detect": lambda: load("bench_detect").measure(),
        "bench_techniques": lambda: load("bench_techniques").measure(),
        "bench_ff1": lambda: load("bench_ff1").measure(),
        "bench_peers": lambda: load("bench_peers").measure(),
        "bench_encryption": lambda: load("bench_encryption").measure(),
        "bench_vault": lambda: load("bench_vault").measure(),
        "bench_anonymity": lambda: load("bench_anonymity").measure(options.adult),
        "bench_dp": lambda: load("bench_dp").measure(),
        "bench_preview": lambda: load("bench_preview").measure(),
        "bench_scan": lambda: load("bench_scan").measure(),
        "bench_studio": lambda: load("bench_studio").measure(),
        "bench_sweep": lambda: load("bench_sweep").measure(flink=True),
        "bench_start": lambda: load("bench_start").measure(),
        "bench_flink": lambda: load("bench_flink").measure(rounds=options.rounds),
    }
    found: dict[str, Any] = json.loads(options.output.read_text()) if options.only and options.output.exists() else {}
    for name, bench in benches.items():
        if options.only and options.only not in name:
            continue
        print(f"running {name}", file=sys.stderr, flush=True)
        found |= bench()
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(found, indent=2) + "\n")
    for name, entry in found.items():
        ratio = f"   {entry['ratio']:.2f} × {entry['against']}" if entry.get("ratio") is not None else ""
        print(f"{name:<58} {entry['value']:>14,} {entry['unit']}{ratio}")


if __name__ == "__main__":
    main()
