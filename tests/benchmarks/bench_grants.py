"""CPU time of a batch without a granted segment, with one, and with grants in force: `python tests/benchmarks/bench_grants.py`."""

import json
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "shared"))

from control_documents import NOW, Signers
from granted_jobs import Job, policy_of

from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.records.column import binary_column

ROUNDS, ROWS = 60, 10_000


def without_segment():
    """The policy without its granted segment."""
    return load(PolicySource("policy.yaml", policy_of().source.text.partition("  debug:\n")[0]))


def main():
    """Print microseconds of CPU a record, the median of alternating rounds."""
    lines = [json.dumps({"id": f"CUST{number:07d}", "ssn": f"{number:09d}", "email": f"person{number}@example.com",
                                         "region": "eu" if number % 1000 else "us", "amount": number / 7}) for number in range(ROWS)]
    records = binary_column([line.encode() for line in lines])
    jobs = {"no segment": Job(Signers(), without_segment(), now=NOW)}
    for name, grant in (("no grant", None), ("one subject", {"subjects": ["CUST0000017"]}),
                        ("100 subjects", {"subjects": [f"CUST{number:07d}" for number in range(0, 10_000, 100)]}),
                        ("predicate, 0.1 %", {"where": {"region": "us"}}), ("other people", {"subjects": ["nobody"]})):
        jobs[name] = job = Job(Signers(), policy_of(most=100_000_000), now=NOW)
        if grant is not None:
            job.grant(**grant)
    times = {name: [] for name in jobs}
    for _ in range(ROUNDS):
        for name, job in jobs.items():
            begun = time.process_time()
            job.protect(records)
            times[name].append(time.process_time() - begun)
    base = statistics.median(times["no segment"])
    for name, found in times.items():
        median = statistics.median(found)
        print(f"{name:20} {median / ROWS * 1e6:6.3f} µs a record  {100 * (median / base - 1):+5.1f} %")


if __name__ == "__main__":
    main()
