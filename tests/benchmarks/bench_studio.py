"""How long the studio takes to answer an edit, by number of events: python -P tests/benchmarks/bench_studio.py.

Milliseconds of the whole answer (faults, view, coverage, groups, joins) to edits of the demonstration's policy, each of which is new to the
studio: median and 95th percentile of 30, as wall time and as processor time.
"""

import json
import statistics
import tempfile
import time
from pathlib import Path

from flink_masking.examples import CUSTOMER_EVENTS
from flink_masking.generate import write_events
from flink_masking.keys.ring import KeyRing
from flink_masking.studio.answers import Answers, Window
from flink_masking.studio.file import PolicyFile
from flink_masking.studio.sample import Sample

EDITS, FIRST, GOAL = 30, 3, 300
SIZES = (1_000, 5_000, 10_000)


def measure() -> dict[str, dict[str, object]]:
    """Wall and processor time by number of events; the goal is for a thousand."""
    found: dict[str, dict[str, object]] = {}
    for events in SIZES:
        for name, took in zip(("view", "answer", "processor"), _answers(events), strict=True):
            median, most = statistics.median(took), statistics.quantiles(took, n=20)[18]
            against = {"ratio": round(median / GOAL, 2), "against": f"{GOAL} ms"} if events == 1_000 else {}
            found[f"studio:{events}:{name}:median"] = {"value": round(median), "unit": "ms", **against}
            found[f"studio:{events}:{name}:p95"] = {"value": round(most), "unit": "ms"}
    return found


def _answers(events: int) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds of each answer: until the view is there, of the whole, and of processor time."""
    text = CUSTOMER_EVENTS.read_text()
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        write_events(folder / "events.jsonl", events, max(50, events // 4), 1)
        answers = Answers(PolicyFile(folder / "policy.yaml"), Sample(folder / "events.jsonl", events), KeyRing.ephemeral())
        seen, whole, used = [], [], []
        for number in range(EDITS + FIRST):
            begin, work, view = time.perf_counter(), time.process_time(), 0.0
            for part in answers.to(text.replace("keep_last: 4", f"keep_last: {number % 5}") + f"# {number}\n", Window()):
                if part["part"] == "error":
                    raise RuntimeError(part["message"])
                if part["part"] == "view":
                    view = time.perf_counter() - begin
            if number >= FIRST:  # before that, kernels are loaded
                seen.append(1000 * view)
                whole.append(1000 * (time.perf_counter() - begin))
                used.append(1000 * (time.process_time() - work))
    return seen, whole, used


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
