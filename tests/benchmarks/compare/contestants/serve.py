"""How a contestant is asked: one process each, in an environment of its own, a round for each line on its standard input.

``python PROGRAM NAME INPUT ANSWERS``. Messages are JSON, one a line: ``first`` with the processor time until the first result, ``ready``
with versions once the answers are in the file ANSWERS, then for each line that is read the figures of a round. This file and the programs
beside it need the standard library and the contestant's own package, nothing else.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple


class Contestant(NamedTuple):
    """What takes part.

    Attributes:
        packages: distributions whose versions are told.
        units: values, texts or records of a round.
        first: makes one result, nothing having been made before.
        answers: what is held against the other contestants' answers, as JSON has it.
        work: one round; may tell its own figures as `measured` does, None: they are measured here.
        spent: processor time until now, s.
    """

    packages: tuple[str, ...]
    units: int
    first: Callable[[], object]
    answers: Callable[[], Any]
    work: Callable[[], Any]
    spent: Callable[[], float] = time.process_time


def measured(work: Callable[[], Any], units: int) -> dict[str, float]:
    """Wall and processor time of a call, s."""
    wall, spent = time.perf_counter(), time.process_time()
    told = work()
    if isinstance(told, dict) and "wall" in told:
        return told
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - spent, "units": units}


def main(programs: Mapping[str, Callable[[dict[str, Any]], Contestant]]) -> None:
    """Serve until the standard input ends.

    Args:
        programs: what makes a contestant from the input, by name.
    """
    name, given, answers = sys.argv[1:4]
    messages = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library or Java prints is no message

    def tell(message: dict[str, Any]) -> None:
        messages.write(json.dumps(message) + "\n")
        messages.flush()

    contestant = programs[name](json.loads(Path(given).read_text()))
    contestant.first()
    tell({"first": contestant.spent()})
    Path(answers).write_text(json.dumps(contestant.answers()))
    tell({"ready": {package: metadata.version(package) for package in contestant.packages}})
    for _ in sys.stdin:
        tell(measured(contestant.work, contestant.units))
