"""``flink-masking generate``: writes synthetic customer events."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def generate(
    output: Annotated[Path, typer.Option(help="The file to write; .gz or .zst is compressed.", show_default=False)],
    events: Annotated[int, typer.Option(min=1, help="How many events.")] = 10_000,
    people: Annotated[int | None, typer.Option(min=1, help="How many people they are about; a quarter of the events if not given.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed writes the same bytes.")] = 0,
    shape: Annotated[
        Literal["nested", "flat"] | None,
        typer.Option(help="Nested events, or flat ones of about 200 bytes.", show_default="nested, if the format has objects")] = None,
    format_: Annotated[
        str | None, typer.Option("--format", help="json or csv, with a header.", show_default="by the file's name, or json")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it is there.")] = False,
) -> None:
    """Write realistic customer events about people who do not exist."""
    import time

    from flink_masking.cli.console import counted, err, progress_bar
    from flink_masking.errors import InputError
    from flink_masking.generate import MOST_PEOPLE, write_events
    from flink_masking.records.codec import FORMATS, format_of

    if output.exists() and not overwrite:
        raise InputError(f"{output}: already exists and is not changed. Hint: choose another name, or add --overwrite")
    if format_ is not None and format_ not in FORMATS:
        raise typer.BadParameter(f"use {' or '.join(FORMATS)}", param_hint="--format")
    form = format_ or format_of(output)
    shape = shape or ("nested" if FORMATS[form].nested else "flat")
    crowd = min(max(1, events // 4), MOST_PEOPLE) if people is None else people
    begin = time.perf_counter()
    with progress_bar("Generating events", events) as progress:
        size = write_events(output, events, crowd, seed, shape, progress, form)
    took = time.perf_counter() - begin
    about = "1 person" if crowd == 1 else f"{crowd:,} people"
    err.print(f"{output}: {counted(events, 'event')} about {about}, {size / 1e6:,.1f} MB, in {took:.1f} s", soft_wrap=True)
