"""What a command says about its exit codes: one table of codes (`flink_masking.errors.ExitCode`), and what 1 means for a command."""

import functools
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec

import typer

from flink_masking.errors import ExitCode, FlinkMaskingError, InputError, PolicyError

P = ParamSpec("P")
TOLD = (ExitCode.OK, ExitCode.FAILED, ExitCode.USAGE, ExitCode.UNAVAILABLE, ExitCode.INTERRUPTED)
"""The codes in the help of each command."""


def verdict(finding: str, unusable: tuple[type[FlinkMaskingError], ...] = (InputError,),
            ) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Mark a command that answers a question: 1 says no, and an input that cannot be used ends with 2 instead.

    Args:
        finding: when it ends with 1, for its help.
        unusable: errors that say that an input cannot be used; those with an exit code of their own keep it.
    """

    def marked(command: Callable[P, None]) -> Callable[P, None]:
        @functools.wraps(command)
        def judged(*arguments: P.args, **options: P.kwargs) -> None:
            try:
                command(*arguments, **options)
            except unusable as error:
                if error.exit_code is not ExitCode.FAILED:
                    raise
                raise PolicyError(str(error)) from None

        judged.finding = finding  # type: ignore[attr-defined]
        return judged

    return marked


def answer(found: bool) -> typer.Exit:
    """The exit of a command that answers a question.

    Args:
        found: whether it has found what its `verdict` names.
    """
    return typer.Exit(ExitCode.FAILED if found else ExitCode.OK)


def codes(command: Callable[..., Any]) -> dict[ExitCode, str]:
    """The codes of a command with what they mean there."""
    finding = getattr(command, "finding", None)
    return {code: finding if finding and code is ExitCode.FAILED else code.text for code in TOLD}


def epilog(command: Callable[..., Any]) -> str:
    """The last paragraph of a command's help."""
    return "Exit codes: " + "; ".join(f"{code} {text}" for code, text in codes(command).items()) + "."


def commands(app: typer.Typer, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every command of the tree: its name as typed (``keys new``) and its function."""
    for one in app.registered_commands:
        if one.callback is not None:
            yield " ".join((*path, one.name or one.callback.__name__)), one.callback
    for group in app.registered_groups:
        if group.typer_instance is not None and isinstance(group.name, str):
            yield from commands(group.typer_instance, (*path, group.name))


def add_epilogs(app: typer.Typer) -> None:
    """Tell the exit codes in the help of every command."""
    for one in app.registered_commands:
        if one.callback is not None:
            one.epilog = epilog(one.callback)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            add_epilogs(group.typer_instance)


def table(app: typer.Typer) -> str:
    """The exit codes as a page of the documentation has them: all codes, then when a command ends with 1."""
    lines = ["| Code | Meaning |", "|---|---|", *(f"| {code} | {code.text} |" for code in ExitCode), "", "| Command | Ends with 1 when |",
             "|---|---|"]
    found = ((name, getattr(command, "finding", None)) for name, command in commands(app))
    told = [f"| `{name}` | {finding} |" for name, finding in found if finding not in (None, ExitCode.FAILED.text)]
    return "\n".join([*lines, *told]) + "\n"
