"""Who opens protected values and why, written to an audit before anything is opened and when it has ended."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flink_masking.audit.log import EventLog
from flink_masking.errors import InputError
from flink_masking.files.private_file import ending_in_order

MOST = 1000
"""Characters of an actor or a purpose."""


def told(option: str, text: str) -> str:
    """An actor or a purpose without blanks around it.

    Raises:
        InputError: nothing is told, or more than a line.
    """
    text = text.strip()
    if not text or len(text) > MOST or not text.isprintable():
        raise InputError(f"{option}: one line of 1 to {MOST} characters is needed. Hint: it is written to the audit")
    return text


@contextmanager
def noted(log: EventLog, kind: str, facts: dict[str, Any]) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Note in an audit that something begins, before it does, and how it ended.

    Args:
        log: where to.
        kind: ``unmask``, ``rekey``, ``reveal`` or ``replay``.
        facts: who, why and what, for both events.

    Yields:
        A function that notes the end with its counts.
    """
    ended = False

    def end(counts: dict[str, Any]) -> None:
        nonlocal ended
        log.append(kind, _now(), {**facts, "outcome": "done", **counts})
        ended = True

    log.append(kind, _now(), {**facts, "outcome": "begun"})
    try:
        yield end
    except BaseException as error:
        if not ended:
            log.append(kind, _now(), {**facts, "outcome": "failed", "error": type(error).__name__})
        raise


@contextmanager
def audited(log: EventLog, kind: str, facts: dict[str, Any]) -> Iterator[Callable[[dict[str, Any]], None]]:
    """The same for a command: SIGTERM and SIGINT are ends that are noted, too."""
    with ending_in_order(), noted(log, kind, facts) as end:
        yield end


def _now() -> int:
    return time.time_ns() // 1_000_000
