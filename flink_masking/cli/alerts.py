"""``flink-masking alerts``: checks rules, and tries them on recorded lines."""

from pathlib import Path
from typing import Annotated

import typer

RulesFile = Annotated[Path, typer.Argument(metavar="RULES", help="Alert rules (YAML).", show_default=False)]
Lines = Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files of audit, quarantine and leak findings, and directories of "
                                                                   "them.", show_default=False)]


def check(rules: RulesFile) -> None:
    """Find every fault of RULES, each with its line, its column and a hint.

    Ends with 0 when they can be used, with 2 when they cannot.
    """
    from flink_masking.alerts.load import read
    from flink_masking.cli.console import counted, out

    found = read(rules)
    out.print(f"{rules}: {counted(len(found.rules), 'rule')}, {counted(len(found.targets), 'target')}", soft_wrap=True)


def test(
    rules: RulesFile,
    paths: Lines,
    as_json: Annotated[bool, typer.Option("--json", help="Print the alerts as CloudEvents, a line each.")] = False,
) -> None:
    """Show the alerts that would have come from recorded lines, by the times that the lines tell. Nothing is sent.

    Ends with 0, whether or not there are alerts.
    """
    from flink_masking.alerts.load import read
    from flink_masking.alerts.recorded import alerts_of, lines_of
    from flink_masking.cli.console import counted, err, out

    found = read(rules)
    alerts, taken, unreadable = alerts_of(found, lines_of(paths))
    for alert in alerts:
        if as_json:
            typer.echo(alert.cloud_event(found.source))
        else:
            out.print(alert.line(), soft_wrap=True)
    err.print(f"{counted(len(alerts), 'alert')} from {counted(taken, 'line')}, {unreadable:,} unreadable", soft_wrap=True)
