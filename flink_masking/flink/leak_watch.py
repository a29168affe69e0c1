"""The leak monitor in Flink: reads the views of a deployment and writes what it finds."""

import json
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyflink.table import DataTypes, StatementSet, StreamTableEnvironment
from pyflink.table.udf import FunctionContext

from flink_masking.arrow import parts
from flink_masking.deployment.model import Deployment, Options, with_clause
from flink_masking.deployment.sql_text import quoted
from flink_masking.deployment.tables import on_kafka
from flink_masking.errors import FlinkMaskingError, JobError
from flink_masking.flink.columns import column_functions
from flink_masking.flink.compat.arrow_columns import binary_array
from flink_masking.flink.errors import without_values
from flink_masking.keys.watch import open_patiently
from flink_masking.leaks.canaries import LOOK, Canaries
from flink_masking.leaks.monitor import Leak, Monitor
from flink_masking.leaks.places import Places
from flink_masking.leaks.recent import Recent
from flink_masking.policy.load import LoadedPolicy, load
from flink_masking.policy.source import PolicySource
from flink_masking.records.codec import FORMATS

FINDINGS = "findings"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LeakSource:
    """What the function carries to the workers: no key.

    Attributes:
        policy: the policy and the files that it names, as text.
        keys: address of the key ring, opened on the worker.
        directory: of the canaries.
    """

    policy: PolicySource
    keys: str
    directory: str


class Look:
    """A batch function: records of one view in, in the first cell of the one column what was found in them."""

    def __init__(self, source: LeakSource, segment: str) -> None:
        """Keep what the workers need."""
        self._source, self._segment = source, segment

    def open(self, context: FunctionContext) -> None:
        """Read the policy, open the key ring and look for canaries."""
        loaded = load(self._source.policy)
        self._json = loaded.policy.format == "json"
        self._stream = loaded.policy.stream
        self._canaries = Canaries(Path(self._source.directory), open_patiently(self._source.keys)[1], _now)
        self._monitor = Monitor(self._segment, Places(loaded, self._segment), self._canaries, recent=Recent(_now))
        self._looked = 0

    def close(self) -> None:
        """Look a last time at what came last. Nothing can be written to the findings any more: the log tells what is found then."""
        if (monitor := getattr(self, "_monitor", None)) is not None:
            with without_values("leak monitor"):
                self._look(ended=True)
                if found := monitor.news():
                    _log.error("found as the job ended, and in no line of the findings: %s", self._told(found))

    def __call__(self, payloads: "pd.Series[Any]") -> list[pa.Array]:
        """Look through a batch.

        Args:
            payloads: bytes, n records of the view.
        """
        with without_values("leak monitor"):
            self._look()
            batch = binary_array(payloads)
            if self._json:
                self._monitor.records_of(batch.drop_null())
            else:
                data, offsets, _ = parts(batch)
                self._monitor.text_of(data, offsets[:-1].astype(np.int64), offsets[1:].astype(np.int64), binary=True)
            lines: list[bytes | None] = [None] * len(batch)
            if found := self._monitor.news():
                lines[0] = self._told(found).encode()
            return [pa.array(lines, pa.binary())]

    def _told(self, found: list[Leak]) -> str:
        """A line of the findings."""
        return json.dumps({"time": _now(), "stream": self._stream, "leaks": [leak._asdict() for leak in found]}, ensure_ascii=False)

    def _look(self, ended: bool = False) -> None:
        """Read new canaries and look them up in what came last, too; those that were read before stay where that fails."""
        if (now := _now()) - self._looked < LOOK and not ended:
            return
        self._looked = now
        try:
            self._canaries.look()
            self._monitor.look_again(ended)
        except FlinkMaskingError as error:
            _log.warning("the canaries could not be read; those read before stay in use: %s", error)


def watch(environment: StreamTableEnvironment, loaded: LoadedPolicy, deployment: Deployment, bounded: bool) -> StatementSet:
    """Create the tables of the views and of the findings, and put the inserts into one statement set.

    Args:
        environment: of a StreamExecutionEnvironment.
        loaded: the policy.
        deployment: its sinks are read; ``leaks.findings`` is written.
        bounded: topics are read from their beginning to their present end.

    Raises:
        JobError: the deployment has no leaks or no findings, or no sink that can be read.
    """
    leaks = deployment.leaks
    if leaks is None or leaks.findings is None:
        raise JobError("the deployment does not say where findings go. Hint: leaks: {directory: /…, findings: {connector: …}}")
    environment.execute_sql(f"CREATE TEMPORARY TABLE {FINDINGS} (line BYTES) WITH ({with_clause(leaks.findings)})")
    source, statements, read = LeakSource(loaded.source, deployment.keys, leaks.directory), environment.create_statement_set(), 0
    group = f"flink-masking-leaks-{loaded.policy.stream}"
    for number, (name, options) in enumerate(deployment.sinks.items()):
        if name not in loaded.policy.segments or (readable := as_source(options, group, bounded, promptly=True)) is None:
            continue
        if FORMATS[loaded.policy.format].schemas and not on_kafka(options):
            continue
        environment.execute_sql(f"CREATE TEMPORARY TABLE {quoted(name)} (payload BYTES) WITH ({with_clause(readable)})")
        (function,) = column_functions(Look(source, name), {FINDINGS: DataTypes.BYTES()}).values()
        environment.create_temporary_function(f"look{number}", function)
        statements.add_insert_sql(f"INSERT INTO {FINDINGS} SELECT line FROM (SELECT look{number}(payload) AS line FROM {quoted(name)}) "
                                  "WHERE line IS NOT NULL")
        read += 1
    if not read:
        raise JobError("none of the deployment's sinks can be read again. Hint: the leak monitor reads views in Kafka and in files")
    return statements


def as_source(options: Options, group: str, bounded: bool, promptly: bool = False) -> Options | None:
    """The options of a sink's table as those of a source; None where it cannot be read.

    Args:
        options: of the sink.
        group: of the consumer.
        bounded: read what is there now, and end.
        promptly: see records of transactions that are still open, which come up to a checkpoint interval earlier; where a transaction is
            aborted, its records are seen and come again.
    """
    if options.get("connector") == "filesystem":
        found = {name: value for name, value in options.items() if not name.startswith(("sink.", "auto-compaction"))}
        return found if bounded else {"source.monitor-interval": "2s", **found}
    if not on_kafka(options):
        return None
    kept = {name: value for name, value in options.items()
            if not name.startswith(("sink.", "key.", "value.fields")) and name != "properties.transaction.timeout.ms"}
    ends: Options = {"scan.bounded.mode": "latest-offset"} if bounded else {}
    isolation = "read_uncommitted" if promptly and not bounded else "read_committed"
    return {"properties.isolation.level": isolation, "properties.group.id": group,
            "scan.startup.mode": "earliest-offset", **ends, **kept, "connector": "kafka"}


def _now() -> int:
    return time.time_ns() // 1_000_000
