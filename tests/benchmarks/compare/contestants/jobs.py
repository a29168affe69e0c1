"""Flink jobs over the same files, parallelism 1, views into blackholes: this library, a function by hand, Flink's own SQL functions.

A round is two jobs in one Java virtual machine that has run before, over n and 6 n events; the difference is 5 n events without the start
of a job. Processor time is that of Java and of the Python workers together.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.append(str(HERE.parents[1]))
os.environ["PYTHONPATH"] = str(HERE)  # by_hand, for the Python workers

from serve import Contestant, main  # noqa: E402

Given = dict[str, Any]
COLUMNS = ("customerId STRING, email STRING, ssn STRING, card STRING, age INT, zip STRING, purchaseAmount DECIMAL(9, 2), "
           "`timestamp` STRING")


def job(kind: str) -> Callable[[Given], Contestant]:
    """A contestant whose rounds are jobs."""

    def make(given: Given) -> Contestant:
        from flink_job import BLACKHOLE, JobSource, protect_functions, read, statements
        from processor_time import Watched, below
        from pyflink.datastream import StreamExecutionEnvironment
        from pyflink.table import StreamTableEnvironment

        from flink_masking.engine.protect import PLAIN
        from flink_masking.flink.settings import configuration
        from flink_masking.java import java_home

        os.environ["JAVA_HOME"] = str(java_home())
        settings = {"parallelism.default": "1", "restart-strategy.type": "disable"}
        policy, keys = Path(given["policy"]), given["keys"]

        def fresh(path: str) -> Any:
            environment = StreamTableEnvironment.create(
                StreamExecutionEnvironment.get_execution_environment(configuration(settings)))
            columns, form = (COLUMNS, "json") if kind == "sql" else ("payload BYTES", "raw")
            environment.execute_sql(f"CREATE TABLE events ({columns}) WITH ('connector'='filesystem','path'='{Path(path).as_uri()}',"
                                    f"'format'='{form}')")
            return environment

        def query(environment: Any, kind: str) -> str:
            if kind == "sql":
                return (HERE / "by_hand.sql").read_text().replace("{key}", given["key"])
            if kind == "udf":
                from by_hand import function

                environment.create_temporary_system_function("masked", function(bytes.fromhex(given["key"])))
            else:
                source = JobSource(read(policy), keys)
                view = protect_functions(source, source.plan(), PLAIN, 60_000)["view0"]
                environment.create_temporary_system_function("masked", view)
            return "SELECT masked(payload) AS line FROM events"

        def run(path: str) -> None:
            if kind == "ours":  # the whole job, audit and quarantine included
                stream = StreamExecutionEnvironment.get_execution_environment(configuration(settings))
                statements(StreamTableEnvironment.create(stream), "protect", Path(path), JobSource(read(policy), keys)).execute().wait()
                return
            environment = fresh(path)
            options = ",".join(f"'{name}'='{value}'" for name, value in BLACKHOLE.items())
            environment.execute_sql(f"CREATE TABLE masked_events (line {'STRING' if kind == 'sql' else 'BYTES'}) WITH ({options})")
            environment.execute_sql(f"INSERT INTO masked_events {query(environment, kind)}").wait()

        def answers() -> list[Any]:
            environment = fresh(given["few"])
            with environment.sql_query(query(environment, kind)).execute().collect() as rows:
                return [json.loads(row[0]) for row in rows]

        def spent() -> float:
            return sum(used.seconds for used in below(os.getpid()).values())

        def timed(path: str) -> tuple[float, float]:
            begin = time.perf_counter()
            with Watched(os.getpid()) as watched:
                run(path)
            return time.perf_counter() - begin, watched.java + watched.python

        def round_of_jobs() -> dict[str, float]:
            few, many = timed(given["small"]), timed(given["large"])
            return {"wall": many[0] - few[0], "cpu": many[1] - few[1], "units": given["more"]}

        own = ("flink-masking",) if kind == "ours" else ("orjson",) if kind == "udf" else ()
        return Contestant((*own, "apache-flink"), given["more"], lambda: run(given["few"]), answers, round_of_jobs, spent)

    return make


if __name__ == "__main__":
    main({"ours": job("ours"), "udf": job("udf"), "sql": job("sql")})
