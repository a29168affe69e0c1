"""The main job: one raw stream in, a masked, anonymized and aggregated stream out.

    flink run -py jobs/fan_out.py --policy policy.yaml --deployment deployment.yaml
"""

import argparse
from pathlib import Path

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from flink_masking.deployment import Deployment
from flink_masking.operators.job_source import JobSource
from flink_masking.operators.pipeline import build
from flink_masking.operators.settings import configuration
from flink_masking.policy.source import PolicySource


def main() -> None:
    """Submit the job; on a cluster this returns once it is accepted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", required=True, type=Path, help="the policy (YAML); files that it names are read here and shipped")
    parser.add_argument("--deployment", required=True, type=Path, help="source, sinks, keys and Flink settings (YAML)")
    parser.add_argument("--bounded", action="store_true", help="the source ends: windows close at its end and no record is late")
    parser.add_argument("--wait", action="store_true", help="stay until the job ends")
    options = parser.parse_args()
    deployment = Deployment.read(options.deployment)
    source = JobSource(PolicySource.read(options.policy), deployment.keys)
    plan = source.plan()
    environment = StreamExecutionEnvironment.get_execution_environment(configuration(deployment.settings()))
    tables = StreamTableEnvironment.create(environment)
    result = build(tables, source, plan, deployment, bounded=options.bounded).execute()
    if options.wait:
        result.wait()


if __name__ == "__main__":
    main()
