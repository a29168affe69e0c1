"""``flink-masking alerts``: checks rules, tries them on recorded lines, and watches files as they grow."""

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


def watch(
    rules: RulesFile,
    paths: Lines,
    state: Annotated[Path | None, typer.Option("--state", metavar="FILE", help="Keep windows and places there across restarts.",
                                               show_default=False)] = None,
    from_start: Annotated[bool, typer.Option("--from-start", help="Begin with lines that are there, not with new ones.")] = False,
) -> None:
    """Watch files and directories as they grow, print alerts as CloudEvents, and send them to the targets of RULES. Runs until SIGTERM.

    Ends with 1 where alerts could not be sent.
    """
    import signal

    from flink_masking.alerts.alert import Alert
    from flink_masking.alerts.delivery import deliveries
    from flink_masking.alerts.load import read
    from flink_masking.alerts.watching import Watcher
    from flink_masking.cli.console import counted, err

    found, ended = read(rules), list[int]()
    targets = deliveries(found, rules.parent)

    def tell(alert: Alert) -> None:
        typer.echo(alert.cloud_event(found.source))
        for target in targets.values():
            target.put(alert)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda caught, frame: ended.append(caught))
    watcher = Watcher(found, paths, tell, state, from_start)
    err.print(f"watching {counted(len(paths), 'path')}", soft_wrap=True)
    try:
        watcher.run(lambda: bool(ended))
    finally:
        unsent = {name: left for name, target in targets.items() if (left := target.close(5.0))}
    for name, left in unsent.items():
        err.print(f"{name}: {counted(left, 'alert')} not sent", soft_wrap=True)
    if unsent:
        raise typer.Exit(1)
