"""``flink-masking run``: the main job on this machine."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from flink_masking.cli.addresses import Vault, absolute, vault_address
from flink_masking.cli.exits import verdict
from flink_masking.cli.options import Json

if TYPE_CHECKING:
    from flink_masking.flink_rest.progress import Progress
    from flink_masking.policy.load import LoadedPolicy
    from flink_masking.records.inputs import Input
    from flink_masking.tools.reconcile import Summary

FIELDS = 20
"""Undeclared and mistyped fields that are printed."""


@verdict("the run failed; with --max-quarantined, a larger share of the records is in quarantine", unusable=())
def run(
    policy: Annotated[Path, typer.Argument(help="The policy (YAML).", show_default=False)],
    input_: Annotated[Path, typer.Option("--input", help="A file, a directory of files, or - for standard input.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", help="Directory for the views; must be empty or new.", show_default=False)],
    keys: Annotated[str, typer.Option("--keys", help="Address of the key ring: file:///path or env://NAME.", show_default=False)],
    vault: Vault = None,
    parallelism: Annotated[int, typer.Option("--parallelism", min=1, help="Parallel instances of each step.")] = 1,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Empty the output directory first.")] = False,
    log_format: Annotated[Literal["text", "json"], typer.Option("--log-format", help="Of Flink's own log.")] = "text",
    json_: Json = False,
    max_quarantined: Annotated[float | None, typer.Option("--max-quarantined", metavar="SHARE", min=0, max=1, show_default="any share",
        help="End with 1 if a larger share of the records is in quarantine, such as 0.01; 0: if any is. The views are there.")] = None,
) -> None:
    """Run POLICY over files on an embedded Flink mini-cluster.

    Writes OUTPUT/<segment>/ (records in the policy's format), OUTPUT/quarantine/, OUTPUT/audit/ and OUTPUT/summary.json.
    """
    import json
    from dataclasses import replace

    from flink_masking.cli.console import counted, err, print_json, show_warnings
    from flink_masking.cli.exits import answer
    from flink_masking.files.whole import write_whole

    with ProgressLine() as line:
        from flink_masking.flink.job_source import JobSource
        from flink_masking.flink.local import local_deployment, run_local
        from flink_masking.flink.logs import use
        from flink_masking.lineage.emitter import emitter
        from flink_masking.policy.load import load
        from flink_masking.policy.source import PolicySource
        from flink_masking.records.inputs import Input
        from flink_masking.tools.headers import add_headers

        loaded = load(PolicySource.read(policy))
        if loaded.warnings:
            found = counted(len(loaded.warnings), "warning")
            err.print(f"{loaded.source.name}: {found}; flink-masking check lists them", soft_wrap=True, markup=False)
        where = vault_address(vault, keys) if loaded.tokenised or loaded.policy.quarantine else None
        if where is not None and vault is None:
            err.print(f"{'tokens' if loaded.tokenised else 'keys of days'} are kept in {where}", soft_wrap=True)
        records = Input.of(input_, loaded.policy.format, loaded.policy.columns, blank=True, each=loaded.policy.each)
        records.check()
        if records.columns is not None:
            loaded.for_header(records.columns, str(input_))
        loaded = loaded.of_files(records.columns)
        loaded = replace(loaded, source=replace(loaded.source, folded=not records.plain))
        source = JobSource(loaded.source, absolute(keys), where)
        plan = source.plan(loaded)
        use(log_format)
        line.expect(records)
        prepare(input_, output, {*loaded.policy.segments, "audit", "quarantine", "summary.json"}, overwrite)
        places = local_deployment(plan, keys, input_, output)
        if str(input_) == "-":
            places = places.model_copy(update={"source": {"connector": "stdin"}})
        lineage = emitter(loaded, places, lambda text: show_warnings("lineage", [text]), False)

        def show(progress: "Progress") -> None:
            line.show(progress)
            lineage.running()

        with telling_what_is_kept(output), line.copying(records) as lines, lineage.run():
            summary = run_local(source, plan, lines or input_, output, parallelism, show)
        add_headers(plan, output)
    write_whole(output / "summary.json", summary.encode())
    if json_:
        print_json(json.loads(summary.encode()))
    else:
        show_summary(summary, output)
        show_why_empty(loaded, summary)
    if summary.fields:
        err.print(f"Name the undeclared fields, and get the lines that declare them: flink-masking quarantine summary "
                  f"{output / 'quarantine'} --keys {keys}", soft_wrap=True)
    if summary.quarantined:
        err.print(f"Count them by field: flink-masking quarantine summary {output / 'quarantine'}", soft_wrap=True)
        err.print(f"See why: flink-masking quarantine show {output / 'quarantine'} --keys {keys}", soft_wrap=True)
    if too_many(summary, max_quarantined):
        err.print(f"error: {summary.quarantined:,} of {counted(summary.input, 'record')} are in quarantine, a larger share than "
                  f"{max_quarantined:g}.\nHint: the views are complete without them; see why (above), or raise --max-quarantined",
                  soft_wrap=True)
        raise answer(True)


def too_many(summary: "Summary", share: float | None) -> bool:
    """Whether a larger share of the records than this is in quarantine; None: whatever it is."""
    return share is not None and summary.quarantined > share * summary.input


def show_why_empty(loaded: "LoadedPolicy", summary: "Summary") -> None:
    """Say of each view of groups or figures without a line why it has none."""
    from flink_masking.cli.console import out
    from flink_masking.tools.preview import why_empty

    for name, account in summary.segments.items():
        if not account.rows and summary.input and loaded.policy.segments[name].view in ("anonymized", "aggregated"):
            accepted = summary.input - summary.quarantined
            out.print(f"{name} is empty: {why_empty(loaded, name, accepted)}", soft_wrap=True)


@contextlib.contextmanager
def telling_what_is_kept(output: Path) -> Iterator[None]:
    """Say what an interrupted run leaves, and how to go on."""
    from flink_masking.cli.console import err
    from flink_masking.files.private_file import Ended

    try:
        yield
    except (KeyboardInterrupt, Ended):
        err.print(f"{output}: holds a part of the views and no summary.json; --overwrite begins anew", soft_wrap=True)
        raise


def prepare(input_: Path, output: Path, ours: set[str], overwrite: bool) -> None:
    """Check the input and make an empty output directory.

    Args:
        input_: a file, a directory of files, or ``-``.
        output: made if need be.
        ours: names that a run writes; only these are removed by `overwrite`.
        overwrite: empty the directory first.

    Raises:
        InputError: no input, or an output directory that holds something.
    """
    import shutil

    from flink_masking.errors import InputError
    from flink_masking.files.opened import input_files

    input_files(input_)
    if output.exists() and not output.is_dir():
        raise InputError(f"{output}: this is a file. Hint: --output takes a directory")
    origin, target = input_.resolve(), output.resolve()
    if origin == target or target in origin.parents:
        raise InputError(f"{output}: the input lies in it. Hint: write somewhere else")
    if input_.is_dir() and origin in target.parents:
        raise InputError(f"{output}: it is inside the input; the next run would read it. Hint: write somewhere else")
    held = sorted(entry.name for entry in output.iterdir()) if output.exists() else []
    if held and not overwrite:
        raise InputError(f"{output}: the directory is not empty. Hint: choose another one, or pass --overwrite")
    if foreign := [name for name in held if name not in ours]:
        raise InputError(f"{output}: {foreign[0]} was not written by a run of this policy. Hint: remove it yourself if you mean it")
    for entry in (output / name for name in held):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    output.mkdir(parents=True, exist_ok=True)


class ProgressLine:
    """A live line on stderr: what the run waits for, then events in, out, per second, about how long it goes on; only on a terminal."""

    def __init__(self) -> None:
        """Not shown until entered."""
        import time

        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        from flink_masking.cli.console import err
        from flink_masking.cli.progress import Pace

        self._progress = Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=err, transient=True,
                                  disable=not err.is_terminal)
        self._pace = Pace(time.monotonic)
        self._expected: int | None = None
        self._task = self._progress.add_task("reading the policy")

    def __enter__(self) -> "ProgressLine":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def expect(self, records: "Input") -> None:
        """Look about how many records there are, where somebody sees it."""
        from flink_masking.cli.progress import estimated

        if not self._progress.disable:
            self._expected = estimated(records, records.files)

    @contextlib.contextmanager
    def copying(self, records: "Input") -> Iterator[Path | None]:
        """The records as files that Flink splits into lines (`Input.one_record_a_line`), and how far these are written."""
        from flink_masking.files.position import followed

        def show(read: int) -> None:
            part = f": {read / position.total:.0%}" if position.total else ""
            self._progress.update(self._task, description=f"writing a record a line{part}")

        with contextlib.ExitStack() as held:
            with followed(records.files, show) as position:
                lines = held.enter_context(records.one_record_a_line())
            yield lines

    def show(self, progress: "Progress") -> None:
        """Show a moment of the job; until the first record, what the job waits for."""
        from flink_masking.flink_rest.progress import STARTING

        if progress.read == 0:
            waiting = "starting Flink" if progress.state == STARTING else "starting Python workers"
            self._progress.update(self._task, description=waiting)
            return
        pace = self._pace.told(progress.read, self._expected)
        self._progress.update(self._task, description=f"{progress.read:,} events in · {progress.written:,} records out{pace}")


def show_summary(summary: "Summary", output: Path) -> None:
    """Print the summary of a run as a table."""
    from rich.table import Table

    from flink_masking.cli.console import counted, out
    from flink_masking.cli.quarantine import printable

    title = f"{counted(summary.input, 'event')} in, {summary.quarantined:,} quarantined"
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("view", overflow="fold")
    for heading in ("released", "suppressed", "lines"):
        table.add_column(heading, justify="right")
    for name, account in summary.segments.items():
        table.add_row(name, f"{account.released:,}", f"{account.suppressed:,}", f"{account.rows:,}")
    out.print(table)
    for name, account in summary.segments.items():
        if account.late:
            share = account.late / (account.released + account.suppressed)
            out.print(f"late: {account.late:,} of the records that {name} left out ({share:.2%} of all)", soft_wrap=True)
    for reason, count in sorted(summary.reasons.items(), key=lambda item: -item[1]):
        out.print(f"quarantined: {reason} {count:,}", soft_wrap=True)
    for faults in summary.fields[:FIELDS]:
        out.print(f"  {printable(faults.told())}", soft_wrap=True, markup=False, highlight=False)
    if len(summary.fields) > FIELDS:
        out.print(f"  and {counted(len(summary.fields) - FIELDS, 'field')} more; summary.json has all of them", soft_wrap=True)
    if summary.unlisted:
        out.print(f"  and {counted(summary.unlisted, 'member')} of records with more than a hundred such members", soft_wrap=True)
    out.print(f"written to {output}", soft_wrap=True)
