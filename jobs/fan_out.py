"""The main job: one raw stream in, a masked, anonymized and aggregated stream out.

    flink run -py jobs/fan_out.py --policy policy.yaml --deployment deployment.yaml
"""

import argparse
import time
from pathlib import Path

from pyflink.common import JobClient
from pyflink.table import StreamTableEnvironment

from flink_masking.cli.console import reporting_errors, show_warnings
from flink_masking.deployment.model import Deployment
from flink_masking.deployment.tables import completed
from flink_masking.deployment.view_schemas import register_views
from flink_masking.errors import FlinkMaskingError, JobError
from flink_masking.flink.environment import stream_environment
from flink_masking.flink.jars import job_jars
from flink_masking.flink.job_source import JobSource
from flink_masking.flink.launch import SOURCE_UID, launch
from flink_masking.flink.local import cause
from flink_masking.flink.pipeline import build, sink_order, take_checkpoints
from flink_masking.flink.refusals import told_once
from flink_masking.flink.savepoint import check_savepoint
from flink_masking.kafka.preflight import preflight
from flink_masking.lineage.emitter import Emitter, emitter
from flink_masking.policy.source import PolicySource
from flink_masking.registry.preflight import preflight as registry_preflight


def main() -> None:
    """Submit the job; on a cluster this returns once it is accepted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", required=True, type=Path, help="the policy (YAML); files that it names are read here and shipped")
    parser.add_argument("--deployment", required=True, type=Path, help="source, sinks, keys and Flink settings (YAML)")
    parser.add_argument("--archive", type=Path, help="what the workers run from, made by flink-masking package")
    parser.add_argument("--bounded", action="store_true", help="the source ends: windows close at its end and no record is late")
    parser.add_argument("--no-preflight", action="store_true", 
                        help="start without asking Kafka and the registry whether the job may do what it will do")
    parser.add_argument("--wait", action="store_true", help="stay until the job ends")
    options = parser.parse_args()
    with told_once(), reporting_errors():
        submit(options.policy, options.deployment, options.bounded, options.wait, not options.no_preflight, options.archive)


def submit(policy: Path, deployment_file: Path, bounded: bool, wait: bool, asks: bool = True,
           archive: Path | None = None) -> None:
    """Build the job and hand it to Flink.

    Args:
        policy: the policy's file.
        deployment_file: source, sinks, keys and settings.
        bounded: the source ends.
        wait: stay until the job ends.
        asks: ask the Kafka clusters of the deployment first whether they let the job do what it is going to do, and register the schemas
            of views.
        archive: that the workers run from; None: what they run from is installed where they are.

    Raises:
        PolicyFaults: the policy has faults.
        KeyRingError: the key ring cannot be opened here.
        VaultError: the vault cannot be opened here, or a rule makes tokens and the deployment names none.
        InputError: the deployment cannot be read, or there is no such archive.
        RegistryError: the schema registry does not answer, refuses the login, or does not take the schema of a view.
        JobError: the deployment does not fit the policy, a connector's jar cannot be had, a Kafka cluster does not let the job do what it
            is going to do, or Flink refuses or fails the job.
    """
    deployment = Deployment.read(deployment_file)
    show_warnings(str(deployment_file), deployment.warnings)
    waits = deployment.key_refresh, deployment.vault_patience
    source = JobSource(PolicySource.read(policy), deployment.keys, deployment.vault, *waits, deployment.transport.require_tls,
                       deployment.registry_options, deployment.control_options,
                       None if deployment.leaks is None else deployment.leaks.options)
    plan = source.plan()
    jars = job_jars(deployment)
    environment = stream_environment(deployment.settings(), jars, archive)
    take_checkpoints(environment, deployment)
    tables = StreamTableEnvironment.create(environment)
    try:
        statements = build(tables, source, plan, deployment, bounded=bounded)
        loaded = source.loaded()
        if asks and deployment.registry_options is not None:
            registry_preflight(deployment.registry_options)
        if asks:
            preflight(completed(deployment, plan.policy.stream), jars)
        check_savepoint(environment, loaded)
        if asks:
            show_warnings(str(deployment_file), register_views(loaded, deployment.registry_options, deployment.source_subjects))
        lineage = emitter(loaded, deployment, lambda text: show_warnings("lineage", [text]), not bounded)
        with lineage.run() if wait else lineage.launching():
            client = launch(environment, statements, sink_order(plan), plan.policy.stream, SOURCE_UID)
            lineage.submitted(str(client.get_job_id()))
            if wait:
                _attend(client, lineage)
    except FlinkMaskingError:
        raise
    except Exception as error:
        raise JobError(f"the Flink job failed: {deployment.concealed(cause(error))}. Hint: see Flink's log") from error


def _attend(client: JobClient, lineage: Emitter) -> None:
    """Wait for the end of a job and tell from time to time that it runs."""
    result = client.get_job_execution_result()
    while not result.done():
        lineage.running()
        time.sleep(0.2)
    result.result()


if __name__ == "__main__":
    main()
