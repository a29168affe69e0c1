"""One Flink job of the benchmark in a process of its own: python flink_job.py MODE INPUT POLICY KEYS; prints the seconds it ran."""

import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ["_python_worker_execution_mode"] = "process"  # noqa: SIM112 - PyFlink reads it in lower case

import pandas as pd
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import DataTypes, StreamTableEnvironment
from pyflink.table.udf import udf

from flink_masking.deployment import Deployment
from flink_masking.java import java_home
from flink_masking.operators.job_source import JobSource
from flink_masking.operators.pipeline import build
from flink_masking.operators.protect import ProtectFunction, columns, result_type
from flink_masking.operators.settings import configuration
from flink_masking.policy.source import PolicySource

BLACKHOLE = {"connector": "blackhole"}


def identity(width: int) -> Any:
    """A vectorised function that hands its input on, once or in a row of `width` columns."""
    if width == 1:
        return udf(lambda payload: payload, result_type=DataTypes.BYTES(), func_type="pandas")
    names = [f"c{i}" for i in range(width)]
    kind = DataTypes.ROW([DataTypes.FIELD(name, DataTypes.BYTES()) for name in names])
    return udf(lambda payload: pd.DataFrame({name: payload for name in names}), result_type=kind, func_type="pandas")


def tables(environment: StreamTableEnvironment, path: Path, sinks: list[str]) -> None:
    """The raw source and blackhole sinks."""
    environment.execute_sql(f"CREATE TABLE events (payload BYTES) WITH ('connector'='filesystem','path'='{path.as_uri()}','format'='raw')")
    for sink in sinks:
        environment.execute_sql(f"CREATE TABLE {sink} (line BYTES) WITH ('connector'='blackhole')")


def statements(environment: StreamTableEnvironment, mode: str, path: Path, source: JobSource) -> Any:
    """The job of a mode.

    identity, identity3: a function that does nothing, one and three output columns.
    protect: the whole main job for the policy, every sink a blackhole.
    protect-only: the views and packets of Protect straight to blackholes, without the keyed operators.
    """
    if mode in ("identity", "identity3"):
        width = 1 if mode == "identity" else 3
        sinks = [f"s{i}" for i in range(width)]
        tables(environment, path, sinks)
        environment.create_temporary_system_function("same", identity(width))
        environment.create_temporary_view("o", environment.sql_query("SELECT same(payload) AS r FROM events"))
        statement = environment.create_statement_set()
        for i, sink in enumerate(sinks):
            statement.add_insert_sql(f"INSERT INTO {sink} SELECT {'r' if width == 1 else f'r.c{i}'} FROM o")
        return statement
    plan = source.plan()
    if mode == "protect":
        names = [*(s.name for s in plan.masked), *(s.name for s in plan.stateful), "audit", "quarantine"]
        files = {"connector": "filesystem", "path": path.as_uri()}
        deployment = Deployment(source=files, sinks=dict.fromkeys(names, BLACKHOLE), keys=source.keys)
        return build(environment, source, plan, deployment, bounded=True)
    tables(environment, path, [f"s_{name}" for name in columns(plan)])
    function = udf(ProtectFunction(source), result_type=result_type(plan), func_type="pandas", deterministic=False)
    environment.create_temporary_system_function("protect", function)
    environment.create_temporary_view("o", environment.sql_query("SELECT protect(payload) AS r FROM events"))
    statement = environment.create_statement_set()
    for name in columns(plan):
        statement.add_insert_sql(f"INSERT INTO s_{name} SELECT r.{name} FROM o WHERE r.{name} IS NOT NULL")
    return statement


def main() -> None:
    """Run one job and print its seconds."""
    mode, path, policy, keys = sys.argv[1:5]
    os.environ["JAVA_HOME"] = str(java_home())
    settings = {"parallelism.default": "1", "restart-strategy.type": "disable"}
    stream = StreamExecutionEnvironment.get_execution_environment(configuration(settings))
    environment = StreamTableEnvironment.create(stream)
    job = statements(environment, mode, Path(path).resolve(), JobSource(PolicySource.read(policy), keys))
    begin = time.perf_counter()
    job.execute().wait()
    print(f"SECONDS {time.perf_counter() - begin:.3f}", flush=True)


if __name__ == "__main__":
    main()
