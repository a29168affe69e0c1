"""``flink-masking generate``: writes synthetic customer events, nested payloads, or records of the form of a sample."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from flink_masking.cli.completion import formats, locales
from flink_masking.cli.options import Json

if TYPE_CHECKING:
    from collections.abc import Callable

Shape = Literal["nested", "flat", "payloads"]


def generate(
    output: Annotated[Path, typer.Option(help="The file to write; .gz or .zst is compressed.", show_default=False)],
    events: Annotated[int, typer.Option(min=1, help="How many records.")] = 10_000,
    people: Annotated[
        int | None, typer.Option(min=1, help="Customer events: how many people they are about.", show_default="a quarter of the events"),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed writes the same bytes.")] = 0,
    shape: Annotated[
        Shape | None,
        typer.Option(help="Customer events, nested or flat (about 200 bytes); or payloads: nested JSON of many shapes.",
                     show_default="nested, if the format has objects")] = None,
    gold: Annotated[
        Path | None, typer.Option("--gold", help="Payloads: write the type and place (bytes) of all personal data here, a line a record.",
                                  show_default=False)] = None,
    locale: Annotated[
        list[str] | None, typer.Option("--locale", help="Payloads: whose names, addresses and numbers, in turn; repeatable.",
                                       show_default="en_US, de_DE, fr_FR, es_ES", autocompletion=locales)] = None,
    templates: Annotated[
        Path | None, typer.Option("--templates", help="Payloads: templates of your own, JSON with {EMAIL} or #uuid for values.",
                                  show_default="those of the library")] = None,
    like: Annotated[
        list[Path] | None, typer.Option("--like", metavar="SAMPLE", show_default=False,
                                        help="Records of the types and shapes of this file or directory, and no value of it; repeatable.")
    ] = None,
    keep: Annotated[
        list[str] | None, typer.Option("--keep", metavar="PATH", show_default=False,
                                       help="With --like: use the values of this path as they are, such as a list of codes; repeatable.")
    ] = None,
    format_: Annotated[
        str | None, typer.Option("--format", help="json or csv, with a header.",
        show_default="by the file's name, or json", autocompletion=formats)] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it is there.")] = False,
    json_: Json = False,
) -> None:
    """Write realistic records about people who do not exist.

    Customer events are what the demonstration runs on. Payloads have many shapes and hold personal and secret data of more than 20 types
    at known places (--gold): for measuring detection, and for tests of your own. --like SAMPLE writes records with the members, kinds,
    lengths, forms and ranges of a sample. No text or number of five characters or more is one of the sample's, except words of the format,
    which are listed.
    """
    from flink_masking.cli.console import print_json
    from flink_masking.errors import InputError
    from flink_masking.records.codec import FORMATS, format_of

    for target in (output, gold):
        if target is not None and target.exists() and not overwrite:
            raise InputError(f"{target}: already exists and is not changed. Hint: choose another name, or add --overwrite")
    made = [name for name, known in FORMATS.items() if not known.schemas and not known.single]
    if format_ is not None and format_ not in made:
        raise typer.BadParameter(f"use {' or '.join(made)}", param_hint="--format")
    if format_of(output) not in made:
        raise InputError(f"{output}: records of format {format_of(output)} are not made here. Hint: name it .jsonl or .csv")
    given = {"--gold": gold, "--locale": locale, "--templates": templates}
    if like:
        if other := next((name for name, value in ({"--shape": shape, "--people": people} | given).items() if value), None):
            raise typer.BadParameter("records like a sample have its shape", param_hint=other)
    elif keep:
        raise typer.BadParameter("only with --like", param_hint="--keep")
    form = format_ or format_of(output)
    if shape is None and any(given.values()):
        shape = "payloads"
    if shape == "payloads":
        if people is not None:
            raise typer.BadParameter("payloads are about nobody who comes back", param_hint="--people")
    elif not like and (misplaced := next((name for name, value in given.items() if value), None)):
        raise typer.BadParameter("only for --shape payloads", param_hint=misplaced)
    if like:
        written = _like(output, events, seed, like, keep or [], format_)
    elif shape == "payloads":
        written = _payloads(output, events, seed, form, gold, locale, templates)
    else:
        written = _events(output, events, people, seed, shape, form)
    if json_:
        print_json(written)


def _events(output: Path, events: int, people: int | None, seed: int, shape: Shape | None, form: str) -> dict[str, object]:
    from flink_masking.generate import MOST_PEOPLE, write_events
    from flink_masking.records.codec import FORMATS

    shape = shape or ("nested" if FORMATS[form].nested else "flat")
    crowd = min(max(1, events // 4), MOST_PEOPLE) if people is None else people
    about = "1 person" if crowd == 1 else f"{crowd:,} people"
    return _told(output, events, "event", f"about {about}, ", lambda progress: write_events(
        output, events, crowd, seed, shape, progress, form))


def _payloads(output: Path, count: int, seed: int, form: str, gold: Path | None, locale: list[str] | None, templates: Path | None,
              ) -> dict[str, object]:
    from flink_masking.errors import InputError
    from flink_masking.generate.payload_files import read_templates, write_payloads
    from flink_masking.generate.payloads import LOCALES, shapes
    from flink_masking.records.codec import FORMATS

    if not FORMATS[form].nested:
        raise InputError(f"payloads have arrays and objects, for which {form} has no place. Hint: --format json")
    chosen = shapes() if templates is None else read_templates(templates)
    about = f"of {len(chosen)} shape{'s' * (len(chosen) > 1)}, "
    made = _told(output, count, "payload", about, lambda progress: write_payloads(
        output, count, seed, locales=locale or LOCALES, templates=chosen, gold=gold, progress=progress))
    return made if gold is None else {**made, "gold": str(gold)}


def _like(output: Path, count: int, seed: int, sample: list[Path], keep: list[str], format_: str | None) -> dict[str, object]:
    from flink_masking.cli.console import err
    from flink_masking.cli.sample import Files
    from flink_masking.errors import InputError
    from flink_masking.generate.like import Likeness, Outline, write_like
    from flink_masking.records.codec import FORMATS, format_of

    files = Files(sample, format_, None, None)
    if FORMATS[files.format].schemas or FORMATS[files.format].single:
        raise InputError(f"records like those of {files.format} cannot be made. Hint: a sample of JSON or CSV records")
    if ".csv" in output.suffixes and format_of(output) != files.format:
        raise InputError(f"{output}: the sample is {files.format}, and so are records like it. Hint: choose another name")
    outline = Outline(files.format, files.columns, frozenset(keep))
    for batch in files.batches("Reading the sample"):
        outline.add(batch)
    if not outline.scanner.readable:
        raise InputError("the sample has no record that can be read. Hint: name files that hold records")
    likeness = Likeness(outline, seed)
    about = f"like {likeness.report.readable:,} of the sample, "
    made = _told(output, count, "record", about, lambda progress: write_like(output, likeness, count, progress))
    if likeness.kept:
        kept = ", ".join(f"{path} ({number})" for path, number in likeness.kept.items())
        err.print(f"words of the format, used as in the sample: {kept}", soft_wrap=True)
    return {**made, "kept": likeness.kept}


def _told(output: Path, count: int, noun: str, about: str, write: "Callable[[Callable[[int], None]], int]") -> dict[str, object]:
    """Write a file, and say what was written; the same for --json."""
    import time

    from flink_masking.cli.console import counted, err, sized
    from flink_masking.cli.progress import progress

    begin = time.perf_counter()
    with progress(f"Generating {noun}s", count, f"{noun}s") as told:
        size = write(lambda done: told(done, done))
    took = time.perf_counter() - begin
    err.print(f"{output}: {counted(count, noun)} {about}{sized(size)}, in {took:.1f} s", soft_wrap=True)
    return {"output": str(output), "records": count, "bytes": size}
