"""``flink-masking scan``: what a sample holds, a policy proposed for it, or a policy judged by it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flink_masking.cli.completion import formats
from flink_masking.cli.exits import answer, verdict

if TYPE_CHECKING:
    from flink_masking.cli.sample import Sample
    from flink_masking.scan import Report


@verdict("with --against, the policy and the sample differ", unusable=())
def scan(
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="INPUT...", help="Records: files, directories of files, or - for standard input.", show_default=False),
    ] = None,
    deployment: Annotated[
        Path | None, typer.Option("--deployment", help="Read the topics of this deployment's source (YAML).", show_default=False)] = None,
    command_config: Annotated[
        Path | None, typer.Option("--command-config", help="With --deployment: properties of a Kafka user, as Kafka's tools take them.",
                                  show_default="the deployment's own")] = None,
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
        typer.Option("--format", help="Of the records: json, csv with a header, text, avro, and protobuf in topics.",
                                 show_default="by the policy or the first file's name", autocompletion=formats)] = None,
    framing: Annotated[
        str | None, typer.Option("--framing", help="With --deployment: what stands in front of records of a format with schemas.",
                                 show_default="by the policy, or confluent")] = None,
    stream: Annotated[
        str | None, typer.Option("--stream", help="Name of the stream in the proposal.", show_default="the first input's name")] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Read so many records of each file or topic.",
                                 show_default="all of a file, 10,000 of a topic")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the proposal if it is there.")] = False,
) -> None:
    """Find out what records hold, without showing a value of them.

    Prints every path with its count, kinds and shapes, personal and secret data found there, values that recur inside other values, and
    keys that are data. --propose writes a policy with a comment for each choice. --against lists what is undeclared, mistyped, or
    sensitive and shown in clear: ends with 0 if there is nothing, with 1 if there is, with 2 when the policy or the options cannot be used.
    """
    from flink_masking.cli import scanned
    from flink_masking.cli.console import err, print_json, show_faults
    from flink_masking.cli.sample import OF_TOPIC, Files, Sample, Topics
    from flink_masking.errors import InputError, PolicyError
    from flink_masking.policy.load import load
    from flink_masking.policy.source import PolicySource

    if bool(inputs) == (deployment is not None):
        raise typer.BadParameter("name files, or a deployment with --deployment", param_hint="INPUT")
    if propose is not None and propose.exists() and not overwrite:
        raise InputError(f"{propose}: already exists and is not changed. Hint: choose another name, or add --overwrite")
    loaded = load(PolicySource.read(against)) if against is not None else None
    try:
        if deployment is None:
            sample: Sample = Files(inputs or [], format_, loaded, limit)
        else:
            sample = Topics(deployment, command_config, format_, loaded, limit or OF_TOPIC, framing)
        report, complaints = sample.scan(loaded)
        if loaded is not None and not report.readable:
            raise InputError("the sample has no record that can be read. Hint: name files that hold records")
    except InputError as error:
        if against is None:
            raise
        raise PolicyError(str(error)) from None  # 1 says that the policy and the sample differ
    result: dict[str, Any] = report.as_dict()
    written = ""
    if propose is not None:
        result["proposal"], written = _propose(propose, report, sample, stream)
    if json_:
        print_json(result | ({} if loaded is None else {"complaints": [one._asdict() for one in complaints], "unseen": sample.unseen}))
    elif loaded is None:
        scanned.show(report)
    else:
        show_faults(loaded.source.name, loaded.warnings)
        scanned.show_complaints(loaded.source.name, report, complaints, sample.unseen)
    if written:
        err.print(written, soft_wrap=True)
    raise answer(bool(complaints))


def _propose(path: Path, report: "Report", sample: "Sample", stream: str | None) -> tuple[dict[str, Any], str]:
    """Write a proposal once it has taken every record of the sample; gives its figures, and a line for people."""
    from flink_masking.cli.console import counted
    from flink_masking.errors import InputError
    from flink_masking.files.whole import write_whole
    from flink_masking.scan import propose_policy
    from flink_masking.scan.propose import stream_name

    if not report.readable:
        raise InputError("nothing can be proposed: the sample has no record that can be read. Hint: name files that hold records")
    name = stream_name(stream or sample.name)
    if report.each and sample.split(report.each):  # the records are the elements of an array in what was read
        report = sample.scan(None)[0]
    proposal = propose_policy(report, name, lambda: sample.batches("Checking the proposal"), sample.columns, sample.each, sample.framed)
    write_whole(path, proposal.text)
    decisions = proposal.text.count("decide: ") - 1  # the heading has one
    refused = sum(proposal.refused.values())
    no_policy = f"; {counted(refused, 'record')} that no policy takes: " + ", ".join(f"{n:,} {r}" for r, n in proposal.refused.items())
    told = (f"{path}: takes {counted(proposal.records - refused, 'record')} of the sample and quarantines none"
            f"{no_policy if refused else ''}; {counted(max(0, decisions), 'line')} to decide")
    return {"path": str(path), "decisions": max(0, decisions), "refused": proposal.refused, "warnings": len(proposal.warnings)}, told
