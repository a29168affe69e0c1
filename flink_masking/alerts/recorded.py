"""Rules on recorded lines, in the order of the times that they tell."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson

from flink_masking.alerts.alert import Alert
from flink_masking.alerts.logic import AlertLogic, milliseconds
from flink_masking.alerts.rules import Rules
from flink_masking.audit.sources import FileSource
from flink_masking.errors import InputError

MOST = 10_000
STEP = 1_000
"""Milliseconds of recorded time between two looks at what time alone brings."""


def lines_of(paths: Iterable[Path]) -> Iterator[bytes]:
    """The lines of files and directories.

    Raises:
        InputError: there is no such file.
    """
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: there is no such file. Hint: name the audit of a run, its quarantine, or leak findings")
        source, positions = FileSource(path), dict[str, int]()
        while True:
            lines, reached = source.read(positions, MOST)
            if not lines:
                break
            positions |= reached
            yield from lines


def alerts_of(rules: Rules, lines: Iterable[bytes]) -> tuple[list[Alert], int, int]:
    """What would have been told, had the lines been watched when they were written.

    Args:
        rules: to try.
        lines: in any order.

    Returns:
        The alerts, and how many lines there were and how many of them are none of ours.
    """
    read = [(_time(line), line) for line in lines]
    begin = min((time for time, _ in read if time is not None), default=0)
    timed = sorted(((begin if time is None else time, line) for time, line in read), key=lambda one: one[0])
    logic, found, now = AlertLogic(rules), list[Alert](), begin
    for time, line in timed:
        if time >= now + STEP:
            found += logic.tick(time)
            now = time
        found += logic.take([line], time)
    found += logic.end(timed[-1][0] if timed else begin)
    return found, logic.lines, logic.unreadable


def _time(line: bytes) -> int | None:
    try:
        return milliseconds(orjson.loads(line)["time"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None
