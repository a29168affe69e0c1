"""Output of commands, and the one place that turns an error into a message and an exit code.

Results go to stdout, progress and errors to stderr. Exit codes: 0 done, 1 failed, 2 a policy or an option that cannot be used, others
by the class of the error (`flink_masking.errors`), 130 interrupted, 128 and its number where another signal ended it. A traceback
appears only when FLINK_MASKING_DEBUG is set: it may show what records hold.
"""

import contextlib
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from flink_masking.errors import FlinkMaskingError
from flink_masking.files.private_file import Ended

DEBUG = "FLINK_MASKING_DEBUG"

out = Console(highlight=False, markup=False, emoji=False)
err = Console(highlight=False, markup=False, emoji=False, stderr=True)


@contextlib.contextmanager
def reporting_errors() -> Iterator[None]:
    """Turn an exception of the body into a message on stderr and an exit of the process."""
    try:
        yield
    except KeyboardInterrupt:
        _leave("interrupted", 130)
    except Ended as ended:
        _leave(f"ended by {ended}", 128 + ended.signal)
    except FlinkMaskingError as error:
        faults = getattr(error, "faults", None)
        if faults is None:
            _leave(str(error), error.exit_code)
        show_faults(error.name, faults)  # type: ignore[attr-defined]
        _leave("", error.exit_code)
    except OSError as error:
        if error.filename is None or error.strerror is None:
            _leave(_unforeseen(error), 1)
        _leave(f"{os.fsdecode(error.filename)}: {error.strerror}", 1)
    except Exception as error:
        _leave(_unforeseen(error), 1)


def show_faults(name: str, faults: Any, console: Console = err) -> None:
    """Print faults of a policy, a line each as editors parse it, ``file:line:column: severity: message``, and its hint below."""
    for fault in faults:
        style = "bold red" if fault.severity == "error" else "bold yellow"
        place = Text(f"{name}:{fault.line}:{fault.column}: ", "bold")
        console.print(Text.assemble(place, (f"{fault.severity}: ", style), fault.message), soft_wrap=True)
        if fault.hint:
            console.print(Text(f"    Hint: {fault.hint}", "dim"), soft_wrap=True)


def show_warnings(name: str, warnings: Iterable[str]) -> None:
    """Print warnings on stderr, a line each with its hint below."""
    for warning in warnings:
        text, separator, hint = warning.partition(" Hint: ")
        err.print(Text.assemble(Text(f"{name}: ", "bold"), ("warning: ", "bold yellow"), text), soft_wrap=True)
        if separator:
            err.print(Text(f"    Hint: {hint}", "dim"), soft_wrap=True)


def counted(number: int, noun: str) -> str:
    """A number and its noun: ``1 fault``, ``2 faults``, ``12,000 events``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


@contextlib.contextmanager
def progress_bar(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress line on stderr that disappears when done; nothing where stderr is no terminal.

    Args:
        label: what is being done.
        total: of the units that the yielded function counts.

    Yields:
        A function that takes the number of items done.
    """
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task(label, total=total)
        yield lambda done: progress.update(task, completed=done)


def _leave(message: str, code: int) -> NoReturn:
    """Print the message with its hint on a line of its own, and end the process."""
    if os.environ.get(DEBUG) and sys.exception() is not None:
        traceback.print_exc()
    text, separator, hint = message.partition(" Hint: ")
    if text:
        err.print(Text.assemble(("error: ", "bold red"), text), soft_wrap=True)
    if separator:
        err.print(Text(f"Hint: {hint}", "dim"), soft_wrap=True)
    raise SystemExit(code)


def _unforeseen(error: Exception) -> str:
    """Describe an unexpected exception by its type and location; its text may quote a record and is omitted."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "flink_masking" in Path(frame.filename).parts] or frames
    place = f" at {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
    return (f"internal error: {type(error).__name__}{place}; the message is hidden because it may contain data. "
            f"Hint: set {DEBUG}=1 for the traceback")
