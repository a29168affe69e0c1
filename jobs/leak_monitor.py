"""The leak monitor: reads the views of a deployment and writes what should not be in them, never a value.

    flink run -py jobs/leak_monitor.py --policy policy.yaml --deployment deployment.yaml
"""

import argparse
from pathlib import Path

from pyflink.table import StreamTableEnvironment

from flink_masking.cli.console import reporting_errors, show_warnings
from flink_masking.deployment.model import Deployment
from flink_masking.errors import FlinkMaskingError, JobError
from flink_masking.flink.environment import stream_environment
from flink_masking.flink.jars import job_jars
from flink_masking.flink.leak_watch import watch
from flink_masking.flink.local import cause
from flink_masking.flink.pipeline import take_checkpoints
from flink_masking.flink.refusals import told_once
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource


def main() -> None:
    """Submit the job; on a cluster this returns once it is accepted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", required=True, type=Path, help="the policy (YAML)")
    parser.add_argument("--deployment", required=True, type=Path, help="its sinks are read; leaks.findings is written (YAML)")
    parser.add_argument("--archive", type=Path, help="what the workers run from, made by flink-masking package")
    parser.add_argument("--bounded", action="store_true", help="read what is there now, and end")
    parser.add_argument("--wait", action="store_true", help="stay until the job ends")
    options = parser.parse_args()
    with told_once(), reporting_errors():
        submit(options.policy, options.deployment, options.bounded, options.wait, options.archive)


def submit(policy: Path, deployment_file: Path, bounded: bool, wait: bool, archive: Path | None = None) -> None:
    """Build the job and hand it to Flink.

    Args:
        policy: the policy's file.
        deployment_file: sinks, keys, ``leaks`` and Flink settings.
        bounded: read what is there now, and end.
        wait: stay until the job ends.
        archive: that the workers run from; None: what they run from is installed where they are.

    Raises:
        PolicyFaults: the policy has faults.
        InputError: the deployment cannot be read, or there is no such archive.
        JobError: nothing can be read or written, a connector's jar cannot be had, or Flink refuses or fails the job.
    """
    deployment = Deployment.read(deployment_file)
    show_warnings(str(deployment_file), deployment.warnings)
    loaded = load(PolicySource.read(policy))
    environment = stream_environment(deployment.settings(), job_jars(deployment), archive)
    take_checkpoints(environment, deployment)
    tables = StreamTableEnvironment.create(environment)
    try:
        statements = watch(tables, loaded, deployment, bounded)
        statements.attach_as_datastream()
        client = environment.execute_async(f"{loaded.policy.stream}: leaks")
        if wait:
            client.get_job_execution_result().result()
    except FlinkMaskingError:
        raise
    except Exception as error:
        raise JobError(f"the Flink job failed: {deployment.concealed(cause(error))}. Hint: see Flink's log") from error


if __name__ == "__main__":
    main()
