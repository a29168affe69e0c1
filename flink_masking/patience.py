"""Trying again: bounded, with growing pauses, for a service that is busy or away for a while."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

SECONDS = 30.0
"""Default time for which an unreachable service is waited for before the batch fails."""
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 2.0

Result = TypeVar("Result")


def _untold(_: float) -> None:
    """Tell nobody."""


def persist(attempt: Callable[[], Result], passing: Callable[[Exception], bool], seconds: float,
            waited: Callable[[float], None] = _untold) -> Result:
    """The result of an attempt, made again while it fails for a reason that may pass.

    Pauses double from 20 ms to 2 s, each shortened at random so that many workers do not come back in the same moment.

    Args:
        attempt: what is tried; trying it twice must do no harm.
        passing: whether an error may pass by itself.
        seconds: no attempt starts later than this after the first one.
        waited: told the seconds since the first attempt whenever one has failed.

    Raises:
        Exception: what the last attempt raised.
    """
    begun = time.monotonic()
    end, pause = begun + seconds, FIRST_PAUSE
    while True:
        try:
            return attempt()
        except Exception as error:
            now = time.monotonic()
            waited(now - begun)
            if not passing(error) or now >= end:
                raise
        time.sleep(max(0.0, min(pause * random.uniform(0.5, 1.0), end - time.monotonic())))
        pause = min(2 * pause, LONGEST_PAUSE)
