"""``flink-masking log-config``: prints a Log4j configuration that writes JSON."""

from typing import Annotated

import typer


def log_config(
    console: Annotated[bool, typer.Option("--console", help="For containers: write to the console, not to a file.")] = False,
) -> None:
    """Print a Log4j configuration that writes JSON, a line an event, for Flink's conf directory."""
    from flink_masking.flink.logs import log4j_configuration

    typer.echo(log4j_configuration(console).read_text(), nl=False)
