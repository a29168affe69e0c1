"""Records what Flink's Prometheus reporters say, as series in promtool's notation: for the cases in tests/k8s/alerts."""

import argparse
import itertools
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence

import yaml

_LINE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
KEPT = ("task_name", "segment", "field", "technique", "reason", "tm_id")
"""Labels that rules group by; the rest (host, ids of job and task) only makes series long."""


def samples(text: str, names: re.Pattern[str]) -> dict[str, float]:
    """Values by selector, of one answer of a reporter; of series that differ in left-out labels only, the last."""
    found = {}
    for name, labels, value in _LINE.findall(text):
        if names.search(name):
            kept = {"app": "flink-masking", "namespace": "n", **{k: v for k, v in _LABEL.findall(labels) if k in KEPT}}
            found[name + "{" + ",".join(f'{k}="{v}"' for k, v in sorted(kept.items())) + "}"] = float(value)
    return found


def notation(values: Sequence[float | None]) -> str:
    """Values in promtool's notation, runs of one value in short; None: missing."""
    runs = [(value, len(list(run))) for value, run in itertools.groupby(values)]
    texts = ["_" if value is None else f"{value:.15g}" for value, _ in runs]
    # `_xN` is N values, `axN` is N+1, and `0xN` a hexadecimal number.
    return " ".join(text if count == 1 else f"{'0+0' if value == 0 else text}x{count if value is None else count - 1}"
                    for text, (value, count) in zip(texts, runs, strict=True))  # fmt: skip


def series(answers: Sequence[Iterable[str]], names: re.Pattern[str]) -> dict[str, str]:
    """Series of several readings, each of the answers of all reporters that answered."""
    readings = [{name: value for text in texts for name, value in samples(text, names).items()} for texts in answers]
    every = sorted({name for reading in readings for name in reading})
    return {name: notation([reading.get(name) for reading in readings]) for name in every}


def main() -> None:
    """Read the reporters again and again, and print the series as YAML."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reporters", nargs="+", metavar="HOST:PORT")
    parser.add_argument("--every", type=float, default=15, help="seconds between readings")
    parser.add_argument("--for", dest="seconds", type=float, default=600, help="seconds in all")
    parser.add_argument("--names", default="numRunningJobs|numRestarts|Checkpoints|Time$|flink_masking", help="regular expression")
    arguments = parser.parse_args()
    started, answers = time.monotonic(), []
    while time.monotonic() - started < arguments.seconds:
        texts = []
        for reporter in arguments.reporters:
            try:
                with urllib.request.urlopen(f"http://{reporter}/metrics", timeout=5) as answer:
                    texts.append(answer.read().decode())
            except (urllib.error.URLError, OSError):
                continue  # not there yet, or not any more: its values are missing
        answers.append(texts)
        time.sleep(max(0.0, started + len(answers) * arguments.every - time.monotonic()))
    print(yaml.safe_dump({"interval": f"{arguments.every:g}s", "series": series(answers, re.compile(arguments.names))}, width=200), end="")


if __name__ == "__main__":
    main()
