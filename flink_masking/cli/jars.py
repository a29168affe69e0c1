"""``flink-masking jars``: the connector jars of a deployment, fetched and verified."""

from pathlib import Path
from typing import Annotated

import typer

from flink_masking.cli.options import Json


def jars(
    deployment: Annotated[
        Path | None, typer.Argument(help="A deployment (YAML); all jars that are known unless given.", show_default=False)
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Use no network: what is not in the cache is an error.")] = False,
    into: Annotated[
        Path | None, typer.Option("--into", metavar="DIRECTORY", help="Copy the jars there, as into Flink's lib.", show_default=False)
    ] = None,
    json_: Json = False,
) -> None:
    """Fetch the connector jars that a DEPLOYMENT's job takes along, and print coordinates and path of each.

    They are kept in the user's cache directory and verified by checksum on every use. The environment variable
    FLINK_MASKING_MAVEN_REPOSITORY names the only Maven repository to ask; else Maven or jgo asks those that it is configured for.
    """
    import secrets
    import shutil

    from flink_masking.cli.console import print_json
    from flink_masking.cli.progress import each
    from flink_masking.deployment.model import Deployment
    from flink_masking.jars import CONNECTORS, Artifact, JarCache, needed

    target = None if deployment is None else Deployment.read(deployment)
    found = needed(CONNECTORS, None) if target is None else needed(target.connectors, target.jars)
    cache, told = JarCache(offline=offline), []
    for jar in each("Fetching", found, "jars", len(found)):
        path = cache.resolve(jar)
        if into is not None:
            into.mkdir(parents=True, exist_ok=True)
            part = into / f".{path.name}.{secrets.token_hex(4)}.part"
            try:
                shutil.copyfile(path, part)
                path = part.replace(into / path.name)
            finally:
                part.unlink(missing_ok=True)
        told.append({"jar": jar.coordinates if isinstance(jar, Artifact) else jar.name, "path": str(path)})
        if not json_:
            typer.echo(f"{told[-1]['jar']}\t{path}")
    if json_:
        print_json(told)
