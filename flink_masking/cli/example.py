"""``flink-masking example``: policies to start from, with records that they take."""

from pathlib import Path
from typing import Annotated

import typer

from flink_masking.cli.completion import examples


def example(
    name: Annotated[str | None, typer.Argument(help="Which one; without it, all are listed.",
        show_default=False, autocompletion=examples)] = None,
    output: Annotated[Path | None, typer.Option(help="The directory to write to.", show_default="the example's name")] = None,
    people: Annotated[int, typer.Option(min=1, max=100_000, help="How many patients, users or drivers the records are about.")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="The same seed writes the same records.")] = 0,
) -> None:
    """Write an example's policies, and synthetic records for each of its streams.

    The policies were made with `scan --propose` and edited; comments say what was changed and why.
    """
    import shutil

    from flink_masking.cli.console import counted, err
    from flink_masking.errors import InputError
    from flink_masking.examples import EXAMPLES
    from flink_masking.generate.streams import write_stream

    if name is None:
        typer.echo("".join(f"{known:<11} {one.title}\n" for known, one in EXAMPLES.items()), nl=False)
        return
    if name not in EXAMPLES:
        raise typer.BadParameter(f"use {', '.join(EXAMPLES)}", param_hint="NAME")
    chosen, target = EXAMPLES[name], output or Path(name)
    if target.exists():
        raise InputError(f"{target}: already exists and is not changed. Hint: choose another directory with --output")
    target.mkdir(parents=True)
    for file in (*chosen.streams.values(), *chosen.files):
        shutil.copyfile(file, target / file.name)
    for stream, policy in chosen.streams.items():
        suffix = ".csv" if stream == "taxi-trips" else ".jsonl"
        records = (target / policy.name).with_suffix(suffix)
        lines = write_stream(records, stream, people, seed) - (suffix == ".csv")
        err.print(f"{target / policy.name}, {counted(lines, 'record')} in {records}", soft_wrap=True)
