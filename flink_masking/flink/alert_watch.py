"""Alert rules in Flink: one operator reads audit, quarantine and findings of a deployment, and sends alerts to the targets of the rules."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyflink.common import Row, Types
from pyflink.datastream import KeyedProcessFunction, RuntimeContext
from pyflink.datastream.state import ListStateDescriptor, ValueStateDescriptor
from pyflink.table import DataTypes, StatementSet, StreamTableEnvironment
from pyflink.table.udf import FunctionContext

from flink_masking.alerts.load import rules_of
from flink_masking.alerts.work import Work
from flink_masking.control.options import ControlOptions
from flink_masking.deployment.model import Deployment, with_clause
from flink_masking.deployment.sql_text import quoted
from flink_masking.errors import JobError
from flink_masking.flink import compat
from flink_masking.flink.clock import END_OF_INPUT
from flink_masking.flink.columns import column_functions
from flink_masking.flink.compat.versions import VersionChecked
from flink_masking.flink.errors import without_values
from flink_masking.flink.leak_watch import as_source

if TYPE_CHECKING:
    import pandas as pd

LINE = Types.ROW_NAMED(["line"], [Types.PRIMITIVE_ARRAY(Types.BYTE())])
LARGEST = 1 << 20
"""Bytes of lines that travel together, about."""
STEP = 250
"""Milliseconds for which lines are collected, and between two looks at what time alone brings."""


class Gather:
    """A batch function: lines in, in the first cells all of them, joined by line breaks, so that the rules get them by the thousand."""

    def open(self, context: FunctionContext) -> None:
        """Nothing is needed."""

    def close(self) -> None:
        """Nothing is held."""

    def __call__(self, lines: "pd.Series[Any]") -> list[pa.Array]:
        """Join a batch; a line break inside a line, which no writer of ours makes, becomes a blank."""
        with without_values("alerts"):
            cells: list[bytes | None] = [None] * len(lines)
            place, size, taken = 0, 0, list[bytes]()
            for line in lines.tolist():
                taken.append(line.replace(b"\n", b" ") if b"\n" in line else line)
                size += len(line)
                if size > LARGEST:
                    cells[place] = b"\n".join(taken)
                    place, size, taken = place + 1, 0, []
            if taken:
                cells[place] = b"\n".join(taken)
            return [pa.array(cells, pa.binary())]


class AlertFunction(VersionChecked, KeyedProcessFunction):  # type: ignore[misc]
    """Rules at work, under one key.

    State is the waiting lines, that of the logic, the alerts that targets have not taken, and the rules in force, all from the same moment:
    after a failure no line is missing from a window, none counts twice, and no alert is lost. It holds no clear value: lines of the
    quarantine are sealed.
    """

    def __init__(self, name: str, text: str, control: ControlOptions | None = None) -> None:
        """Keep what the worker needs.

        Args:
            name: of the rules' source, for faults.
            text: the rules.
            control: where rules are published that replace these; None: they stay as they are.
        """
        self._name, self._text, self._control = name, text, control

    def open(self, runtime_context: RuntimeContext) -> None:
        """Read the rules and attach the state; targets are opened at the first step, when the state can be read."""
        compat.apply(compat.KEYED)
        self._rules = rules_of(self._name, self._text)
        self._work: Work | None = None
        self._due: int | None = None
        kind = Types.PRIMITIVE_ARRAY(Types.BYTE())
        self._waiting = runtime_context.get_list_state(ListStateDescriptor("lines", kind))
        self._state, self._unsent, self._live = (runtime_context.get_state(ValueStateDescriptor(name, kind))
                                                 for name in ("logic", "unsent", "rules"))

    def close(self) -> None:
        """Give what waits in the queues some seconds."""
        if (work := getattr(self, "_work", None)) is not None:
            work.close()

    def process_element(self, value: Row, ctx: KeyedProcessFunction.Context) -> Iterator[Row]:
        """Keep lines until the next step."""
        self._waiting.add(value[0])
        timers = ctx.timer_service()
        if self._due is None:
            self._due = _next(_now())
            timers.register_processing_time_timer(self._due)
            timers.register_event_time_timer(END_OF_INPUT)
        yield from ()

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Iterator[Row]:
        """Take in the lines that wait, and tell alerts."""
        with without_values("alerts"):
            now = _now()
            if self._work is None:
                self._work = Work(self._rules, self._control, *(None if (found := state.value()) is None else bytes(found)
                                                                for state in (self._state, self._unsent, self._live)))
            work = self._work
            lines = [line for packet in self._waiting.get() or () for line in bytes(packet).split(b"\n")]
            alerts = work.step(lines, now, timestamp == END_OF_INPUT)
            if timestamp != END_OF_INPUT:
                self._due = _next(now)
                ctx.timer_service().register_processing_time_timer(self._due)
            if lines or alerts:
                self._waiting.clear()
                self._state.update(work.logic.state())
            for state, data in zip((self._unsent, self._live), work.changed(), strict=True):
                if data is not None:
                    state.update(data)
            for alert in alerts:
                yield Row(alert.cloud_event(self._rules.source))


def watch_alerts(environment: StreamTableEnvironment, name: str, text: str, deployment: Deployment, bounded: bool) -> StatementSet:
    """Create the tables and put the insert into a statement set.

    Args:
        environment: of a StreamExecutionEnvironment.
        name: of the rules' source.
        text: the rules.
        deployment: its sinks ``audit`` and ``quarantine`` and ``leaks.findings`` are read; with ``control``, rules that are published
            there replace these.
        bounded: read what is there now, and end.

    Raises:
        AlertFaults: the rules have faults.
        JobError: no rule has a target, or nothing can be read.
    """
    if not rules_of(name, text).targets:
        raise JobError(f"{name}: alerts would go nowhere. Hint: targets: {{soc: {{webhook: https://…, secret: ${{file:/path}}}}}}")
    told: dict[str, Any] = {name: deployment.sinks[name] for name in ("audit", "quarantine") if name in deployment.sinks}
    if deployment.leaks is not None and deployment.leaks.findings is not None:
        told["findings"] = deployment.leaks.findings
    read = []
    for table, options in told.items():
        if (readable := as_source(options, "flink-masking-alerts", bounded, promptly=True)) is not None:
            environment.execute_sql(f"CREATE TEMPORARY TABLE {quoted(table)} (line BYTES) WITH ({with_clause(readable)})")
            read.append(f"SELECT line FROM {quoted(table)} WHERE line IS NOT NULL")
    if not read:
        raise JobError("none of audit, quarantine and leaks.findings of the deployment can be read again. Hint: Kafka, or files")
    (gather,) = column_functions(Gather(), {"gathered": DataTypes.BYTES()}).values()
    environment.create_temporary_function("gather", gather)
    gathered = [f"SELECT line FROM (SELECT gather(line) AS line FROM ({one})) WHERE line IS NOT NULL" for one in read]
    gathered.append("SELECT CAST(x'0a' AS BYTES) AS line")  # a blank line: silence must be told even if nothing else ever comes
    lines = environment.to_data_stream(environment.sql_query(" UNION ALL ".join(gathered)))
    function = AlertFunction(name, text, deployment.control_options)
    alerts = lines.key_by(lambda line: 0, key_type=Types.INT()).process(function, LINE).set_parallelism(1).name("alerts").uid("alerts")
    environment.execute_sql("CREATE TEMPORARY TABLE told (line BYTES) WITH ('connector' = 'blackhole')")
    statements = environment.create_statement_set()
    statements.add_insert("told", environment.from_data_stream(alerts))
    return statements


def _now() -> int:
    return time.time_ns() // 1_000_000


def _next(now: int) -> int:
    """The end of the step: timers of the same time are one, those from before a restart included."""
    return (now // STEP + 1) * STEP
