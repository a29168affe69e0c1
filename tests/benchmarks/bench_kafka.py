"""From Kafka to Kafka: events per second against an identity function and a copy without Python, latency, two TaskManagers, memory.

One broker and a standalone cluster on this machine, all in processes of their own. A rate is a slope, as in bench_flink.py: a job over n
events and one over 3 n events that lie ready in a topic; the difference in seconds, by Flink's own clock, is that of 2 n events without
the start of the job and the commit at its end. The jobs of one round run one after the other, and the next round in the other order. What
a job has committed is counted after each run.
"""

import argparse
import contextlib
import itertools
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import yaml
from confluent_kafka import Consumer, TopicPartition

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE), str(HERE.parent / "kafka"), str(HERE.parent / "cluster"), str(HERE.parent / "shared")]

from broker import Broker  # noqa: E402 (found by way of the line before)
from cluster import ENDED, FLINK, Cluster  # noqa: E402
from in_avro import in_avro  # noqa: E402
from kafka_reader import read, timestamps  # noqa: E402
from processor_time import Watched, told  # noqa: E402

from flink_masking.generate import write_events  # noqa: E402
from flink_masking.jars import CONNECTORS, JarCache  # noqa: E402
from flink_masking.keys.files import create  # noqa: E402

POLICY, POLICY_AVRO = HERE / "policy_flat.yaml", HERE / "policy_avro.yaml"
AVRO = "-avro"
"""Behind the names of raw topics in Avro."""
SEGMENT, VIEWS = "masked-events", ("masked-events", "audit", "quarantine")
EXACTLY, AT_LEAST = "exactly-once", "at-least-once"
GOALS_MS = {50: 60, 99: 150}
"""Of the latency at least once, by percentile."""
QUICK = {"python.fn-execution.bundle.time": 20, "execution.buffer-timeout.interval": "5 ms"}
"""Flink's settings where latency counts; the bundles are what records wait for."""
LINGER_MS = 2
"""Of the sinks' producers where latency counts."""
FIRST = 1_000
"""Events that show that a job without an end has started."""
SETTINGS = {"taskmanager.memory.task.heap.size": "896m", "classloader.resolve-order": "parent-first"}
"""Of the clusters. The classes of the connector and of PyFlink are theirs, so that what was compiled for one job serves the next: classes
that a job brings along are compiled anew, on the cores that are measured."""
SAMPLED = {"retention.bytes": str(1 << 30), "segment.bytes": str(32 << 20)}
"""Topics of a long run give their disk back."""


class Quick(Cluster):
    """A cluster whose TaskManagers are compiled in full and have a gigabyte, as one that is to be fast would."""

    TASK_MANAGER = ("-XX:+UseSerialGC", "-Xms1g", "-Xmx1g", "-XX:MaxDirectMemorySize=256m", "-XX:MaxMetaspaceSize=512m")


class Job(NamedTuple):
    """A job: the copy with these options or, with None, the main job; what it promises; on how many TaskManagers; records in Avro."""

    copy: tuple[str, ...] | None
    guarantee: str
    parallelism: int = 1
    avro: bool = False


class Ran(NamedTuple):
    """What a job took: seconds; processor time of the TaskManagers' Java and of their Python workers, s."""

    seconds: float
    java: float
    python: float


COPY, SAME, TOLD = (), ("--identity",), ("--identity", "--headers")
"""Options of `kafka_copy.py`: without Python; through an identity function; the same, and each record has a masked record's headers."""
RATES: dict[str, tuple[Job, str | None]] = {}
for _guarantee in (EXACTLY, AT_LEAST):
    _name = f"kafka:{{}}, {_guarantee.replace('-', ' ')}"
    _base = _name.format("identity function")
    RATES |= {
        _base: (Job(SAME, _guarantee), None),
        _name.format("copy without Python"): (Job(COPY, _guarantee), _base),
        _name.format("identity function, three headers"): (Job(TOLD, _guarantee), _base),
        _name.format("masked segment"): (Job(None, _guarantee), _base),
        _name.format("masked segment in Avro"): (Job(None, _guarantee, avro=True), _name.format("masked segment")),
    }
ONE, TWO = "kafka:masked segment, exactly once, on one TaskManager of two", "kafka:masked segment, exactly once, on two TaskManagers"
PAIR = {ONE: (Job(None, EXACTLY), None), TWO: (Job(None, EXACTLY, 2), ONE)}


class Bench:
    """A broker, a directory, and what has been found.

    Attributes:
        checkpoint: milliseconds from one checkpoint to the next.
        lines: file of events.
    """

    def __init__(self, place: Path, broker: Broker, checkpoint: int, lines: int) -> None:
        """Make keys and events."""
        self.place, self.broker, self.checkpoint = place, broker, checkpoint
        self.keys, self.lines = place / "keys.json", place / "events.jsonl"
        create(self.keys)
        write_events(self.lines, lines, max(1, lines // 4), 1, "flat")
        self._numbers = itertools.count()
        self._libraries = [*FLINK.glob("opt/flink-python-*.jar"), JarCache().resolve(CONNECTORS["kafka"])]

    @contextlib.contextmanager
    def cluster(self, task_managers: int = 1) -> Iterator[Cluster]:
        """A cluster of its own for each round: its Java virtual machines keep something of every job that they ran."""
        place = self.place / f"cluster{next(self._numbers)}"
        with Quick(place, task_managers, SETTINGS, libraries=self._libraries) as cluster:
            yield cluster

    @contextlib.contextmanager
    def topics(self, partitions: int, config: dict[str, str] | None = None) -> Iterator[dict[str, str]]:
        """New topics of a job's views, deleted at the end; name of the view → name of the topic."""
        number = next(self._numbers)
        names = {name: self.broker.topic(f"run{number}-{name}", partitions, config) for name in VIEWS}
        try:
            yield names
        finally:
            self.delete(names.values())

    def delete(self, topics: Iterable[str]) -> None:
        """Delete topics; the broker gives the disk back within seconds."""
        admin = self.broker.admin()  # kept by name: a client that is collected gives its answers up
        for future in admin.delete_topics(list(topics)).values():
            future.result(30)

    def preload(self, name: str, copies: int, partitions: int, events: int | None = None, avro: bool = False) -> str:
        """A topic that holds the events, or the first ones, several times; in Avro under another name."""
        topic = self.broker.topic(name + AVRO * avro, partitions)
        for _ in range(copies):
            with self.lines.open("rb") as file:
                lines = (line.rstrip(b"\n") for line in itertools.islice(file, events))
                self.broker.produce(topic, in_avro(lines) if avro else lines, {"linger.ms": "20", "message.timeout.ms": "300000"})
        return name

    def submit(self, cluster: Cluster, job: Job, source: str, sinks: dict[str, str], bounded: bool, quick: bool) -> str:
        """Submit a job; returns its id."""
        at = {"connector": "kafka", "properties.bootstrap.servers": self.broker.bootstrap}
        ends = {"scan.bounded.mode": "latest-offset"} if bounded else {}
        producer = {"properties.linger.ms": LINGER_MS} if quick else {}
        prefixes = {name: {"sink.transactional-id-prefix": topic} if job.guarantee == EXACTLY else {} for name, topic in sinks.items()}
        deployment = self.place / f"deployment{next(self._numbers)}.yaml"
        deployment.write_text(yaml.safe_dump({
            "source": {**at, "topic": source, "scan.startup.mode": "earliest-offset", **ends},
            "sinks": {name: {**at, "topic": topic, "sink.delivery-guarantee": job.guarantee, **producer, **prefixes[name]}
                      for name, topic in sinks.items()},
            "keys": self.keys.as_uri(),
            "flink": {"execution.checkpointing.interval": f"{self.checkpoint} ms", "restart-strategy.type": "disable",
                      **(QUICK if quick else {})},
        }))  # fmt: skip
        program = None if job.copy is None else HERE / "kafka_copy.py"
        arguments = [*(["--bounded"] if bounded else []), *(job.copy or ())]
        policy = POLICY_AVRO if job.avro else POLICY
        submitted = cluster.submit(policy, deployment, run=("-p", job.parallelism), arguments=tuple(arguments), program=program)
        if submitted.job is None:
            raise RuntimeError(f"the job was not accepted:\n{submitted.text[-2000:]}")
        return submitted.job

    def run(self, cluster: Cluster, job: Job, source: str, events: int) -> Ran:
        """Run a job over all that a topic holds, with the proof that it gave each event on."""
        with self.topics(2) as sinks, contextlib.ExitStack() as stack:
            watched = [stack.enter_context(Watched(process.pid)) for process in cluster.task_managers]
            identity = self.submit(cluster, job, source + AVRO * job.avro, sinks, bounded=True, quick=False)
            cluster.wait("the job is over", lambda: cluster.state(identity) in ENDED)
            if cluster.state(identity) != "FINISHED":
                raise RuntimeError(f"the job failed:\n{cluster.failure(identity)[:2000]}")
            committed = len(timestamps(self.broker, sinks[SEGMENT]))
            if committed != events:
                raise RuntimeError(f"{committed} of {events} events were committed")
            seconds = float(cluster.rest(f"/jobs/{identity}")["duration"]) / 1000
        return Ran(seconds, sum(w.java for w in watched), sum(w.python for w in watched))

    def rates(self, jobs: dict[str, tuple[Job, str | None]], rounds: int, topics: dict[int, str], events: int,
              task_managers: int) -> dict[str, dict[str, object]]:
        """Events per second of jobs, and their ratios within a round.

        Args:
            jobs: name → the job and what it is compared with.
            rounds: of which the median is reported.
            topics: number of events → topic that holds them; the fewest are for warming up, then n and 3 n.
            events: n.
            task_managers: of the cluster.
        """
        rates: dict[str, list[float]] = {name: [] for name in jobs}
        costs: dict[str, list[Ran]] = {name: [] for name in jobs}
        warm, small, large = sorted(topics)
        for number in range(rounds):
            with self.cluster(task_managers) as cluster:
                order = list(jobs) if number % 2 == 0 else list(reversed(jobs))
                for name in order:
                    self.run(cluster, jobs[name][0], topics[warm], warm)
                for name in order:
                    few, many = (self.run(cluster, jobs[name][0], topics[count], count) for count in (small, large))
                    more = Ran(*(b - a for a, b in zip(few, many, strict=True)))
                    # A start that took longer than the events of the larger job leaves no slope: the machine was busy otherwise.
                    rates[name].append(2 * events / more.seconds if more.seconds > 0.2 else math.nan)
                    costs[name].append(more)
                    print(f"{name}: {rates[name][-1]:,.0f} events/s ({few.seconds:.2f} s, {many.seconds:.2f} s), "
                          f"{told(more.java, more.python, 2 * events)}", file=sys.stderr, flush=True)
        found: dict[str, dict[str, object]] = {}
        for name, (_, against) in jobs.items():
            good = [rate for rate in rates[name] if not math.isnan(rate)]
            if not good:
                print(f"{name}: no usable slope, left out; measure on a quiet machine, or with more events", file=sys.stderr)
                continue
            found[name] = {"value": round(median(good)), "unit": "events/s"}
            if against in jobs:
                ratios = [a / b for a, b in zip(rates[name], rates[against], strict=True) if not math.isnan(a / b)]
                found[name] |= {"ratio": round(median(ratios), 3) if ratios else None, "against": against}
            found[name]["settings"] = (
                f"checkpoints every {self.checkpoint:,} ms, {rounds} rounds, n {events:,}, {os.cpu_count()} cores; "
                f"{told(median(c.java for c in costs[name]), median(c.python for c in costs[name]), 2 * events)} (without the broker's)")
        return found

    def latency(self, guarantee: str, rate: int, seconds: float, warm: float) -> dict[str, dict[str, object]]:
        """Milliseconds from a raw record's CreateTime to the moment a consumer of committed records has its masked record.

        One partition and one instance keep the order, so that the n-th masked record is that of the n-th raw one.
        """
        with (self.cluster() as cluster, self.running(cluster, guarantee, {}) as (source, consumer),
              self.feed(source, rate, warm + seconds) as feeder):  # fmt: skip
            total = int(rate * (warm + seconds))
            seen, deadline = array("d"), time.monotonic() + warm + seconds + 60
            while len(seen) < total and time.monotonic() < deadline:
                messages = read(consumer, 500, 0.001)
                seen.extend([time.time() * 1000] * len(messages))
            if feeder.wait(120) != 0:
                raise RuntimeError("the events could not be given")
            end = time.time() * 1000
            given = np.frombuffer(timestamps(self.broker, source), "q")[FIRST:]
        if missing := total - len(seen):
            print(f"latency, {guarantee}: {missing:,} events were not yet to be seen and count as seen at the end", file=sys.stderr)
        visible = np.concatenate([np.frombuffer(seen, "d"), np.full(missing, end)])
        counted = slice(int(rate * warm), None)
        waited, span = (visible - given)[counted], np.ptp(given[counted]) / 1000
        fifths = ", ".join(f"{np.median(part):,.0f}" for part in np.array_split(waited, 5))
        print(f"latency, {guarantee}: p50 of each fifth of the run {fifths} ms; one that grows cannot keep up", file=sys.stderr, flush=True)
        settings = (f"bundle.time {QUICK['python.fn-execution.bundle.time']} ms, buffer-timeout 5 ms, linger of the sinks {LINGER_MS} ms, "
                    f"checkpoints every {self.checkpoint:,} ms, {seconds:g} s after {warm:g} s, {os.cpu_count()} cores")
        found: dict[str, dict[str, object]] = {}
        for percent, goal in GOALS_MS.items():
            value = float(np.percentile(waited, percent))
            name = f"kafka:append to committed-visible, {guarantee.replace('-', ' ')}, {rate:,} events/s, p{percent}"
            base, against = goal, f"the goal of {goal} ms"
            if guarantee == EXACTLY:
                base, against = self.checkpoint, f"the checkpoint interval of {self.checkpoint:,} ms"
            found[name] = {"value": round(value, 1), "unit": "ms", "ratio": round(value / base, 3), "against": against,
                           "settings": settings}  # fmt: skip
            print(f"{name}: {value:,.1f} ms at {len(waited) / max(span, 0.001):,.0f} events/s", file=sys.stderr, flush=True)
        return found

    @contextlib.contextmanager
    def running(self, cluster: Cluster, guarantee: str, config: dict[str, str]) -> Iterator[tuple[str, Consumer]]:
        """The main job without an end, started; its raw topic, and a consumer of its masked topic that has read the first events."""
        source = self.broker.topic(f"raw{next(self._numbers)}", config=config)
        with self.topics(1, config) as sinks:
            job = self.submit(cluster, Job(None, guarantee), source, sinks, bounded=False, quick=True)
            with self.lines.open("rb") as file:
                self.broker.produce(source, (line.rstrip(b"\n") for line in itertools.islice(file, FIRST)))
            consumer = Consumer({"bootstrap.servers": self.broker.bootstrap, "group.id": sinks[SEGMENT], "enable.auto.commit": False,
                                 "isolation.level": "read_committed", "fetch.wait.max.ms": 10})  # fmt: skip
            consumer.assign([TopicPartition(sinks[SEGMENT], 0, 0)])
            try:
                count, deadline = 0, time.monotonic() + 180
                while count < FIRST:
                    count += len(read(consumer, FIRST, 0.1))
                    if time.monotonic() > deadline or cluster.state(job) in ENDED:
                        raise RuntimeError(f"the job does not run:\n{cluster.failure(job)[:2000]}")
                yield source, consumer
                if (state := cluster.state(job)) in ENDED:
                    raise RuntimeError(f"the job is {state}:\n{cluster.failure(job)[:2000]}")
                cluster.cancel(job)
            finally:
                consumer.close()
        self.delete([source])

    @contextlib.contextmanager
    def feed(self, topic: str, rate: int, seconds: float) -> "Iterator[subprocess.Popen[bytes]]":
        """A process that gives events at a steady rate."""
        command = [sys.executable, str(HERE / "kafka_feeder.py"), self.broker.bootstrap, topic, str(self.lines), str(rate), str(seconds)]
        feeder = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        try:
            yield feeder
        finally:
            feeder.kill()
            feeder.wait()

    def soak(self, rate: int, seconds: float) -> dict[str, dict[str, object]]:
        """Resident memory once a second under a steady rate: after a start, after a third, the most, and at the end."""
        samples: dict[str, list[int]] = {"Python workers": [], "TaskManager": []}
        with (self.cluster() as cluster, self.running(cluster, EXACTLY, SAMPLED) as (source, _),
              self.feed(source, rate, seconds) as feeder):  # fmt: skip
            while feeder.poll() is None:
                samples["Python workers"].append(sum(map(resident, cluster.workers())))
                samples["TaskManager"].append(resident(cluster.task_managers[0].pid))
                time.sleep(1)
            if feeder.returncode != 0:
                raise RuntimeError("the events could not be given")
        found: dict[str, dict[str, object]] = {}
        settings = f"exactly once, checkpoints every {self.checkpoint:,} ms, {rate:,} events/s over {seconds:g} s, {os.cpu_count()} cores"
        for what, sizes in samples.items():
            base = sizes[len(sizes) // 3]
            for when, size in (("start", sizes[0]), ("a third", base), ("peak", max(sizes)), ("end", sizes[-1])):
                ratio: dict[str, object] = {"ratio": round(size / max(base, 1), 3), "against": "after a third of the run"}
                found[f"kafka:memory of the {what}, {when}"] = {"value": size, "unit": "MiB", **ratio, "settings": settings}
        return found


def resident(pid: int) -> int:
    """Resident MiB of a process; 0 where it has gone."""
    try:
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) // 1024 if found else 0


def parts(bench: Bench, options: argparse.Namespace) -> Iterator[tuple[str, Callable[[], dict[str, dict[str, object]]]]]:
    """Each part's name and what measures it."""
    # Java's processor time an event falls over the first two million events of a new cluster.
    events, warm = options.events, max(1, options.events // 2)
    loaded: dict[int, str] = {}
    filled: set[bool] = set()

    def rates(jobs: dict[str, tuple[Job, str | None]], task_managers: int) -> dict[str, dict[str, object]]:
        for avro in {job.avro for job, _ in jobs.values()} - filled:
            print("filling the raw topics", file=sys.stderr, flush=True)
            filled.add(avro)
            loaded.update({events: bench.preload("raw-n", 1, 2, avro=avro), 3 * events: bench.preload("raw-3n", 3, 2, avro=avro),
                           warm: bench.preload("raw-warm", 1, 2, warm, avro)})
        return bench.rates(jobs, options.rounds, loaded, events, task_managers)

    at = options.rate, options.seconds, options.seconds / 3
    chosen = {name: job for name, job in RATES.items() if options.jobs in name}
    yield "throughput", lambda: rates(chosen, 1)
    yield "latency", lambda: bench.latency(AT_LEAST, *at) | bench.latency(EXACTLY, *at)
    yield "task-managers", lambda: rates(PAIR, 2)
    if options.soak:
        yield "soak", lambda: bench.soak(options.rate, options.soak)


def main() -> None:
    """Measure everything, print a table and write the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--events", type=int, default=1_000_000, help="n (default 1,000,000); four times as many lie in raw topics")
    parser.add_argument("--rounds", type=int, default=3, help="of which the median is reported (default 3)")
    parser.add_argument("--checkpoint", type=int, default=1_000, help="milliseconds from one checkpoint to the next (default 1,000)")
    parser.add_argument("--rate", type=int, default=20_000, help="events a second for latency and memory (default 20,000)")
    parser.add_argument("--seconds", type=float, default=60, help="of the latency's run, after a third as many for warming up (default 60)")
    parser.add_argument("--soak", type=float, default=0, help="seconds over which memory is watched (default 0: not at all)")
    parser.add_argument("--only", choices=("throughput", "latency", "task-managers", "soak"), help="one part; other figures are kept")
    parser.add_argument("--jobs", default="", help="of the throughput, only jobs whose name contains this, as in 'exactly once'")
    options = parser.parse_args()
    found: dict[str, Any] = json.loads(options.output.read_text()) if options.only and options.output.exists() else {}
    properties = {"log.segment.delete.delay.ms": "1000", "log.retention.check.interval.ms": "5000"}
    with tempfile.TemporaryDirectory(prefix="flink-masking-bench-") as folder, Broker(Path(folder) / "broker", properties) as broker:
        bench = Bench(Path(folder), broker, options.checkpoint, options.events)
        for name, part in parts(bench, options):
            if options.only in (None, name):
                print(f"running {name}", file=sys.stderr, flush=True)
                found |= part()
                options.output.parent.mkdir(parents=True, exist_ok=True)
                options.output.write_text(json.dumps(found, indent=2) + "\n")
    for name, entry in found.items():
        ratio = f"   {entry['ratio']:.2f} × {entry['against']}" if entry.get("ratio") is not None else ""
        print(f"{name:<76} {entry['value']:>12,} {entry['unit']}{ratio}")


if __name__ == "__main__":
    main()
