"""Prints what `scan` found."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flink_masking.scan import Complaint, PathReport, Report


def show(report: "Report") -> None:
    """A table of paths, and what is worth a look below it."""
    from rich import box
    from rich.table import Table

    from flink_masking.cli.console import out, print_table
    from flink_masking.cli.quarantine import printable

    out.print(_heading(report), soft_wrap=True)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("path", overflow="fold")
    table.add_column("in", justify="right")
    table.add_column("values", justify="right")
    table.add_column("kinds", overflow="fold")
    table.add_column("different", justify="right")
    table.add_column("looks like", overflow="fold")
    table.add_column("found", overflow="fold")
    for path in report.paths:
        found = ", ".join(f"{one.type} {_part(one.values, path.scalars)}" for one in path.found[:3])
        kinds = ", ".join(path.kinds) if path.kinds else ""
        different = f"{'' if path.exact else '~'}{path.distinct:,}" if path.scalars else ""
        shapes = ", ".join(f"{name} {_part(count, path.scalars)}" for name, count in list(path.shapes.items())[:2])
        table.add_row(printable(path.path), _part(path.records, report.readable), f"{path.values:,}", kinds, different, shapes, found)
    if report.paths:
        print_table(table)
    for note in notes(report):
        out.print(printable(note), soft_wrap=True)


UNSEEN = 20
"""Fields that never occur of which the names are printed."""


def show_complaints(policy: str, report: "Report", complaints: "list[Complaint]", unseen: "dict[str, str]") -> None:
    """What a policy does not say rightly of a sample, a line each; then what it declares and the sample lacks."""
    from rich.text import Text

    from flink_masking.cli.console import counted, out
    from flink_masking.cli.quarantine import printable

    out.print(_heading(report), soft_wrap=True)
    for one in complaints:
        place = f"{one.path} in {one.segment}" if one.segment else one.path
        text = f"{printable(place)}: {one.values:,} of {one.of:,}: {printable(one.message)}"
        out.print(Text.assemble((f"{one.kind}: ", "bold red"), text), soft_wrap=True)
    names = [f"{name} (did you mean {near}?)" if near else name for name, near in unseen.items()]
    if names:
        more = f", and {len(names) - UNSEEN:,} more" if len(names) > UNSEEN else ""
        out.print(f"never in this sample: {printable(', '.join(names[:UNSEEN]))}{more}", soft_wrap=True)
    out.print(f"{policy}: {counted(len(complaints), 'difference')} from the sample" if complaints else
              f"{policy}: declares every member of the sample, and shows nothing in clear that was found to be sensitive", soft_wrap=True)


def notes(report: "Report") -> Iterator[str]:
    """What a table has no room for, a line each."""
    for reason, count in report.broken.items():
        yield f"{count:,} of {report.records:,} records cannot be read: {reason}"
    for path in report.paths:
        yield from (f"{path.path}: {said}" for said in _notes(path))


def _notes(path: "PathReport") -> Iterator[str]:
    if path.conflict:
        yield "not always of one kind: " + ", ".join(f"{kind} in {count:,}" for kind, count in path.kinds.items())
    if path.always_empty:
        yield f"empty in all of {path.values:,}"
    if path.keys:
        yield f"keys are data: {path.keys:,} different ones in {path.values:,} members"
    for one in path.equals:
        yield f"values are also values of {one.path}: {one.common:,} of {one.of:,} compared"
    for one in path.contains:
        after = f", after {one.after!r}" if one.after else ""
        yield f"values of {one.path} are inside{after}: {one.common:,} of {one.of:,} parts compared"
    for one in path.told_by:
        yield f"what it holds depends on {one.path}: right for {one.common:,} of {one.of:,} values"


def _heading(report: "Report") -> str:
    from flink_masking.cli.console import counted, sized

    unread = sum(report.broken.values())
    return (f"{counted(report.records, 'record')} of format {report.format}, {sized(report.bytes)}, {counted(len(report.paths), 'path')}"
            + (f"; {counted(unread, 'record')} cannot be read" if unread else ""))


def _part(count: int, of: int) -> str:
    """A count as a part of the whole, so that neither few nor nearly all are rounded away."""
    if not of or count == of:
        return "100 %" if count else ""
    return f"{min(99.9, max(0.1, 100 * count / of)):.1f} %"
