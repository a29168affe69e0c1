"""``flink-masking preflight``: checks that a job has the access to Kafka that it needs."""

from pathlib import Path
from typing import Annotated

import typer

from flink_masking.cli.exits import verdict
from flink_masking.cli.options import Json


@verdict("a check fails")
def preflight(
    policy: Annotated[Path, typer.Argument(help="The policy (YAML).", show_default=False)],
    deployment: Annotated[Path, typer.Argument(help="Source, sinks, keys and Flink settings (YAML).", show_default=False)],
    timeout: Annotated[int, typer.Option("--timeout", min=1, help="Seconds that a broker gets to answer.")] = 10,
    rest: Annotated[str | None, typer.Option("--rest", help="Flink's REST endpoint; also checks which ports the cluster opens.")] = None,
    ca: Annotated[str | None, typer.Option("--ca", help="PEM file that the endpoint's certificate is checked against.")] = None,
    certificate: Annotated[str | None, typer.Option("--certificate", help="PEM file: the client's certificate and its key.")] = None,
    json_: Json = False,
) -> None:
    """Check with the job's own clients that it may read, write and begin transactions in the Kafka clusters of a DEPLOYMENT, and that
    its schema registry answers and takes the schemas of the views.

    Brokers, logins, certificates, topics, access control and time-outs of transactions; the main job asks the same before it starts. With
    --rest, warns of what the cluster lets others reach.
    """
    import os

    from flink_masking.cli.console import err, out, print_json, show_warnings
    from flink_masking.cli.progress import waiting
    from flink_masking.deployment.model import Deployment
    from flink_masking.deployment.tables import completed
    from flink_masking.deployment.view_schemas import ask_for_views
    from flink_masking.java import java_home
    from flink_masking.policy.load import load
    from flink_masking.policy.source import PolicySource
    from flink_masking.registry.preflight import preflight as registry

    loaded = load(PolicySource.read(policy))
    target = Deployment.read(deployment)
    show_warnings(str(deployment), target.warnings)
    target.require([*loaded.policy.segments, "audit", "quarantine"])
    os.environ["JAVA_HOME"] = str(java_home())
    from flink_masking.flink.jars import job_jars
    from flink_masking.kafka.preflight import preflight as check

    warnings: list[str] = []
    if rest is not None:
        from flink_masking.flink_rest.health import RestEndpoint
        from flink_masking.flink_rest.ports import cluster_warnings

        warnings = list(cluster_warnings(RestEndpoint(rest, ca, certificate)))
        for warning in warnings:
            err.print(f"warning: {rest}: {warning}", soft_wrap=True)

    def show(lines: list[str]) -> list[str]:
        for line in () if json_ else lines:
            out.print(line, soft_wrap=True)
        return lines

    asked = show([registry(target.registry_options)] if target.registry_options is not None else [])
    asked += show(list(ask_for_views(loaded, target.registry_options, target.source_subjects)))
    with waiting("Asking Kafka"):
        said = list(check(completed(target, loaded.policy.stream), job_jars(target), timeout * 1000))
    show(said)
    if json_:
        print_json({"registry": asked, "kafka": said, "warnings": warnings})
    elif not said:
        err.print("no table of the deployment lies in Kafka", soft_wrap=True)
