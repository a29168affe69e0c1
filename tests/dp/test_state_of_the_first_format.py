"""State that an earlier release wrote, kept as a file, is taken over."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest

from flink_masking.dp.final import FinalLogic
from flink_masking.dp.partial import PartialLogic
from flink_masking.dp.partials import read_partial
from flink_masking.dp.spec import AggregateSpec, Measure, Metric

SPEC = AggregateSpec(60_000, 1, 3, 10.0, 0.01, (Metric("orders", "count"), Metric("spend", "sum", 0), Metric("mean", "mean", 0)),
                     (Measure("amount", 0, 10_000, 2, True),))


@pytest.fixture(scope="module")
def entries():
    """The entries of both stages, each with one closed window and one open one of 60 people in two groups."""
    kept = json.loads((Path(__file__).parent / "state_1.json").read_text())
    return {stage: {key: base64.b64decode(blob) for key, blob in found.items()} for stage, found in kept.items()}


def test_the_first_stage_goes_on(entries):
    """The open window closes with all its people; the closed one stays closed; the entries are still written byte for byte."""
    logic = PartialLogic(SPEC)
    logic.restore(entries["partial"])
    assert logic.snapshot() == entries["partial"] and "closed" in entries["partial"]
    (blob,) = logic.on_end().outputs
    rows = read_partial(blob, SPEC)
    assert rows.column("subjects").to_pylist() == [30, 30] and rows.column("window_start").to_pylist() == [60_000] * 2


def test_the_second_stage_goes_on(entries):
    """Stored rows are at hand, the open window is published once, and only seeds come to the state."""
    logic = FinalLogic(SPEC, lambda scale, n, stream: np.zeros(n, np.int64))
    logic.restore(entries["final"])
    assert logic.snapshot() == entries["final"]
    assert [json.loads(line)["window_start"] for line in logic.last_drawn()[0].split(b"\n")] == ["1970-01-01T00:00:00Z"] * 2
    rows = [json.loads(line) for line in logic.on_end().outputs[0].split(b"\n")]
    assert [(row["z"], row["orders"]) for row in rows] == [(0, 30), (1, 30)]
    assert {key.split(":")[0] for key in logic.snapshot()} == {"closed", "drawn", "seed"}
