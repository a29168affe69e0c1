"""Alerts: reads audit, quarantine and leak findings of a deployment, and sends alerts to the targets of the rules.

    flink run -py jobs/watch.py --rules alerts.yaml --deployment deployment.yaml
"""

import argparse
from pathlib import Path

from pyflink.table import StreamTableEnvironment

from flink_masking.alerts.load import text_of
from flink_masking.cli.console import reporting_errors, show_warnings
from flink_masking.deployment.model import Deployment
from flink_masking.errors import FlinkMaskingError, JobError
from flink_masking.flink.alert_watch import watch_alerts
from flink_masking.flink.environment import stream_environment
from flink_masking.flink.jars import job_jars
from flink_masking.flink.local import cause
from flink_masking.flink.pipeline import take_checkpoints
from flink_masking.flink.refusals import told_once


def main() -> None:
    """Submit the job; on a cluster this returns once it is accepted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", required=True, type=Path, help="alert rules with targets (YAML)")
    parser.add_argument("--deployment", required=True, type=Path, help="its audit, quarantine and leaks.findings are read (YAML)")
    parser.add_argument("--archive", type=Path, help="what the workers run from, made by flink-masking package")
    parser.add_argument("--bounded", action="store_true", help="read what is there now, and end")
    parser.add_argument("--wait", action="store_true", help="stay until the job ends")
    options = parser.parse_args()
    with told_once(), reporting_errors():
        submit(options.rules, options.deployment, options.bounded, options.wait, options.archive)


def submit(rules: Path, deployment_file: Path, bounded: bool, wait: bool, archive: Path | None = None) -> None:
    """Build the job and hand it to Flink.

    Args:
        rules: the file of rules.
        deployment_file: sinks, ``leaks`` and Flink settings.
        bounded: read what is there now, and end.
        wait: stay until the job ends.
        archive: that the workers run from; None: what they run from is installed where they are.

    Raises:
        AlertFaults: the rules have faults.
        InputError: a file cannot be read, or there is no such archive.
        JobError: nothing can be read, there is no target, or Flink refuses or fails the job.
    """
    deployment, text = Deployment.read(deployment_file), text_of(rules)
    show_warnings(str(deployment_file), deployment.warnings)
    environment = stream_environment(deployment.settings(), job_jars(deployment), archive)
    take_checkpoints(environment, deployment)
    tables = StreamTableEnvironment.create(environment)
    try:
        watch_alerts(tables, str(rules), text, deployment, bounded).attach_as_datastream()
        client = environment.execute_async("alerts")
        if wait:
            client.get_job_execution_result().result()
    except FlinkMaskingError:
        raise
    except Exception as error:
        raise JobError(f"the Flink job failed: {deployment.concealed(cause(error))}. Hint: see Flink's log") from error


if __name__ == "__main__":
    main()
