"""``flink-masking scan``: what a sample holds, a policy proposed for it, or a policy judged by it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import pyarrow as pa

    from flink_masking.policy.load import LoadedPolicy
    from flink_masking.records.inputs import Input
    from flink_masking.scan import Complaint, Report

MEGABYTE = 1_000_000


def scan(
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="INPUT...", help="Records: files, directories of files, or - for standard input.", show_default=False)],
    propose: Annotated[
        Path | None,
        typer.Option("--propose", metavar="POLICY", help="Write a policy that takes every record of the sample.", show_default=False),
    ] = None,
    against: Annotated[
        Path | None, typer.Option("--against", metavar="POLICY", help="Compare the sample with this policy; ends with 1 if they differ.",
                                  show_default=False)] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    format_: Annotated[
        str | None,
        typer.Option("--format", help="json or csv, with a header.", show_default="by the policy or the first file's name")] = None,
    stream: Annotated[
        str | None, typer.Option("--stream", help="Name of the stream in the proposal.", show_default="the first input's name")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Read so many records of each file.", show_default="all")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the proposal if it is there.")] = False,
) -> None:
    """Find out what records hold, without showing a value of them.

    Prints every path with its count, kinds and shapes, personal and secret data found there, values that recur inside other values, and
    keys that are data. --propose writes a policy with a comment for each choice. --against lists what is undeclared, mistyped, or
    sensitive and shown in clear: ends with 0 if there is nothing, with 1 if there is, with 2 when the policy or the options cannot be used.
    """
    import json

    from flink_masking.cli import scanned
    from flink_masking.cli.console import show_faults
    from flink_masking.errors import InputError, PolicyError
    from flink_masking.policy.load import load
    from flink_masking.policy.source import PolicySource

    if propose is not None and propose.exists() and not overwrite:
        raise InputError(f"{propose}: already exists and is not changed. Hint: choose another name, or add --overwrite")
    loaded = load(PolicySource.read(against)) if against is not None else None
    try:
        sample = Sample(inputs, format_, loaded, limit)
        report, complaints = sample.scan(loaded)
        if loaded is not None and not report.readable:
            raise InputError("the sample has no record that can be read. Hint: name files that hold records")
    except InputError as error:
        if against is None:
            raise
        raise PolicyError(str(error)) from None  # 1 says that the policy and the sample differ
    result: dict[str, Any] = report.as_dict()
    if propose is not None:
        result["proposal"] = _propose(propose, report, sample, stream)
    if json_:
        typer.echo(json.dumps(result | ({} if loaded is None else {"complaints": [one._asdict() for one in complaints]}), indent=2))
    elif loaded is None:
        scanned.show(report)
    else:
        show_faults(loaded.source.name, loaded.warnings)
        scanned.show_complaints(loaded.source.name, report, complaints)
    raise typer.Exit(int(bool(complaints)))


def _propose(path: Path, report: "Report", sample: "Sample", stream: str | None) -> dict[str, Any]:
    """Write a proposal once it has taken every record of the sample."""
    from flink_masking.cli.console import counted, err
    from flink_masking.errors import InputError
    from flink_masking.scan import propose_policy
    from flink_masking.scan.propose import stream_name

    if not report.readable:
        raise InputError("nothing can be proposed: the sample has no record that can be read. Hint: name files that hold records")
    name = stream_name(stream or sample.name)
    proposal = propose_policy(report, name, lambda: sample.batches("Checking the proposal"), sample.columns)
    path.write_text(proposal.text, encoding="utf-8")
    decisions = proposal.text.count("decide: ") - 1  # the heading has one
    refused = sum(proposal.refused.values())
    no_policy = f"; {counted(refused, 'record')} that no policy takes: " + ", ".join(f"{n:,} {r}" for r, n in proposal.refused.items())
    err.print(f"{path}: takes {counted(proposal.records - refused, 'record')} of the sample and quarantines none"
              f"{no_policy if refused else ''}; {counted(max(0, decisions), 'line')} to decide", soft_wrap=True)
    return {"path": str(path), "decisions": max(0, decisions), "refused": proposal.refused, "warnings": len(proposal.warnings)}


class Sample:
    """The records of several inputs of one format.

    Attributes:
        format: of all of them.
        columns: of a format with a header, those of all files.
        name: of the first input.
    """

    def __init__(self, inputs: list[Path], format_: str | None, loaded: "LoadedPolicy | None", limit: int | None) -> None:
        """Look at the inputs.

        Raises:
            InputError: no such file; files of two formats; a header that differs.
        """
        from flink_masking.errors import InputError
        from flink_masking.files.opened import STANDARD_INPUT, input_files
        from flink_masking.records.codec import FORMATS, format_of
        from flink_masking.records.inputs import Input

        if format_ is not None and format_ not in FORMATS:
            raise typer.BadParameter(f"use {' or '.join(FORMATS)}", param_hint="--format")
        files = [file for path in inputs for file in input_files(path)]
        self.format = format_ or (loaded.policy.format if loaded else format_of(files[0]))
        other = next((file for file in files if format_ is None and file != STANDARD_INPUT and format_of(file) != self.format), None)
        if other is not None and loaded is None:
            raise InputError(f"{other}: of another format than the first file. Hint: scan files of one format at a time, or give --format")
        columns = loaded.policy.columns if loaded else None
        if STANDARD_INPUT in files and FORMATS[self.format].header and columns is None:
            raise InputError(f"standard input: records of format {self.format} have to lie in a file. Hint: write them to a file first")
        self.name = inputs[0].name if inputs[0] != STANDARD_INPUT else "records"
        self._limit, self._inputs = limit, list[tuple[Path, Input]]()
        for file in files:
            source = Input.of(file, self.format, columns)
            columns = source.columns
            self._inputs.append((file, source))
        self.columns = columns
        self._held: list[pa.BinaryArray] | None = [] if STANDARD_INPUT in files else None
        self._read = False

    def scan(self, loaded: "LoadedPolicy | None") -> "tuple[Report, list[Complaint]]":
        """Read all records; compare them with a policy if there is one."""
        from flink_masking.scan import Scanner, compare
        from flink_masking.scan.fits import Fits

        if loaded is not None and self.columns is not None:
            loaded = loaded.with_columns(self.columns)
        scanner, fits = Scanner(self.format, self.columns), None if loaded is None else Fits(loaded)
        for name, batch in self._named("Scanning"):
            scanner.add(batch, name)
            if fits is not None:
                fits.add(batch)
        report = scanner.report()
        return report, [] if loaded is None or fits is None else compare(loaded, report, fits)

    def batches(self, label: str) -> "Iterator[pa.BinaryArray]":
        """The records again, batch by batch."""
        return (batch for _, batch in self._named(label))

    def _named(self, label: str) -> "Iterator[tuple[str, pa.BinaryArray]]":
        from flink_masking.cli.console import progress_bar

        if self._held is not None and self._read:  # standard input cannot be read twice
            yield from ((self.name, batch) for batch in self._held)
            return
        sizes = [file.stat().st_size if file.is_file() else 0 for file, _ in self._inputs]
        with progress_bar(f"{label} (MB)", max(1, sum(sizes) // MEGABYTE)) as progress:
            before = 0
            for (file, source), size in zip(self._inputs, sizes, strict=True):
                yield from ((str(file), batch) for batch in self._of(source, before, size, progress))
                before += size
        self._read = True

    def _of(self, source: "Input", before: int, size: int, progress: Callable[[int], None]) -> "Iterator[pa.BinaryArray]":
        records = seen = 0
        for batch in source.batches():
            whole = batch if self._limit is None else batch.slice(0, self._limit - records)
            records += len(whole)
            seen += batch.nbytes
            progress((before + min(seen, size)) // MEGABYTE)
            if self._held is not None:
                self._held.append(whole)
            yield whole
            if records == self._limit:
                return
