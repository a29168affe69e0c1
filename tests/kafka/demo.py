"""The demonstration through Kafka: a broker, one raw topic in, a topic for each segment out; ``make kafka-demo``."""

import argparse
import os
import subprocess
import sys
import tempfile
from importlib import resources
from pathlib import Path

import yaml
from broker import Broker, Record

from flink_masking.cli.console import err, out, reporting_errors
from flink_masking.cli.demo import FULL, RAW
from flink_masking.errors import JobError
from flink_masking.generate import write_events
from flink_masking.java import java_home
from flink_masking.keys.files import create
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource


def main() -> None:
    """Start a broker, run the main job over made-up events, and show what each topic holds for a consumer of committed records."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    options = parser.parse_args()
    with reporting_errors(), tempfile.TemporaryDirectory(prefix="kafka-demo-") as directory:
        err.print("starting a Kafka broker")
        with Broker() as broker:
            run(broker, Path(directory), options.events)


def run(broker: Broker, directory: Path, events: int) -> None:
    """Fill the raw topic, run the job, show the topics.

    Raises:
        JobError: the job has failed.
    """
    policy, keys, raw, deployment = (directory / name for name in ("policy.yaml", "keys.json", "raw.jsonl", "deployment.yaml"))
    policy.write_text(resources.files("flink_masking.examples").joinpath("customer_events.yaml").read_text())
    create(keys)
    loaded = load(PolicySource.read(policy)).policy
    write_events(raw, events, events // 4, 1, "nested", None)
    lines = [RAW.encode(), FULL.encode(), *raw.read_bytes().splitlines()]
    source = broker.topic(loaded.stream, partitions=2)
    broker.produce(source, (Record(line, b"key-%d" % (number % 7)) for number, line in enumerate(lines)))
    sinks = {name: broker.topic(f"{loaded.stream}.{name}") for name in (*loaded.segments, "audit", "quarantine")}
    kafka = {"connector": "kafka", "properties.bootstrap.servers": broker.bootstrap}
    deployment.write_text(yaml.safe_dump({
        "source": {**kafka, "topic": source, "scan.startup.mode": "earliest-offset", "scan.bounded.mode": "latest-offset"},
        "sinks": {name: {**kafka, "topic": topic} for name, topic in sinks.items()},
        "keys": keys.as_uri(),
        "flink": {"parallelism.default": 1, "execution.checkpointing.interval": "2s"},
    }))  # fmt: skip
    err.print(f"{len(lines):,} events are in topic {source}; running the main job", soft_wrap=True)
    environment = {**os.environ, "JAVA_HOME": str(java_home()), "FLINK_LOG_DIR": str(directory)}
    command = [sys.executable, "-P", "-m", "jobs.fan_out", "--policy", policy, "--deployment", deployment, "--bounded", "--wait"]
    if subprocess.run(command, env=environment, stdout=subprocess.DEVNULL).returncode != 0:
        raise JobError("the demonstration's job has failed. Hint: see above")
    show(f"{source} (raw)", broker.consume(source), RAW)
    for name, topic in sinks.items():
        show(f"{topic}", broker.consume(topic), "***-**-6789" if loaded.segments.get(name) is not None else "")


def show(title: str, records: list[Record], first: str) -> None:
    """Print how many committed records a topic holds, and some of them; those that hold the text `first` come before others."""
    out.print(f"\n{title}: {len(records):,} committed records", style="bold", soft_wrap=True)
    values = sorted(((record.value or b"").decode() for record in records), key=lambda text: not first or first not in text)
    for text in values[:2]:
        out.print("  " + text[:300], soft_wrap=True)


if __name__ == "__main__":
    main()
