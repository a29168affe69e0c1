"""``flink-masking sql``: the functions for Flink SQL, whole jobs as SQL scripts, and the client that runs them."""

from pathlib import Path
from typing import Annotated

import typer


def functions() -> None:
    """Print the declaration of every function for Flink SQL, each with its arguments.

    Keys, vault and policy are passed to the functions as job parameters: SET 'pipeline.global-job-parameters' =
    '{flink-masking.keys: ''file:///secrets/keys.json''}'
    """
    from flink_masking.sql.script import declarations

    typer.echo(declarations(), nl=False)


def job(
    policy: Annotated[Path, typer.Argument(help="A policy file (YAML), at a place where the workers find it, too.", show_default=False)],
    deployment: Annotated[Path, typer.Argument(help="Source, sinks, keys and Flink settings (YAML).", show_default=False)],
    wait: Annotated[bool, typer.Option("--wait", help="The SQL client stays until the job ends.")] = False,
) -> None:
    """Print a SQL script that runs the masked segments of a POLICY with the tables of a DEPLOYMENT.

    Connector options are written into the script as they stand in the deployment, passwords among them.
    """
    from flink_masking.cli.console import show_warnings
    from flink_masking.deployment.model import Deployment
    from flink_masking.engine.plan import compile_plan
    from flink_masking.flink.jars import job_jars
    from flink_masking.flink.settings import DEFAULTS
    from flink_masking.keys.ring import KeyRing
    from flink_masking.policy.load import load
    from flink_masking.policy.source import PolicySource
    from flink_masking.sql.script import job as script
    from flink_masking.vault.memory import MemoryVault

    target = Deployment.read(deployment)
    show_warnings(str(deployment), target.warnings)
    vault = MemoryVault() if target.vault else None  # the real one may be out of reach from here
    plan = compile_plan(load(PolicySource.read(policy)), KeyRing.ephemeral(), vault)
    typer.echo(script(plan, str(policy.resolve()), target, DEFAULTS, wait, map(str, job_jars(target))), nl=False)


def client_setup(
    flink_home: Annotated[
        Path | None,
        typer.Option("--flink-home", metavar="DIRECTORY", help="A Flink distribution.", show_default="FLINK_HOME, else PyFlink's"),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option("--into", metavar="DIRECTORY", help="Make a Flink home there, leave the distribution alone.", show_default=False),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Use no network: a jar that is not in the cache is an error.")] = False,
) -> None:
    """Make Flink's SQL client start, and print the path of sql-client.sh.

    PyFlink's distribution lacks flink-sql-gateway's jar, without which its client ends with NoClassDefFoundError. The jar is fetched as
    connectors' jars are, verified by its SHA-256 and put into the distribution's opt; where that cannot be written, a Flink home
    with links to it is made in the user's cache directory.
    """
    import os

    from flink_masking.cli.console import err
    from flink_masking.cli.progress import waiting
    from flink_masking.jars import JarCache
    from flink_masking.sql.client import flink_home as find
    from flink_masking.sql.client import set_up

    with waiting("Setting up the client"):
        client = set_up(find(flink_home, os.environ), JarCache(offline=offline), into)
    for note in client.notes:
        err.print(note, soft_wrap=True)
    for name in ("FLINK_LIB_DIR", "FLINK_OPT_DIR", "FLINK_CONF_DIR"):
        if os.environ.get(name):
            err.print(f"{name} is set, and the client will look there: unset {name}", soft_wrap=True)
    typer.echo(client.script)
