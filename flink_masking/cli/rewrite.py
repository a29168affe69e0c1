"""What unmask and rekey share: JSON lines in, one file out that appears whole or not at all, and who did it and why."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import pyarrow as pa

    from flink_masking.audit.log import AuditLog

ROWS, BYTES = 10_000, 16 << 20
"""A batch ends at either."""

Policy = Annotated[Path, typer.Argument(help="The policy (YAML) that the records were masked with.", show_default=False)]
Segment = Annotated[str, typer.Option("--segment", help="Name of the masked segment.", show_default=False)]
Input = Annotated[Path, typer.Option("--input", help="Its records, JSON lines: a file, or a directory of files.", show_default=False)]
Output = Annotated[Path, typer.Option("--output", help="A file that does not exist yet (mode 0600).", show_default=False)]
Keys = Annotated[str, typer.Option("--keys", help="Address of the key ring: file:///path or env://NAME.", show_default=False)]
Actor = Annotated[str, typer.Option("--actor", help="Who does it; written to the audit.", show_default=False)]
Purpose = Annotated[str, typer.Option("--purpose", help="Why it is done; written to the audit.", show_default=False)]

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


def check_places(input_: Path, output: Path) -> None:
    """Check that there is an input, and room for the output.

    Raises:
        InputError: no input, or an output that is there already or would lie in the input.
    """
    from flink_masking.engine.accounts import files
    from flink_masking.errors import InputError

    if not input_.exists():
        raise InputError(f"{input_}: there is no such file or directory. Hint: --input takes a segment's records, as in OUTPUT/<segment>")
    if input_.is_dir() and not files(input_):
        raise InputError(f"{input_}: the directory holds no files. Hint: names that begin with . or _ are passed over")
    if output.exists() or output.is_symlink():
        raise InputError(f"{output}: it is there already. Hint: name another file, or remove it")
    if not output.parent.is_dir():
        raise InputError(f"{output}: its directory does not exist. Hint: make it first")
    if input_.is_dir() and input_.resolve() in output.resolve().parents:
        raise InputError(f"{output}: it lies in the input, of which the next run would take it for a part. Hint: write somewhere else")


def batches(input_: Path) -> Iterator["pa.Array"]:
    """The records of a file or directory, blank lines passed over."""
    import pyarrow as pa

    from flink_masking.engine.accounts import files

    rows: list[bytes] = []
    size = 0
    for file in files(input_) if input_.is_dir() else [input_]:
        with file.open("rb") as opened:
            for line in opened:
                if not (line := line.strip(b" \t\r\n")):
                    continue
                rows.append(line)
                size += len(line)
                if len(rows) == ROWS or size >= BYTES:
                    yield pa.array(rows, pa.binary())
                    rows, size = [], 0
    if rows:
        yield pa.array(rows, pa.binary())


def rewrite(input_: Path, output: Path, step: "Callable[[pa.Array], pa.Array]", done: Callable[[], None]) -> None:
    """Write what a step makes of every record.

    Args:
        input_: checked.
        output: appears when all of it is written, readable by its owner only; before that nothing of it is there, also after an error.
        step: n records to n records.
        done: called when all is written and before the output appears; an exception of it is one of the whole.
    """
    partial = output.with_name(f".{output.name}.{os.getpid()}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            for batch in batches(input_):
                opened.write(b"".join(row + b"\n" for row in step(batch).to_pylist()))
            opened.flush()
            os.fsync(opened.fileno())
        done()
        os.replace(partial, output)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


@contextmanager
def audited(log: "AuditLog", kind: str, facts: dict[str, Any]) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Note in an audit that something begins, before it does, and how it ended.

    Args:
        log: where to.
        kind: ``unmask`` or ``rekey``.
        facts: who, why and what, for both events.

    Yields:
        A function that notes the end with its counts.
    """
    import time

    def now() -> int:
        return time.time_ns() // 1_000_000

    log.append(kind, now(), {**facts, "outcome": "begun"})
    ended = False

    def end(counts: dict[str, Any]) -> None:
        nonlocal ended
        log.append(kind, now(), {**facts, "outcome": "done", **counts})
        ended = True

    try:
        yield end
    except BaseException as error:
        if not ended:
            log.append(kind, now(), {**facts, "outcome": "failed", "error": type(error).__name__})
        raise
