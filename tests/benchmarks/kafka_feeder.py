"""Events at a steady rate into a topic: python kafka_feeder.py BOOTSTRAP TOPIC FILE RATE SECONDS; each record's timestamp says when."""

import itertools
import sys
import time
from pathlib import Path

from confluent_kafka import Producer

LINES = 200_000
"""Of the file; they are sent over and over."""


def main() -> None:
    """Send what is due every two milliseconds; a producer that falls behind catches up, and its timestamps say when it really sent."""
    bootstrap, topic, path = sys.argv[1:4]
    rate, seconds = int(sys.argv[4]), float(sys.argv[5])
    with Path(path).open("rb") as file:
        lines = itertools.cycle([line.rstrip(b"\n") for line in itertools.islice(file, LINES)])
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 2, "queue.buffering.max.messages": 1_000_000})
    sent, total, begin = 0, int(rate * seconds), time.monotonic()
    while sent < total:
        due = min(total, int((time.monotonic() - begin) * rate))
        while sent < due:
            try:
                producer.produce(topic, next(lines))
            except BufferError:
                producer.poll(0.05)
                continue
            sent += 1
        producer.poll(0)
        time.sleep(0.002)
    if left := producer.flush(60):
        raise SystemExit(f"{left} events were not acknowledged")


if __name__ == "__main__":
    main()
