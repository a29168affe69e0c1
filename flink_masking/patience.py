"""Trying again: bounded, with growing pauses, for a service that is busy or away for a while."""

import http.client
import random
import ssl
import time
import urllib.error
from collections.abc import Callable
from typing import TypeVar

SECONDS = 30.0
"""Default time for which an unreachable service is waited for before the batch fails."""
COMMAND_SECONDS = 10.0
"""Default time for which a command waits for a service that does not answer it, or not whole."""
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 2.0
STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP statuses of a server that may answer later."""

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


def http_may_pass(error: Exception) -> bool:
    """Whether an error of urllib may pass by itself: no answer, one that is cut off, or one of `STATUSES`.

    What is refused (401, 403), not there (404) or not understood (400) does not pass, nor does a certificate that does not hold.
    """
    if isinstance(error, urllib.error.HTTPError):
        return error.code in STATUSES
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return isinstance(reason, OSError | http.client.HTTPException) and not isinstance(reason, ssl.SSLCertVerificationError)
