"""Every benchmark in one run: python tests/benchmarks/run.py --output build/bench.json [--adult DIR] [--fhir DIR]; never fails on time."""

import argparse
import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE))  # benchmarks use each other, and the interpreter runs with -P


def main() -> None:
    """Measure everything, print a table and write the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("build/bench.json"))
    parser.add_argument("--adult", type=Path, help="folder of the Adult census extract, for the losses of k-anonymity")
    parser.add_argument("--fhir", type=Path, help="folder of FHIR bulk files, for nested records")
    parser.add_argument("--rounds", type=int, default=1, help="rounds of the Flink jobs; the median is reported")
    parser.add_argument("--only", help="only benchmarks whose name contains this")
    parser.add_argument("--list", action="store_true", help="load the benchmarks, print their names and measure nothing")
    options = parser.parse_args()
    benches: dict[str, Callable[[ModuleType], dict[str, Any]]] = {
        "bench_records": lambda bench: bench.measure(options.fhir) | bench.measure_protect() | bench.measure_bad(),
        "bench_avro": lambda bench: bench.measure(),
        "bench_protobuf": lambda bench: bench.measure(),
        "bench_changes": lambda bench: bench.measure(),
        "bench_detect": lambda bench: bench.measure(),
        "bench_techniques": lambda bench: bench.measure(),
        "bench_ff1": lambda bench: bench.measure(),
        "bench_peers": lambda bench: bench.measure(),
        "bench_encryption": lambda bench: bench.measure(),
        "bench_vault": lambda bench: bench.measure(),
        "bench_anonymity": lambda bench: bench.measure(options.adult),
        "bench_dp": lambda bench: bench.measure(),
        "bench_preview": lambda bench: bench.measure(),
        "bench_scan": lambda bench: bench.measure(),
        "bench_studio": lambda bench: bench.measure(),
        "bench_sweep": lambda bench: bench.measure(flink=True),
        "bench_start": lambda bench: bench.measure(),
        "bench_flink": lambda bench: bench.measure(rounds=options.rounds),
    }
    # All before the first is measured; as modules of their own names, for which compiled kernels are kept.
    chosen = {name: importlib.import_module(name) for name in benches if not options.only or options.only in name}
    if options.list:
        print(*chosen, sep="\n")
        return
    found: dict[str, Any] = json.loads(options.output.read_text()) if options.only and options.output.exists() else {}
    for name, module in chosen.items():
        print(f"running {name}", file=sys.stderr, flush=True)
        found |= benches[name](module)
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(found, indent=2) + "\n")
    for name, entry in found.items():
        ratio = f"   {entry['ratio']:.2f} × {entry['against']}" if entry.get("ratio") is not None else ""
        print(f"{name:<58} {entry['value']:>14,} {entry['unit']}{ratio}")


if __name__ == "__main__":
    main()
