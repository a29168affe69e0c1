"""Output of commands, and the one place that turns an error into a message and an exit code.

Results go to stdout, progress and errors to stderr. With ``--json``, stdout holds exactly one JSON document: the result, or
``{"error": {"message", "hint", "exit_code"}}``. Exit codes: `flink_masking.errors.ExitCode`. A traceback appears only when
FLINK_MASKING_DEBUG is set: it may show what records hold.
"""

import contextlib
import errno
import json
import os
import sys
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console
from rich.measure import Measurement
from rich.text import Text

from flink_masking.errors import ExitCode, FlinkMaskingError
from flink_masking.files.private_file import Ended

DEBUG = "FLINK_MASKING_DEBUG"

out = Console(highlight=False, markup=False, emoji=False)
err = Console(highlight=False, markup=False, emoji=False, stderr=True)


_HINTS = {
    errno.ENOENT: "check the name", errno.EISDIR: "name a file", errno.ENOTDIR: "a part of the path is a file",
    errno.EACCES: "check who may read or write it", errno.EPERM: "check who may read or write it",
    errno.EEXIST: "choose another name, or remove it", errno.ENOSPC: "free space on the disk", errno.EDQUOT: "free space on the disk",
    errno.EFBIG: "raise the limit of a file's size (ulimit -f)", errno.EROFS: "write somewhere else", errno.ENAMETOOLONG: "a shorter name",
}  # fmt: skip
"""What to do about an error of the operating system."""
_printed: list[str] = []
"""The JSON document that stdout has got."""


@contextlib.contextmanager
def reporting_errors() -> Iterator[None]:
    """Turn an exception of the body into a message on stderr and an exit of the process."""
    _printed.clear()
    try:
        yield
    except KeyboardInterrupt:
        leave("interrupted", ExitCode.INTERRUPTED)
    except Ended as ended:
        leave(f"ended by {ended}", 128 + ended.signal)
    except FlinkMaskingError as error:
        faults = getattr(error, "faults", None)
        if faults is None:
            leave(str(error), error.exit_code)
        show_faults(error.name, faults)  # type: ignore[attr-defined]
        told = [{"line": one.line, "column": one.column, "severity": one.severity, "message": one.message, "hint": one.hint}
                for one in faults]
        leave("", error.exit_code, {"message": f"{error.name}: {counted(len(told), 'fault')}", "faults": told})  # type: ignore[attr-defined]
    except OSError as error:
        hint = _HINTS.get(error.errno or 0)
        if error.strerror is None or (error.filename is None and hint is None):
            leave(_unforeseen(error), ExitCode.FAILED)
        place = "the output" if error.filename is None else os.fsdecode(error.filename)
        leave(f"{place}: {error.strerror}" + (f". Hint: {hint}" if hint else ""), ExitCode.FAILED)
    except Exception as error:
        leave(_unforeseen(error), ExitCode.FAILED)


def print_json(body: Any) -> None:
    """Print the result of a command with ``--json``: one document, the only one on stdout."""
    _print(json.dumps(body, indent=2, ensure_ascii=False))


def _print(text: str) -> None:
    _printed.append(text)
    sys.stdout.write(text + "\n")


def json_wanted() -> bool:
    """Whether the arguments of this process ask for JSON; also known where they cannot be used."""
    given = sys.argv[1:]
    return "--json" in (given[: given.index("--")] if "--" in given else given)


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


def print_table(table: Any, console: Console = out) -> None:
    """Print a table: within a terminal's width, or COLUMNS; where neither is, as wide as it is, so that no name is broken."""
    if not console.is_terminal and "COLUMNS" not in os.environ:
        width = Measurement.get(console, console.options.update(max_width=10_000), table).maximum
        console = Console(file=console.file, width=width, highlight=False, markup=False, emoji=False)
    console.print(table)


def counted(number: int, noun: str) -> str:
    """A number and its noun: ``1 fault``, ``2 faults``, ``12,000 events``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def sized(number: int) -> str:
    """A number of bytes: ``1.9 MB``, ``1.1 kB`` below 100 kB."""
    return f"{number / 1e6:,.1f} MB" if number >= 100_000 else f"{number / 1e3:,.1f} kB"


def leave(message: str, code: int, body: dict[str, Any] | None = None) -> NoReturn:
    """Print a message with its hint on a line of its own, and end the process.

    Args:
        message: ``what is wrong. Hint: what to do``.
        code: the exit code.
        body: the error for ``--json``; made of the message unless given.

    Raises:
        SystemExit: always.
    """
    if os.environ.get(DEBUG) and sys.exception() is not None:
        traceback.print_exc()
    text, separator, hint = message.partition(" Hint: ")
    if text:
        err.print(Text.assemble(("error: ", "bold red"), text), soft_wrap=True)
    if separator:
        err.print(Text(f"Hint: {hint}", "dim"), soft_wrap=True)
    if json_wanted() and not _printed:
        told = {"message": text, **({"hint": hint} if separator else {})} if body is None else body
        with contextlib.suppress(OSError):
            # one line, as the results of commands that print a document a line
            _print(json.dumps({"error": {**told, "exit_code": int(code)}}, ensure_ascii=False))
            sys.stdout.flush()
    raise SystemExit(int(code))


def _unforeseen(error: Exception) -> str:
    """Describe an unexpected exception by its type and location; its text may quote a record and is omitted."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "flink_masking" in Path(frame.filename).parts] or frames
    place = f" at {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
    return (f"internal error: {type(error).__name__}{place}; the message is hidden because it may contain data. "
            f"Hint: set {DEBUG}=1 for the traceback")
