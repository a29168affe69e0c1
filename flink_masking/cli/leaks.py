"""``flink-masking leaks``: finds personal data where it should not be."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flink_masking.cli.completion import segments
from flink_masking.cli.exits import answer, verdict

EVERY = 1.0
"""Seconds between two looks of --watch."""

if TYPE_CHECKING:
    from flink_masking.leaks.canaries import Canaries
    from flink_masking.leaks.monitor import Leak
    from flink_masking.leaks.places import Places


@verdict("there is a leak, or a file could not be read to its end")
def leaks(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files of any kind, and directories of them: views, logs, "
                                                                       "checkpoints.", show_default=False)],
    policy: Annotated[Path | None, typer.Option("--policy", help="The files are a view of this policy: what it shows is no leak. Needs "
                                                                 "--segment.", show_default=False)] = None,
    segment: Annotated[str | None, typer.Option("--segment", help="The view.", show_default=False, autocompletion=segments)] = None,
    canaries: Annotated[
        Path | None, typer.Option("--canaries", help="Directory with the fingerprints that Protect has kept ('leaks' of the deployment). "
                                                     "Needs --keys.", show_default=False)] = None,
    keys: Annotated[str | None, typer.Option("--keys", help="Address of the key ring.", show_default=False)] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Go on as files come and grow, and print each finding as a line of JSON, which "
                                                        "'alerts watch' reads. Runs until SIGTERM.")] = False,
) -> None:
    """Look through files for personal data, without showing a value of it.

    Finds what detection knows by its form (not names in running text), and with --canaries the values of records that were protected,
    with or without the blanks and signs between their parts. Ends with 0 if there is nothing, with 1 if there is a leak or a file could
    not be read, with 2 when the options cannot be used.
    """
    from flink_masking.cli.console import print_json
    from flink_masking.cli.progress import reading
    from flink_masking.errors import InputError
    from flink_masking.leaks.files import every_file, look_through
    from flink_masking.leaks.monitor import Monitor

    if (policy is None) != (segment is None):
        raise typer.BadParameter("goes with --segment", param_hint="--policy")
    places, known = _places(policy, segment), _canaries(canaries, keys, waits=watch)
    if watch:
        raise answer(_watch(paths, places, known))
    found: list[Leak] = []
    unread, seen = list[str](), 0
    files = every_file(paths, unread.append)
    with reading("Looking", *files):
        for file in files:
            monitor = Monitor(str(file), places, known)
            try:
                seen += look_through(file, monitor)
            except InputError as error:
                unread.append(str(error))
            found += monitor.leaks
    if json_:
        print_json({"files": len(files), "bytes": seen, "unread": unread, "leaks": [one._asdict() for one in found]})
    else:
        _show(found, unread, len(files), seen)
    raise answer(bool(found or unread))


def _places(policy: Path | None, segment: str | None) -> "Places | None":
    """What the view may show."""
    from flink_masking.leaks.places import Places
    from flink_masking.policy.load import load
    from flink_masking.policy.source import PolicySource

    if policy is None or segment is None:
        return None
    loaded = load(PolicySource.read(policy))
    if segment not in loaded.policy.segments:
        raise typer.BadParameter(f"use {' or '.join(loaded.policy.segments)}", param_hint="--segment")
    return Places(loaded, segment)


def _watch(paths: list[Path], places: "Places | None", known: "Canaries | None") -> bool:
    """Look until SIGTERM or SIGINT; whether something was found or could not be read."""
    import json
    import signal
    import threading
    import time

    from flink_masking.cli.console import counted, err
    from flink_masking.errors import FlinkMaskingError
    from flink_masking.leaks.monitor import Leak, Monitor
    from flink_masking.leaks.recent import Recent
    from flink_masking.leaks.watching import FileWatch

    ended, outcome, told = threading.Event(), False, ""

    def unread(text: str) -> None:
        nonlocal outcome
        outcome = True
        err.print(f"not read: {text}", soft_wrap=True, markup=False, highlight=False)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda caught, frame: ended.set())
    recent = None if known is None else Recent(lambda: time.time_ns() // 1_000_000)
    watch, over = FileWatch(paths, lambda name: Monitor(name, places, known, recent=recent), unread, recent), False
    err.print(f"watching {counted(len(paths), 'path')}", soft_wrap=True)
    while not over:
        over, found = ended.wait(EVERY), list[Leak]()
        try:
            if known is not None:
                known.look()
                found = watch.look_again(over)
            told = ""
        except FlinkMaskingError as error:  # what is known stays known
            if str(error) != told:
                told = str(error)
                unread(told)
        found += [] if over else watch.look()
        if found:
            outcome = True
            typer.echo(json.dumps({"time": time.time_ns() // 1_000_000, "leaks": [one._asdict() for one in found]}, ensure_ascii=False))
    return outcome


def _canaries(directory: Path | None, keys: str | None, waits: bool) -> "Canaries | None":
    """The fingerprints; `waits`: they may come later."""
    import time

    from flink_masking.errors import InputError
    from flink_masking.keys.providers import open_ring
    from flink_masking.leaks.canaries import Canaries

    if (directory is None) != (keys is None):
        raise typer.BadParameter("goes with --keys", param_hint="--canaries")
    if directory is None or keys is None:
        return None
    found = Canaries(directory, open_ring(keys), lambda: time.time_ns() // 1_000_000)
    found.look()
    if not found.filters and not waits:
        raise InputError(f"{directory}: no fingerprints are kept there, or their time is over. Hint: name the directory of 'leaks' in the "
                         "deployment")
    return found


def _show(found: "list[Leak]", unread: list[str], files: int, seen: int) -> None:
    """A table of leaks."""
    from rich import box
    from rich.table import Column, Table

    from flink_masking.cli.console import counted, err, out, print_table
    from flink_masking.cli.quarantine import printable

    for text in unread:
        err.print(f"not read: {text}", soft_wrap=True)
    if found:
        places = (Column(name, overflow="fold") for name in ("where", "path"))
        table = Table(*places, "found by", "what", "values", box=box.SIMPLE_HEAD, pad_edge=False)
        for leak in found:
            table.add_row(printable(leak.source), printable(leak.path) or "–", leak.kind, leak.what, f"{leak.values:,}")
        print_table(table)
    told = f"{counted(len(found), 'leak')}" if found else "no leak"
    out.print(f"{told} in {counted(files, 'file')}, {seen / 1e6:,.1f} MB", soft_wrap=True)
