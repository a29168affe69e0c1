"""``flink-masking acl``: prints the Kafka ACLs of a stream for review, or applies them."""

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flink_masking.cli.options import Json

if TYPE_CHECKING:
    from flink_masking.access.acls import Access
    from flink_masking.deployment.model import Deployment


class Form(StrEnum):
    """How the entries are printed."""

    commands = "commands"
    strimzi = "strimzi"


def acl(
    policy: Annotated[Path, typer.Argument(help="A policy file (YAML).", show_default=False)],
    deployment: Annotated[Path, typer.Argument(help="Source, sinks, keys and Flink settings (YAML).", show_default=False)],
    principals: Annotated[Path, typer.Option(help="Who runs the job and who reads which segment (YAML).", show_default=False)],
    form: Annotated[Form, typer.Option("--format", help="kafka-acls.sh lines, or KafkaUser resources of Strimzi.")] = Form.commands,
    command_config: Annotated[
        Path | None,
        typer.Option(help="Properties of an administrator, as Kafka's tools take them; without, --apply uses the deployment's own.",
                     show_default=False),
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Create the entries that are missing, and say what was done.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Compare with the cluster and change nothing.")] = False,
    idempotent_write: Annotated[bool, typer.Option("--idempotent-write", help="Grant it on the cluster, for brokers before 2.8.")] = False,
    strimzi_cluster: Annotated[str, typer.Option(help="Name of the Kafka resource that users belong to.")] = "kafka",
    namespace: Annotated[str | None, typer.Option(help="Namespace of the users.", show_default=False)] = None,
    json_: Json = False,
) -> None:
    """Print the Kafka ACLs that a POLICY needs with the topics of a DEPLOYMENT, and no more.

    The job reads the raw topic and writes the outputs, each audience reads its own segment, nobody else anything.
    """
    from flink_masking.access.acls import derive
    from flink_masking.access.commands import commands
    from flink_masking.access.principals import read_principals
    from flink_masking.access.strimzi import kafka_users
    from flink_masking.cli.console import err, print_json, show_faults, show_warnings
    from flink_masking.deployment.model import Deployment
    from flink_masking.policy.load import load
    from flink_masking.policy.source import PolicySource

    model = load(PolicySource.read(policy)).policy
    named = read_principals(principals, model)
    show_faults(str(principals), named.warnings)
    target = Deployment.read(deployment)
    show_warnings(str(deployment), target.warnings)
    access = derive(model, target, named.principals, idempotent_write)
    for note in access.notes:
        err.print(f"note: {note}", soft_wrap=True)
    if apply or dry_run:
        _compare(access, target, command_config, not dry_run, json_)
    elif json_:
        print_json([{"cluster": cluster.servers, "acls": [str(entry) for entry in cluster.acls]} for cluster in access.clusters])
    elif form is Form.commands:
        typer.echo(commands(access, str(command_config or "admin.properties")), nl=False)
    else:
        typer.echo(kafka_users(access, strimzi_cluster, namespace), nl=False)


def _compare(access: "Access", deployment: "Deployment", command_config: Path | None, change: bool, json_: bool) -> None:
    """Show which entries the clusters hold; create the missing ones if `change` is set."""
    from flink_masking.cli.console import counted, err, out, print_json
    from flink_masking.cli.progress import waiting
    from flink_masking.flink.jars import job_jars
    from flink_masking.java import java_home
    from flink_masking.kafka.acls import AclClient

    os.environ["JAVA_HOME"] = str(java_home())
    with waiting("Fetching the Kafka client"):
        jars = job_jars(deployment)
    told = []
    for cluster in access.clusters:
        with waiting(f"Comparing the ACLs of {cluster.servers}"), AclClient(cluster, command_config, jars) as client:
            found = client.compare()
            if change:
                client.create(found.missing)
        if json_:
            told.append({"cluster": cluster.servers, "changed": change, "present": [*map(str, found.present)],
                         "missing": [*map(str, found.missing)], "foreign": [*map(str, found.foreign)]})
            continue
        for entry in found.present:
            out.print(f"  {entry}", soft_wrap=True)
        for entry in found.missing:
            out.print(f"+ {entry}", soft_wrap=True)
        for entry in found.foreign:
            err.print(f"warning: not of this policy, not changed: {entry}", soft_wrap=True)
        done = "added" if change else "missing"
        figures = f"{counted(len(found.present), 'ACL')} there, {len(found.missing):,} {done}, {len(found.foreign):,} not of this policy"
        out.print(f"{cluster.servers}: {figures}", soft_wrap=True)
    if json_:
        print_json(told)
