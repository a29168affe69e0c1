"""CPU time of a batch without a granted segment, with one, and with grants in force: `python tests/benchmarks/bench_grants.py RECORDS`.

RECORDS: customer events, as `flink-masking generate --output RECORDS` makes them.
"""

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "shared"))

import orjson
from control_documents import NOW, Signers
from granted_jobs import Job

from flink_masking.examples import CUSTOMER_EVENTS
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.records.column import binary_column

ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 40
DEBUG = """\
  debug-customer-events:
    view: granted
    of: masked-customer-events
    may_show: {email: {technique: partial, keep_last: 12}, ssn: keep}
    max_duration: 2h
    max_records: 100000000
"""


def policies():
    """The example with its first masked segment alone, and with a granted segment of it."""
    text = CUSTOMER_EVENTS.read_text().partition("  dev-customer-events:")[0].replace("stream: customer-events", "stream: s")
    return [load(PolicySource("policy.yaml", one)) for one in (text, text + DEBUG)]


def main():
    """Print microseconds of CPU a record, the median of alternating rounds."""
    lines = Path(sys.argv[1]).read_bytes().splitlines()[:10_000]
    people = list(dict.fromkeys(orjson.loads(line)["customerId"] for line in lines))
    records = binary_column(lines)
    without, with_ = policies()
    jobs = {"no segment": Job(Signers(), without, now=NOW)}
    for name, grant in (("no grant", None), ("one subject", {"subjects": people[:1]}), ("100 subjects", {"subjects": people[:100]}),
                        ("somebody else", {"subjects": ["nobody"]}), ("predicate, none", {"where": {"age": 1}})):
        jobs[name] = job = Job(Signers(), with_, now=NOW)
        if grant is not None:
            job.grant(segment="debug-customer-events", **grant)
            assert any(one["outcome"] == "in_force" for one in job.event(lines[:1])["control"])
    times = {name: [] for name in jobs}
    for _ in range(ROUNDS):
        for name, job in jobs.items():
            begun = time.process_time()
            job.protect(records)
            times[name].append(time.process_time() - begun)
    base = statistics.median(times["no segment"])
    for name, found in times.items():
        median = statistics.median(found)
        print(f"{name:20} {median / len(lines) * 1e6:6.3f} µs a record  {100 * (median / base - 1):+5.1f} %")


if __name__ == "__main__":
    main()
