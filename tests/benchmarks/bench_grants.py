"""CPU time of batches without a granted segment, with one, and with grants in force: `bench_grants.py RECORDS [ROUNDS]`.

RECORDS: customer events, as `flink-masking generate --output RECORDS` makes them. Rounds alternate between the cases, so that a machine
that is busy with other things is equally busy in all of them; what is told is the median of each case over the median without.
"""

import statistics
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "shared"))

import orjson
from control_documents import NOW, Signers
from granted_jobs import Job

from flink_masking.examples import CUSTOMER_EVENTS
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource
from flink_masking.records.column import binary_column

SIZES = 10_000, 1_000
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


def sharing(people, share):
    """People who have about that share of the records together, those with the fewest first."""
    chosen, wanted = [], share * sum(people.values())
    for person, count in sorted(people.items(), key=lambda one: one[1]):
        if wanted >= count / 2:
            chosen.append(person)
            wanted -= count
    return chosen


def forget(job):
    """Let everybody of the next batch be new."""
    for subjects in job.protect._grants._subjects.values():
        if hasattr(subjects, "_strangers"):
            subjects._strangers.forget()


def main():
    """Print microseconds of CPU a record for each size of a batch."""
    lines = Path(sys.argv[1]).read_bytes().splitlines()
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 40
    without, with_ = policies()
    for size in SIZES:
        batch = lines[:size]
        people, records = Counter(orjson.loads(line)["customerId"] for line in batch), binary_column(batch)
        jobs = {"no segment": Job(Signers(), without, now=NOW)}
        for name, grant in (("no grant", None), ("subjects, 0 %", {"subjects": ["nobody"]}),
                            ("everybody new, 0 %", {"subjects": ["nobody"]}),
                            ("subjects, .1 %", {"subjects": sharing(people, .001)}), ("subjects, 1 %", {"subjects": sharing(people, .01)}),
                            ("predicate, 0 %", {"where": {"age": 1}})):
            jobs[name] = job = Job(Signers(), with_, now=NOW)
            if grant is not None:
                job.grant(segment="debug-customer-events", **grant)
                assert any(one["outcome"] == "in_force" for one in job.event(batch[:1])["control"])
        times, opened = {name: [] for name in jobs}, {}
        for _ in range(rounds * SIZES[0] // size if size < SIZES[0] else rounds):
            for name, job in jobs.items():
                if name.startswith("everybody"):
                    forget(job)
                begun = time.process_time()
                (piece,) = job.protect(records)
                times[name].append(time.process_time() - begun)
                opened[name] = piece.report.masked["debug-customer-events"].released if "segment" not in name else 0
        base = statistics.median(times["no segment"])
        for name, found in times.items():
            median = statistics.median(found)
            print(f"{size:6} {name:20} {opened[name]:4} opened  {median / size * 1e6:6.3f} µs a record  "
                  f"{100 * (median / base - 1):+5.1f} %")


if __name__ == "__main__":
    main()
