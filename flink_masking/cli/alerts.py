"""``flink-masking alerts``: checks rules, tries them on recorded lines, watches files as they grow, and publishes rules."""

from pathlib import Path
from typing import Annotated

import typer

from flink_masking.cli.control import At, In, ToAddress, ToFile
from flink_masking.cli.exits import verdict
from flink_masking.cli.identity import PassphraseFile
from flink_masking.cli.options import Json
from flink_masking.errors import ExitCode

RulesFile = Annotated[Path, typer.Argument(metavar="RULES", help="Alert rules (YAML).", show_default=False)]
Lines = Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files of audit, quarantine and leak findings, and directories of "
                                                                   "them.", show_default=False)]


@verdict(ExitCode.FAILED.text)
def check(rules: RulesFile, json_: Json = False) -> None:
    """Find every fault of RULES, each with its line, its column and a hint.

    Ends with 0 when they can be used, with 2 when they cannot.
    """
    from flink_masking.alerts.load import read
    from flink_masking.cli.console import counted, out, print_json

    found = read(rules)
    if json_:
        print_json({"rules": sorted(found.rules), "targets": sorted(found.targets)})
        return
    out.print(f"{rules}: {counted(len(found.rules), 'rule')}, {counted(len(found.targets), 'target')}", soft_wrap=True)


def test(
    rules: RulesFile,
    paths: Lines,
    as_json: Annotated[bool, typer.Option("--json", help="Print the alerts as CloudEvents, a line each.")] = False,
) -> None:
    """Show the alerts that would have come from recorded lines, by the times that the lines tell. Nothing is sent.

    Ends with 0, whether or not there are alerts, and with 1 where no line could be read, so that nothing was tried.
    """
    from flink_masking.alerts.load import read
    from flink_masking.alerts.recorded import alerts_of, lines_of
    from flink_masking.cli.console import counted, err, out
    from flink_masking.cli.progress import each
    from flink_masking.errors import InputError

    found = read(rules)
    alerts, taken, unreadable = alerts_of(found, each("Reading", lines_of(paths), "lines"))
    if unreadable == taken:
        told = f"none of {counted(taken, 'line')} is of an audit, a quarantine or leak findings" if taken else "there is no line"
        raise InputError(f"{told}, so no rule was tried. Hint: name the audit of a run, its quarantine, or what 'leaks --watch' prints")
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
    control: Annotated[Path | None, typer.Option("--control", metavar="DEPLOYMENT", help="A deployment with a section control: rules that "
                                                 "'alerts publish' puts there replace those of RULES while this runs.",
                                                 show_default=False)] = None,
) -> None:
    """Watch files and directories as they grow, print alerts as CloudEvents, and send them to the targets of RULES. Runs until SIGTERM.

    Ends with 1 where alerts could not be sent; with --state, the next watch sends them.
    """
    import signal

    from flink_masking.alerts.alert import Alert
    from flink_masking.alerts.load import read
    from flink_masking.alerts.watching import Watcher
    from flink_masking.cli.accountable import control_in
    from flink_masking.cli.console import counted, err

    found, ended = read(rules), list[int]()

    def tell(alert: Alert) -> None:
        typer.echo(alert.cloud_event(found.source))

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda caught, frame: ended.append(caught))
    watcher = Watcher(found, paths, tell, state, from_start, control=control_in(control), folder=rules.parent)
    err.print(f"watching {counted(len(paths), 'path')}", soft_wrap=True)
    try:
        watcher.run(lambda: bool(ended), lambda text: err.print(text, soft_wrap=True, markup=False, highlight=False))
    finally:
        unsent = watcher.close(5.0)
    for name, left in unsent.items():
        err.print(f"{name}: {counted(left, 'alert')} not sent", soft_wrap=True)
    if unsent:
        raise typer.Exit(1)


def publish(
    rules: RulesFile,
    deployment: Annotated[Path, typer.Argument(metavar="DEPLOYMENT", help="A deployment with a section control.", show_default=False)],
    by: Annotated[Path, typer.Option("--as", metavar="KEY", help="An identity with the role policy.", show_default=False)],
    at: At = None,
    within: In = None,
    output: ToFile = None,
    to: ToAddress = None,
    passphrase_file: PassphraseFile = None,
    json_: Json = False,
) -> None:
    """Check RULES, sign them, and publish them to whoever watches with the same 'source': 'alerts watch --control' and jobs/watch.py.

    They replace the rules in force without a restart. Targets cannot change live: those in RULES are the ones that the watchers began
    with, or RULES names none. The version is one higher than the highest at the source; to go back, publish the old rules again.
    """
    from flink_masking.alerts.load import rules_of, text_of
    from flink_masking.cli.control import effect_of, found, options_of, publish_or_write, trust_in
    from flink_masking.control.instants import instant
    from flink_masking.control.listing import highest_version
    from flink_masking.control.make import alerts_document, now

    text, options, issued = text_of(rules), options_of(deployment), now()
    loaded = rules_of(str(rules), text)
    effective = effect_of(at, within, options, issued)
    version = 1 + highest_version(found(options), trust_in(options), "alerts", loaded.source)
    signed = alerts_document(rules.name, text, loaded.source, version, issued, effective)
    placed = publish_or_write(signed, by, passphrase_file, options, output, to)
    placed.tell(json_, stream=loaded.source, version=version, effective_at=instant(effective))
    typer.echo(f"version {version} of the rules of {loaded.source} takes effect at {instant(effective)}", err=True)


def schema(output: Annotated[Path | None, typer.Option("--output", help="Write to this file instead of the terminal.",
                                                       show_default=False)] = None) -> None:
    """Print the JSON Schema of alert rules, derived from the models that 'alerts check' uses.

    In an editor with a YAML language server, the first line of a rules file names it: # yaml-language-server: $schema=alerts.schema.json
    """
    import json

    from flink_masking.alerts.schema import json_schema
    from flink_masking.files.whole import write_whole

    text = json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        typer.echo(text, nl=False)
    else:
        write_whole(output, text)
