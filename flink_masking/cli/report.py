"""``flink-masking report``: one page that answers an auditor."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flink_masking.cli.exits import answer, verdict

if TYPE_CHECKING:
    from flink_masking.deployment.model import Deployment
    from flink_masking.policy.source import PolicySource
    from flink_masking.report.sample import Sample

OF_TOPIC = 10_000
"""Records that are read of a table unless more are asked for."""


@verdict("a promise is broken, views together single somebody out, or something was not measured")
def report(
    policy: Annotated[Path, typer.Argument(help="The policy (YAML) that the views were made under.", show_default=False)],
    raw: Annotated[Path | None, typer.Option("--raw", help="The raw records: a file or a directory.", show_default=False)] = None,
    released: Annotated[Path | None, typer.Option("--released", help="The output directory of a run.", show_default=False)] = None,
    deployment: Annotated[Path | None, typer.Option(
        "--deployment", help="Tell what this deployment (YAML) declares; without --raw and --released, measure a sample of its topics.",
        show_default=False)] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="With topics: read so many records of each.",
                                              show_default="10,000")] = None,
    command_config: Annotated[Path | None, typer.Option(
        "--command-config", help="With topics: properties of a Kafka user, as Kafka's tools take them.",
        show_default="the deployment's own")] = None,
    output: Annotated[Path | None, typer.Option("--output", metavar="FILE", help="The HTML file to write.", show_default=False)] = None,
    principals: Annotated[Path | None, typer.Option("--principals", help="Who reads which view (YAML).", show_default=False)] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the same figures as JSON.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it is there.")] = False,
) -> None:
    """Measure all views of a run, and write one HTML file: flow, coverage, groups, figures, joins, points of laws and standards.

    The file loads nothing and holds no raw value; it prints, and can be passed on. Ends with 0 where every promise holds and no join
    singles somebody out, with 1 where not, or where a view or the joins could not be measured, with 2 when the policy or the options
    cannot be used, or there is nothing to measure. Of topics, a sample is read, without a consumer group; where they hold more, a promise
    that the sample does not keep stays open, which ends with 0.
    """
    from flink_masking.access.principals import read_principals
    from flink_masking.cli.console import err, print_json
    from flink_masking.cli.progress import reading, waiting
    from flink_masking.compliance.measured import planned
    from flink_masking.deployment.model import Deployment
    from flink_masking.errors import PolicyError
    from flink_masking.files.whole import write_whole
    from flink_masking.policy.load import load
    from flink_masking.policy.source import PolicySource
    from flink_masking.report.figures import broken_promises, figures, unmet

    if output is None and not json_:
        raise typer.BadParameter("name a file with --output, or print with --json", param_hint="--output")
    if output is not None and output.exists() and not overwrite:
        raise PolicyError(f"{output}: already exists and is not changed. Hint: choose another name, or add --overwrite")
    if (raw is None) != (released is None):
        raise typer.BadParameter("--raw and --released belong together", param_hint="--raw")
    if raw is None and deployment is None:
        raise typer.BadParameter("name files with --raw and --released, or a deployment with --deployment", param_hint="--raw")
    source = PolicySource.read(policy)
    declared = Deployment.read(deployment) if deployment is not None else None
    readers = read_principals(principals, load(source).policy).principals if principals is not None else None
    if raw is not None and released is not None:
        with reading("Measuring", *planned(source, raw, released, twice=True)):
            told = figures(source, raw, released, readers, declared)
    else:
        assert declared is not None
        sample = _sample(source, declared, command_config, limit or OF_TOPIC)
        with waiting("Measuring"):
            told = figures(source, sample.raw, sample.released, readers, declared, sample)
    if output is not None:
        from flink_masking.report.html import as_html

        page = as_html(told)
        write_whole(output, page)
        err.print(f"{output}: {len(page.encode()) / 1000:,.0f} kB", soft_wrap=True)
    if json_:
        print_json(told)
    for name, why in told["why_not_measured"].items():
        err.print(f"not measured  {name}: {why}", soft_wrap=True, markup=False)
    for line in broken_promises(told):
        err.print(line, soft_wrap=True, markup=False)
    raise answer(unmet(told))


def _sample(source: "PolicySource", deployment: "Deployment", command_config: Path | None, limit: int) -> "Sample":
    """The first records of the deployment's topics."""
    import os
    from collections.abc import Iterator

    from flink_masking.addresses.endpoints import kafka_endpoint
    from flink_masking.cli.progress import each, waiting
    from flink_masking.java import java_home
    from flink_masking.report.sample import sample_of
    from flink_masking.verify.files import read_policy

    policy = read_policy(source, people=False)
    os.environ["JAVA_HOME"] = str(java_home())
    from flink_masking.kafka.source import SourceTopics

    def values(sink: str | None) -> Iterator[bytes]:
        with waiting("Connecting to Kafka"):
            topics = SourceTopics(deployment, command_config, sink=sink)
        records = (value for topic in topics.names for value in topics.values(topic))
        yield from each(f"Sampling {sink or 'the source'}", records, "records", limit)

    return sample_of(policy, {name for name, options in deployment.sinks.items() if kafka_endpoint(options) is not None}, values, limit)
