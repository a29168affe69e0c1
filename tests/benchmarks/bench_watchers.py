"""How long an alert and a finding take: python bench_watchers.py [--rate 20000] [--seconds 60] [--output FILE].

A broker, a cluster, the alert job and the leak monitor on this machine. Lines of the quarantine come at a steady rate, and among them the
attempts to unmask that are timed: from the time of the event to its arrival at a webhook. Then 20 leaks of many kinds are planted, one
after the other, in a view in Kafka that goes on at the same rate, and 20 in logs, compressed files and checkpoints that
``leaks --watch`` looks at: from the moment at which the value is there to the finding.
"""

import argparse
import gzip
import json
import random
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from confluent_kafka import Consumer, TopicPartition

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE), *(str(HERE.parent / name) for name in ("cluster", "kafka", "shared"))]

import test_watchers as story  # noqa: E402 (found by way of the line before)
from broker import Broker  # noqa: E402
from cluster import Cluster  # noqa: E402
from planted import PLANTED  # noqa: E402

from flink_masking.engine.quarantine import Entry  # noqa: E402
from flink_masking.keys.files import create  # noqa: E402

LEAKS, PATIENCE_S = 20, 120.0
FORMS = [make for number, make in enumerate(PLANTED) if number != 3]
"""Without addresses of machines, which are found only under a name that says so: elsewhere they may be version numbers."""
GOALS_S = {"alerts": 5.0, "leaks in Kafka": 10.0, "leaks in files": 10.0}


def quantiles(seconds: list[float]) -> dict[str, float]:
    """Median, 95th percentile and maximum."""
    values = np.percentile(seconds, [50, 95, 100])
    found = {"n": len(seconds), **{name: round(float(value), 3) for name, value in zip(("median", "p95", "max"), values, strict=True)}}
    print(found, flush=True)
    return found


def until(done: Callable[[], bool]) -> float:
    """Wait until something is so; seconds that it took."""
    begin = time.monotonic()
    while not done():
        if time.monotonic() - begin > PATIENCE_S:
            raise SystemExit("not found in time")
        time.sleep(0.01)
    return time.monotonic() - begin


def feeding(broker: Broker, topic: str, file: Path, rate: int, seconds: float) -> "subprocess.Popen[bytes]":
    """Send the lines of a file at a steady rate."""
    return subprocess.Popen([sys.executable, str(HERE / "kafka_feeder.py"), broker.bootstrap, topic, str(file), str(rate), str(seconds)])


class Findings:
    """What has come into the topic of findings."""

    def __init__(self, broker: Broker) -> None:
        """Read it from its beginning."""
        self._consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "bench", "log_level": 0})
        self._consumer.assign([TopicPartition("watch-findings", number, 0) for number in range(2)])
        self._count = 0

    def count(self) -> int:
        """How many there are now."""
        self._count += sum(message.error() is None for message in self._consumer.consume(1_000, 0.01))
        return self._count


def alerts(site: story.Watchers, lines: Path, rate: int, seconds: float) -> list[float]:
    """Seconds from events to their alerts, in the middle of other lines."""
    site.unmask("warm-up")
    until(lambda: bool(site.told("unmasking", "actor")))
    arrived: dict[str, float] = {}
    feeder = feeding(site.broker, "watch-quarantine", lines, rate, seconds)
    sent: dict[str, float] = {}
    while feeder.poll() is None:
        actor = f"actor-{len(sent)}"
        sent[actor] = time.time()
        site.unmask(actor)
        next_one = time.monotonic() + 0.5
        while time.monotonic() < next_one:
            now = time.time()
            for name in site.values("unmasking", "actor") - arrived.keys():
                arrived[name] = now
            time.sleep(0.02)
    until(lambda: sent.keys() <= site.values("unmasking", "actor"))
    return [arrived.get(actor, time.time()) - at for actor, at in sent.items()]


def values(draw: random.Random) -> list[tuple[str, bool]]:
    """Values to plant, and whether one is a canary: half of them have a form that detection knows."""
    return [(f"CUST-{draw.randrange(10**8):08d}", True) if number % 2 else (FORMS[number // 2 % len(FORMS)](draw), False)
            for number in range(LEAKS)]


def in_kafka(site: story.Watchers, lines: Path, rate: int, draw: random.Random, findings: Findings) -> list[float]:
    """Seconds from a planted value to its finding in the topic, in the middle of other records."""
    planted = values(draw)
    site.keep(*(value for value, canary in planted if canary))
    time.sleep(5)  # Protect has met the values before: canaries are written and read every two seconds
    found, feeder = [], feeding(site.broker, "watch-shown", lines, rate, 3_600)
    try:
        for value, _ in planted:
            before = findings.count()
            site.broker.produce("watch-shown", [json.dumps({"id": "x", "note": f"see {value}"}).encode()])
            found.append(until(lambda before=before: findings.count() > before))
    finally:
        feeder.kill()
        feeder.wait()
    return found


def in_files(site: story.Watchers, place: Path, keys: str, draw: random.Random) -> list[float]:
    """Seconds from a planted value to its finding, in files of every kind."""
    watched, out, found = place / "watched", place / "findings.jsonl", []
    watched.mkdir()
    log = watched / "app.log"
    log.write_text("INFO nothing of interest\n" * 100_000)
    program = str(Path(sys.executable).with_name("flink-masking"))
    command = [program, "leaks", str(watched), "--watch", "--canaries", str(place / "canaries"), "--keys", keys]
    with out.open("wb") as stream, subprocess.Popen(command, stdout=stream, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None and process.stderr.readline()
        for number, (value, canary) in enumerate(values(draw)):
            if canary:
                site.keep(value)
            before = out.stat().st_size
            folder = watched / f"chk-{number}"
            folder.mkdir()
            if number % 4 < 2:
                with log.open("a") as file:
                    file.write("INFO nothing of interest\n" * 1_000 + f"INFO saw {value} today\n")
            elif number % 4 == 2:
                (folder / "app.log.gz").write_bytes(gzip.compress(f"INFO {value}\n".encode()))
            else:
                (folder / "_metadata").write_bytes(draw.randbytes(50_000) + b"\0" + struct.pack(">H", len(value)) + value.encode() + b"\0"
                                                   + draw.randbytes(50_000))
            found.append(until(lambda before=before: out.stat().st_size > before))
        process.terminate()
    return found


def main() -> None:
    """Measure, and print and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=20_000, help="events per second")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long alerts are measured")
    parser.add_argument("--output", type=Path, help="JSON file")
    options = parser.parse_args()
    draw, result = random.Random(1), dict[str, Any](rate=options.rate)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        create(place / "keys.json")
        keys = f"file://{place}/keys.json"
        entry = Entry("2026-03-23T00:00:00.000Z", "s", "contract", "note", 3, b"sealed").encode()
        (place / "quarantine.jsonl").write_bytes((entry + b"\n") * 10_000)
        (place / "shown.jsonl").write_text("".join(json.dumps({"id": f"{draw.getrandbits(96):024x}", "note": "***"}) + "\n"
                                                   for _ in range(10_000)))
        with Broker(place / "broker") as broker, Cluster(place / "cluster", 2) as cluster:
            site = story.Watchers(place, broker, keys)
            site.submitted(cluster)
            result["alerts"] = quantiles(alerts(site, place / "quarantine.jsonl", options.rate, options.seconds))
            site.leak("CUST-warm-0000001")
            findings = Findings(broker)
            until(lambda: findings.count() > 0)
            result["leaks in Kafka"] = quantiles(in_kafka(site, place / "shown.jsonl", options.rate, draw, findings))
            result["leaks in files"] = quantiles(in_files(site, place, keys, draw))
            site.receiver.close()
    for name, goal in GOALS_S.items():
        print(f"{name}: {result[name]}, goal {goal:g} s")
    if options.output is not None:
        options.output.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
