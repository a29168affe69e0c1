"""Alert rules in Flink: one operator reads audit, quarantine and findings of a deployment, and sends alerts to the targets of the rules."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pyflink.common import Row, Types
from pyflink.datastream import KeyedProcessFunction, RuntimeContext
from pyflink.datastream.state import ListStateDescriptor, ValueStateDescriptor
from pyflink.table import StatementSet, StreamTableEnvironment

from flink_masking.alerts.alert import Alert
from flink_masking.alerts.delivery import deliveries
from flink_masking.alerts.load import rules_of
from flink_masking.alerts.logic import AlertLogic
from flink_masking.deployment.model import Deployment, with_clause
from flink_masking.deployment.sql_text import quoted
from flink_masking.errors import JobError
from flink_masking.flink import compat
from flink_masking.flink.clock import END_OF_INPUT
from flink_masking.flink.compat.versions import VersionChecked
from flink_masking.flink.errors import without_values
from flink_masking.flink.leak_watch import as_source

LINE = Types.ROW_NAMED(["line"], [Types.PRIMITIVE_ARRAY(Types.BYTE())])
STEP = 250
"""Milliseconds for which lines are collected, and between two looks at what time alone brings."""
CLOSING_S = 10.0


class AlertFunction(VersionChecked, KeyedProcessFunction):  # type: ignore[misc]
    """Rules at work, under one key.

    State is the waiting lines and that of the logic, both from the same moment: after a failure no line is missing from a window and none
    counts twice. It holds no clear value: lines of the quarantine are sealed.
    """

    def __init__(self, name: str, text: str) -> None:
        """Keep what the worker needs.

        Args:
            name: of the rules' source, for faults.
            text: the rules.
        """
        self._name, self._text = name, text

    def open(self, runtime_context: RuntimeContext) -> None:
        """Read the rules, open the targets and attach the state."""
        compat.apply(compat.KEYED)
        rules = rules_of(self._name, self._text)
        self._rules, self._targets = rules, deliveries(rules, Path("/"))
        self._logic: AlertLogic | None = None
        self._due: int | None = None
        self._waiting = runtime_context.get_list_state(ListStateDescriptor("lines", Types.PRIMITIVE_ARRAY(Types.BYTE())))
        self._state = runtime_context.get_state(ValueStateDescriptor("logic", Types.PRIMITIVE_ARRAY(Types.BYTE())))

    def close(self) -> None:
        """Give what waits in the queues some seconds."""
        for target in getattr(self, "_targets", {}).values():
            target.close(CLOSING_S)

    def process_element(self, value: Row, ctx: KeyedProcessFunction.Context) -> Iterator[Row]:
        """Keep a line until the next step."""
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
            now, state = _now(), self._state.value()
            if self._logic is None:
                self._logic = AlertLogic(self._rules, None if state is None else bytes(state))
            lines = [bytes(line) for line in self._waiting.get() or ()]
            alerts = [*self._logic.take(lines, now), *self._logic.tick(now)]
            if timestamp == END_OF_INPUT:
                alerts += self._logic.end(now)
            else:
                self._due = _next(now)
                ctx.timer_service().register_processing_time_timer(self._due)
            if lines or alerts:
                self._waiting.clear()
                self._state.update(self._logic.state())
            for alert in alerts:
                yield self._told(alert)

    def _told(self, alert: Alert) -> Row:
        for target in self._targets.values():
            target.put(alert)
        return Row(alert.cloud_event(self._rules.source))


def watch_alerts(environment: StreamTableEnvironment, name: str, text: str, deployment: Deployment, bounded: bool) -> StatementSet:
    """Create the tables and put the insert into a statement set.

    Args:
        environment: of a StreamExecutionEnvironment.
        name: of the rules' source.
        text: the rules.
        deployment: its sinks ``audit`` and ``quarantine`` and ``leaks.findings`` are read.
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
        if (readable := as_source(options, "flink-masking-alerts", bounded)) is not None:
            environment.execute_sql(f"CREATE TEMPORARY TABLE {quoted(table)} (line BYTES) WITH ({with_clause(readable)})")
            read.append(f"SELECT line FROM {quoted(table)} WHERE line IS NOT NULL")
    if not read:
        raise JobError("none of audit, quarantine and leaks.findings of the deployment can be read again. Hint: Kafka, or files")
    read.append("SELECT CAST(x'0a' AS BYTES) AS line")  # a blank line: silence must be told even if nothing else ever comes
    lines = environment.to_data_stream(environment.sql_query(" UNION ALL ".join(read)))
    alerts = lines.key_by(lambda line: 0, key_type=Types.INT()).process(AlertFunction(name, text), LINE).set_parallelism(1).name("alerts")
    environment.execute_sql("CREATE TEMPORARY TABLE told (line BYTES) WITH ('connector' = 'blackhole')")
    statements = environment.create_statement_set()
    statements.add_insert("told", environment.from_data_stream(alerts))
    return statements


def _now() -> int:
    return time.time_ns() // 1_000_000


def _next(now: int) -> int:
    """The end of the step: timers of the same time are one, those from before a restart included."""
    return (now // STEP + 1) * STEP
