"""Records a second and information loss of the anonymized view, one thread, without Flink.

``python tests/benchmarks/bench_anonymity.py [--adult DIR]``: synthetic census records; with DIR (the Adult extract of the UCI
repository in ARX's form, ``adult.csv`` and ``adult_hierarchy_<attribute>.csv``) also the loss on real data, as the literature has it:
eight quasi-identifiers, the mean over all records, a suppressed record counts 1. Nothing fails on time.
"""

import argparse
import csv
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from flink_masking.anonymity.dimensions import Dimension, HierarchyDimension, NumberDimension, PrefixDimension
from flink_masking.anonymity.logic import KAnonymityLogic, pack
from flink_masking.anonymity.models import DistinctL, EntropyL, Models
from flink_masking.anonymity.mondrian import WindowMondrian
from flink_masking.anonymity.slide_grow import NO_PREFERENCE, USUAL_PREFERENCE, Groups, Preference, Records, SlideGrow
from flink_masking.anonymity.space import Space
from flink_masking.hierarchy import Hierarchy
from flink_masking.records.kinds import Kind

RECORDS, BATCH, ROUNDS, BUFFER = 200_000, 10_000, 3, 1_000
ADULT = ("sex", "age", "race", "marital-status", "education", "native-country", "workclass", "occupation")
ARRIVALS = {(5, 1): 0.148, (10, 1): 0.240, (25, 1): 0.385, (50, 1): 0.510, (100, 1): 0.655, (10, 2): 0.300}
"""Loss to stay below when every record leaves after 1,000 arrivals at the latest (the reading of the literature), by k and l."""
HELD = {(5, 1): 0.160, (10, 1): 0.265, (50, 1): 0.550, (10, 2): 0.320}
"""Loss to stay below when at most 1,000 records are held (the policy's `max_buffer`: they wait for about 1,000 arrivals in the mean)."""
LATE = Preference(rare=0.4, age=0.2)
"""Best on census data when the delay is what binds."""
EVER = 1 << 30


def synthetic() -> tuple[Space, list[np.ndarray]]:
    """Age, postcode, a hierarchy of 60 towns and sex, unevenly spread."""
    rng = np.random.default_rng(7)
    towns = Hierarchy([(f"town {i}", f"county {i // 5}", f"state {i // 20}", "*") for i in range(60)], "towns")
    sexes = Hierarchy([("f", "*"), ("m", "*")], "sexes")
    space = Space({
        "age": NumberDimension(0, 120), "zip": PrefixDimension(5), "town": HierarchyDimension(towns), "sex": HierarchyDimension(sexes)})
    ages = np.clip(rng.normal(45, 18, RECORDS), 0, 120).astype(int).astype(str)
    zips = np.char.zfill((10_000 + 900 * np.minimum(rng.geometric(0.05, RECORDS), 99) + rng.integers(0, 100, RECORDS)).astype(str), 5)
    places = np.array(towns.leaves)[np.minimum(rng.geometric(0.08, RECORDS), 60) - 1]
    columns = (ages, zips, places, np.array(["f", "m"])[rng.integers(0, 2, RECORDS)])
    return space, encode(space, columns)


def encode(space: Space, columns: Any) -> list[np.ndarray]:
    """Codes of text columns; every value must be in its domain."""
    codes = []
    for dimension, column in zip(space.dimensions, columns, strict=True):
        kind = Kind.NUMBER if isinstance(dimension, NumberDimension) else Kind.STRING
        code, ok = dimension.encode(pa.array(column, pa.string()), np.full(len(column), kind, np.int32))
        assert ok.all()
        codes.append(code)
    return codes


def run_kernel(space: Space, codes: list[np.ndarray], sensitive: np.ndarray, k: int, l: int, buffer: int,  # noqa: E741
               preference: Preference = NO_PREFERENCE, arrivals: int | None = None, model: type[DistinctL] = DistinctL) -> list[Groups]:
    """Push all records through the algorithm alone, every record of its own person."""
    models = Models([model(0, l)] if l > 1 else [])
    n, grow = len(codes[0]), SlideGrow(space, k, models, buffer, None, preference, arrivals)
    calls = []
    for i in range(0, n, BATCH):
        some = slice(i, min(i + BATCH, n))
        seq = np.arange(some.start, some.stop)
        values = sensitive[None, some][: models.columns]
        records = Records([code[some] for code in codes], seq.astype(np.uint64), values, seq, np.zeros(len(seq), np.int64))
        calls.append(grow.push(records, 0))
    return [*calls, grow.flush()]


def run_logic(space: Space, batches: list[pa.RecordBatch], k: int) -> int:
    """Push packed batches through the whole logic, state entries included; lines released."""
    models = Models()

    def buffer() -> SlideGrow:
        return SlideGrow(space, k, models, BUFFER, None, USUAL_PREFERENCE)

    logic = KAnonymityLogic(space, models, buffer, None, np.random.default_rng(1))
    calls = [logic.on_batch(batch, now) for now, batch in enumerate(batches)] + [logic.on_end()]
    return sum(effects.counts["released"] for effects in calls)


def best(work: Callable[[], Any]) -> float:
    """Shortest CPU time of a few runs after one to warm up, in seconds; other work on the machine disturbs it little."""
    work()
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def figure(value: float, unit: str, ratio: float | None = None, against: str | None = None) -> dict[str, Any]:
    """One entry of the report."""
    return {"value": value, "unit": unit, "ratio": ratio, "against": against}


def speeds() -> dict[str, Any]:
    """Records a second on synthetic data."""
    space, codes = synthetic()
    subjects = np.random.default_rng(8).integers(0, 1 << 63, RECORDS).astype(np.uint64)
    release = pa.array([b'"diagnosis":"D-%d","amount":%d.50' % (i % 20, i % 1000) for i in range(RECORDS)], pa.binary())
    spans = [slice(i, min(i + BATCH, RECORDS)) for i in range(0, RECORDS, BATCH)]
    batches = [pack(space, [code[s] for code in codes], subjects[s], [], release[s.start : s.stop]) for s in spans]
    nothing, figures = np.zeros(RECORDS, np.uint64), {}
    for k in (5, 10):
        seconds = best(lambda k=k: run_kernel(space, codes, nothing, k, 1, BUFFER, USUAL_PREFERENCE))
        figures[f"anonymity/kernel k={k}"] = figure(round(RECORDS / seconds), "records/CPU-s")
        whole = best(lambda k=k: run_logic(space, batches, k))
        figures[f"anonymity/logic k={k}"] = figure(round(RECORDS / whole), "records/CPU-s", round(seconds / whole, 3), "the kernel alone")
    return figures


def read_adult(folder: Path) -> tuple[Space, list[np.ndarray], np.ndarray]:
    """The space of the Adult extract, its codes and its sensitive values (salary class)."""
    with open(folder / "adult.csv", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    dimensions: dict[str, Dimension] = {}
    for name in ADULT:
        text = (folder / f"adult_hierarchy_{name}.csv").read_text()
        dimensions[name] = NumberDimension(17, 90) if name == "age" else HierarchyDimension(Hierarchy.from_csv(text, name))
    space = Space(dimensions)
    salaries = np.unique([row["salary-class"] for row in rows], return_inverse=True)[1].astype(np.uint64)
    return space, encode(space, [[row[name] for row in rows] for name in ADULT]), salaries


def loss_and_wait(space: Space, calls: list[Groups], n: int) -> tuple[float, float]:
    """Mean loss over n records (a suppressed one counts 1), and the mean number of records that arrived while one was held."""
    loss = wait = 0.0
    for groups in calls:
        loss += len(groups.suppressed)
        members = np.split(groups.seq, groups.end)[:-1]
        for seq, low, high, at in zip(members, groups.low.tolist(), groups.high.tolist(), groups.at, strict=True):
            loss += len(seq) * space.loss(low, high)
            wait += float((at - seq).sum())
    return loss / n, wait / n


def losses(folder: Path) -> dict[str, Any]:
    """Loss and speed on Adult, in both readings of a delay of 1,000 records."""
    space, codes, salaries = read_adult(folder)
    figures = {}
    readings = (("held", HELD, USUAL_PREFERENCE, BUFFER, None), ("arrivals", ARRIVALS, LATE, EVER, BUFFER))
    for word, targets, preference, buffer, arrivals in readings:
        for (k, l), target in targets.items():  # noqa: E741
            figures |= adult(f"{word}=1000", space, codes, salaries, k, l, buffer, preference, arrivals, target)
    figures |= adult("held=1000, entropy", space, codes, salaries, 10, 2, BUFFER, USUAL_PREFERENCE, None, None, EntropyL)
    figures |= adult("arrivals=5000", space, codes, salaries, 10, 1, EVER, LATE, 5_000, 0.153)
    for k in (5, 10, 50):
        figures |= adult("held=1000, no preference", space, codes, salaries, k, 1, BUFFER, NO_PREFERENCE, None, None)
        figures |= mondrian(space, codes, k)
    return figures


def adult(name: str, space: Space, codes: list[np.ndarray], salaries: np.ndarray, k: int, l: int, buffer: int,  # noqa: E741
          preference: Preference, arrivals: int | None, target: float | None, model: type[DistinctL] = DistinctL) -> dict[str, Any]:
    """Loss and speed of slide-grow under one setting."""
    n = len(salaries)
    loss, wait = loss_and_wait(space, run_kernel(space, codes, salaries, k, l, buffer, preference, arrivals, model), n)
    seconds = best(lambda: run_kernel(space, codes, salaries, k, l, buffer, preference, arrivals, model))
    ratio, against = (round(loss / target, 3), f"{target} to stay below") if target else (None, None)
    return {f"anonymity/adult loss k={k} l={l} {name}": figure(round(loss, 4), f"loss, mean wait {wait:.0f} records", ratio, against),
            f"anonymity/adult kernel k={k} l={l} {name}": figure(round(n / seconds), "records/CPU-s")}


def mondrian(space: Space, codes: list[np.ndarray], k: int) -> dict[str, Any]:
    """Loss and speed of window Mondrian in windows of 1,000."""
    n = len(codes[0])

    def run() -> list[Groups]:
        window, calls = WindowMondrian(space, k, None, BUFFER), []
        for i in range(0, n, BATCH):
            some, seq = slice(i, min(i + BATCH, n)), np.arange(i, min(i + BATCH, n))
            nothing, zero = np.zeros((0, len(seq)), np.uint64), np.zeros(len(seq), np.int64)
            calls.append(window.push(Records([code[some] for code in codes], seq.astype(np.uint64), nothing, seq, zero), 0))
        return [*calls, window.flush()]

    loss, wait = loss_and_wait(space, run(), n)
    return {f"anonymity/adult loss k={k} mondrian": figure(round(loss, 4), f"loss, mean wait {wait:.0f} records"),
            f"anonymity/adult kernel k={k} mondrian": figure(round(n / best(run)), "records/CPU-s")}


def measure(adult: Path | None = None) -> dict[str, Any]:
    """All figures: name to value, unit, ratio and what the ratio is against."""
    return speeds() | (losses(adult) if adult else {})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Speed and loss of the anonymized view.")
    parser.add_argument("--adult", type=Path, help="folder of the Adult extract")
    print(json.dumps(measure(parser.parse_args().adult), indent=2))
