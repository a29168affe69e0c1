"""``flink-masking lineage``: what a job's lineage event says."""

from pathlib import Path
from typing import Annotated

import typer


def lineage(
    policy: Annotated[Path, typer.Argument(help="The policy (YAML).", show_default=False)],
    deployment: Annotated[Path | None, typer.Argument(help="The deployment, which tells where stream and views are.",
                                                      show_default=False)] = None,
    namespace: Annotated[str | None, typer.Option("--namespace", help="Of the job; OPENLINEAGE_NAMESPACE unless given.",
                                                  show_default=False)] = None,
) -> None:
    """Print the OpenLineage event START of the job of POLICY as JSON: each view's fields, what they are made of, and what is masked.

    A job sends such events itself where the OpenLineage client is configured (OPENLINEAGE_URL, OPENLINEAGE_CONFIG, openlineage.yml).
    """
    import json
    import os
    import uuid

    from flink_masking.deployment.model import Deployment
    from flink_masking.lineage.events import NAMESPACE, JobLineage
    from flink_masking.policy.load import load
    from flink_masking.policy.source import PolicySource

    loaded = load(PolicySource.read(policy))
    found = Deployment.read(deployment) if deployment is not None else None
    of = namespace or os.environ.get("OPENLINEAGE_NAMESPACE") or NAMESPACE
    typer.echo(json.dumps(JobLineage(loaded, found, str(uuid.uuid4()), of).event("START"), indent=2, ensure_ascii=False))
