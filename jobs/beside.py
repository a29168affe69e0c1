"""What the jobs beside the main one share (audit log, leak monitor, alerts): their command line, and how they are submitted."""

import argparse
from collections.abc import Callable
from pathlib import Path

from pyflink.table import StatementSet, StreamTableEnvironment

from flink_masking.cli.console import show_warnings
from flink_masking.deployment.model import Deployment
from flink_masking.deployment.tables import CHECKPOINT_INTERVAL
from flink_masking.errors import FlinkMaskingError, JobError
from flink_masking.flink.environment import stream_environment
from flink_masking.flink.jars import job_jars
from flink_masking.flink.launch import launch
from flink_masking.flink.local import cause
from flink_masking.flink.pipeline import take_checkpoints

Build = Callable[[StreamTableEnvironment, Deployment], StatementSet]
"""Creates the tables of a job and puts its inserts into one statement set."""


def options_of(description: str | None, first: str, what: str, deployment: str, bounded: str) -> argparse.Namespace:
    """Read the command line.

    Args:
        description: of the job, its module's docstring.
        first: the option that names the job's first file, such as ``--policy``.
        what: help of that option.
        deployment: help of ``--deployment``.
        bounded: help of ``--bounded``.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(first, required=True, type=Path, help=what)
    parser.add_argument("--deployment", required=True, type=Path, help=deployment)
    parser.add_argument("--archive", type=Path, help="what the workers run from, made by flink-masking package")
    parser.add_argument("--bounded", action="store_true", help=bounded)
    parser.add_argument("--wait", action="store_true", help="stay until the job ends")
    return parser.parse_args()


def submit(options: argparse.Namespace, name: str, build: Build, checkpoints: bool = False, sinks: list[str] | None = None) -> None:
    """Build a job and hand it to Flink; on a cluster this returns once it is accepted.

    Args:
        options: of `options_of`.
        name: of the job, as Flink shows it.
        build: makes the job's statements.
        checkpoints: take them also where no sink asks for them.
        sinks: the tables that the job inserts into, in their order: its operators then get uids by which a savepoint restores them.

    Raises:
        InputError: the deployment cannot be read, or there is no such archive.
        JobError: a connector's jar cannot be had, or Flink refuses or fails the job.
        FlinkMaskingError: `build` refuses the deployment.
    """
    deployment = Deployment.read(options.deployment)
    show_warnings(str(options.deployment), deployment.warnings)
    environment = stream_environment(deployment.settings(), job_jars(deployment), options.archive)
    take_checkpoints(environment, deployment)
    if checkpoints and environment.get_checkpoint_interval() <= 0:
        environment.enable_checkpointing(CHECKPOINT_INTERVAL)
    try:
        statements = build(StreamTableEnvironment.create(environment), deployment)
        if sinks is not None:
            client = launch(environment, statements, sinks, name)
        else:
            statements.attach_as_datastream()
            client = environment.execute_async(name)
        if options.wait:
            client.get_job_execution_result().result()
    except FlinkMaskingError:
        raise
    except Exception as error:
        raise JobError(f"the Flink job failed: {deployment.concealed(cause(error))}. Hint: see Flink's log") from error
