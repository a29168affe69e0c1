"""What the main job is compared with: a deployment's raw topic into the topic of its masked segment, bytes as they are, without Python.

It takes the main job's options and reads the same deployment, so that both run with the same connector, settings and guarantee.
"""

import argparse
from pathlib import Path

from pyflink.table import StreamTableEnvironment

from flink_masking.deployment.model import Deployment, with_clause
from flink_masking.deployment.tables import completed
from flink_masking.flink.jars import job_jars, take_jars
from flink_masking.flink.pipeline import take_checkpoints
from flink_masking.flink.settings import stream_environment
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource


def main() -> None:
    """Submit the copy."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--policy", required=True, type=Path)
    parser.add_argument("--deployment", required=True, type=Path)
    parser.add_argument("--bounded", action="store_true", help="taken and not needed: the source's options say where it ends")
    options = parser.parse_args()
    policy = load(PolicySource.read(options.policy)).policy
    deployment = completed(Deployment.read(options.deployment), policy.stream)
    environment = stream_environment(deployment.settings())
    take_jars(environment, job_jars(deployment))
    take_checkpoints(environment, deployment)
    tables = StreamTableEnvironment.create(environment)
    [segment] = policy.segments
    for name, place in (("raw", deployment.source), ("copy", deployment.sinks[segment])):
        tables.execute_sql(f"CREATE TEMPORARY TABLE {name}_events (line BYTES) WITH ({with_clause(place)})")
    tables.execute_sql("INSERT INTO copy_events SELECT line FROM raw_events")


if __name__ == "__main__":
    main()
