"""One Flink job of the benchmark in a process of its own: python flink_job.py MODE INPUT POLICY KEYS; prints the seconds it ran."""

import dataclasses
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["_python_worker_execution_mode"] = "process"  # noqa: SIM112 - PyFlink reads it in lower case

import orjson
import pandas as pd
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import DataTypes, StreamTableEnvironment
from pyflink.table.udf import FunctionContext, ScalarFunction, udf

from flink_masking.crypto.ff1_exact import ExactFf1
from flink_masking.deployment.model import Deployment
from flink_masking.engine.protect import PLAIN
from flink_masking.flink.job_source import JobSource
from flink_masking.flink.pipeline import build
from flink_masking.flink.protect import protect_functions
from flink_masking.flink.settings import configuration
from flink_masking.java import java_home
from flink_masking.policy.source import PolicySource

BLACKHOLE = {"connector": "blackhole"}


def identity(width: int) -> Any:
    """A vectorised function that hands its input on, once or in a row of `width` columns."""
    if width == 1:
        return udf(lambda payload: payload, result_type=DataTypes.BYTES(), func_type="pandas")
    names = [f"c{i}" for i in range(width)]
    kind = DataTypes.ROW([DataTypes.FIELD(name, DataTypes.BYTES()) for name in names])
    return udf(lambda payload: pd.DataFrame({name: payload for name in names}), result_type=kind, func_type="pandas")


def digits_cipher(package: str, key: bytes) -> Callable[[str, str], str]:
    """FF1 of a text of digits under a tweak: by the package fastfpe, or in exact integers."""
    if package == "fastfpe":
        from fastfpe import ff1

        return lambda digits, tweak: ff1.encrypt(key.hex(), tweak.encode().hex(), "0123456789", digits)
    exact = ExactFf1(AES(key), 10)
    return lambda digits, tweak: "".join(map(str, exact.encrypt([int(digit) for digit in digits], tweak.encode())))


class ByHand(ScalarFunction):
    """Written without this library: a row at a time, card (BIN kept, Luhn's digit computed) and SSN encrypted, the rest as it is."""

    def __init__(self, package: str) -> None:
        """Keep the name of what encrypts."""
        self._package = package

    def open(self, function_context: FunctionContext) -> None:
        """Make the cipher once for each worker."""
        self._encrypt = digits_cipher(self._package, bytes(32))

    def eval(self, payload: bytes) -> bytes:
        """One event."""
        event = orjson.loads(payload)
        ssn = self._encrypt(event["ssn"].replace("-", ""), "ssn")
        event["ssn"] = f"{ssn[:3]}-{ssn[3:5]}-{ssn[5:]}"
        card = event["card"].replace("-", "")
        card = card[:6] + self._encrypt(card[6:15], card[:6])
        total = sum(sum(divmod(int(digit) * (2 - place % 2), 10)) for place, digit in enumerate(reversed(card)))
        card += str(-total % 10)
        event["card"] = f"{card[:4]}-{card[4:8]}-{card[8:12]}-{card[12:]}"
        return orjson.dumps(event)


def tables(environment: StreamTableEnvironment, path: Path, sinks: list[str]) -> None:
    """The raw source and blackhole sinks."""
    environment.execute_sql(f"CREATE TABLE events (payload BYTES) WITH ('connector'='filesystem','path'='{path.as_uri()}','format'='raw')")
    for sink in sinks:
        environment.execute_sql(f"CREATE TABLE {sink} (line BYTES) WITH ('connector'='blackhole')")


def statements(environment: StreamTableEnvironment, mode: str, path: Path, source: JobSource) -> Any:
    """The job of a mode.

    identity, identity3: a function that does nothing, one and three output columns.
    scalar-fastfpe, scalar-exact: `ByHand`, a row at a time.
    protect: the whole main job for the policy, every sink a blackhole.
    protect-only: the views and packets of Protect straight to blackholes, without the keyed operators.
    """
    if mode in ("identity", "identity3", "scalar-fastfpe", "scalar-exact"):
        width = 3 if mode == "identity3" else 1
        sinks = [f"s{i}" for i in range(width)]
        tables(environment, path, sinks)
        by_hand = udf(ByHand(mode.removeprefix("scalar-")), result_type=DataTypes.BYTES()) if mode.startswith("scalar-") else None
        environment.create_temporary_system_function("same", by_hand or identity(width))
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
    functions = protect_functions(source, plan, PLAIN, 60_000)
    tables(environment, path, [f"s_{name}" for name in functions])
    for name, function in functions.items():
        environment.create_temporary_system_function(f"protect_{name}", function)
    calls = ", ".join(f"protect_{name}(payload) AS {name}" for name in functions)
    environment.create_temporary_view("o", environment.sql_query(f"SELECT {calls} FROM events"))
    statement = environment.create_statement_set()
    for name in functions:
        statement.add_insert_sql(f"INSERT INTO s_{name} SELECT {name} FROM o WHERE {name} IS NOT NULL")
    return statement


def read(policy: Path) -> PolicySource:
    """A policy; records in Avro lie in files one on a line each."""
    found = PolicySource.read(policy)
    return dataclasses.replace(found, folded=True) if "\nformat: avro\n" in found.text else found


def main() -> None:
    """Run one job and print its seconds."""
    mode, path, policy, keys = sys.argv[1:5]
    os.environ["JAVA_HOME"] = str(java_home())
    settings = {"parallelism.default": "1", "restart-strategy.type": "disable"}
    stream = StreamExecutionEnvironment.get_execution_environment(configuration(settings))
    environment = StreamTableEnvironment.create(stream)
    job = statements(environment, mode, Path(path).resolve(), JobSource(read(Path(policy)), keys))
    begin = time.perf_counter()
    job.execute().wait()
    print(f"SECONDS {time.perf_counter() - begin:.3f}", flush=True)


if __name__ == "__main__":
    main()
