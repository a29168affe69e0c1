"""The work of a scan's report grows with the paths, not with their square: counted in steps of the interpreter, not in seconds."""

import json
import sys
from types import FrameType
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from flink_masking.detect import Detectors
from flink_masking.detect.columns import ColumnStatistics
from flink_masking.scan import Scanner


def flat(n: int) -> Any:
    """A record of n objects of one kind."""
    return {f"field{'abcdefghij'[k % 10]}{k}x": {"kind": "a", "size": k} for k in range(n // 2)}


def maps(n: int) -> Any:
    """A map of maps, of which all keys differ."""
    width = int(n**0.5)
    return {"m": {f"u{k}@example.com": {f"k{k}-{i}-{i * 104729}": i for i in range(width)} for k in range(n // width)}}


def steps_of_report(record: Any) -> int:
    """How many steps of the interpreter in the scan's own code a report takes."""
    scanner, count = Scanner(), [0]
    scanner.add(pa.array([json.dumps(record).encode()], pa.binary()))

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if "flink_masking/scan" not in frame.f_code.co_filename:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count[0] += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        scanner.report()
    finally:
        sys.settrace(before)
    return count[0]


@pytest.mark.parametrize("make", [flat, maps])
def test_work_grows_with_the_paths(make):
    """Four times the paths take about four times the steps, where the square would be sixteen times."""
    steps_of_report(make(10))
    assert steps_of_report(make(1600)) < 7 * steps_of_report(make(400))


def test_paths_that_come_one_by_one_are_not_copied_each_time():
    """Statistics of columns make room in advance: a thousand paths more are a few copies, not a thousand."""

    class Paths:
        names = [""] * 4096
        count = 8

        def __len__(self) -> int:
            return self.count

    paths, held = Paths(), list[np.ndarray]()
    statistics = ColumnStatistics(Detectors(), paths)
    for count in range(8, 1008):
        paths.count = count
        statistics.join(0, count - 1)
        if not held or held[-1] is not statistics._found:
            held.append(statistics._found)
    assert len(held) < 12
