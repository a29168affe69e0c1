"""``flink-masking verify``: measures from a released view what it guarantees."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flink_masking.cli.completion import segments
from flink_masking.cli.exits import verdict

if TYPE_CHECKING:
    from flink_masking.policy.source import PolicySource
    from flink_masking.verify.report import Report
    from flink_masking.verify.sequences import Join

STYLES = {"held": "green", "broken": "bold red", "open": "yellow"}
NOTHING = "there are neither records nor lines, so nothing was verified. Hint: name what a run has read and written"


@verdict("a promise is broken; with --strict, one is undecided; with --joint, the views together single somebody out")
def verify(
    policy: Annotated[Path, typer.Argument(help="The policy (YAML) that the view was made under.", show_default=False)],
    raw: Annotated[Path, typer.Option("--raw", help="The raw records: a file or a directory.", show_default=False)],
    released: Annotated[
        Path, typer.Option("--released", help="The view: a file or a directory; with --joint the output directory.", show_default=False)],
    segment: Annotated[str | None, typer.Option("--segment", help="The view's name in the policy.",
        show_default="by the folder", autocompletion=segments)] = None,
    joint: Annotated[bool, typer.Option("--joint", help="Try to join the views of an output directory.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Treat a promise that the output cannot decide as broken.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure what a released view guarantees, without the code that made it.

    Recomputes k (people), l, t, loss, suppression, risks, homogeneity and delay; of aggregated views, whether figures are as far from
    the raw ones as the promised noise takes them. Ends with 0 when every promise holds, with 1 when one is broken, with 2 when the
    policy or the options cannot be used. --joint ends with 1 when the views together single somebody out.
    """
    from flink_masking.cli.console import out, print_json
    from flink_masking.cli.exits import answer
    from flink_masking.cli.progress import reading
    from flink_masking.errors import InputError
    from flink_masking.policy.source import PolicySource

    source = PolicySource.read(policy)
    if joint:
        from flink_masking.verify.joint import verify_joint

        _check_records(source, raw)

        with reading("Verifying", raw, released):
            joins = verify_joint(source, raw, released)
        if json_:
            print_json([join.as_dict() for join in joins])
        else:
            _show_joins(joins)
        raise answer(any(join.singled_out for join in joins))
    from flink_masking.verify.files import verify as measure

    with reading("Verifying", raw, released):
        report = measure(source, raw, released, segment)
    if not any(report.counts.values()):
        raise InputError(f"{released}: {NOTHING}")
    if json_:
        print_json(report.as_dict())
    else:
        _show(report)
        if not report.broken:
            out.print("open promises: the output does not decide them" if report.open else "every promise holds", soft_wrap=True)
    raise answer(bool(report.broken or (strict and report.open)))


def _check_records(source: "PolicySource", raw: Path) -> None:
    """Look at the beginning of raw records that can be read twice.

    Raises:
        InputError: there is none.
    """
    from flink_masking.errors import InputError
    from flink_masking.files.opened import input_files, is_stream
    from flink_masking.verify.files import read_policy
    from flink_masking.verify.records import Records

    if any(is_stream(file) for file in input_files(raw)):
        return
    for _ in Records(raw, read_policy(source), raw=True):
        break
    else:
        raise InputError(f"{raw}: {NOTHING}")


def _show(report: "Report") -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from flink_masking.cli.console import out

    counts = ", ".join(f"{name} {number:,}" for name, number in report.counts.items())
    out.print(f"{report.segment} ({report.view}): {counts}", soft_wrap=True)
    promises = Table("promise", "promised", "found", "", box=box.SIMPLE_HEAD, pad_edge=False)
    for promise in report.promises:
        verdict = Text(promise.verdict, STYLES[promise.verdict])
        promises.add_row(promise.name, promise.promised, promise.found + (f"; {promise.note}" if promise.note else ""), verdict)
    out.print(promises)
    figures = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    figures.add_column("figure")
    figures.add_column("of", overflow="fold")
    figures.add_column("", justify="right")
    for section, values in report.figures.items():
        for name, value in values.items():
            figures.add_row(section, name, f"{value:,.0f}" if float(value).is_integer() and value > 1 else f"{value:.3f}")
    if report.figures:
        out.print(figures)
    for note in report.notes:
        out.print(note, soft_wrap=True)


def _show_joins(joins: "list[Join]") -> None:
    from rich import box
    from rich.table import Table

    from flink_masking.cli.console import out, print_table

    table = Table("views", "joined by", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("lines", "people singled out", "people among fewer than k"):
        table.add_column(heading, justify="right")
    for join in joins:
        figures = [f"{number:,}" for number in (join.lines, join.singled_out, join.narrowed)]
        table.add_row(" + ".join(join.views), ", ".join(join.fields) or "nothing", *figures)
    print_table(table)
    if not joins:
        out.print("no two views of this output can be joined", soft_wrap=True)
    for note in dict.fromkeys(join.note for join in joins if join.note):
        out.print(note, soft_wrap=True)
