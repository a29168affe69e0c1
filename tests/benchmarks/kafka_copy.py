"""What the main job is compared with: a deployment's raw topic into the topic of its masked segment, bytes as they are.

It takes the main job's options and reads the same deployment, so that all run with the same connector, settings and guarantee.
"""

import argparse
from pathlib import Path

from pyflink.table import DataTypes, StreamTableEnvironment
from pyflink.table.udf import udf

from flink_masking.deployment.model import Deployment, with_clause
from flink_masking.deployment.tables import completed
from flink_masking.flink.jars import job_jars, take_jars
from flink_masking.flink.pipeline import take_checkpoints
from flink_masking.flink.settings import stream_environment
from flink_masking.policy.load import load
from flink_masking.policy.source import PolicySource

HEADERS = (f"MAP['policy_version', CAST(x'31' AS BYTES), 'policy_digest', CAST(x'{'61' * 64}' AS BYTES), "
           "'key_version', CASE WHEN line IS NOT NULL THEN CAST(x'31' AS BYTES) END]")
"""As many bytes as those of a masked record, and one of them not a constant."""


def main() -> None:
    """Submit the copy."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--policy", required=True, type=Path)
    parser.add_argument("--deployment", required=True, type=Path)
    parser.add_argument("--bounded", action="store_true", help="taken and not needed: the source's options say where it ends")
    parser.add_argument("--identity", action="store_true", help="through a vectorised function")
    parser.add_argument("--headers", action="store_true", help="with as many and as long headers as a masked record has")
    options = parser.parse_args()
    policy = load(PolicySource.read(options.policy)).policy
    deployment = completed(Deployment.read(options.deployment), policy.stream)
    environment = stream_environment(deployment.settings())
    take_jars(environment, job_jars(deployment))
    take_checkpoints(environment, deployment)
    tables = StreamTableEnvironment.create(environment)
    [segment] = policy.segments
    kept = ", `headers` MAP<STRING, BYTES> METADATA" if options.headers else ""
    for name, place, columns in (("raw", deployment.source, ""), ("copy", deployment.sinks[segment], kept)):
        tables.execute_sql(f"CREATE TEMPORARY TABLE {name}_events (line BYTES{columns}) WITH ({with_clause(place)})")
    line = "line"
    if options.identity:
        same = udf(lambda line: line, result_type=DataTypes.BYTES(), func_type="pandas")
        tables.create_temporary_system_function("same", same)
        line = "same(line)"
    headers = f", {HEADERS}" if options.headers else ""
    tables.execute_sql(f"INSERT INTO copy_events SELECT {line}{headers} FROM raw_events")


if __name__ == "__main__":
    main()
