"""Rounds in turns: every contestant's process is up, one works at a time, and who begins changes with the round."""

import json
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

PROGRAMS = Path(__file__).parent / "contestants"
PATIENCE_S = 600
"""For a start, and for a round."""
OURS = "flink-masking"


class Contestant(NamedTuple):
    """What takes part in a comparison.

    Attributes:
        name: in the table.
        program: file in ``contestants``, and the name in it.
        environment: see `environments`.
        share: of the values that it works on, where it is slow.
        note: settings, and what differs.
    """

    name: str
    program: tuple[str, str]
    environment: str
    share: float = 1.0
    note: str = ""


class Failed(Exception):
    """A contestant that does not run, and why."""


class Running:
    """A contestant's process; ends with the ``with`` statement.

    Attributes:
        start: until the first result, s: wall and processor time.
        versions: of packages.
    """

    def __init__(self, contestant: Contestant, python: Path, given: Path, answers: Path) -> None:
        """Start it, and wait until its answers are in the file."""
        program, name = contestant.program
        begin = time.perf_counter()
        self._errors = answers.with_suffix(".log").open("w+")
        self._process = subprocess.Popen([str(python), str(PROGRAMS / program), name, str(given), str(answers)], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=self._errors, bufsize=0)
        try:
            spent = self._read()["first"]
            self.start = {"wall": time.perf_counter() - begin, "cpu": spent}
            self.versions: dict[str, str] = self._read()["ready"]
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def work(self) -> dict[str, float]:
        """One round: seconds of wall and processor time of a unit."""
        assert self._process.stdin
        self._process.stdin.write(b"go\n")
        told = self._read()
        return {"wall": told["wall"] / told["units"], "cpu": told["cpu"] / told["units"]}

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout
        line = b""
        while not line.endswith(b"\n"):
            if not select.select([self._process.stdout], [], [], PATIENCE_S)[0]:
                raise Failed(f"it was not ready after {PATIENCE_S} s")
            some = self._process.stdout.readline()
            if not some:
                self._errors.seek(0)
                lines = self._errors.read().strip().splitlines()
                raise Failed(lines[-1][:200] if lines else "it ended")
            line += some
        return dict(json.loads(line))


def alternate(running: dict[str, Running], rounds: int, warm: int = 1) -> dict[str, list[dict[str, float]]]:
    """Rounds of all contestants, after some that do not count.

    Returns:
        For each contestant a list of `rounds` figures; those that make no sense, such as a slope below zero, and those of one that has
        ended, as NaN.
    """
    found: dict[str, list[dict[str, float]]] = {name: [] for name in running}
    names, gone = list(running), set[str]()
    for number in range(-warm, rounds):
        turn = number % len(names)
        for name in [*names[turn:], *names[:turn]]:
            if name in gone:
                continue
            try:
                told = running[name].work()
            except (Failed, OSError) as error:
                print(f"  {name} ends: {error}", file=sys.stderr, flush=True)
                gone.add(name)
                continue
            print(f"  {name}: {1e6 * told['cpu']:,.2f} µs", file=sys.stderr, flush=True)
            if number >= 0:
                found[name].append(told if min(told.values()) > 0 else dict.fromkeys(told, float("nan")))
    lost = {"cpu": float("nan"), "wall": float("nan")}
    return {name: [*figures, *[lost] * (rounds - len(figures))] for name, figures in found.items()}


def spread(values: Sequence[float]) -> dict[str, float] | None:
    """Minimum, median and maximum of the finite ones."""
    good = [value for value in values if isfinite(value)]
    return {"min": min(good), "median": median(good), "max": max(good)} if good else None


def ratios(rounds: dict[str, list[dict[str, float]]], ours: str) -> dict[str, dict[str, Any]]:
    """How many times our time each contestant takes, round by round: above 1 we are faster.

    Args:
        rounds: of `alternate`.
        ours: the contestant that others are held against.
    """
    return {name: {clock: spread([theirs[clock] / own[clock] for theirs, own in zip(figures, rounds[ours], strict=True)])
                   for clock in ("cpu", "wall")} for name, figures in rounds.items()}
