"""Wall time of ``flink-masking preview`` on 10,000 flat events, from the start of the process to its end, every event shown."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from flink_masking.generate import write_events

HERE = Path(__file__).parent
EVENTS, ROUNDS, GOAL = 10_000, 5, 2.0
PROGRAM = "from flink_masking.cli import main; main()"


def measure() -> dict[str, dict[str, object]]:
    """The best of five runs, because machines are noisy, after a first one that fills numba's cache."""
    with tempfile.TemporaryDirectory() as folder:
        events = Path(folder) / "events.jsonl"
        write_events(events, EVENTS, EVENTS // 4, 1, "flat", None)
        command = [sys.executable, "-c", PROGRAM, "preview", str(HERE / "policy_flat.yaml"), str(events), "--limit", str(EVENTS)]
        took = []
        for _ in range(1 + ROUNDS):
            began = time.perf_counter()
            done = subprocess.run(command, check=True, capture_output=True)
            took.append(time.perf_counter() - began)
            if done.stdout.count(b"\nevent ") != EVENTS:
                raise RuntimeError(f"preview showed {done.stdout.count(b'event ')} events, not {EVENTS}")
    seconds = min(took[1:])
    return {f"preview:{EVENTS}": {"value": round(seconds, 2), "unit": "s", "ratio": round(seconds / GOAL, 2), "against": f"{GOAL} s"}}


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
