"""The sealer as a job: reads the audit of a deployment and seals it into a log that others can verify.

    flink run -py jobs/audit_log.py --policy policy.yaml --deployment deployment.yaml
"""

import argparse
from pathlib import Path

from pyflink.table import StreamTableEnvironment

from flink_masking.cli.console import reporting_errors, show_warnings
from flink_masking.deployment.model import Deployment
from flink_masking.errors import FlinkMaskingError, JobError
from flink_masking.flink.audit_log import seal
from flink_masking.flink.environment import stream_environment
from flink_masking.flink.jars import job_jars
from flink_masking.flink.local import cause
from flink_masking.flink.pipeline import take_checkpoints
from flink_masking.flink.refusals import told_once
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource


def main() -> None:
    """Submit the job; on a cluster this returns once it is accepted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", required=True, type=Path, help="the policy (YAML), which names the stream")
    parser.add_argument("--deployment", required=True, type=Path, help="its sink audit is read, its section audit names the log (YAML)")
    parser.add_argument("--archive", type=Path, help="what the workers run from, made by flink-masking package")
    parser.add_argument("--bounded", action="store_true", help="seal what is there now, and end")
    parser.add_argument("--wait", action="store_true", help="stay until the job ends")
    options = parser.parse_args()
    with told_once(), reporting_errors():
        submit(options.policy, options.deployment, options.bounded, options.wait, options.archive)


def submit(policy: Path, deployment_file: Path, bounded: bool, wait: bool, archive: Path | None = None) -> None:
    """Build the job and hand it to Flink.

    Args:
        policy: the policy's file.
        deployment_file: sinks, ``audit`` and Flink settings.
        bounded: seal what is there now, and end.
        wait: stay until the job ends.
        archive: that the workers run from; None: what they run from is installed where they are.

    Raises:
        PolicyFaults: the policy has faults.
        InputError: the deployment cannot be read, or there is no such archive.
        JobError: the audit cannot be read, a connector's jar cannot be had, or Flink refuses or fails the job.
    """
    deployment = Deployment.read(deployment_file)
    show_warnings(str(deployment_file), deployment.warnings)
    stream = load(PolicySource.read(policy)).policy.stream
    environment = stream_environment(deployment.settings(), job_jars(deployment), archive)
    take_checkpoints(environment, deployment)
    if environment.get_checkpoint_interval() <= 0:
        environment.enable_checkpointing(10_000)
    tables = StreamTableEnvironment.create(environment)
    try:
        statements = seal(tables, deployment, stream, bounded)
        statements.attach_as_datastream()
        client = environment.execute_async(f"{stream}: audit log")
        if wait:
            client.get_job_execution_result().result()
    except FlinkMaskingError:
        raise
    except Exception as error:
        raise JobError(f"the Flink job failed: {deployment.concealed(cause(error))}. Hint: see Flink's log") from error


if __name__ == "__main__":
    main()
