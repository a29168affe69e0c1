"""The demonstration through Kafka: a broker of its own, one raw topic in, a topic for each segment out."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from flink_masking.cli.console import err, out
from flink_masking.errors import JobError
from flink_masking.jars import CONNECTORS, JarCache
from flink_masking.java import java_home
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

_ANSWER_MS = 60_000
"""A broker that has just started on a busy machine may take long for its first answers."""


def through_kafka(directory: Path, policy: Path, keys: Path, raw: Path, first: Sequence[str]) -> None:
    """Start a broker, fill the raw topic, run the main job, show what each topic holds for a consumer of committed records.

    Args:
        directory: for the deployment, logs and the broker's data.
        policy: the policy's file.
        keys: the key ring's file.
        raw: JSON lines.
        first: texts; records that hold one of them are shown before others.

    Raises:
        JobError: Java or a jar is missing, the broker does not start, or the job has failed.
    """
    os.environ["JAVA_HOME"] = str(java_home())
    os.environ["FLINK_LOG_DIR"] = str(directory)
    from flink_masking.kafka.client import KafkaAdmin, KafkaClients  # after the environment that Java starts in
    from flink_masking.kafka.local_broker import LocalBroker
    from flink_masking.kafka.topic import create_topic, read_topic, write_topic

    stream = load(PolicySource.read(policy)).policy
    err.print("starting a Kafka broker")
    with LocalBroker() as broker:
        clients, settings = KafkaClients([JarCache().resolve(CONNECTORS["kafka"])]), {"bootstrap.servers": broker.bootstrap}
        sinks = {name: f"{stream.stream}.{name}" for name in (*stream.segments, "audit", "quarantine")}
        with KafkaAdmin(clients, settings, _ANSWER_MS) as admin:
            create_topic(admin, stream.stream, 2)
            for topic in sinks.values():
                create_topic(admin, topic)
        lines = raw.read_bytes().splitlines()
        write_topic(clients, settings, stream.stream, lines, _ANSWER_MS)
        err.print(f"{len(lines):,} events are in topic {stream.stream}; running the main job", soft_wrap=True)
        _run(directory, policy, _deployment(directory, broker.bootstrap, stream.stream, sinks, keys))
        for topic in (stream.stream, *sinks.values()):
            records = [record.value or b"" for record in read_topic(clients, settings, topic, _ANSWER_MS) or ()]
            _show(topic, [record.decode() for record in records], first)


def _deployment(directory: Path, servers: str, raw: str, sinks: dict[str, str], keys: Path) -> Path:
    kafka = {"connector": "kafka", "properties.bootstrap.servers": servers}
    body = {
        "source": {**kafka, "topic": raw, "scan.startup.mode": "earliest-offset", "scan.bounded.mode": "latest-offset"},
        "sinks": {name: {**kafka, "topic": topic} for name, topic in sinks.items()},
        "keys": keys.resolve().as_uri(),
        "flink": {"parallelism.default": 1, "execution.checkpointing.interval": "2s"},
    }
    path = directory / "deployment.yaml"
    path.write_text(yaml.safe_dump(body))
    return path


def _run(directory: Path, policy: Path, deployment: Path) -> None:
    command = [sys.executable, "-P", "-m", "jobs.fan_out", "--policy", str(policy), "--deployment", str(deployment), "--bounded", "--wait"]
    if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode != 0:
        raise JobError(f"the main job has failed. Hint: see the messages above, and Flink's logs in {directory}")


def _show(topic: str, records: list[str], first: Sequence[str]) -> None:
    out.print(f"\n{topic}: {len(records):,} committed records", style="bold", soft_wrap=True)
    for text in sorted(records, key=lambda text: not any(word in text for word in first))[:2]:
        out.print("  " + text[:300], soft_wrap=True)
