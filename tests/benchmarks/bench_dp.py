"""Speed of differential privacy: bounding with partial aggregation, and closing a window of many groups.

Run as a script for a table. Times are this process's processor time; nothing here fails because a machine is slow.
"""

import time
from dataclasses import replace

import numpy as np
import pyarrow as pa

from flink_masking.dp.contribution import contributions
from flink_masking.dp.final import FinalLogic
from flink_masking.dp.partial import PartialLogic
from flink_masking.dp.partials import read_partial
from flink_masking.dp.spec import AggregateSpec, Measure, Metric

METRICS = (Metric("orders", "count"), Metric("customers", "count_distinct_subjects"),
           Metric("spend", "sum", 0), Metric("mean_spend", "mean", 0))
SPEC = AggregateSpec(60_000, 2, 3, 1.0, 1e-9, METRICS, (Measure("amount", 0, 100_000, 2, False),))
BINS = (0, 10_000, 50_000, 100_000)
BINNED = replace(SPEC, epsilon=8.0, metrics=(*METRICS, Metric("variance", "variance", 0), Metric("spread", "histogram", 0, BINS),
                                Metric("median", "quantiles", 0, BINS, (0.5,))))
TARGET = 300_000
"""Records per second and core that the design asks for."""
CLOSE_TARGET = 50
"""Milliseconds for the close of a window of 10,000 groups that it asks for."""


def batches(rows: int, size: int, people: int, groups: int, seed: int = 1) -> list[pa.RecordBatch]:
    """Records of two windows in batches of `size`."""
    rng = np.random.default_rng(seed)
    names = np.array([f'"zip":"{g:05d}"' for g in range(groups)])
    keys = rng.integers(0, 2**64, people, dtype=np.uint64)
    return [contributions(SPEC, rng.integers(0, 120_000, size), keys[rng.integers(0, people, size)],
                          pa.array(names[rng.integers(0, groups, size)]), [rng.integers(0, 120_000, size)]) for _ in range(rows // size)]


def partial_rate(rows: int, size: int, people: int, groups: int, spec: AggregateSpec = SPEC) -> float:
    """Records per second through a partial logic, from the first batch to the partial aggregates; the better of two runs."""
    load, best = batches(rows, size, people, groups), 0.0
    for _ in range(2):
        logic, began = PartialLogic(spec), time.process_time()
        for batch in load:
            logic.on_batch(batch, 0)
        logic.on_end()
        best = max(best, rows / (time.process_time() - began))
    return best


def close_ms(groups: int, spec: AggregateSpec) -> float:
    """Milliseconds to close a window in which all groups are published: noise, rows and state."""
    spec = replace(spec, window_ms=3_600_000)
    people, logic = np.arange(groups * 200, dtype=np.uint64), PartialLogic(spec)
    names = pa.array([f'"zip":"{g:05d}"' for g in range(groups)]).take(pa.array(people % groups))
    logic.on_batch(contributions(spec, np.zeros(len(people), np.int64), people, names, [np.full(len(people), 1234)]), 0)
    final = FinalLogic(spec)
    for blob in logic.on_end().outputs:
        final.on_batch(read_partial(blob, spec), 0)
    began = time.process_time()
    final.on_end()
    return (time.process_time() - began) * 1000


def measure() -> dict[str, dict[str, object]]:
    """All figures, by name."""
    partial_rate(10_000, 10_000, 1000, 10)  # compile
    figures: dict[str, dict[str, object]] = {}
    for name, people, groups, size in (("few groups", 100_000, 100, 10_000), ("many groups", 100_000, 10_000, 10_000),
                                       ("few people", 1000, 100, 10_000), ("small batches", 100_000, 100, 1000)):
        rate = partial_rate(500_000, size, people, groups)
        figures[f"dp: bounding and partial aggregation, {name}"] = {
            "value": round(rate), "unit": "records/s", "ratio": round(rate / TARGET, 2), "against": f"{TARGET:,} records/s"}
    more = {"hopping, 6 windows a record": replace(SPEC, every_ms=10_000), "with a ledger": replace(SPEC, lifetime_epsilon=100.0),
            "variance and histogram": BINNED}
    for name, spec in more.items():
        rate = partial_rate(500_000, 10_000, 100_000, 100, spec)
        figures[f"dp: bounding and partial aggregation, {name}"] = {
            "value": round(rate), "unit": "records/s", "ratio": round(rate / TARGET, 2), "against": f"{TARGET:,} records/s"}
    for name, spec in {"3 noisy quantities": SPEC, "3 noisy quantities, gaussian": replace(SPEC, mechanism="gaussian"),
                       "variance, histogram and quantiles": BINNED}.items():
        taken = min(close_ms(10_000, spec) for _ in range(3))
        figures[f"dp: close of a window, 10,000 groups, {name}"] = {
            "value": round(taken, 1), "unit": "ms", "ratio": round(taken / CLOSE_TARGET, 2), "against": f"{CLOSE_TARGET} ms"}
    return figures


if __name__ == "__main__":
    for name, figure in measure().items():
        print(f"{name:65} {figure['value']:>12,} {figure['unit']:10} {figure['ratio']:>8} of {figure['against']}")
