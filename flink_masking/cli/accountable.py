"""Audits commands that decrypt values: actor and purpose are written before the first value is decrypted, the outcome after."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from flink_masking.audit.log import AuditLog

Actor = Annotated[str, typer.Option("--actor", help="Who runs the command; written to the audit.", show_default=False)]
Purpose = Annotated[str, typer.Option("--purpose", help="Purpose of the command; written to the audit.", show_default=False)]

MOST = 1000
"""Characters of an actor or a purpose."""


def told(option: str, text: str) -> str:
    """An actor or a purpose without blanks around it.

    Raises:
        InputError: nothing is told, or more than a line.
    """
    from flink_masking.errors import InputError

    text = text.strip()
    if not text or len(text) > MOST or not text.isprintable():
        raise InputError(f"{option}: one line of 1 to {MOST} characters is needed. Hint: it is written to the audit")
    return text


@contextmanager
def audited(log: "AuditLog", kind: str, facts: dict[str, Any]) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Note in an audit that something begins, before it does, and how it ended; SIGTERM and SIGINT are ends that are noted, too.

    Args:
        log: where to.
        kind: ``unmask``, ``rekey``, ``reveal`` or ``replay``.
        facts: who, why and what, for both events.

    Yields:
        A function that notes the end with its counts.
    """
    import time

    from flink_masking.files.private_file import ending_in_order

    def now() -> int:
        return time.time_ns() // 1_000_000

    ended = False

    def end(counts: dict[str, Any]) -> None:
        nonlocal ended
        log.append(kind, now(), {**facts, "outcome": "done", **counts})
        ended = True

    with ending_in_order():
        log.append(kind, now(), {**facts, "outcome": "begun"})
        try:
            yield end
        except BaseException as error:
            if not ended:
                log.append(kind, now(), {**facts, "outcome": "failed", "error": type(error).__name__})
            raise
