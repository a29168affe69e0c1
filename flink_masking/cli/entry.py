"""Runs the command that the arguments name, and ends the process with its exit code."""

import os
import sys

import typer
from typer.main import get_command

from flink_masking.cli.app import app
from flink_masking.cli.console import err, leave
from flink_masking.errors import ExitCode
from flink_masking.files.private_file import ending_in_order

NAME = "flink-masking"
COMPLETION = "_FLINK_MASKING_COMPLETE"
"""Set by the shell's completion script, see `flink_masking.cli.completion`."""
_Usage: type[Exception] = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
"""The base of errors in arguments, which typer does not export."""


def run() -> None:
    """Run a command. SIGINT, SIGTERM and SIGHUP end it in order: what it has begun to write is removed.

    Raises:
        SystemExit: always, with the exit code.
    """
    command = get_command(app)
    with ending_in_order():
        try:
            code = command.main(prog_name=NAME, standalone_mode=False, complete_var=COMPLETION)
            sys.stdout.flush()
        except _Usage as error:
            _usage(error)
        except typer.Abort:
            leave("interrupted", ExitCode.INTERRUPTED)
        except BrokenPipeError:
            _closed()
        except SystemExit as left:
            if isinstance(left.__context__, BrokenPipeError):  # noticed by typer or rich
                _closed()
            raise
    if code == ExitCode.INTERRUPTED:
        leave("interrupted", ExitCode.INTERRUPTED)
    raise SystemExit(code if isinstance(code, int) else ExitCode.OK)


def _usage(error: Exception) -> None:
    """Tell an error in the arguments: the usage, and what is wrong."""
    text = error.format_message()  # type: ignore[attr-defined]
    context = getattr(error, "ctx", None)
    if context is None:
        leave(text, ExitCode.USAGE)
    if not text or type(error).__name__ == "NoArgsIsHelpError":
        error.show()  # type: ignore[attr-defined]
        raise SystemExit(ExitCode.USAGE)
    err.print(context.get_usage(), soft_wrap=True)
    leave(f"{text[:1].lower()}{text[1:].rstrip('.')}. Hint: {context.command_path} --help lists options, arguments and exit codes",
          ExitCode.USAGE)


def _closed() -> None:
    """End without a word, as programs do whose reader has gone; what is still buffered goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(ExitCode.BROKEN_PIPE)
